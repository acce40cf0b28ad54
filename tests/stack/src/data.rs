//! The directory that keeps the state between starts, held by one stack at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Context, Error, Result};

/// How often a directory in use is tried, and the time between: a stack that is just ending is waited for.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// The directory. While this lives, nobody else gets it.
#[derive(Debug)]
pub(crate) struct Data {
    directory: PathBuf,
    /// Its lock ends with the process, however that ends, so none is ever left behind.
    _lock: File,
}

impl Data {
    /// Takes the directory, and makes it if there is none. Each of two stacks would overwrite the other's secrets.
    pub(crate) async fn take(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        make(directory)?;
        let path = directory.join("lock");
        let lock = private(&path).context(path.display())?;
        for attempt in 1..=ATTEMPTS {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { directory: directory.to_owned(), _lock: lock }),
                Err(TryLockError::Error(cause)) => {
                    return Err(Error::new(format!("{} cannot be locked: {cause}", path.display())));
                }
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => {}
            }
        }
        Err(Error::new(format!(
            "the data directory {shown} is in use by another local AWS: stop that one, or choose another directory"
        )))
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.directory.join("secrets.json")
    }

    /// The database's file. It exists: the database would make it readable for everybody. The files that the database
    /// puts beside it get the same mode from it.
    pub(crate) fn database(&self) -> Result<PathBuf> {
        let path = self.directory.join("dynamodb.sqlite");
        private(&path).context(path.display())?;
        Ok(path)
    }
}

fn make(directory: &Path) -> Result<()> {
    let shown = directory.display();
    // The system says of a file only that it exists, or of one on the way that it is no directory.
    if fs::metadata(directory).is_ok_and(|found| !found.is_dir()) {
        return Err(Error::new(format!(
            "{shown} is not a directory: the data needs a directory, which may be a new one"
        )));
    }
    // Only the last part is private: those before it are not only for the data.
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent).context(format!("the data directory {shown} cannot be made"))?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(directory) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
            Err(cause).context(format!("the data directory {shown} cannot be made"))
        }
        _ => Ok(()),
    }
}

/// Opens a file that only its owner can read, whoever could before.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(0o600).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_is_taken_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("new").join("data");
        let first = Data::take(&directory).await.unwrap();
        let error = Data::take(&directory).await.unwrap_err().to_string();
        assert!(error.contains("in use by another") && error.contains(&*directory.to_string_lossy()), "{error}");
        drop(first);
        Data::take(&directory).await.unwrap();
    }

    #[tokio::test]
    async fn a_stack_that_is_ending_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let first = Data::take(folder.path()).await.unwrap();
        let (second, ()) = tokio::join!(Data::take(folder.path()), async {
            tokio::time::sleep(PAUSE).await;
            drop(first);
        });
        second.unwrap();
    }

    #[tokio::test]
    async fn a_file_is_not_a_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Data::take(file.path()).await.unwrap_err().to_string();
        assert!(error.contains("is not a directory"), "{error}");
        let below = Data::take(&file.path().join("data")).await.unwrap_err().to_string();
        assert!(below.contains("cannot be made"), "{below}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("data");
        let data = Data::take(&directory).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        let database = data.database().unwrap();
        assert_eq!(mode(&database), 0o600);
        // As an earlier version has left it.
        fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(mode(&data.database().unwrap()), 0o600);
    }
}

//! The state as a JSON file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::state::State;

/// The state in the file, or an empty one if there is no file.
pub(super) fn load(path: &Path) -> io::Result<State> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(error),
    };
    // The parser's message can quote a secret; where it stopped is enough. Which file it is the caller says, as with
    // every other error here.
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        io::Error::new(io::ErrorKind::InvalidData, format!("not a secrets file (line {line}, column {column})"))
    })
}

/// Replaces the file as a whole: a reader, and a process killed half-way, sees the old state or the new one.
pub(super) fn save(path: &Path, state: &State) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = temporary(path);
    let mut file = create(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(state)?)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// In the same folder, as a rename is atomic within a file system only.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

//! A small AWS Secrets Manager: the part of the API that the functions, the AWS CLI and the tests use, with the version
//! semantics of the real one. What can go wrong when a secret is created, rotated or deleted twice, half, or by two
//! callers at once goes wrong here in the same way.
//!
//! There is no encryption, no IAM (the caller of [`SecretsManager::handle`] enforces that), no rotation schedule, no
//! replication and no resource policy. The account is `123456789012`, the Region `us-east-1`.
//!
//! # Semantics
//!
//! Each rule names the page of the [API reference] or of the [user guide] that states it. *Observed* marks what the
//! pages leave open and AWS was seen to answer; *chosen* marks what neither settles.
//!
//! ## Versions and staging labels
//!
//! - `ClientRequestToken` becomes the version's id ([`CreateSecret`], [`PutSecretValue`]). SDKs and the CLI fill it in;
//!   a request without one is an `InvalidRequestException` (*observed*).
//! - The same id with the same value is ignored and succeeds, labels untouched; with another value it is a
//!   `ResourceExistsException` ([`CreateSecret`], [`PutSecretValue`]). `UpdateSecret` refuses every id that exists,
//!   whatever the value ([`UpdateSecret`]). Only the value is compared, not description or tags ([`CreateSecret`]).
//! - `CreateSecret` of a name that exists, with an id that does not: `ResourceExistsException` (*observed*). A secret
//!   made without a value has no version, so its creation cannot be repeated (*chosen*).
//! - A new version takes `AWSCURRENT` unless `VersionStages` says otherwise; the first one takes it in any case.
//!   Whenever `AWSCURRENT` moves, `AWSPREVIOUS` moves to the version that lost it ([`PutSecretValue`],
//!   [stages]).
//! - A label is attached to one version at a time: attaching moves it ([`PutSecretValue`]). `UpdateSecretVersionStage`
//!   moves it only if `RemoveFromVersionId` names the version that holds it ([stages]).
//! - `AWSCURRENT` moves but cannot be taken away; a label already in place is left there; a version that does not exist
//!   is a `ResourceNotFoundException` (*chosen*).
//! - At most 20 labels, on one version as across all versions of a secret ([`PutSecretValue`], [quotas]).
//! - A version without labels is deprecated: readable by its id, listed only with `IncludeDeprecated` ([versions],
//!   [version ids]). With more than 100 versions the oldest deprecated ones go, but none that is younger
//!   than 24 hours ([`PutSecretValue`], [quotas]).
//! - A secret has at most 100 versions ([quotas]). AWS documents the quota, and `LimitExceededException` for quotas
//!   ([`PutSecretValue`], [`UpdateSecret`]), but not the exact refusal: here it meets the version that would be the
//!   101st when none can go, and the message is our own (*chosen*).
//! - `GetSecretValue` with both `VersionId` and `VersionStage` needs both to mean the same version
//!   ([`GetSecretValue`]); otherwise `InvalidRequestException` (*observed*).
//!
//! ## Deletion
//!
//! - `DeleteSecret` schedules the end in 7 to 30 days, 30 by default ([`DeleteSecret`]); from then on the secret is
//!   gone and its name free. AWS gives no exact time after that; here it is at once.
//! - Until then every use is an `InvalidRequestException` ([`GetSecretValue`] and the other operations that list it),
//!   also for `CreateSecret` of the same name and a second `DeleteSecret`. `DescribeSecret` and `ListSecretVersionIds`
//!   do not list that error and answer; `ListSecrets` shows the secret with `IncludePlannedDeletion`.
//! - `ForceDeleteWithoutRecovery` removes at once, also what is already scheduled; for a secret that does not exist it
//!   succeeds ([`DeleteSecret`]). AWS deletes in the background "with a short delay"; here there is none.
//! - `RestoreSecret` cancels ([`RestoreSecret`]); on a secret that is not scheduled it changes nothing (*chosen*).
//! - A secret made again under a deleted one's name has another ARN ([`CreateSecret`]).
//!
//! ## Names and values
//!
//! - A name has 1 to 512 characters out of ASCII letters, digits and `/_+=.@-` ([`CreateSecret`]). Any other is a
//!   `ValidationException`, in every operation (*observed*).
//! - A secret is found by name, by ARN, or by ARN without the hyphen and six characters at its end. An ARN that ends in
//!   a hyphen and six characters is always taken to be whole ([partial ARN]).
//! - A value has 1 to 65,536 bytes and is a string or binary, not both ([`CreateSecret`], [quotas]).
//!
//! ## Lists
//!
//! - `ListSecrets` is by creation date ([`ListSecrets`]), oldest first (*chosen*). Filters: `name` (prefix,
//!   case-sensitive, `!` negates). Other keys and `SortBy` are refused rather than ignored. AWS may lag by five
//!   minutes; here nothing does.
//! - `DeletedDate` is the end of the window in `DescribeSecret`, and the time of the request in `ListSecrets`, as the
//!   two pages define it.
//! - `LastAccessedDate` is a date without a time, and absent until the first `GetSecretValue` ([`DescribeSecret`]).
//!
//! [API reference]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
//! [user guide]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html
//! [`CreateSecret`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
//! [`PutSecretValue`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
//! [`UpdateSecret`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
//! [stages]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
//! [`GetSecretValue`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
//! [`DescribeSecret`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
//! [`DeleteSecret`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
//! [`RestoreSecret`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html
//! [`ListSecrets`]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
//! [version ids]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
//! [versions]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
//! [quotas]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
//! [partial ARN]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen

mod failure;
mod file;
mod password;
mod random;
mod request;
mod secrets;
mod state;
#[cfg(test)]
mod tests;
mod versions;

use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use failure::Failure;
use state::State;

/// The service: all secrets of one account in one Region.
///
/// Calls are serialised by a lock, so each of them is atomic.
pub struct SecretsManager {
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    /// Where the state is kept, if anywhere.
    path: Option<PathBuf>,
}

impl SecretsManager {
    /// An empty service that forgets everything when dropped.
    pub fn in_memory() -> Self {
        Self { inner: Mutex::new(Inner { state: State::default(), path: None }) }
    }

    /// A service that keeps its state in a JSON file: read now if it exists, replaced as a whole after each change.
    ///
    /// The file holds the secrets in plain text, readable by its owner only.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not what this service writes. The error does not name the file.
    pub fn open(path: PathBuf) -> std::io::Result<Self> {
        let state = file::load(&path)?;
        Ok(Self { inner: Mutex::new(Inner { state, path: Some(path) }) })
    }

    /// One call of the AWS JSON 1.1 protocol: `operation` is the part of `X-Amz-Target` after `secretsmanager.`,
    /// `now_ms` the time in Unix milliseconds. Answers the HTTP status and the JSON body.
    ///
    /// A call that fails changes nothing, also if the change could not be written to the file.
    pub fn handle(&self, operation: &str, body: &[u8], now_ms: i64) -> (u16, Value) {
        match self.lock().call(operation, body, now_ms) {
            Ok(answer) => (200, answer),
            Err(failure) => (failure.status(), failure.body()),
        }
    }

    /// Everything that is stored, values included, by name. For assertions in tests.
    ///
    /// A secret whose recovery window has ended is shown until the next call of [`Self::handle`], which has the time.
    pub fn snapshot(&self) -> Vec<SecretSnapshot> {
        self.lock().state.secrets.values().map(SecretSnapshot::of).collect()
    }

    /// Every call leaves the state whole, so a panic elsewhere in a holder of the lock does not matter.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretsManager").finish_non_exhaustive()
    }
}

impl Inner {
    fn call(&mut self, operation: &str, body: &[u8], now_ms: i64) -> Result<Value, Failure> {
        let Some(path) = self.path.as_deref() else {
            return run(&mut self.state, operation, body, now_ms);
        };
        let mut next = self.state.clone();
        let answer = run(&mut next, operation, body, now_ms)?;
        if next != self.state {
            file::save(path, &next).map_err(|_| Failure::internal("The state could not be written."))?;
            self.state = next;
        }
        Ok(answer)
    }
}

fn run(state: &mut State, operation: &str, body: &[u8], now_ms: i64) -> Result<Value, Failure> {
    state.end_recovery_windows(now_ms);
    match operation {
        "CreateSecret" => secrets::create(state, request::parse(body)?, now_ms),
        "DescribeSecret" => secrets::describe(state, request::parse(body)?),
        "DeleteSecret" => secrets::delete(state, request::parse(body)?, now_ms),
        "RestoreSecret" => secrets::restore(state, request::parse(body)?, now_ms),
        "ListSecrets" => secrets::list(state, request::parse(body)?),
        "TagResource" => secrets::tag(state, request::parse(body)?, now_ms),
        "GetSecretValue" => versions::get(state, request::parse(body)?, now_ms),
        "PutSecretValue" => versions::put(state, request::parse(body)?, now_ms),
        "UpdateSecret" => versions::update(state, request::parse(body)?, now_ms),
        "UpdateSecretVersionStage" => versions::move_stage(state, request::parse(body)?, now_ms),
        "ListSecretVersionIds" => versions::list(state, request::parse(body)?),
        "GetRandomPassword" => password::generate(&request::parse(body)?),
        _ => Err(Failure::unknown_operation(operation)),
    }
}

/// One secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSnapshot {
    /// The name it was created with.
    pub name: String,
    /// Its whole ARN.
    pub arn: String,
    /// When `DeleteSecret` scheduled its deletion, in Unix milliseconds.
    pub deleted_at_ms: Option<i64>,
    /// All versions, deprecated ones too, in the order of their creation.
    pub versions: Vec<VersionSnapshot>,
}

impl SecretSnapshot {
    fn of(secret: &state::Secret) -> Self {
        Self {
            name: secret.name.clone(),
            arn: secret.arn.clone(),
            deleted_at_ms: secret.deletion.as_ref().map(|deletion| deletion.requested_ms),
            versions: secret.versions.iter().map(VersionSnapshot::of).collect(),
        }
    }
}

/// One version of a secret as it is stored. Its `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct VersionSnapshot {
    /// The version's id: the `ClientRequestToken` that made it.
    pub id: String,
    /// Its staging labels, sorted.
    pub stages: Vec<String>,
    /// The string, or the binary value in base64.
    pub value: String,
}

impl VersionSnapshot {
    fn of(version: &state::Version) -> Self {
        Self {
            id: version.id.clone(),
            stages: version.stages.iter().cloned().collect(),
            value: version.content.text().to_owned(),
        }
    }
}

impl fmt::Debug for VersionSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VersionSnapshot")
            .field("id", &self.id)
            .field("stages", &self.stages)
            .finish_non_exhaustive()
    }
}

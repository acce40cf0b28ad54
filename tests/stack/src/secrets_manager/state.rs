//! What is stored, and the rules about versions and staging labels.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{failure::Failure, request};

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// Every ARN starts like this.
pub(super) const ARN_PREFIX: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";

/// Staging labels, across all versions of a secret.
const MAX_LABELS: usize = 20;
/// Versions of a secret. Deprecated ones make room for new ones.
const MAX_VERSIONS: usize = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// All secrets by name.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) secrets: BTreeMap<String, Secret>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_ms: i64,
    pub(super) changed_ms: i64,
    pub(super) accessed_ms: Option<i64>,
    pub(super) deletion: Option<Deletion>,
    /// In the order of their creation.
    pub(super) versions: Vec<Version>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Deletion {
    pub(super) requested_ms: i64,
    /// The end of the recovery window.
    pub(super) due_ms: i64,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) content: Content,
    pub(super) stages: BTreeSet<String>,
    pub(super) created_ms: i64,
    pub(super) accessed_ms: Option<i64>,
}

/// A secret's value. Has no `Debug`, so that it cannot be printed by accident.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Content {
    #[serde(rename = "SecretString")]
    String(String),
    /// In base64, which has one spelling only for given bytes.
    #[serde(rename = "SecretBinary")]
    Binary(String),
}

impl Content {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::String(text) | Self::Binary(text) => text,
        }
    }

    /// The member that carries it in an answer.
    pub(super) fn member(&self) -> &'static str {
        match self {
            Self::String(_) => "SecretString",
            Self::Binary(_) => "SecretBinary",
        }
    }
}

impl State {
    /// Removes what was scheduled for deletion, once the recovery window is over.
    pub(super) fn end_recovery_windows(&mut self, now_ms: i64) {
        self.secrets.retain(|_, secret| secret.deletion.as_ref().is_none_or(|deletion| deletion.due_ms > now_ms));
    }

    /// The secret by name or ARN, also if it is scheduled for deletion.
    pub(super) fn find(&self, secret_id: &str) -> Result<&Secret, Failure> {
        self.lookup(secret_id)?.ok_or_else(Failure::secret_not_found)
    }

    pub(super) fn find_mut(&mut self, secret_id: &str) -> Result<&mut Secret, Failure> {
        let name = self.find(secret_id)?.name.clone();
        self.secrets.get_mut(&name).ok_or_else(Failure::secret_not_found)
    }

    /// The same, but refuses a secret that is scheduled for deletion.
    pub(super) fn usable(&mut self, secret_id: &str) -> Result<&mut Secret, Failure> {
        let secret = self.find_mut(secret_id)?;
        if secret.deletion.is_some() { Err(Failure::scheduled_for_deletion()) } else { Ok(secret) }
    }

    pub(super) fn lookup(&self, secret_id: &str) -> Result<Option<&Secret>, Failure> {
        if !secret_id.starts_with("arn:") {
            request::name(secret_id)?;
            return Ok(self.secrets.get(secret_id));
        }
        request::length(secret_id, "secretId", 1, 2048)?;
        Ok(secret_id.strip_prefix(ARN_PREFIX).and_then(|rest| match without_suffix(rest) {
            Some(name) => self.secrets.get(name).filter(|secret| secret.arn == secret_id),
            None => self.secrets.get(rest),
        }))
    }
}

/// The part before a hyphen and six characters at the end, if it ends so.
pub(super) fn without_suffix(resource: &str) -> Option<&str> {
    let (name, suffix) = resource.rsplit_once('-')?;
    (suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric())).then_some(name)
}

impl Secret {
    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that a label is attached to.
    pub(super) fn holder(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.contains(stage))
    }

    /// Adds a version with these labels; without any it becomes the current one.
    pub(super) fn add(
        &mut self,
        id: &str,
        content: Content,
        stages: Option<Vec<String>>,
        now_ms: i64,
    ) -> Result<(), Failure> {
        let mut stages: BTreeSet<String> = stages.unwrap_or_else(|| vec![CURRENT.to_owned()]).into_iter().collect();
        let current = stages.remove(CURRENT) || self.versions.is_empty();

        let mut next = self.clone();
        next.versions.push(Version {
            id: id.to_owned(),
            content,
            stages: BTreeSet::new(),
            created_ms: now_ms,
            accessed_ms: None,
        });
        for stage in &stages {
            next.attach(stage, id);
        }
        // Last, so that AWSPREVIOUS ends where AWSCURRENT was, even if the request wanted it elsewhere.
        if current {
            next.attach(CURRENT, id);
        }
        next.drop_deprecated(now_ms);
        if next.versions.len() > MAX_VERSIONS {
            return Err(Failure::limit(format!(
                "You can't have more than {MAX_VERSIONS} versions of a secret. Versions created less than 24 hours ago \
                 aren't removed."
            )));
        }
        next.changed_ms = now_ms;
        self.replace(next)
    }

    /// Attaches a label to a version that does not have it, moving it if it is on another.
    pub(super) fn label(&mut self, stage: &str, id: &str, now_ms: i64) -> Result<(), Failure> {
        let mut next = self.clone();
        next.attach(stage, id);
        next.changed_ms = now_ms;
        self.replace(next)
    }

    /// Takes a label away from whichever version has it.
    pub(super) fn detach(&mut self, stage: &str) {
        for version in &mut self.versions {
            version.stages.remove(stage);
        }
    }

    /// The label is on another version, or on none.
    fn attach(&mut self, stage: &str, id: &str) {
        let previous = self.holder(stage).map(|version| version.id.clone());
        self.detach(stage);
        if let Some(version) = self.versions.iter_mut().find(|version| version.id == id) {
            version.stages.insert(stage.to_owned());
        }
        if let (CURRENT, Some(previous)) = (stage, previous) {
            self.attach(PREVIOUS, &previous);
        }
    }

    /// Takes over the changed copy, unless it has too many labels.
    fn replace(&mut self, next: Self) -> Result<(), Failure> {
        if next.versions.iter().map(|version| version.stages.len()).sum::<usize>() > MAX_LABELS {
            return Err(Failure::limit(format!(
                "You can't have more than {MAX_LABELS} staging labels attached across all versions of a secret."
            )));
        }
        *self = next;
        Ok(())
    }

    fn drop_deprecated(&mut self, now_ms: i64) {
        let mut surplus = self.versions.len().saturating_sub(MAX_VERSIONS);
        self.versions.retain(|version| {
            let old = now_ms.saturating_sub(version.created_ms) >= DAY_MS;
            let drop = surplus > 0 && old && version.stages.is_empty();
            surplus -= usize::from(drop);
            !drop
        });
    }

    /// The versions that have labels, with their labels.
    pub(super) fn versions_to_stages(&self) -> Map<String, Value> {
        self.versions
            .iter()
            .filter(|version| !version.stages.is_empty())
            .map(|version| (version.id.clone(), json!(version.stages)))
            .collect()
    }
}

/// Midnight before that time: the precision of a date of last access.
pub(super) fn day(ms: i64) -> i64 {
    ms - ms.rem_euclid(DAY_MS)
}

/// A time as the protocol has it: seconds, with a fraction.
pub(super) fn seconds(ms: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact in an f64 for 285,000 years")]
    let seconds = ms as f64 / 1000.0;
    json!(seconds)
}

/// The end of a recovery window that starts now.
pub(super) fn after_days(now_ms: i64, days: i64) -> i64 {
    now_ms.saturating_add(days.saturating_mul(DAY_MS))
}

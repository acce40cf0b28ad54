//! The operations on a secret's value and versions.

use serde_json::{Value, json};

use super::{
    failure::Failure,
    request::{self, GetSecretValue, ListSecretVersionIds, PutSecretValue, UpdateSecret, UpdateSecretVersionStage},
    secrets::{PageKey, description, page, set, token_in_use},
    state::{CURRENT, State, Version, day, seconds},
};

pub(super) fn get(state: &mut State, input: GetSecretValue, now_ms: i64) -> Result<Value, Failure> {
    let secret = state.usable(&request::required(input.secret_id, "secretId")?)?;
    if let Some(id) = &input.version_id {
        request::version_id(id, "versionId")?;
    }
    if let Some(stage) = &input.version_stage {
        request::length(stage, "versionStage", 1, 256)?;
    }

    let missing = |kind: &str, which: &str| {
        Failure::not_found(format!("Secrets Manager can't find the specified secret value for {kind}: {which}"))
    };
    let version = match (&input.version_id, &input.version_stage) {
        (Some(id), stage) => {
            let version = secret.version(id).ok_or_else(|| missing("VersionId", id))?;
            if stage.as_ref().is_some_and(|stage| !version.stages.contains(stage)) {
                return Err(Failure::request(
                    "You provided a VersionStage that is not associated to the provided VersionId.",
                ));
            }
            version
        }
        (None, stage) => {
            let stage = stage.as_deref().unwrap_or(CURRENT);
            secret.holder(stage).ok_or_else(|| missing("staging label", stage))?
        }
    };

    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "CreatedDate": seconds(version.created_ms),
    });
    set(&mut answer, version.content.member(), json!(version.content.text()));
    set_stages(&mut answer, version);

    let id = version.id.clone();
    secret.accessed_ms = Some(day(now_ms));
    if let Some(version) = secret.versions.iter_mut().find(|version| version.id == id) {
        version.accessed_ms = Some(day(now_ms));
    }
    Ok(answer)
}

pub(super) fn put(state: &mut State, input: PutSecretValue, now_ms: i64) -> Result<Value, Failure> {
    let id = request::required(input.secret_id, "secretId")?;
    let token = request::token(input.client_request_token)?;
    let content = request::content(input.secret_string, input.secret_binary)?
        .ok_or_else(|| Failure::parameter("You must provide either SecretString or SecretBinary."))?;
    if let Some(stages) = &input.version_stages {
        if !(1..=20).contains(&stages.len()) {
            return Err(Failure::constraint("versionStages", "Member must have between 1 and 20 items"));
        }
        for stage in stages {
            request::length(stage, "versionStages.member", 1, 256)?;
        }
    }

    let secret = state.usable(&id)?;
    match secret.version(&token) {
        Some(version) if version.content == content => {}
        Some(_) => return Err(token_in_use(&token, secret)),
        None => secret.add(&token, content, input.version_stages, now_ms)?,
    }
    let mut answer = json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": token });
    if let Some(version) = secret.version(&token) {
        set_stages(&mut answer, version);
    }
    Ok(answer)
}

pub(super) fn update(state: &mut State, input: UpdateSecret, now_ms: i64) -> Result<Value, Failure> {
    let id = request::required(input.secret_id, "secretId")?;
    let token = request::token(input.client_request_token)?;
    let content = request::content(input.secret_string, input.secret_binary)?;
    description(input.description.as_deref())?;

    let secret = state.usable(&id)?;
    let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
    if let Some(content) = content {
        if secret.version(&token).is_some() {
            return Err(token_in_use(&token, secret));
        }
        secret.add(&token, content, None, now_ms)?;
        set(&mut answer, "VersionId", json!(token));
    }
    if input.description.is_some() {
        secret.description = input.description;
    }
    if input.kms_key_id.is_some() {
        secret.kms_key_id = input.kms_key_id;
    }
    secret.changed_ms = now_ms;
    Ok(answer)
}

pub(super) fn move_stage(state: &mut State, input: UpdateSecretVersionStage, now_ms: i64) -> Result<Value, Failure> {
    let id = request::required(input.secret_id, "secretId")?;
    let stage = request::required(input.version_stage, "versionStage")?;
    request::length(&stage, "versionStage", 1, 256)?;
    let (to, from) = (input.move_to_version_id, input.remove_from_version_id);

    let secret = state.usable(&id)?;
    for (version, field) in [(&to, "moveToVersionId"), (&from, "removeFromVersionId")] {
        if let Some(version) = version {
            request::version_id(version, field)?;
            if secret.version(version).is_none() {
                return Err(Failure::not_found(format!(
                    "Secrets Manager can't find the specified secret version: {version}"
                )));
            }
        }
    }
    let holder = secret.holder(&stage).map(|version| version.id.clone());
    if from.is_some() && from != holder {
        return Err(Failure::parameter(format!(
            "RemoveFromVersionId must be the version that staging label {stage} is currently attached to."
        )));
    }
    match (to, from) {
        // Already there.
        (Some(to), _) if holder.as_ref() == Some(&to) => {}
        (Some(to), from) => {
            if let (Some(holder), None) = (&holder, from) {
                return Err(Failure::parameter(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to \
                     version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            secret.label(&stage, &to, now_ms)?;
        }
        (None, Some(_)) if stage == CURRENT => {
            return Err(Failure::parameter(format!(
                "You can only move staging label {CURRENT} to a different secret version. It can't be \
                 completely removed."
            )));
        }
        (None, Some(_)) => {
            secret.detach(&stage);
            secret.changed_ms = now_ms;
        }
        (None, None) => {
            return Err(Failure::parameter("You must provide MoveToVersionId, RemoveFromVersionId, or both."));
        }
    }
    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
}

pub(super) fn list(state: &State, input: ListSecretVersionIds) -> Result<Value, Failure> {
    let secret = state.find(&request::required(input.secret_id, "secretId")?)?;
    let found: Vec<(PageKey, &Version)> = secret
        .versions
        .iter()
        .filter(|version| !version.stages.is_empty() || input.include_deprecated == Some(true))
        .map(|version| ((version.created_ms, version.id.clone()), version))
        .collect();
    let (page, next) = page(found, false, request::page_size(input.max_results)?, input.next_token.as_deref())?;
    let versions: Vec<Value> = page.into_iter().map(list_entry).collect();
    let mut answer = json!({ "ARN": secret.arn, "Name": secret.name, "Versions": versions });
    if let Some(next) = next {
        set(&mut answer, "NextToken", json!(next));
    }
    Ok(answer)
}

fn list_entry(version: &Version) -> Value {
    let mut entry = json!({
        "VersionId": version.id,
        "CreatedDate": seconds(version.created_ms),
        "KmsKeyIds": ["DefaultEncryptionKey"],
    });
    if let Some(accessed) = version.accessed_ms {
        set(&mut entry, "LastAccessedDate", seconds(accessed));
    }
    set_stages(&mut entry, version);
    entry
}

/// A version without labels has no member for them, rather than an empty one.
fn set_stages(answer: &mut Value, version: &Version) {
    if !version.stages.is_empty() {
        set(answer, "VersionStages", json!(version.stages));
    }
}

//! What the operations take, and the constraints that the API's model puts on it.
//!
//! All members are optional here, so that what is missing is refused in AWS's words. Unknown members are ignored, as
//! AWS ignores them.

use data_encoding::BASE64;
use serde::{Deserialize, de::DeserializeOwned};

use super::{failure::Failure, state::Content};

/// A value's length in bytes.
const MAX_VALUE: usize = 65_536;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateSecret {
    pub(super) name: Option<String>,
    pub(super) client_request_token: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) secret_string: Option<String>,
    pub(super) secret_binary: Option<String>,
    pub(super) tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
}

/// `DescribeSecret` and `RestoreSecret`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneSecret {
    pub(super) secret_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteSecret {
    pub(super) secret_id: Option<String>,
    pub(super) recovery_window_in_days: Option<i64>,
    pub(super) force_delete_without_recovery: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSecrets {
    pub(super) include_planned_deletion: Option<bool>,
    pub(super) max_results: Option<i64>,
    pub(super) next_token: Option<String>,
    pub(super) filters: Option<Vec<Filter>>,
    pub(super) sort_order: Option<String>,
    pub(super) sort_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    pub(super) key: Option<String>,
    pub(super) values: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagResource {
    pub(super) secret_id: Option<String>,
    pub(super) tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetSecretValue {
    pub(super) secret_id: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutSecretValue {
    pub(super) secret_id: Option<String>,
    pub(super) client_request_token: Option<String>,
    pub(super) secret_string: Option<String>,
    pub(super) secret_binary: Option<String>,
    pub(super) version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateSecret {
    pub(super) secret_id: Option<String>,
    pub(super) client_request_token: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) secret_string: Option<String>,
    pub(super) secret_binary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateSecretVersionStage {
    pub(super) secret_id: Option<String>,
    pub(super) version_stage: Option<String>,
    pub(super) move_to_version_id: Option<String>,
    pub(super) remove_from_version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSecretVersionIds {
    pub(super) secret_id: Option<String>,
    pub(super) max_results: Option<i64>,
    pub(super) next_token: Option<String>,
    pub(super) include_deprecated: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RandomPassword {
    pub(super) password_length: Option<i64>,
    pub(super) exclude_characters: Option<String>,
    pub(super) exclude_numbers: Option<bool>,
    pub(super) exclude_punctuation: Option<bool>,
    pub(super) exclude_uppercase: Option<bool>,
    pub(super) exclude_lowercase: Option<bool>,
    pub(super) include_space: Option<bool>,
    pub(super) require_each_included_type: Option<bool>,
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|_| Failure::serialization())
}

pub(super) fn required<T>(value: Option<T>, field: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::constraint(field, "Member must not be null"))
}

/// Counts characters, as the model does.
pub(super) fn length(text: &str, field: &str, min: usize, max: usize) -> Result<(), Failure> {
    within(text.chars().count(), field, min, max)
}

fn within(length: usize, field: &str, min: usize, max: usize) -> Result<(), Failure> {
    if length < min {
        return Err(Failure::constraint(field, &format!("Member must have length greater than or equal to {min}")));
    }
    if length > max {
        return Err(Failure::constraint(field, &format!("Member must have length less than or equal to {max}")));
    }
    Ok(())
}

pub(super) fn name(name: &str) -> Result<(), Failure> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if !name.chars().all(valid) {
        return Err(Failure::validation(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    length(name, "name", 1, 512)
}

/// The id of the version to be made.
pub(super) fn token(token: Option<String>) -> Result<String, Failure> {
    let token = token.ok_or_else(|| {
        Failure::request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    })?;
    if (32..=64).contains(&token.chars().count()) {
        Ok(token)
    } else {
        Err(Failure::parameter("ClientRequestToken must be 32-64 characters long."))
    }
}

pub(super) fn version_id(id: &str, field: &str) -> Result<(), Failure> {
    length(id, field, 32, 64)
}

/// The value, if the request has one.
pub(super) fn content(string: Option<String>, binary: Option<String>) -> Result<Option<Content>, Failure> {
    match (string, binary) {
        (Some(_), Some(_)) => Err(Failure::parameter("You can't specify both SecretString and SecretBinary.")),
        (Some(string), None) => {
            within(string.len(), "secretString", 1, MAX_VALUE)?;
            Ok(Some(Content::String(string)))
        }
        (None, Some(binary)) => {
            let bytes = BASE64.decode(binary.as_bytes()).map_err(|_| Failure::serialization())?;
            within(bytes.len(), "secretBinary", 1, MAX_VALUE)?;
            Ok(Some(Content::Binary(binary)))
        }
        (None, None) => Ok(None),
    }
}

/// How many results to a page; 100 unless the request says otherwise.
pub(super) fn page_size(max_results: Option<i64>) -> Result<usize, Failure> {
    usize::try_from(max_results.unwrap_or(100))
        .ok()
        .filter(|size| (1..=100).contains(size))
        .ok_or_else(|| Failure::constraint("maxResults", "Member must have value between 1 and 100"))
}

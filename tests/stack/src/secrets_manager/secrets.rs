//! The operations on a secret as a whole.

use serde_json::{Map, Value, json};

use super::{
    failure::Failure,
    random,
    request::{self, CreateSecret, DeleteSecret, Filter, ListSecrets, OneSecret, Tag, TagResource},
    state::{ARN_PREFIX, Deletion, Secret, State, after_days, seconds, without_suffix},
};

/// Per secret, as for every AWS resource.
const MAX_TAGS: usize = 50;

pub(super) fn create(state: &mut State, input: CreateSecret, now_ms: i64) -> Result<Value, Failure> {
    let name = request::required(input.name, "name")?;
    request::name(&name)?;
    let token = request::token(input.client_request_token)?;
    let content = request::content(input.secret_string, input.secret_binary)?;
    description(input.description.as_deref())?;

    if let Some(existing) = state.secrets.get(&name) {
        if existing.deletion.is_some() {
            return Err(Failure::request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        return match existing.version(&token) {
            Some(version) if content.as_ref() == Some(&version.content) => {
                Ok(json!({ "ARN": existing.arn, "Name": name, "VersionId": token }))
            }
            Some(_) => Err(token_in_use(&token, existing)),
            None => Err(Failure::exists(format!("The operation failed because the secret {name} already exists."))),
        };
    }

    let mut secret = Secret {
        arn: format!("{ARN_PREFIX}{name}-{}", random::arn_suffix()?),
        name: name.clone(),
        description: input.description,
        kms_key_id: input.kms_key_id,
        tags: std::collections::BTreeMap::new(),
        created_ms: now_ms,
        changed_ms: now_ms,
        accessed_ms: None,
        deletion: None,
        versions: Vec::new(),
    };
    add_tags(&mut secret, input.tags.unwrap_or_default())?;
    let mut answer = json!({ "ARN": secret.arn, "Name": name });
    if let Some(content) = content {
        secret.add(&token, content, None, now_ms)?;
        set(&mut answer, "VersionId", json!(token));
    }
    state.secrets.insert(name, secret);
    Ok(answer)
}

pub(super) fn describe(state: &State, input: OneSecret) -> Result<Value, Failure> {
    let secret = state.find(&request::required(input.secret_id, "secretId")?)?;
    let mut answer = metadata(secret);
    if let Some(deletion) = &secret.deletion {
        set(&mut answer, "DeletedDate", seconds(deletion.due_ms));
    }
    if !secret.versions.is_empty() {
        set(&mut answer, "VersionIdsToStages", Value::Object(secret.versions_to_stages()));
    }
    Ok(answer)
}

pub(super) fn delete(state: &mut State, input: DeleteSecret, now_ms: i64) -> Result<Value, Failure> {
    let id = request::required(input.secret_id, "secretId")?;
    if input.force_delete_without_recovery == Some(true) {
        if input.recovery_window_in_days.is_some() {
            return Err(Failure::parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        return force_delete(state, &id, now_ms);
    }
    let days = input.recovery_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(Failure::parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let secret = state.usable(&id)?;
    let due_ms = after_days(now_ms, days);
    secret.deletion = Some(Deletion { requested_ms: now_ms, due_ms });
    secret.changed_ms = now_ms;
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": seconds(due_ms) }))
}

/// Of a secret that does not exist, AWS says that it was deleted, and makes up the rest of the answer.
fn force_delete(state: &mut State, id: &str, now_ms: i64) -> Result<Value, Failure> {
    let (name, arn) = match state.lookup(id)? {
        Some(secret) => (secret.name.clone(), secret.arn.clone()),
        None => match id.strip_prefix(ARN_PREFIX) {
            Some(rest) => (without_suffix(rest).unwrap_or(rest).to_owned(), id.to_owned()),
            None => (id.to_owned(), format!("{ARN_PREFIX}{id}-{}", random::arn_suffix()?)),
        },
    };
    if state.secrets.get(&name).is_some_and(|secret| secret.arn == arn) {
        state.secrets.remove(&name);
    }
    Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": seconds(now_ms) }))
}

pub(super) fn restore(state: &mut State, input: OneSecret, now_ms: i64) -> Result<Value, Failure> {
    let secret = state.find_mut(&request::required(input.secret_id, "secretId")?)?;
    if secret.deletion.take().is_some() {
        secret.changed_ms = now_ms;
    }
    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
}

pub(super) fn list(state: &State, input: ListSecrets) -> Result<Value, Failure> {
    if input.sort_by.as_deref().is_some_and(|key| key != "created-date") {
        return Err(Failure::parameter("Sorting by anything but created-date is not implemented here."));
    }
    let descending = match input.sort_order.as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(Failure::constraint("sortOrder", "Member must satisfy enum value set: [asc, desc]")),
    };
    let filters = input.filters.unwrap_or_default();
    let mut found: Vec<(PageKey, &Secret)> = Vec::new();
    for secret in state.secrets.values() {
        let visible = secret.deletion.is_none() || input.include_planned_deletion == Some(true);
        if visible && matches(secret, &filters)? {
            found.push(((secret.created_ms, secret.name.clone()), secret));
        }
    }
    let (page, next) = page(found, descending, request::page_size(input.max_results)?, input.next_token.as_deref())?;
    let list: Vec<Value> = page.into_iter().map(list_entry).collect();
    let mut answer = json!({ "SecretList": list });
    if let Some(next) = next {
        set(&mut answer, "NextToken", json!(next));
    }
    Ok(answer)
}

/// All filters have to match; of a filter's values one.
fn matches(secret: &Secret, filters: &[Filter]) -> Result<bool, Failure> {
    for filter in filters {
        if filter.key.as_deref() != Some("name") {
            return Err(Failure::parameter("Filtering by anything but name is not implemented here."));
        }
        let hit = filter.values.iter().flatten().any(|value| match value.strip_prefix('!') {
            Some(prefix) => !secret.name.starts_with(prefix),
            None => secret.name.starts_with(value.as_str()),
        });
        if !hit {
            return Ok(false);
        }
    }
    Ok(true)
}

fn list_entry(secret: &Secret) -> Value {
    let mut entry = metadata(secret);
    if let Some(deletion) = &secret.deletion {
        set(&mut entry, "DeletedDate", seconds(deletion.requested_ms));
    }
    if !secret.versions.is_empty() {
        set(&mut entry, "SecretVersionsToStages", Value::Object(secret.versions_to_stages()));
    }
    entry
}

pub(super) fn tag(state: &mut State, input: TagResource, now_ms: i64) -> Result<Value, Failure> {
    let secret = state.usable(&request::required(input.secret_id, "secretId")?)?;
    let mut next = secret.clone();
    add_tags(&mut next, request::required(input.tags, "tags")?)?;
    next.changed_ms = now_ms;
    *secret = next;
    Ok(json!({}))
}

fn add_tags(secret: &mut Secret, tags: Vec<Tag>) -> Result<(), Failure> {
    for tag in tags {
        let key = request::required(tag.key, "tags.member.key")?;
        let value = tag.value.unwrap_or_default();
        request::length(&key, "tags.member.key", 1, 128)?;
        request::length(&value, "tags.member.value", 0, 256)?;
        secret.tags.insert(key, value);
    }
    if secret.tags.len() > MAX_TAGS {
        return Err(Failure::limit(format!("You can't have more than {MAX_TAGS} tags on a secret.")));
    }
    Ok(())
}

/// What `DescribeSecret` and `ListSecrets` have in common: only fields that have a value.
fn metadata(secret: &Secret) -> Value {
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": seconds(secret.created_ms),
        "LastChangedDate": seconds(secret.changed_ms),
    });
    if let Some(description) = secret.description.as_ref().filter(|text| !text.is_empty()) {
        set(&mut answer, "Description", json!(description));
    }
    if let Some(key) = secret.kms_key_id.as_ref().filter(|key| !key.is_empty()) {
        set(&mut answer, "KmsKeyId", json!(key));
    }
    if let Some(accessed) = secret.accessed_ms {
        set(&mut answer, "LastAccessedDate", seconds(accessed));
    }
    if !secret.tags.is_empty() {
        let tags: Vec<Value> = secret.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        set(&mut answer, "Tags", json!(tags));
    }
    answer
}

pub(super) fn description(text: Option<&str>) -> Result<(), Failure> {
    text.map_or(Ok(()), |text| request::length(text, "description", 0, 2048))
}

pub(super) fn token_in_use(token: &str, secret: &Secret) -> Failure {
    Failure::exists(format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {}.",
        secret.arn
    ))
}

/// Adds a member to an answer, which is always an object.
pub(super) fn set(answer: &mut Value, member: &str, value: Value) {
    if let Some(object) = answer.as_object_mut() {
        let _: Option<Value> = Map::insert(object, member.to_owned(), value);
    }
}

/// What lists are sorted by: the time of creation, then the name or id.
pub(super) type PageKey = (i64, String);

/// The page after the given token, and the token for the next one. The token names the last item that was listed, so
/// that nothing is skipped or repeated when items come and go between two pages.
pub(super) fn page<T>(
    mut items: Vec<(PageKey, T)>,
    descending: bool,
    size: usize,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Failure> {
    items.sort_by(|(one, _), (other, _)| if descending { other.cmp(one) } else { one.cmp(other) });
    if let Some(token) = token {
        let last = decode(token).ok_or_else(Failure::next_token)?;
        items.retain(|(key, _)| if descending { *key < last } else { *key > last });
    }
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|(key, _)| encode(key));
    Ok((items.into_iter().map(|(_, item)| item).collect(), next))
}

fn encode((created_ms, name): &PageKey) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("{created_ms}:{name}").as_bytes())
}

fn decode(token: &str) -> Option<PageKey> {
    let text = String::from_utf8(data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).ok()?).ok()?;
    let (created_ms, name) = text.split_once(':')?;
    Some((created_ms.parse().ok()?, name.to_owned()))
}

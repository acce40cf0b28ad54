//! API keys as items, and back. Everything but the hashes is in the map [`DETAILS`], which is what the list of keys
//! shows.

use aws_sdk_dynamodb::types::AttributeValue;

use super::items::tenant_id;
use crate::domain::{
    ApiKey, ApiKeyClaims, ApiKeyId, ApiKeySecret, Day, KeyHash, KeyHashes, KeyKind, KeyName, Origin, Origins, Problem,
    Timestamp,
};
use crate::error::Result;
use crate::store::dynamodb::{Item, NewItem, Reader, millis, number, text};
use crate::store::keys::{self, DETAILS, Kind, LISTING_ORDER, TENANT_LISTING};

/// The last day on which a key was used; on which a token was minted with it; on which it asked about an active one.
pub const LAST_USED_ON: &str = "last_used_on";
pub const LAST_TOKEN_ON: &str = "last_token_on";
pub const LAST_INTROSPECTED_ON: &str = "last_introspected_on";

/// The item of a new key.
pub fn item(key: &ApiKey, secret: &ApiKeySecret) -> NewItem {
    let claims = &key.claims;
    let origins = key.allowed_origins.as_slice().iter().map(text).collect();
    let mut record = NewItem::from([
        ("key_id".to_owned(), text(&claims.id)),
        ("kind".to_owned(), text(claims.kind.as_str())),
        ("key_start".to_owned(), text(&key.start)),
        ("display_name".to_owned(), text(&key.name)),
        ("allowed_origins".to_owned(), AttributeValue::L(origins)),
        ("origins_apply_to_tokens".to_owned(), AttributeValue::Bool(key.origins_apply_to_tokens)),
        ("created_at".to_owned(), millis(key.created_at)),
        ("epoch".to_owned(), number(0)),
    ]);
    record.extend(key.expires_at.map(|expires_at| ("expires_at".to_owned(), millis(expires_at))));
    let mut item = NewItem::from(keys::of_kind(&claims.tenant_id, Kind::ApiKey, &claims.id));
    item.extend([
        (TENANT_LISTING.to_owned(), text(keys::partition_of_list(&claims.tenant_id, Kind::ApiKey))),
        (LISTING_ORDER.to_owned(), text(keys::list_position(key.created_at, &claims.id))),
        ("key_hash".to_owned(), text(secret.hash().to_text())),
        (DETAILS.to_owned(), AttributeValue::M(record)),
    ]);
    item
}

/// A key, from its item or from the list.
pub fn read(item: &Item) -> Result<ApiKey> {
    let record = Reader::within(item, DETAILS)?;
    let kind = |text: &str| KeyKind::parse(text).ok_or_else(|| Problem::new("is no kind"));
    let origins = record.texts("allowed_origins")?.into_iter().map(Origin::from_stored).collect();
    Ok(ApiKey {
        claims: ApiKeyClaims {
            kind: record.parsed("kind", kind)?,
            id: record.parsed("key_id", ApiKeyId::parse)?,
            tenant_id: tenant_id(item)?,
        },
        name: KeyName::from_stored(record.text("display_name")?),
        start: record.text("key_start")?.to_owned(),
        allowed_origins: Origins::from_stored(origins),
        // A key from before there was this field: its tokens are sent from where it does not list.
        origins_apply_to_tokens: record.optional_bool("origins_apply_to_tokens")?.unwrap_or(false),
        created_at: record.millis("created_at")?,
        expires_at: record.optional_millis("expires_at")?,
        rotated_at: record.optional_millis("rotated_at")?,
        previous_until: record.optional_millis("previous_until")?,
        revoked_at: record.optional_millis("revoked_at")?,
        epoch: record.number("epoch")?,
        tokens_revoked_at: record.optional_millis("tokens_revoked_at")?,
        last_used_on: record.optional(LAST_USED_ON, Day::from_stored)?,
        last_token_on: record.optional(LAST_TOKEN_ON, Day::from_stored)?,
        last_introspected_on: record.optional(LAST_INTROSPECTED_ON, Day::from_stored)?,
    })
}

/// How often the tokens of a key were revoked; `None` if the key itself was.
pub fn epoch_in_force(item: &Item) -> Result<Option<u64>> {
    let record = Reader::within(item, DETAILS)?;
    let epoch = record.number("epoch")?;
    Ok(record.optional_millis("revoked_at")?.is_none().then_some(epoch))
}

/// The hashes of a key's secrets, from its item.
pub fn hashes(item: &Item) -> Result<KeyHashes> {
    let reader = Reader::of(item);
    let hash = |text: &str| KeyHash::parse(text).ok_or_else(|| Problem::new("is no hash"));
    let until = Reader::within(item, DETAILS)?.optional_millis("previous_until")?;
    // Without an overlap the secret from before was never in force beside this one.
    let until = until.unwrap_or(Timestamp::from_millis(0));
    let previous = reader.optional("previous_hash", hash)?.map(|hash| (hash, until));
    Ok(KeyHashes { current: reader.parsed("key_hash", hash)?, previous })
}

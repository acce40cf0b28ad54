//! A tenant as items, and back.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::domain::{
    AccountWideUse, CallbackTypes, CallbackUrl, Configuration, Day, DisplayName, Limits, LogoUrl, Origin, Origins,
    PreviousSecret, Problem, QrDistant, QrExpirySeconds, QrLoginSettings, QrNumberMatching, QrRotation,
    QrSessionsPerAddress, RatePerMinute, Reason, RowsPerEndUser, RowsPerTenant, RpId, SecretLabel, SecretPointer,
    SecretVersion, SigningPointer, SigningVersion, Tenant, TenantId, TenantName, TenantPatch, TenantStatus,
    TenantSummary, Timestamp, TypePattern, WebauthnOrigin, WebauthnOrigins,
};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Item, NewItem, PK, Reader, Update, millis, number, text};
use crate::store::keys::{self, LISTING_ORDER, TENANT_STATUS};
use crate::store::secrets_manager::SecretKind;
use crate::store::tenants::signed_use::{COUNTED_MINUTE, signed_use};

/// A tenant that may act.
pub const ACTIVE: &str = "active";
/// One that may not.
pub const SUSPENDED: &str = "suspended";
/// One whose provisioning has begun and not finished. Nobody has been told of it.
pub const PENDING: &str = "pending";
/// One whose provisioning never finished and never will.
pub const REMOVED: &str = "removed";

/// On the hot item, because every call of the account surface asks for it.
pub const REQUIRE_END_USER: &str = "require_end_user";

/// On the hot item, because every call with an API key or a token asks for them.
const ROWS_PER_END_USER: &str = "rows_per_end_user";
const ROWS_PER_TENANT: &str = "rows_per_tenant";
const CALLS_PER_KEY: &str = "calls_per_min_per_key";
const CALLS_PER_END_USER: &str = "calls_per_min_per_end_user";

/// On the hot item, because every signed call asks for it.
pub const SIGNING_VERSION: &str = "signing_version";

/// When a call was last accepted with the secret before.
pub const PREVIOUS_USED: &str = "previous_secret_used_at";

/// Types of events of which the tenant wants callbacks.
const CALLBACK_TYPES: &str = "callback_types";

/// On both items: the tenant's revision at which its configuration item was last written.
const CONFIGURATION_REVISION: &str = "configuration_revision";

/// The hot item of a tenant whose provisioning begins.
pub fn pending(tenant: &Tenant, lease_until: Timestamp) -> NewItem {
    let (summary, current) = (&tenant.summary, &tenant.secret.current);
    let mut item = NewItem::from(keys::state(&summary.id));
    item.extend([
        (TENANT_STATUS.to_owned(), text(PENDING)),
        (LISTING_ORDER.to_owned(), text(keys::list_position(summary.created_at, &summary.id))),
        ("tenant_name".to_owned(), text(&summary.name)),
        ("rate_limit_per_min".to_owned(), number(summary.rate_limit_per_min.get())),
        ("abuse_strikes".to_owned(), number(summary.abuse_strikes)),
        ("created_at".to_owned(), millis(summary.created_at)),
        ("revision".to_owned(), number(tenant.revision)),
        (CONFIGURATION_REVISION.to_owned(), number(tenant.revision)),
        (labels_leased(SecretKind::TenantSecret).to_owned(), number(0)),
        (labels_leased(SecretKind::SigningKey).to_owned(), number(0)),
        ("secret_version".to_owned(), text(current.id)),
        ("secret_label".to_owned(), text(current.label)),
        ("token_key_version".to_owned(), text(tenant.signing.version.id)),
        ("token_key_label".to_owned(), text(tenant.signing.version.label)),
        ("token_kid".to_owned(), text(&tenant.signing.kid)),
        ("epoch".to_owned(), number(0)),
        (SIGNING_VERSION.to_owned(), text(tenant.configuration.signing_version)),
        ("lease_until".to_owned(), millis(lease_until)),
    ]);
    let required = tenant.configuration.require_end_user.map(AttributeValue::Bool);
    item.extend(required.map(|required| (REQUIRE_END_USER.to_owned(), required)));
    let limits = limit_attributes(&tenant.configuration.limits);
    item.extend(limits.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    item.extend(nothing_counted());
    item
}

/// The limits outside the relay. What is not set is not there.
fn limit_attributes(limits: &Limits) -> [(&'static str, Option<AttributeValue>); 4] {
    [
        (ROWS_PER_END_USER, limits.rows_per_end_user.map(|rows| number(rows.get()))),
        (ROWS_PER_TENANT, limits.rows_per_tenant.map(|rows| number(rows.get()))),
        (CALLS_PER_KEY, limits.calls_per_min_per_key.map(|calls| number(calls.get()))),
        (CALLS_PER_END_USER, limits.calls_per_min_per_end_user.map(|calls| number(calls.get()))),
    ]
}

/// The limits outside the relay.
pub fn limits(state: Reader<'_>) -> Result<Limits> {
    Ok(Limits {
        rows_per_end_user: limit(state, ROWS_PER_END_USER, RowsPerEndUser::new)?,
        rows_per_tenant: limit(state, ROWS_PER_TENANT, RowsPerTenant::new)?,
        calls_per_min_per_key: limit(state, CALLS_PER_KEY, RatePerMinute::new)?,
        calls_per_min_per_end_user: limit(state, CALLS_PER_END_USER, RatePerMinute::new)?,
    })
}

fn limit<T>(state: Reader<'_>, name: &'static str, new: fn(u64) -> Result<T, Problem>) -> Result<Option<T>> {
    state.optional_number(name)?.map(new).transpose().map_err(|_| state.unreadable(name))
}

/// How many signed calls were accepted, by minute.
pub const ACCEPTED_CALLS: &str = "accepted_calls";
/// The minute that went over the limit last, and was noted as a strike.
pub const STRUCK_MINUTE: &str = "struck_minute";

/// The attributes of a tenant that has not made a call.
fn nothing_counted() -> [(String, AttributeValue); 3] {
    [
        (COUNTED_MINUTE.to_owned(), number(0)),
        (ACCEPTED_CALLS.to_owned(), AttributeValue::M(NewItem::new())),
        (STRUCK_MINUTE.to_owned(), number(0)),
    ]
}

/// The configuration item. What is not set is not there.
pub fn configuration(tenant: &Tenant) -> NewItem {
    let configuration = &tenant.configuration;
    let mut item = NewItem::from(keys::configuration(&tenant.summary.id));
    item.insert(CONFIGURATION_REVISION.to_owned(), number(tenant.revision));
    let optional = [
        ("callback_url_base", configuration.callback_url_base.as_ref().map(text)),
        ("branding_display_name", configuration.branding_display_name.as_ref().map(text)),
        ("branding_logo_url", configuration.branding_logo_url.as_ref().map(text)),
        ("webauthn_rp_id", configuration.webauthn_rp_id.as_ref().map(text)),
        ("passkeys_enabled", configuration.passkeys_enabled.map(AttributeValue::Bool)),
    ];
    item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    item.insert("qr_login_allowed_origins".to_owned(), texts(configuration.qr_login_allowed_origins.as_slice()));
    item.insert("webauthn_origins".to_owned(), texts(configuration.webauthn_origins.as_slice()));
    item.insert(CALLBACK_TYPES.to_owned(), texts(configuration.callback_types.as_slice()));
    let qr_login = &configuration.qr_login;
    item.extend([
        ("qr_rotation".to_owned(), text(qr_login.qr_rotation.as_str())),
        ("qr_number_matching".to_owned(), text(qr_login.qr_number_matching.as_str())),
        ("qr_distant".to_owned(), text(qr_login.qr_distant.as_str())),
        ("qr_expiry_seconds".to_owned(), number(qr_login.qr_expiry_seconds.get())),
        ("qr_sessions_per_address".to_owned(), number(qr_login.qr_sessions_per_address.get())),
    ]);
    item
}

/// The writes of a partial update: exactly the fields that `patch` has, with the values that they have in `tenant`, to
/// which it was applied. `None` where an item has none of them.
pub fn patched(patch: &TenantPatch, tenant: &Tenant) -> (Update, Option<Update>) {
    let mut state = Update::of(keys::state(&tenant.summary.id)).increment("revision");
    if patch.tenant_name.is_some() {
        state = state.set("tenant_name", text(&tenant.summary.name));
    }
    if patch.rate_limit_per_min.is_some() {
        state = state.set("rate_limit_per_min", number(tenant.summary.rate_limit_per_min.get()));
    }
    if patch.require_end_user.is_present() {
        let required = tenant.configuration.require_end_user.map(AttributeValue::Bool);
        state = state.set_or_remove(REQUIRE_END_USER, required);
    }
    if patch.signing_version.is_some() {
        state = state.set(SIGNING_VERSION, text(tenant.configuration.signing_version));
    }
    let is_patched = [
        patch.rows_per_end_user.is_present(),
        patch.rows_per_tenant.is_present(),
        patch.calls_per_min_per_key.is_present(),
        patch.calls_per_min_per_end_user.is_present(),
    ];
    let limits = limit_attributes(&tenant.configuration.limits).into_iter().zip(is_patched);
    for ((name, value), _) in limits.filter(|(_, is_patched)| *is_patched) {
        state = state.set_or_remove(name, value);
    }
    let after = configuration(tenant);
    let fields = [
        ("qr_login_allowed_origins", patch.qr_login_allowed_origins.is_some()),
        ("qr_rotation", patch.qr_rotation.is_some()),
        ("qr_number_matching", patch.qr_number_matching.is_some()),
        ("qr_distant", patch.qr_distant.is_some()),
        ("qr_expiry_seconds", patch.qr_expiry_seconds.is_some()),
        ("qr_sessions_per_address", patch.qr_sessions_per_address.is_some()),
        ("callback_url_base", patch.callback_url_base.is_present()),
        (CALLBACK_TYPES, patch.callback_types.is_some()),
        ("branding_display_name", patch.branding_display_name.is_present()),
        ("branding_logo_url", patch.branding_logo_url.is_present()),
        ("webauthn_rp_id", patch.webauthn_rp_id.is_present()),
        ("webauthn_origins", patch.webauthn_origins.is_some()),
        ("passkeys_enabled", patch.passkeys_enabled.is_present()),
    ];
    let present: Vec<_> = fields.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect();
    if present.is_empty() {
        return (state, None);
    }
    let revision = number(tenant.revision);
    let config = Update::of(keys::configuration(&tenant.summary.id)).set(CONFIGURATION_REVISION, revision.clone());
    let update = |update: Update, name: &&'static str| update.set_or_remove(name, after.get(*name).cloned());
    (state.set(CONFIGURATION_REVISION, revision), Some(present.iter().fold(config, update)))
}

/// That a tenant is one, whether it may act or not.
pub fn provisioned() -> Condition {
    let values = [(":active", text(ACTIVE)), (":suspended", text(SUSPENDED))];
    Condition::new("tenant_status IN (:active, :suspended)", values)
}

/// Whether the two items of a tenant are of one moment. A read of several items can fall into the middle of a
/// transaction and see one item before it and the other after; the number that both carry tells.
pub fn are_of_one_moment(state: &Item, configuration: &Item) -> Result<bool> {
    let revision = |item| Reader::of(item).number::<u64>(CONFIGURATION_REVISION);
    Ok(revision(state)? == revision(configuration)?)
}

/// A tenant from its two items. `None` while it is being provisioned, and if it never was.
pub fn tenant(state: &Item, configuration: &Item) -> Result<Option<Tenant>> {
    let Some(summary) = summary(state)? else { return Ok(None) };
    let reader = Reader::of(state);
    Ok(Some(Tenant {
        summary,
        revision: reader.number("revision")?,
        secret: secret_pointer(state)?,
        signing: signing_pointer(state)?,
        epoch: reader.number("epoch")?,
        tokens_revoked_at: reader.optional_millis("tokens_revoked_at")?,
        account_wide: account_wide_use(reader)?,
        signed: signed_use(reader)?,
        configuration: read_configuration(Reader::of(configuration), reader)?,
    }))
}

/// Whether a hot item is of a tenant that is still being made, or was removed.
pub fn is_of_no_tenant(state: &Item) -> bool {
    matches!(Reader::of(state).text(TENANT_STATUS), Ok(PENDING | REMOVED))
}

/// What a hot item, or its entry in an index, says. `None` while the tenant is being provisioned, and if it never was.
pub fn summary(state: &Item) -> Result<Option<TenantSummary>> {
    let reader = Reader::of(state);
    let status = match reader.text(TENANT_STATUS)? {
        ACTIVE => TenantStatus::Active,
        SUSPENDED => TenantStatus::Suspended {
            since: reader.millis("suspended_at")?,
            reason: reader.optional_text("suspended_reason")?.map(Reason::from_stored),
        },
        PENDING | REMOVED => return Ok(None),
        _ => return Err(reader.unreadable(TENANT_STATUS)),
    };
    Ok(Some(TenantSummary {
        id: tenant_id(state)?,
        name: TenantName::from_stored(reader.text("tenant_name")?),
        status,
        rate_limit_per_min: RatePerMinute::new(reader.number("rate_limit_per_min")?)
            .map_err(|_| reader.unreadable("rate_limit_per_min"))?,
        abuse_strikes: reader.number("abuse_strikes")?,
        created_at: reader.millis("created_at")?,
        updated_at: reader.optional_millis("updated_at")?,
    }))
}

/// Whose item it is.
pub fn tenant_id(state: &Item) -> Result<TenantId> {
    let reader = Reader::of(state);
    keys::tenant_of(reader.text(PK)?).ok_or_else(|| reader.unreadable(PK))
}

/// The id of a version of a secret.
pub fn version_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::new("is no uuid"))
}

/// The label of a version of a secret.
pub fn version_label(text: &str) -> Result<SecretLabel, Problem> {
    SecretLabel::parse(text).ok_or_else(|| Problem::new("is no label"))
}

/// What signatures of its calls have to cover.
pub fn signing_version(state: Reader<'_>) -> Result<SigningVersion> {
    let read = |text: &str| SigningVersion::parse(text).ok_or_else(|| Problem::new("is no signing version"));
    state.parsed(SIGNING_VERSION, read)
}

/// Which key signs its tokens.
pub fn signing_pointer(state: &Item) -> Result<SigningPointer> {
    let reader = Reader::of(state);
    let id = reader.parsed("token_key_version", version_id)?;
    let version = SecretVersion { id, label: reader.parsed("token_key_label", version_label)? };
    Ok(SigningPointer { version, kid: reader.text("token_kid")?.to_owned() })
}

/// The last day on which a call was for the whole account.
pub const ACCOUNT_WIDE_CALL: &str = "account_wide_call_on";
/// The last day on which a token for the whole account was issued.
pub const ACCOUNT_WIDE_TOKEN: &str = "account_wide_token_on";

/// When it last did without naming an end user.
pub fn account_wide_use(state: Reader<'_>) -> Result<AccountWideUse> {
    let day = |name| state.optional(name, Day::from_stored);
    Ok(AccountWideUse { call_on: day(ACCOUNT_WIDE_CALL)?, token_on: day(ACCOUNT_WIDE_TOKEN)? })
}

/// How many labels of that secret were leased. Each has a count of its own: with one for both, rotations of the one
/// would bring the other's labels round.
pub fn labels_leased(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::TenantSecret => "secret_labels_leased",
        SecretKind::SigningKey => "token_key_labels_leased",
    }
}

/// Whether a version of that secret that is in force has this label.
pub fn has_label(state: &Item, kind: SecretKind, label: SecretLabel) -> Result<bool> {
    match kind {
        SecretKind::TenantSecret => Ok(secret_pointer(state)?.has_label(label)),
        SecretKind::SigningKey => Ok(signing_pointer(state)?.version.label == label),
    }
}

/// Which secret is in force.
pub fn secret_pointer(state: &Item) -> Result<SecretPointer> {
    let reader = Reader::of(state);
    let (id, label) = (version_id, version_label);
    let previous = match reader.optional("previous_secret_version", id)? {
        None => None,
        Some(id) => Some(PreviousSecret {
            version: SecretVersion { id, label: reader.parsed("previous_secret_label", label)? },
            until: reader.millis("previous_secret_until")?,
            last_used_at: reader.optional_millis(PREVIOUS_USED)?,
        }),
    };
    Ok(SecretPointer {
        current: SecretVersion {
            id: reader.parsed("secret_version", id)?,
            label: reader.parsed("secret_label", label)?,
        },
        previous,
        rotated_at: reader.optional_millis("secret_rotated_at")?,
    })
}

fn read_configuration(reader: Reader<'_>, state: Reader<'_>) -> Result<Configuration> {
    let qr_login = reader.texts("qr_login_allowed_origins")?.into_iter().map(Origin::from_stored).collect();
    let webauthn = reader.texts("webauthn_origins")?.into_iter().map(WebauthnOrigin::from_stored).collect();
    let (callback_url_base, callback_types) = wanted_callbacks(reader)?;
    Ok(Configuration {
        qr_login_allowed_origins: Origins::from_stored(qr_login),
        qr_login: qr_login_settings(reader)?,
        callback_url_base,
        callback_types,
        branding_display_name: reader.optional_text("branding_display_name")?.map(DisplayName::from_stored),
        branding_logo_url: reader.optional_text("branding_logo_url")?.map(LogoUrl::from_stored),
        webauthn_rp_id: reader.optional_text("webauthn_rp_id")?.map(RpId::from_stored),
        webauthn_origins: WebauthnOrigins::from_stored(webauthn),
        passkeys_enabled: reader.optional_bool("passkeys_enabled")?,
        require_end_user: state.optional_bool(REQUIRE_END_USER)?,
        signing_version: signing_version(state)?,
        limits: limits(state)?,
    })
}

/// The rules of QR logins. A tenant that was provisioned before there were any has the defaults.
fn qr_login_settings(reader: Reader<'_>) -> Result<QrLoginSettings> {
    Ok(QrLoginSettings {
        qr_rotation: reader.optional("qr_rotation", QrRotation::parse)?.unwrap_or_default(),
        qr_number_matching: reader.optional("qr_number_matching", QrNumberMatching::parse)?.unwrap_or_default(),
        qr_distant: reader.optional("qr_distant", QrDistant::parse)?.unwrap_or_default(),
        qr_expiry_seconds: limit(reader, "qr_expiry_seconds", QrExpirySeconds::new)?.unwrap_or_default(),
        qr_sessions_per_address: limit(reader, "qr_sessions_per_address", QrSessionsPerAddress::new)?
            .unwrap_or_default(),
    })
}

/// Where callbacks go, and which are wanted.
pub fn wanted_callbacks(configuration: Reader<'_>) -> Result<(Option<CallbackUrl>, CallbackTypes)> {
    let base = configuration.optional_text("callback_url_base")?.map(CallbackUrl::from_stored);
    let patterns = configuration.texts(CALLBACK_TYPES)?.into_iter().map(TypePattern::from_stored).collect();
    Ok((base, CallbackTypes::from_stored(patterns)))
}

fn texts<T: fmt::Display>(values: &[T]) -> AttributeValue {
    AttributeValue::L(values.iter().map(text).collect())
}

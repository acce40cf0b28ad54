//! A tenant: its configuration, its state, and the rules that a change of either keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account_wide_use::AccountWideUse;
use super::limits::Limits;
use super::origins::{Origins, WebauthnOrigins};
use super::public_url::{CallbackUrl, LogoUrl};
use super::rp_id::RpId;
use super::signed_use::SignedUse;
use super::status::TenantStatus;
use crate::domain::callbacks::types::CallbackTypes;
use crate::domain::credentials::secret_pointer::{SecretPointer, SigningPointer};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::qr_login::settings::{QrDistant, QrLoginSettings, QrNumberMatching, QrRotation};
use crate::domain::relay::signed_call::SigningVersion;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::limits::{
    QrExpirySeconds, QrSessionsPerAddress, RatePerMinute, RowsPerEndUser, RowsPerTenant,
};
use crate::domain::values::patch::Patch;
use crate::domain::values::problem::Problem;
use crate::domain::values::serde_rules::{not_null, not_null_enum, string_enum};
use crate::domain::values::text::{DisplayName, TenantName};

/// A field whose value breaks a rule that ties several fields together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Name of the field, with an index where it is one of a list.
    pub field: String,
    pub problem: Problem,
}

/// Configuration of a tenant, apart from its name and rate limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// Web origins that may start a QR login; empty if QR login is off.
    pub qr_login_allowed_origins: Origins,
    /// Rules of QR logins.
    #[serde(flatten)]
    pub qr_login: QrLoginSettings,
    /// Base URL for callbacks, to which `/relay-callbacks/<flow>` is appended; null if there are no callbacks.
    pub callback_url_base: Option<CallbackUrl>,
    /// Types of events of which callbacks tell, such as `pairing.created`, or all that begin alike, such as
    /// `qr_login.*`.
    #[serde(default)]
    pub callback_types: CallbackTypes,
    /// Name on the consent screen, 1 to 120 characters; null if the tenant's name is shown.
    pub branding_display_name: Option<DisplayName>,
    /// URL of the logo on the consent screen; null if there is none.
    pub branding_logo_url: Option<LogoUrl>,
    /// WebAuthn relying party id; null if there is none, and passkeys cannot be used.
    pub webauthn_rp_id: Option<RpId>,
    /// Origins that may run passkey ceremonies, web ones each within `webauthn_rp_id`; empty if passkeys are off.
    pub webauthn_origins: WebauthnOrigins,
    /// Whether passkeys are enabled; null if the deployment's default applies.
    pub passkeys_enabled: Option<bool>,
    /// Whether calls of the account surface must name an end user; null if the deployment's default applies.
    pub require_end_user: Option<bool>,
    /// Signature version that relay calls must have: `v1` accepts both versions, `v2` accepts `v2` only.
    #[serde(default)]
    pub signing_version: SigningVersion,
    /// Limits outside the relay.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Configuration {
    /// Checks the rules that tie fields together.
    ///
    /// # Errors
    /// The field that breaks one, and how: passkeys need a relying party, and every WebAuthn origin lies within it
    /// (WebAuthn Level 3 §5.1.3, step 8: anything else is refused by the browser, at the user's first login).
    pub fn check(&self) -> Result<(), FieldProblem> {
        let origins = self.webauthn_origins.as_slice();
        let Some(rp_id) = &self.webauthn_rp_id else {
            let needed = self.passkeys_enabled == Some(true) || !origins.is_empty();
            let problem = Problem::new("is required for passkeys_enabled and webauthn_origins");
            return if needed { Err(FieldProblem { field: "webauthn_rp_id".to_owned(), problem }) } else { Ok(()) };
        };
        let Some(index) = origins.iter().position(|origin| !origin.is_within(rp_id)) else { return Ok(()) };
        let problem = Problem::new("must be https and within webauthn_rp_id");
        Err(FieldProblem { field: format!("webauthn_origins[{index}]"), problem })
    }
}

/// Request body for provisioning a tenant. Only the name is required.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// Name that the operator gives to the tenant, 1 to 120 characters. It need not be unique.
    pub tenant_name: TenantName,
    /// Maximum number of relay calls accepted in one calendar minute, 1 to 10000 (default 60).
    #[serde(default)]
    pub rate_limit_per_min: RatePerMinute,
    /// Web origins that may start a QR login, at most 50. Empty or absent: QR login is off.
    #[serde(default)]
    pub qr_login_allowed_origins: Origins,
    /// Whether QR codes have to change every ten seconds: `allowed` (default) leaves it to each call, `required`
    /// refuses calls without `rotate`.
    #[serde(default, deserialize_with = "string_enum")]
    pub qr_rotation: QrRotation,
    /// Whether the phone has to type the number that the browser shows: `always` (default) or `never`.
    #[serde(default, deserialize_with = "string_enum")]
    pub qr_number_matching: QrNumberMatching,
    /// What becomes of a QR login whose phone is on another network than its browser: `confirm` (default) asks a second
    /// time on the phone, `inform` only says so in the result, `deny` denies it.
    #[serde(default, deserialize_with = "string_enum")]
    pub qr_distant: QrDistant,
    /// Seconds after which a QR login expires, 60 to 300 (default 120).
    #[serde(default)]
    pub qr_expiry_seconds: QrExpirySeconds,
    /// Maximum number of QR logins that may be live at once for one browser address, 1 to 500 (default 50).
    #[serde(default)]
    pub qr_sessions_per_address: QrSessionsPerAddress,
    /// Base URL for callbacks, to which `/relay-callbacks/<flow>` is appended. Absent or null: no callbacks.
    #[serde(default)]
    pub callback_url_base: Option<CallbackUrl>,
    /// Types of events of which callbacks tell. Absent: those that a receiver of the original interface knows.
    #[serde(default)]
    pub callback_types: CallbackTypes,
    /// Name on the consent screen, 1 to 120 characters. Absent or null: the tenant's name is shown.
    #[serde(default)]
    pub branding_display_name: Option<DisplayName>,
    /// URL of the logo on the consent screen. Absent or null: no logo.
    #[serde(default)]
    pub branding_logo_url: Option<LogoUrl>,
    /// WebAuthn relying party id, required if `passkeys_enabled` is true or `webauthn_origins` is not empty.
    #[serde(default)]
    pub webauthn_rp_id: Option<RpId>,
    /// Origins that may run passkey ceremonies, at most 50: web origins, `https` and within `webauthn_rp_id`, and
    /// Android apps. Empty or absent: passkeys are off.
    #[serde(default)]
    pub webauthn_origins: WebauthnOrigins,
    /// Whether passkeys are enabled. Absent or null: the deployment's default applies.
    #[serde(default)]
    pub passkeys_enabled: Option<bool>,
    /// Whether calls of the account surface must name an end user. Absent or null: the deployment's default applies.
    #[serde(default)]
    pub require_end_user: Option<bool>,
    /// Signature version that relay calls must have: `v1` accepts both versions, `v2` accepts `v2` only. Absent or
    /// null: the deployment's default applies, once and for all.
    #[serde(default)]
    pub signing_version: Option<SigningVersion>,
    /// Maximum number of rows that one end user may have of each kind, and of messages in one session, 1 to 100000000.
    /// Absent or null: the deployment's default applies.
    #[serde(default)]
    pub rows_per_end_user: Option<RowsPerEndUser>,
    /// Maximum number of rows that the tenant may have of each kind, 8 to 100000000. Absent or null: the deployment's
    /// default applies.
    #[serde(default)]
    pub rows_per_tenant: Option<RowsPerTenant>,
    /// Maximum number of calls that each API key may make in one calendar minute, 1 to 10000. Absent or null: no limit.
    #[serde(default)]
    pub calls_per_min_per_key: Option<RatePerMinute>,
    /// Maximum number of calls that may be made for each end user in one calendar minute, 1 to 10000. Absent or null:
    /// no limit.
    #[serde(default)]
    pub calls_per_min_per_end_user: Option<RatePerMinute>,
}

impl NewTenant {
    /// The configuration part; `signing_version` is that of a tenant for which none is named.
    pub fn configuration(&self, signing_version: SigningVersion) -> Configuration {
        Configuration {
            qr_login_allowed_origins: self.qr_login_allowed_origins.clone(),
            qr_login: QrLoginSettings {
                qr_rotation: self.qr_rotation,
                qr_number_matching: self.qr_number_matching,
                qr_distant: self.qr_distant,
                qr_expiry_seconds: self.qr_expiry_seconds,
                qr_sessions_per_address: self.qr_sessions_per_address,
            },
            callback_url_base: self.callback_url_base.clone(),
            callback_types: self.callback_types.clone(),
            branding_display_name: self.branding_display_name.clone(),
            branding_logo_url: self.branding_logo_url.clone(),
            webauthn_rp_id: self.webauthn_rp_id.clone(),
            webauthn_origins: self.webauthn_origins.clone(),
            passkeys_enabled: self.passkeys_enabled,
            require_end_user: self.require_end_user,
            signing_version: self.signing_version.unwrap_or(signing_version),
            limits: Limits {
                rows_per_end_user: self.rows_per_end_user,
                rows_per_tenant: self.rows_per_tenant,
                calls_per_min_per_key: self.calls_per_min_per_key,
                calls_per_min_per_end_user: self.calls_per_min_per_end_user,
            },
        }
    }
}

/// Request body for updating a tenant. An absent field stays as it is; null clears a field that can be cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantPatch {
    /// New name of the tenant, 1 to 120 characters; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "TenantName")]
    pub tenant_name: Option<TenantName>,
    /// New maximum number of relay calls accepted in one calendar minute, 1 to 10000; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "RatePerMinute")]
    pub rate_limit_per_min: Option<RatePerMinute>,
    /// Web origins that may start a QR login, at most 50. They replace the old ones; an empty list turns QR login off,
    /// and null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "Origins")]
    pub qr_login_allowed_origins: Option<Origins>,
    /// Whether QR codes have to change every ten seconds: `allowed` leaves it to each call, `required` refuses calls
    /// without `rotate`. Null is refused.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "QrRotation")]
    pub qr_rotation: Option<QrRotation>,
    /// Whether the phone has to type the number that the browser shows: `always` or `never`. Null is refused.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "QrNumberMatching")]
    pub qr_number_matching: Option<QrNumberMatching>,
    /// What becomes of a QR login whose phone is on another network than its browser: `confirm` asks a second time on
    /// the phone, `inform` only says so in the result, `deny` denies it. Null is refused.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "QrDistant")]
    pub qr_distant: Option<QrDistant>,
    /// Seconds after which a QR login expires, 60 to 300; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "QrExpirySeconds")]
    pub qr_expiry_seconds: Option<QrExpirySeconds>,
    /// Maximum number of QR logins that may be live at once for one browser address, 1 to 500; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "QrSessionsPerAddress")]
    pub qr_sessions_per_address: Option<QrSessionsPerAddress>,
    /// New base URL for callbacks, to which `/relay-callbacks/<flow>` is appended; null clears it.
    pub callback_url_base: Patch<CallbackUrl>,
    /// New types of events of which callbacks tell; empty: none. Null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "CallbackTypes")]
    pub callback_types: Option<CallbackTypes>,
    /// New name on the consent screen, 1 to 120 characters; null brings back the tenant's name.
    pub branding_display_name: Patch<DisplayName>,
    /// New URL of the logo on the consent screen; null removes the logo.
    pub branding_logo_url: Patch<LogoUrl>,
    /// New WebAuthn relying party id; null clears it, which is refused while passkeys need it.
    pub webauthn_rp_id: Patch<RpId>,
    /// Origins that may run passkey ceremonies, at most 50: web origins, `https` and within `webauthn_rp_id`, and
    /// Android apps. They replace the old ones; an empty list turns passkeys off, and null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "WebauthnOrigins")]
    pub webauthn_origins: Option<WebauthnOrigins>,
    /// Whether passkeys are enabled; null brings back the deployment's default.
    pub passkeys_enabled: Patch<bool>,
    /// Whether calls of the account surface must name an end user; null brings back the deployment's default.
    pub require_end_user: Patch<bool>,
    /// Signature version that relay calls must have: `v1` accepts both versions, `v2` accepts `v2` only. Null is
    /// refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "SigningVersion")]
    pub signing_version: Option<SigningVersion>,
    /// Maximum number of rows that one end user may have of each kind, and of messages in one session, 1 to 100000000;
    /// null brings back the deployment's default.
    pub rows_per_end_user: Patch<RowsPerEndUser>,
    /// Maximum number of rows that the tenant may have of each kind, 8 to 100000000; null brings back the deployment's
    /// default.
    pub rows_per_tenant: Patch<RowsPerTenant>,
    /// Maximum number of calls that each API key may make in one calendar minute, 1 to 10000; null: no limit.
    pub calls_per_min_per_key: Patch<RatePerMinute>,
    /// Maximum number of calls that may be made for each end user in one calendar minute, 1 to 10000; null: no limit.
    pub calls_per_min_per_end_user: Patch<RatePerMinute>,
}

impl TenantPatch {
    /// The names of the fields that are present, in the order of the contract.
    pub fn fields(&self) -> Vec<String> {
        [
            ("tenant_name", self.tenant_name.is_some()),
            ("rate_limit_per_min", self.rate_limit_per_min.is_some()),
            ("qr_login_allowed_origins", self.qr_login_allowed_origins.is_some()),
            ("qr_rotation", self.qr_rotation.is_some()),
            ("qr_number_matching", self.qr_number_matching.is_some()),
            ("qr_distant", self.qr_distant.is_some()),
            ("qr_expiry_seconds", self.qr_expiry_seconds.is_some()),
            ("qr_sessions_per_address", self.qr_sessions_per_address.is_some()),
            ("callback_url_base", self.callback_url_base.is_present()),
            ("callback_types", self.callback_types.is_some()),
            ("branding_display_name", self.branding_display_name.is_present()),
            ("branding_logo_url", self.branding_logo_url.is_present()),
            ("webauthn_rp_id", self.webauthn_rp_id.is_present()),
            ("webauthn_origins", self.webauthn_origins.is_some()),
            ("passkeys_enabled", self.passkeys_enabled.is_present()),
            ("require_end_user", self.require_end_user.is_present()),
            ("signing_version", self.signing_version.is_some()),
            ("rows_per_end_user", self.rows_per_end_user.is_present()),
            ("rows_per_tenant", self.rows_per_tenant.is_present()),
            ("calls_per_min_per_key", self.calls_per_min_per_key.is_present()),
            ("calls_per_min_per_end_user", self.calls_per_min_per_end_user.is_present()),
        ]
        .into_iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| name.to_owned())
        .collect()
    }

    /// Applies the changes to `tenant`.
    ///
    /// # Errors
    /// As [`Configuration::check`], if the outcome as a whole breaks a rule. The rules are checked only if a field that
    /// they tie together is in the patch: an update of another field must not fail because the public suffix list has
    /// changed.
    pub fn apply(self, tenant: &mut Tenant) -> Result<(), FieldProblem> {
        let ties =
            self.webauthn_rp_id.is_present() || self.webauthn_origins.is_some() || self.passkeys_enabled.is_present();
        let configuration = &mut tenant.configuration;
        set(&mut tenant.summary.name, self.tenant_name);
        set(&mut tenant.summary.rate_limit_per_min, self.rate_limit_per_min);
        set(&mut configuration.qr_login_allowed_origins, self.qr_login_allowed_origins);
        let qr_login = &mut configuration.qr_login;
        set(&mut qr_login.qr_rotation, self.qr_rotation);
        set(&mut qr_login.qr_number_matching, self.qr_number_matching);
        set(&mut qr_login.qr_distant, self.qr_distant);
        set(&mut qr_login.qr_expiry_seconds, self.qr_expiry_seconds);
        set(&mut qr_login.qr_sessions_per_address, self.qr_sessions_per_address);
        self.callback_url_base.apply(&mut configuration.callback_url_base);
        set(&mut configuration.callback_types, self.callback_types);
        self.branding_display_name.apply(&mut configuration.branding_display_name);
        self.branding_logo_url.apply(&mut configuration.branding_logo_url);
        self.webauthn_rp_id.apply(&mut configuration.webauthn_rp_id);
        set(&mut configuration.webauthn_origins, self.webauthn_origins);
        self.passkeys_enabled.apply(&mut configuration.passkeys_enabled);
        self.require_end_user.apply(&mut configuration.require_end_user);
        set(&mut configuration.signing_version, self.signing_version);
        let limits = &mut configuration.limits;
        self.rows_per_end_user.apply(&mut limits.rows_per_end_user);
        self.rows_per_tenant.apply(&mut limits.rows_per_tenant);
        self.calls_per_min_per_key.apply(&mut limits.calls_per_min_per_key);
        self.calls_per_min_per_end_user.apply(&mut limits.calls_per_min_per_end_user);
        if ties { configuration.check() } else { Ok(()) }
    }
}

fn set<T>(current: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *current = value;
    }
}

/// The fields of a tenant that lists show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSummary {
    /// Id of the tenant.
    pub id: TenantId,
    /// Name that the operator gave to the tenant.
    pub name: TenantName,
    /// Whether the tenant may act.
    pub status: TenantStatus,
    /// Relay calls accepted per calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Number of strikes for authenticated misuse.
    pub abuse_strikes: u64,
    /// Time at which the tenant was provisioned.
    pub created_at: Timestamp,
    /// Time at which its configuration, status or secret last changed; `None` until the first change.
    pub updated_at: Option<Timestamp>,
}

/// A registered tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The fields that lists show.
    pub summary: TenantSummary,
    /// Counter of changes, so that a change made from an old reading is noticed.
    pub revision: u64,
    /// The versions of its secret that are in force.
    pub secret: SecretPointer,
    /// The key that signs its tokens.
    pub signing: SigningPointer,
    /// How often all of its tokens have been revoked.
    pub epoch: u64,
    /// Time at which all of its tokens were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
    /// When it last did without naming an end user.
    pub account_wide: AccountWideUse,
    /// When and how it last signed a call.
    #[serde(default)]
    pub signed: SignedUse,
    /// The rest of its configuration.
    pub configuration: Configuration,
}

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

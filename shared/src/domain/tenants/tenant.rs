//! A tenant: its configuration, its state, and the rules that a change of either keeps.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::public_url::{CallbackUrl, LogoUrl};
use super::rp_id::RpId;
use crate::domain::credentials::secret_pointer::{SecretPointer, SigningPointer};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::relay::signed_call::SigningVersion;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::limits::RatePerMinute;
use crate::domain::values::patch::Patch;
use crate::domain::values::problem::Problem;
use crate::domain::values::serde_rules::not_null;
use crate::domain::values::text::{DisplayName, Reason, TenantName};

/// A field whose value breaks a rule that ties fields together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name, with an index where it is one of a list.
    pub field: String,
    pub problem: Problem,
}

/// At most this many origins in a list.
const MOST_ORIGINS: usize = 50;

/// A list of up to 50 web origins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Origins(#[schemars(length(max = 50))] Vec<Origin>);

impl Origins {
    /// Takes back origins that were stored, however many there are: a limit that is lowered later hides no tenant.
    pub fn from_stored(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// The origins, in the order in which they were given.
    pub fn as_slice(&self) -> &[Origin] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Origins;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MOST_ORIGINS} web origins")
            }

            // Stops at the first origin too many instead of reading them all and counting then.
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Origins, A::Error> {
                let mut origins = Vec::new();
                while let Some(origin) = sequence.next_element()? {
                    if origins.len() == MOST_ORIGINS {
                        return Err(de::Error::custom(format_args!(
                            "must be a list of at most {MOST_ORIGINS} web origins"
                        )));
                    }
                    origins.push(origin);
                }
                Ok(Origins(origins))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

/// What an operator configures, but for the name and the rate limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// Web origins that may start a QR login; empty = QR login is off.
    pub qr_login_allowed_origins: Origins,
    /// Where the relay calls the tenant back.
    pub callback_url_base: Option<CallbackUrl>,
    /// The name on the consent screen; unset = the tenant's name.
    pub branding_display_name: Option<DisplayName>,
    /// The logo on the consent screen.
    pub branding_logo_url: Option<LogoUrl>,
    /// The WebAuthn relying party.
    pub webauthn_rp_id: Option<RpId>,
    /// Origins that may run passkey ceremonies; empty = passkeys are off.
    pub webauthn_origins: Origins,
    /// Progressive rollout: unset = the deployment's default.
    pub passkeys_enabled: Option<bool>,
    /// Whether calls of the account surface have to name an end user: unset = the deployment's default.
    pub require_end_user: Option<bool>,
    /// What signatures of relay calls have to cover: `v2` refuses `v1`, and `v1` takes both.
    #[serde(default)]
    pub signing_version: SigningVersion,
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
        let Some(index) = origins.iter().position(|origin| !rp_id.covers(origin)) else { return Ok(()) };
        let problem = Problem::new("must be https and within webauthn_rp_id");
        Err(FieldProblem { field: format!("webauthn_origins[{index}]"), problem })
    }
}

/// What provisioning takes. Only the name is required.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// What the operator calls the tenant.
    pub tenant_name: TenantName,
    /// Relay calls accepted per calendar minute.
    #[serde(default)]
    pub rate_limit_per_min: RatePerMinute,
    /// Web origins that may start a QR login; empty = QR login is off.
    #[serde(default)]
    pub qr_login_allowed_origins: Origins,
    /// Where the relay calls the tenant back: `/relay-callbacks/<flow>` is appended.
    #[serde(default)]
    pub callback_url_base: Option<CallbackUrl>,
    /// The name on the consent screen; falls back to the tenant's name.
    #[serde(default)]
    pub branding_display_name: Option<DisplayName>,
    /// The logo on the consent screen.
    #[serde(default)]
    pub branding_logo_url: Option<LogoUrl>,
    /// The WebAuthn relying party; required for passkeys.
    #[serde(default)]
    pub webauthn_rp_id: Option<RpId>,
    /// Origins that may run passkey ceremonies; empty = passkeys are off.
    #[serde(default)]
    pub webauthn_origins: Origins,
    /// Progressive rollout: null = the deployment's default.
    #[serde(default)]
    pub passkeys_enabled: Option<bool>,
    /// Whether calls of the account surface have to name an end user: null = the deployment's default.
    #[serde(default)]
    pub require_end_user: Option<bool>,
    /// What signatures of relay calls have to cover: `v2` refuses `v1`, and `v1` takes both.
    #[serde(default)]
    pub signing_version: SigningVersion,
}

impl NewTenant {
    /// The configuration in it.
    pub fn configuration(&self) -> Configuration {
        Configuration {
            qr_login_allowed_origins: self.qr_login_allowed_origins.clone(),
            callback_url_base: self.callback_url_base.clone(),
            branding_display_name: self.branding_display_name.clone(),
            branding_logo_url: self.branding_logo_url.clone(),
            webauthn_rp_id: self.webauthn_rp_id.clone(),
            webauthn_origins: self.webauthn_origins.clone(),
            passkeys_enabled: self.passkeys_enabled,
            require_end_user: self.require_end_user,
            signing_version: self.signing_version,
        }
    }
}

/// A partial update: what is absent stays as it is, null clears what can be cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantPatch {
    /// What the operator calls the tenant.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "TenantName")]
    pub tenant_name: Option<TenantName>,
    /// Relay calls accepted per calendar minute.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "RatePerMinute")]
    pub rate_limit_per_min: Option<RatePerMinute>,
    /// Web origins that may start a QR login; empty = QR login is off.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "Origins")]
    pub qr_login_allowed_origins: Option<Origins>,
    /// Where the relay calls the tenant back.
    pub callback_url_base: Patch<CallbackUrl>,
    /// The name on the consent screen.
    pub branding_display_name: Patch<DisplayName>,
    /// The logo on the consent screen.
    pub branding_logo_url: Patch<LogoUrl>,
    /// The WebAuthn relying party.
    pub webauthn_rp_id: Patch<RpId>,
    /// Origins that may run passkey ceremonies; empty = passkeys are off.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "Origins")]
    pub webauthn_origins: Option<Origins>,
    /// Progressive rollout: null = the deployment's default.
    pub passkeys_enabled: Patch<bool>,
    /// Whether calls of the account surface have to name an end user: null = the deployment's default.
    pub require_end_user: Patch<bool>,
    /// What signatures of relay calls have to cover: `v2` refuses `v1`, and `v1` takes both.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "SigningVersion")]
    pub signing_version: Option<SigningVersion>,
}

impl TenantPatch {
    /// The names of the fields that are present, in the order of the contract.
    pub fn fields(&self) -> Vec<String> {
        [
            ("tenant_name", self.tenant_name.is_some()),
            ("rate_limit_per_min", self.rate_limit_per_min.is_some()),
            ("qr_login_allowed_origins", self.qr_login_allowed_origins.is_some()),
            ("callback_url_base", self.callback_url_base.is_present()),
            ("branding_display_name", self.branding_display_name.is_present()),
            ("branding_logo_url", self.branding_logo_url.is_present()),
            ("webauthn_rp_id", self.webauthn_rp_id.is_present()),
            ("webauthn_origins", self.webauthn_origins.is_some()),
            ("passkeys_enabled", self.passkeys_enabled.is_present()),
            ("require_end_user", self.require_end_user.is_present()),
            ("signing_version", self.signing_version.is_some()),
        ]
        .into_iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| name.to_owned())
        .collect()
    }

    /// What `tenant` becomes.
    ///
    /// # Errors
    /// As [`Configuration::check`], when the outcome as a whole breaks a rule. It is only asked when a field that it is about is
    /// in the patch: an update of another must not fail because of the public suffix list of today.
    pub fn apply(self, tenant: &mut Tenant) -> Result<(), FieldProblem> {
        let ties =
            self.webauthn_rp_id.is_present() || self.webauthn_origins.is_some() || self.passkeys_enabled.is_present();
        let configuration = &mut tenant.configuration;
        set(&mut tenant.summary.name, self.tenant_name);
        set(&mut tenant.summary.rate_limit_per_min, self.rate_limit_per_min);
        set(&mut configuration.qr_login_allowed_origins, self.qr_login_allowed_origins);
        self.callback_url_base.apply(&mut configuration.callback_url_base);
        self.branding_display_name.apply(&mut configuration.branding_display_name);
        self.branding_logo_url.apply(&mut configuration.branding_logo_url);
        self.webauthn_rp_id.apply(&mut configuration.webauthn_rp_id);
        set(&mut configuration.webauthn_origins, self.webauthn_origins);
        self.passkeys_enabled.apply(&mut configuration.passkeys_enabled);
        self.require_end_user.apply(&mut configuration.require_end_user);
        set(&mut configuration.signing_version, self.signing_version);
        if ties { configuration.check() } else { Ok(()) }
    }
}

fn set<T>(current: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *current = value;
    }
}

/// Whether a tenant may act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantStatus {
    /// It may.
    Active,
    /// Every call that it signs is refused.
    Suspended {
        /// Since when.
        since: Timestamp,
        /// Why, if the operator said so.
        reason: Option<Reason>,
    },
}

/// A tenant as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSummary {
    /// Its id.
    pub id: TenantId,
    /// What the operator calls it.
    pub name: TenantName,
    /// Whether it may act.
    pub status: TenantStatus,
    /// Relay calls accepted per calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Authenticated abuse counted against it.
    pub abuse_strikes: u64,
    /// When it was provisioned.
    pub created_at: Timestamp,
    /// When its configuration, status or secret last changed; `None` until the first change.
    pub updated_at: Option<Timestamp>,
}

/// A registered tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// What lists show of it.
    pub summary: TenantSummary,
    /// Counts its changes, so that a change made from an old reading is noticed.
    pub revision: u64,
    /// Which secret is in force.
    pub secret: SecretPointer,
    /// Which key signs its tokens.
    pub signing: SigningPointer,
    /// When all of its tokens were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
    /// The rest of its configuration.
    pub configuration: Configuration,
}

/// Which tenants a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusFilter {
    /// Those that may act.
    Active,
    /// Those that may not.
    Suspended,
}

//! The lines to paste that prove a check: one each, for a POSIX shell with `curl`, and `openssl` 3 where something is
//! signed.
//!
//! Secrets are variables of the shell. The one that signs has to be exported: `openssl` takes it from the environment,
//! because arguments are what `ps` shows. HKDF-Extract(salt, key) is HMAC(salt, key), so the secret is the salt and the
//! signed text the key.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use crate::domain::ids::tenant_id::TenantId;

/// What stands for the service's address where it isn't known.
pub const ADDRESS: &str = "$LATCHKEY_URL";

/// The lines for a tenant.
pub(super) struct Lines<'a> {
    /// The service's address, without a slash at its end.
    pub address: &'a str,
    pub tenant_id: &'a TenantId,
}

impl Lines<'_> {
    /// What asks for a signature and nothing else. v2, which every tenant takes.
    pub fn whoami(&self) -> String {
        self.signed("GET", "/api/v1/relay/whoami", "")
    }

    /// Has a ping sent to the tenant's receiver.
    pub fn ping(&self) -> String {
        self.signed("POST", "/api/v1/relay/test/callbacks", "{}")
    }

    /// Begins a login with a passkey, for a page of that origin.
    pub fn passkey_login(&self, origin: &impl fmt::Display) -> String {
        let body = format!(r#"{{"browser_origin":"{origin}"}}"#);
        self.signed("POST", "/api/v1/relay/webauthn/authenticate/options", &body)
    }

    /// Begins a QR login, for a page of that origin.
    pub fn qr_login(&self, origin: &impl fmt::Display) -> String {
        let body = format!(r#"{{"browser_origin":"{origin}"}}"#);
        self.signed("POST", "/api/v1/relay/qr-login/initiate", &body)
    }

    /// A signed call. No body that is made here has a quote of the shell in it: an origin has none.
    fn signed(&self, method: &str, path: &str, body: &str) -> String {
        let Self { address, tenant_id } = self;
        let body_digest = HEXLOWER.encode(digest(&SHA256, body.as_bytes()).as_ref());
        let sent = match body {
            "" => String::new(),
            body => format!(" -H 'Content-Type: application/json' -d '{body}'"),
        };
        format!(
            "t=$(date +%s)000; n=$(openssl rand -hex 16); s=$(openssl pkeyutl -kdf HKDF -kdflen 32 -pkeyopt md:SHA256 \
             -pkeyopt mode:EXTRACT_ONLY -pkeyopt_passin salt:env:LATCHKEY_TENANT_SECRET \
             -pkeyopt \"key:$t.{method}.{path}.$n.{body_digest}\" | od -An -v -tx1 | tr -d ' \\n'); \
             curl -sS -X {method} \"{address}{path}\" -H 'X-Latchkey-Tenant-Id: {tenant_id}' \
             -H \"X-Latchkey-Timestamp: $t\" -H \"X-Latchkey-Nonce: $n\" -H \"X-Latchkey-Signature: v2=$s\"{sent}"
        )
    }

    /// The server's time beside one's own.
    pub fn clock(&self) -> String {
        format!("curl -sS -o /dev/null -D - \"{}/api/v1/relay/whoami\" | grep -i '^date:'; date -u", self.address)
    }

    /// A list of the projects surface, with an admin key.
    pub fn list(&self, what: &str) -> String {
        format!(
            "curl -sS \"{}/v1/api/projects/{what}?limit=1\" -H \"Authorization: Bearer $ADMIN_API_KEY\"",
            self.address
        )
    }

    /// A token of a user.
    pub fn user_token(&self) -> String {
        let body = r#"{\"userId\":\"$USER_ID\",\"organizationId\":\"$ORGANIZATION_ID\"}"#;
        format!(
            "curl -sS -X POST \"{}/v1/api/projects/user-token\" -H \"Authorization: Bearer $EMBED_API_KEY\" \
             -H 'Content-Type: application/json' -d \"{body}\"",
            self.address
        )
    }

    /// A token of a customer of the legacy registration, which registers it if it is new.
    pub fn register_tenant(&self) -> String {
        format!(
            "curl -sS -X POST \"{}/v1/api/tenant/register-tenant\" -H \"Authorization: Bearer $EMBED_API_KEY\" \
             -H 'Content-Type: application/json' -d '{{\"displayName\":\"Example\",\"prefilters\":{{}}}}'",
            self.address
        )
    }

    /// Whether a token is active, with a key of any kind.
    pub fn introspect(&self, key: &str) -> String {
        format!(
            "curl -sS -X POST \"{}/api/v1/auth/introspect\" -H \"Authorization: Bearer ${key}\" -d \"token=$TOKEN\"",
            self.address
        )
    }

    /// A list of the account surface, for an end user.
    pub fn sessions(&self) -> String {
        format!(
            "curl -sS \"{}/api/v1/agent-sessions?limit=1\" -H \"X-API-KEY: $ACCOUNT_API_KEY\" \
             -H 'X-End-User-ID: user_123'",
            self.address
        )
    }
}

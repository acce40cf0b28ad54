//! A tenant for tests.

use uuid::Uuid;

use super::*;
use crate::domain::{SecretLabel, SecretVersion};

impl Tenant {
    /// One in whose name nothing has happened yet, for the tests of whatever has a tenant.
    pub fn example(id: TenantId, name: &str, created_at: Timestamp, configuration: Configuration) -> Self {
        let version = SecretVersion { id: Uuid::nil(), label: SecretLabel::of_turn(0) };
        Self {
            summary: TenantSummary {
                id,
                name: TenantName::from_stored(name),
                status: TenantStatus::Active,
                rate_limit_per_min: RatePerMinute::default(),
                abuse_strikes: 0,
                created_at,
                updated_at: None,
            },
            revision: 0,
            secret: SecretPointer { current: version.clone(), previous: None, rotated_at: None },
            signing: SigningPointer { version, kid: String::new() },
            epoch: 0,
            tokens_revoked_at: None,
            account_wide: AccountWideUse::default(),
            signed: SignedUse::default(),
            configuration,
        }
    }
}

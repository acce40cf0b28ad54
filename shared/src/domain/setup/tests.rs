use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::domain::callbacks::breaker::Breaker;
use crate::domain::callbacks::receiver::{LastFailure, ReceiverSummary};
use crate::domain::callbacks::types::Flow;
use crate::domain::credentials::api_key::ApiKey;
use crate::domain::credentials::api_key_secret::{ApiKeySecret, KeyKind};
use crate::domain::credentials::secret_pointer::{PreviousSecret, SecretLabel, SecretVersion};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::relay::signed_call::SigningVersion;
use crate::domain::tenants::status::TenantStatus;
use crate::domain::tenants::tenant::{NewTenant, Tenant};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::SystemRandomness;
use crate::domain::values::text::{KeyName, Reason};

mod keys;
mod services;

const DEFAULTS: SetupDefaults = SetupDefaults { require_end_user: false, passkeys_enabled: false };

fn now() -> Timestamp {
    Timestamp::from_millis(1_782_000_000_000)
}

fn before(seconds: u64) -> Timestamp {
    now().minus(Duration::from_secs(seconds))
}

fn version() -> SecretVersion {
    SecretVersion { id: uuid::Uuid::nil(), label: SecretLabel::of_turn(0) }
}

/// A tenant with that configuration, of which nothing was seen.
fn facts(configuration: &serde_json::Value) -> SetupFacts {
    let mut body = serde_json::json!({ "tenant_name": "Acme" });
    body.as_object_mut().unwrap().extend(configuration.as_object().unwrap().clone());
    let new: NewTenant = serde_json::from_value(body).unwrap();
    let id = TenantId::generate(&SystemRandomness::new()).unwrap();
    let tenant = Tenant::example(id, "Acme", before(1_000_000), new.configuration(SigningVersion::V1));
    SetupFacts {
        tenant,
        keys: Vec::new(),
        organization: None,
        user: None,
        registered_tenant: None,
        receivers: BTreeMap::new(),
        refusals: BTreeMap::new(),
    }
}

fn nothing() -> SetupFacts {
    facts(&serde_json::json!({}))
}

fn key(facts: &SetupFacts, kind: KeyKind) -> ApiKey {
    let secret = ApiKeySecret::generate(&facts.tenant.summary.id, kind, &SystemRandomness::new()).unwrap().unwrap();
    ApiKey {
        claims: secret.claims().clone(),
        name: KeyName::from_stored("Backend"),
        start: secret.start(),
        allowed_origins: crate::domain::tenants::origins::Origins::default(),
        origins_apply_to_tokens: false,
        created_at: before(1000),
        expires_at: None,
        rotated_at: None,
        previous_until: None,
        revoked_at: None,
        epoch: 0,
        tokens_revoked_at: None,
        last_used_on: None,
        last_token_on: None,
        last_introspected_on: None,
    }
}

fn refuse(facts: &mut SetupFacts, cause: RefusalCause, at: Timestamp) {
    facts.refusals.insert(cause, Refusal::new(cause, at, "probe"));
}

fn inspect(facts: &SetupFacts) -> Vec<Check> {
    Setup::inspect(facts, DEFAULTS, "https://latchkey.example.com", now()).checks
}

fn check(facts: &SetupFacts, name: &str) -> Check {
    inspect(facts).into_iter().find(|check| check.name == name).unwrap()
}

/// State and sentence of a check.
fn told(facts: &SetupFacts, name: &str) -> (CheckState, String) {
    let check = check(facts, name);
    (check.state, check.says)
}

fn failing(facts: &SetupFacts) -> Vec<&'static str> {
    let checks = inspect(facts).into_iter();
    checks.filter(|check| check.state == CheckState::Fails).map(|check| check.name).collect()
}

#[test]
fn of_what_nothing_was_seen_nothing_fails_and_each_check_has_a_name_of_its_own() {
    let checks = inspect(&nothing());
    assert_eq!(failing(&nothing()), Vec::<&str>::new());
    let names: BTreeSet<_> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), checks.len());
    for check in checks {
        assert!(check.says.ends_with('.') && check.last_seen.is_none(), "{check:?}");
        assert!(check.mend.is_none_or(|mend| mend.ends_with('.')));
    }
}

#[test]
fn each_cause_fails_one_check_for_a_day_with_a_mend_and_its_time() {
    let party = serde_json::json!({
        "webauthn_rp_id": "example.com", "webauthn_origins": ["https://example.com"], "passkeys_enabled": true,
        "qr_login_allowed_origins": ["https://example.com"],
    });
    let mut failed = BTreeSet::new();
    for cause in RefusalCause::ALL {
        for (age, fails) in [(0, true), (86_400, true), (86_401, false)] {
            let mut facts = facts(&party);
            refuse(&mut facts, *cause, before(age));
            let names = failing(&facts);
            assert_eq!(names.len(), usize::from(fails), "{cause:?} {age}: {names:?}");
            for name in names {
                failed.insert(name);
                let check = check(&facts, name);
                assert_eq!(check.last_seen, Some(Seen::At(before(age))));
                assert!(check.mend.is_some() && check.says.contains("probe"), "{check:?}");
            }
        }
    }
    assert_eq!(failed.len(), 12, "{failed:?}");
}

#[test]
fn a_signed_call_five_minutes_later_shows_that_a_signer_was_mended() {
    for (accepted, fails) in [(None, true), (Some(700), true), (Some(301), true), (Some(300), false), (Some(0), false)]
    {
        for cause in [RefusalCause::ClockOff, RefusalCause::SignatureVersion, RefusalCause::NonceReused] {
            let mut facts = nothing();
            refuse(&mut facts, cause, before(600));
            facts.tenant.signed.last_minute = accepted.map(before);
            assert_eq!(!failing(&facts).is_empty(), fails, "{accepted:?} {cause:?}");
        }
    }
}

#[test]
fn of_several_causes_the_latest_is_told() {
    let mut facts = nothing();
    refuse(&mut facts, RefusalCause::KeyExpired, before(60));
    refuse(&mut facts, RefusalCause::KeyRevoked, before(30));
    assert!(told(&facts, "api_key_in_force").1.contains("was revoked"));
    refuse(&mut facts, RefusalCause::KeyRotated, before(10));
    assert!(told(&facts, "api_key_in_force").1.contains("was rotated"));
}

#[test]
fn a_clock_is_told_by_how_much_it_is_off() {
    for (ahead_ms, words) in [
        (0, "0 ms ahead"),
        (-999, "999 ms behind"),
        (1000, "1 s ahead"),
        (-599_999, "599 s behind"),
        (600_000, "10 min ahead"),
        (-172_799_999, "2879 min behind"),
        (172_800_000, "2 days ahead"),
        (i64::MIN, "days behind"),
    ] {
        let mut facts = nothing();
        let refusal = Refusal::new(RefusalCause::ClockOff, now(), "relay-whoami");
        facts.refusals.insert(RefusalCause::ClockOff, Refusal { ahead_ms: Some(ahead_ms), ..refusal });
        let (state, says) = told(&facts, "clock");
        assert!(state == CheckState::Fails && says.contains(words), "{says}");
        facts.refusals.clear();
        facts.tenant.signed.last_minute = Some(before(30));
        assert!(told(&facts, "clock").1.contains("at most 30 s off"));
        facts.tenant.signed.ahead_ms = Some(ahead_ms);
        let (state, says) = told(&facts, "clock");
        assert!(state == CheckState::Works && says.contains(words), "{says}");
    }
}

#[test]
fn an_overlap_is_told_while_it_lasts() {
    let mut facts = nothing();
    assert_eq!(check(&facts, "secret_rotation").state, CheckState::Off);
    for (until, last_used_at, expected) in [
        (now().plus(Duration::from_millis(1)), None, CheckState::Works),
        (now().plus(Duration::from_millis(1)), Some(before(60)), CheckState::Fails),
        (now(), Some(before(60)), CheckState::Off),
    ] {
        facts.tenant.secret.previous = Some(PreviousSecret { version: version(), until, last_used_at });
        assert_eq!(check(&facts, "secret_rotation").state, expected);
    }
}

#[test]
fn callbacks_are_told_by_the_worst_of_their_receivers() {
    let mut facts = facts(&serde_json::json!({ "callback_url_base": "https://example.com/hooks" }));
    let idle = ReceiverSummary {
        state: Breaker::default().into(),
        pending: 0,
        oldest_pending_at: None,
        last_success_at: None,
        last_failure: None,
        last_base: None,
    };
    let failed = |at, outcome: &str| Some(LastFailure { at, outcome: outcome.to_owned() });
    facts.receivers.insert(Flow::Tenant, idle.clone());
    assert_eq!(check(&facts, "callbacks").state, CheckState::Unseen);
    facts.receivers.insert(Flow::Test, ReceiverSummary { last_success_at: Some(before(60)), ..idle.clone() });
    assert_eq!(check(&facts, "callbacks").last_seen, Some(Seen::At(before(60))));
    let recovered = failed(before(61), "500");
    let receiver =
        ReceiverSummary { last_success_at: Some(before(60)), last_failure: recovered.clone(), ..idle.clone() };
    facts.receivers.insert(Flow::Test, receiver);
    assert_eq!(check(&facts, "callbacks").state, CheckState::Works);
    let receiver =
        ReceiverSummary { last_success_at: Some(before(60)), last_failure: failed(before(59), "500"), ..idle.clone() };
    facts.receivers.insert(Flow::Test, receiver);
    assert_eq!(check(&facts, "callbacks").state, CheckState::Fails);
    facts.receivers.remove(&Flow::Test);
    let mut mends = BTreeSet::new();
    for outcome in
        ["dns", "address_refused", "connect", "tls", "timeout", "protocol", "401", "404", "301", "500", "400"]
    {
        let receiver = ReceiverSummary { last_failure: failed(before(10), outcome), ..idle.clone() };
        facts.receivers.insert(Flow::Pairing, receiver);
        let check = check(&facts, "callbacks");
        let place = format!("https://example.com/hooks/relay-callbacks/pairing failed with {outcome}.");
        assert!(check.state == CheckState::Fails && check.says.contains(&place), "{check:?}");
        mends.insert(check.mend.unwrap());
    }
    assert_eq!(mends.len(), 11);
    let disabled = Breaker::Disabled { since: now(), cause: crate::domain::callbacks::breaker::DisableCause::Gone };
    let receiver = ReceiverSummary { state: disabled.into(), last_failure: recovered, ..idle };
    facts.receivers.insert(Flow::Tenant, receiver);
    assert!(
        told(&facts, "callbacks").1.contains("relay-callbacks/tenant is disabled; the last attempt ended with 500")
    );
    facts.tenant.configuration.callback_types = serde_json::from_str("[]").unwrap();
    assert_eq!(check(&facts, "callbacks").state, CheckState::Off);
}

#[test]
fn passkeys_are_off_broken_or_told_with_their_origins() {
    let rows = [
        (serde_json::json!({}), CheckState::Off, "no webauthn_rp_id"),
        (serde_json::json!({ "webauthn_rp_id": "example.com" }), CheckState::Off, "passkeys_enabled"),
        (
            serde_json::json!({ "webauthn_rp_id": "example.com", "passkeys_enabled": true }),
            CheckState::Fails,
            "webauthn_origins is empty",
        ),
        (
            serde_json::json!({
                "webauthn_rp_id": "example.com", "passkeys_enabled": true,
                "webauthn_origins": ["https://a.example.com", "https://b.example.com"],
            }),
            CheckState::Works,
            "https://a.example.com and 1 more",
        ),
        // As it was stored before a rule was tightened.
        (
            serde_json::json!({ "webauthn_rp_id": "example.com", "webauthn_origins": ["https://example.net"] }),
            CheckState::Fails,
            "webauthn_origins[0] must be https and within webauthn_rp_id",
        ),
    ];
    for (configuration, state, words) in rows {
        let facts = facts(&configuration);
        let (found, says) = told(&facts, "passkeys");
        assert!(found == state && says.contains(words), "{says}");
    }
    let enabled = SetupDefaults { passkeys_enabled: true, ..DEFAULTS };
    let facts = facts(&serde_json::json!({ "webauthn_rp_id": "example.com" }));
    let setup = Setup::inspect(&facts, enabled, "https://latchkey.example.com", now());
    let check = setup.checks.iter().find(|check| check.name == "passkeys").unwrap();
    assert_eq!(check.state, CheckState::Fails, "the deployment's default is on");
}

#[test]
fn a_call_without_an_end_user_counts_for_seven_days() {
    let mut facts = nothing();
    assert_eq!(check(&facts, "end_user_named").state, CheckState::Off);
    let mut account = key(&facts, KeyKind::Account);
    facts.keys = vec![account.clone()];
    assert_eq!(check(&facts, "end_user_named").state, CheckState::Unseen);
    account.last_used_on = Some(now().day());
    facts.keys = vec![account];
    assert_eq!(check(&facts, "end_user_named").state, CheckState::Works);
    for (days, state) in [(0, CheckState::Fails), (7, CheckState::Fails), (8, CheckState::Works)] {
        let day = before(86_400 * days).day();
        for (call_on, token_on) in [(Some(day), None), (None, Some(day))] {
            facts.tenant.account_wide = crate::domain::AccountWideUse { call_on, token_on };
            assert_eq!(check(&facts, "end_user_named").state, state, "{days}");
        }
    }
}

#[test]
fn a_suspension_is_told_with_its_time_and_reason() {
    let mut facts = nothing();
    let reason = Some(Reason::from_stored("unpaid"));
    facts.tenant.summary.status = TenantStatus::Suspended { since: before(9), reason };
    let check = check(&facts, "tenant");
    assert_eq!((check.state, check.last_seen), (CheckState::Fails, Some(Seen::At(before(9)))));
    assert!(check.says.contains("\"unpaid\""));
}

#[test]
fn a_subject_is_unseen_until_a_user_is_registered() {
    let mut facts = nothing();
    assert_eq!(check(&facts, "token_subject").state, CheckState::Unseen);
    facts.user = Some(now());
    assert_eq!(check(&facts, "token_subject").state, CheckState::Works);
}

#[test]
fn a_refusal_tells_a_header_that_is_a_usual_misspelling_and_no_other() {
    let refusal = Refusal::new(RefusalCause::KeyKind, now(), "x");
    assert_eq!(refusal.clone().with_header("x-external-user-id").header.as_deref(), Some("x-external-user-id"));
    assert_eq!(refusal.with_header("x-of-somebodys-own").header, None);
}

#[test]
fn what_was_seen_is_a_time_or_a_day() {
    let texts = [Seen::At(now()), Seen::On(now().day())].map(|seen| serde_json::to_value(seen).unwrap());
    assert_eq!(texts, ["2026-06-21T00:00:00.000Z", "2026-06-21"]);
}

#[test]
fn a_check_has_the_line_that_proves_it_and_lines_call_what_they_say() {
    assert!(check(&nothing(), "token_subject").curl.contains("/projects/user-token"));
    let tenant_id = TenantId::of(&[0; 16]);
    let lines = super::lines::Lines { address: "https://latchkey.example.com", tenant_id: &tenant_id };
    let origin = "https://app.example.com";
    for (line, path, has_origin) in [
        (lines.ping(), "/relay/test/callbacks", false),
        (lines.passkey_login(&origin), "/relay/webauthn/authenticate/options", true),
        (lines.qr_login(&origin), "/relay/qr-login/initiate", true),
    ] {
        assert!(line.contains(path) && line.contains("pkeyutl") && line.contains(origin) == has_origin, "{line}");
    }
}

#[test]
fn a_line_has_the_address_and_the_id_and_no_secret() {
    let facts = nothing();
    for check in inspect(&facts) {
        let line = check.curl;
        assert!(line.contains("\"https://latchkey.example.com/") && !line.contains('\n'), "{line}");
        let signs = line.contains("LATCHKEY_TENANT_SECRET");
        assert!(!signs || line.contains(facts.tenant.summary.id.as_str()), "{line}");
    }
}

#[test]
fn a_cause_is_due_again_after_a_minute() {
    assert!(Refusal::is_due(None, now()));
    assert!(!Refusal::is_due(Some(before(59)), now()));
    assert!(Refusal::is_due(Some(before(60)), now()));
    assert!(!Refusal::is_due(Some(now().plus(Duration::from_secs(1))), now()), "a clock that went back");
    let names: BTreeSet<_> = RefusalCause::ALL.iter().map(|cause| cause.as_str()).collect();
    assert_eq!(names.len(), RefusalCause::ALL.len());
}

//! What is told of origins and of end users' names.

use super::*;
use crate::domain::tenants::public_url::CallbackUrl;

#[test]
fn passkeys_are_told_with_the_number_of_their_other_origins_and_by_what_was_refused() {
    let mut facts = facts(&serde_json::json!({
        "webauthn_rp_id": "example.com", "passkeys_enabled": true, "webauthn_origins": ["https://a.example.com"],
    }));
    assert!(told(&facts, "passkeys").1.ends_with("may use it: https://a.example.com."));
    refuse(&mut facts, RefusalCause::PasskeyPage, before(2));
    assert!(told(&facts, "passkeys").1.starts_with("probe was given an answer of another page"));
    refuse(&mut facts, RefusalCause::PasskeyOrigin, before(1));
    assert!(told(&facts, "passkeys").1.starts_with("probe was asked for a page whose origin"));
}

#[test]
fn a_qr_login_is_told_with_the_number_of_its_other_origins() {
    for (origins, words) in [
        (&["https://a.example.com"][..], "Pages of https://a.example.com may"),
        (&["https://a.example.com", "https://b.example.com"], "Pages of https://a.example.com and 1 more may"),
    ] {
        let facts = facts(&serde_json::json!({ "qr_login_allowed_origins": origins }));
        assert!(told(&facts, "qr_login").1.starts_with(words), "{origins:?}");
    }
}

#[test]
fn names_of_end_users_are_of_interest_once_an_account_key_was_used() {
    let mut facts = nothing();
    assert_eq!(check(&facts, "end_user_header").state, CheckState::Off);
    for (kind, day, state) in [
        (KeyKind::Admin, Some(now().day()), CheckState::Off),
        (KeyKind::Account, None, CheckState::Off),
        (KeyKind::Account, Some(now().day()), CheckState::Works),
    ] {
        facts.keys = vec![ApiKey { last_used_on: day, ..key(&facts, kind) }];
        assert_eq!(check(&facts, "end_user_header").state, state, "{kind:?}");
    }
}

#[test]
fn a_delivery_in_the_moment_of_a_failure_counts_as_one_after_it() {
    let mut facts = facts(&serde_json::json!({ "callback_url_base": "https://example.com/hooks" }));
    let receiver = ReceiverSummary {
        state: Breaker::default().into(),
        pending: 0,
        oldest_pending_at: None,
        last_success_at: Some(before(60)),
        last_failure: Some(LastFailure { at: before(60), outcome: "500".to_owned() }),
        last_base: None,
    };
    facts.receivers.insert(Flow::Test, receiver);
    assert_eq!(check(&facts, "callbacks").state, CheckState::Works);
}

#[test]
fn what_came_of_an_earlier_base_is_not_told_of_a_new_one() {
    let mut facts = facts(&serde_json::json!({ "callback_url_base": "https://example.com/hooks" }));
    for (base, success, failure, state) in [
        ("https://example.com/hooks", 60, 61, CheckState::Works),
        ("https://example.com/hooks", 61, 60, CheckState::Fails),
        ("https://example.com/old", 60, 61, CheckState::Unseen),
        ("https://example.com/old", 61, 60, CheckState::Unseen),
    ] {
        let receiver = ReceiverSummary {
            state: Breaker::default().into(),
            pending: 0,
            oldest_pending_at: None,
            last_success_at: Some(before(success)),
            last_failure: Some(LastFailure { at: before(failure), outcome: "500".to_owned() }),
            last_base: Some(CallbackUrl::from_stored(base)),
        };
        facts.receivers.insert(Flow::Test, receiver);
        assert_eq!(check(&facts, "callbacks").state, state, "{base} {success} {failure}");
    }
}

#[test]
fn every_check_has_a_line_whatever_is_configured() {
    for configuration in [
        serde_json::json!({}),
        serde_json::json!({ "callback_url_base": "https://example.com", "callback_types": [] }),
        serde_json::json!({ "webauthn_rp_id": "example.com" }),
        serde_json::json!({ "webauthn_rp_id": "example.com", "passkeys_enabled": true }),
        serde_json::json!({ "qr_login_allowed_origins": ["https://a.example.com"] }),
    ] {
        let facts = facts(&configuration);
        let setup = Setup::inspect(&facts, DEFAULTS, "https://api.example.com", now());
        assert!(setup.checks.iter().all(|check| !check.curl.is_empty()), "{configuration}");
    }
}

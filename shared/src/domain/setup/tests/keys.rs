//! What is told of API keys.

use super::*;

#[test]
fn keys_are_told_by_kind_and_by_what_became_of_them() {
    let mut facts = nothing();
    assert_eq!(check(&facts, "api_key_embed").state, CheckState::Off);
    let mut embed = key(&facts, KeyKind::Embed);
    facts.keys = vec![embed.clone()];
    assert_eq!(told(&facts, "api_key_embed").0, CheckState::Unseen);
    assert_eq!(check(&facts, "api_key_admin").state, CheckState::Off);
    embed.last_used_on = Some(before(86_400).day());
    embed.last_token_on = Some(before(86_400).day());
    embed.last_introspected_on = Some(now().day());
    facts.keys = vec![embed.clone()];
    for (name, day) in
        [("api_key_embed", before(86_400)), ("token_issued", before(86_400)), ("token_introspected", now())]
    {
        let check = check(&facts, name);
        assert_eq!((check.state, check.last_seen), (CheckState::Works, Some(Seen::On(day.day()))), "{name}");
    }
    embed.expires_at = Some(now());
    facts.keys = vec![embed.clone()];
    assert!(told(&facts, "api_key_embed").1.contains("1 of 1"));
    assert_eq!(check(&facts, "api_key_embed").state, CheckState::Fails);
    // Another that may act is enough.
    facts.keys.push(key(&facts, KeyKind::Embed));
    assert_eq!(check(&facts, "api_key_embed").state, CheckState::Works);
    let refusal = Refusal { key_id: Some(embed.claims.id.clone()), ..Refusal::new(RefusalCause::KeyKind, now(), "x") };
    facts.refusals.insert(RefusalCause::KeyKind, refusal);
    assert!(told(&facts, "api_key_kind").1.contains(&format!("{} of the kind embed was sent to x", embed.claims.id)));
}

#[test]
fn a_kind_of_key_that_is_not_there_is_told_with_what_it_is_for() {
    for (name, purpose) in [
        ("api_key_admin", "register organizations and users"),
        ("api_key_embed", "get tokens of users and register nobody"),
        ("api_key_account", "use the account surface"),
    ] {
        assert!(check(&nothing(), name).mend.unwrap().contains(purpose), "{name}");
    }
}

#[test]
fn a_key_out_of_force_is_told_by_what_became_of_it_and_a_wrong_kind_by_that_of_the_key() {
    for (cause, state) in [
        (RefusalCause::KeyExpired, "has expired"),
        (RefusalCause::KeyRotated, "was rotated: its old secret has ended"),
        (RefusalCause::KeyRevoked, "was revoked"),
    ] {
        let mut facts = nothing();
        refuse(&mut facts, cause, now());
        let says = told(&facts, "api_key_in_force").1;
        assert_eq!(says, format!("An API key {state}, and is still sent to probe."));
    }
    let mut facts = nothing();
    facts.keys = [KeyKind::Account, KeyKind::Embed].map(|kind| key(&facts, kind)).to_vec();
    for key in &facts.keys.clone() {
        let id = Some(key.claims.id.clone());
        let refusal = Refusal { key_id: id, ..Refusal::new(RefusalCause::KeyKind, now(), "x") };
        facts.refusals.insert(RefusalCause::KeyKind, refusal);
        let says = told(&facts, "api_key_kind").1;
        assert!(says.contains(&format!("of the kind {} was", key.claims.kind.as_str())), "{says}");
    }
}

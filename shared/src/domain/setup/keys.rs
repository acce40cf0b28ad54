//! Checks of API keys.

use super::check::Check;
use super::facts::Look;
use super::refusal::{Refusal, RefusalCause};
use crate::domain::credentials::api_key::{ApiKey, KeyState};
use crate::domain::credentials::api_key_secret::{ApiKeyId, KeyKind};
use crate::domain::time::clock::Day;

pub(super) fn checks(look: &Look<'_>) -> Vec<Check> {
    let mut checks: Vec<_> =
        [KeyKind::Admin, KeyKind::Embed, KeyKind::Account].into_iter().map(|kind| of_kind(look, kind)).collect();
    checks.extend([kind(look), in_force(look), origin(look)]);
    checks
}

/// The last day on which any of the keys was used.
fn last_use<'a>(keys: impl Iterator<Item = &'a ApiKey>) -> Option<&'a Day> {
    keys.filter_map(|key| key.last_used_on.as_ref()).max()
}

fn of_kind(look: &Look<'_>, kind: KeyKind) -> Check {
    let (name, line) = match kind {
        KeyKind::Admin => ("api_key_admin", look.lines.list("organizations")),
        KeyKind::Embed => ("api_key_embed", look.lines.introspect("EMBED_API_KEY")),
        KeyKind::Account => ("api_key_account", look.lines.sessions()),
    };
    let text = kind.as_str();
    let keys = || look.facts.keys.iter().filter(|key| key.claims.kind == kind);
    let active = keys().filter(|key| key.state(look.now) == KeyState::Active);
    let (all, active, last) = (keys().count(), active.count(), last_use(keys()));
    let check = if all == 0 {
        Check::off(name, format!("There is no API key of the kind {text}."))
            .mended(format!("If the tenant is to {}, provision one: provision/api-key.", purpose(kind)))
    } else if active == 0 {
        let says = format!("Each API key of the kind {text} has expired or was revoked ({all} of {all}).");
        Check::fails(name, says, "Provision another, and give it to the backend: provision/api-key.")
    } else if let Some(day) = last {
        Check::works(name, format!("An API key of the kind {text} was last used on {day}."))
    } else {
        let says = format!("No API key of the kind {text} was used yet ({active} active).");
        Check::unseen(name, says, "Send it from the backend as Authorization: Bearer, or in X-API-KEY.")
    };
    check.on(last).proven_by(line)
}

fn purpose(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Admin => "register organizations and users",
        KeyKind::Embed => "get tokens of users and register nobody",
        KeyKind::Account => "use the account surface",
    }
}

/// The end of a check that fails by a refusal, or works or is unseen without one.
fn refused(
    look: &Look<'_>,
    name: &'static str,
    causes: &[RefusalCause],
    fault: impl FnOnce(&Refusal, String) -> (String, &'static str),
    works: &'static str,
) -> Check {
    if let Some(refusal) = look.refused(causes) {
        let key = refusal.key_id.as_ref().map_or_else(|| "An API key".to_owned(), |id| format!("API key {id}"));
        let (says, mend) = fault(refusal, key);
        return Check::fails(name, says, mend).at(Some(refusal.at));
    }
    match last_use(look.facts.keys.iter()) {
        Some(day) => Check::works(name, works).on(Some(day)),
        None => Check::unseen(name, "No API key was used yet.", "Use one, and look again."),
    }
}

fn kind(look: &Look<'_>) -> Check {
    let fault = |refusal: &Refusal, key: String| {
        let kind =
            |id: &ApiKeyId| look.facts.keys.iter().find(|key| key.claims.id == *id).map(|key| key.claims.kind.as_str());
        let kind =
            refusal.key_id.as_ref().and_then(kind).map_or_else(String::new, |kind| format!(" of the kind {kind}"));
        let says = format!("{key}{kind} was sent to {}, which does not take that kind.", refusal.operation);
        (
            says,
            "Send a key of the right kind: admin to register, admin or embed for user-token, account for the account \
                surface.",
        )
    };
    let works = "No API key of the wrong kind was refused in the last 24 hours.";
    refused(look, "api_key_kind", &[RefusalCause::KeyKind], fault, works).proven_by(look.lines.list("users"))
}

fn in_force(look: &Look<'_>) -> Check {
    let fault = |refusal: &Refusal, key: String| {
        let (state, mend) = match refusal.cause {
            RefusalCause::KeyExpired => ("has expired", "Provision another and give it to whoever sends the old one."),
            RefusalCause::KeyRotated => {
                ("was rotated: its old secret has ended", "Give the new secret to whoever still sends the old one.")
            }
            _ => (
                "was revoked",
                "Give another to whoever sends it. If that is nobody of the tenant's, the key has leaked; it opens \
                 nothing any more.",
            ),
        };
        (format!("{key} {state}, and is still sent to {}.", refusal.operation), mend)
    };
    let causes = [RefusalCause::KeyExpired, RefusalCause::KeyRevoked, RefusalCause::KeyRotated];
    let works = "No API key that is out of force was sent in the last 24 hours.";
    refused(look, "api_key_in_force", &causes, fault, works).proven_by(look.lines.introspect("API_KEY"))
}

fn origin(look: &Look<'_>) -> Check {
    let fault = |refusal: &Refusal, key: String| {
        let says = format!(
            "{key} was sent to {} by a browser page whose origin is not in its allowed_origins.",
            refusal.operation
        );
        (
            says,
            "Add the page's origin, exactly as browsers send it: scheme, host and port, without a slash at its end. A \
                key itself belongs to the backend, not to a page.",
        )
    };
    let works = "No API key was refused for the origin of a page in the last 24 hours.";
    refused(look, "api_key_origin", &[RefusalCause::KeyOrigin], fault, works)
        .proven_by(look.lines.introspect("API_KEY"))
}

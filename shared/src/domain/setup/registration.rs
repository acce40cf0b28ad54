//! Checks of what is registered, and of tokens.

use super::check::Check;
use super::facts::Look;
use super::refusal::RefusalCause;
use crate::domain::time::clock::Timestamp;

pub(super) fn checks(look: &Look<'_>) -> Vec<Check> {
    let facts = look.facts;
    vec![
        registered(look, "organization", ("organization", "organizations"), facts.organization),
        registered(look, "user", ("user", "users"), facts.user),
        registered_tenant(look),
        token_subject(look),
        token_issued(look),
        token_introspected(look),
    ]
}

fn registered(look: &Look<'_>, name: &'static str, (one, list): (&str, &str), newest: Option<Timestamp>) -> Check {
    let check = match newest {
        Some(at) => Check::works(name, format!("The newest {one} was registered at {at}.")).at(Some(at)),
        None => Check::unseen(
            name,
            format!("No {one} is registered."),
            format!("Register it from the backend, with an admin key: register-{one}."),
        ),
    };
    check.proven_by(look.lines.list(list))
}

fn registered_tenant(look: &Look<'_>) -> Check {
    let name = "registered_tenant";
    let check = match look.facts.registered_tenant {
        Some(at) => {
            Check::works(name, format!("The newest customer of register-tenant was registered at {at}.")).at(Some(at))
        }
        None => Check::off(
            name,
            "Nobody is registered through register-tenant, which is for clients of the legacy registration.",
        ),
    };
    check.proven_by(look.lines.register_tenant())
}

fn token_subject(look: &Look<'_>) -> Check {
    let name = "token_subject";
    let check = match look.refused(&[RefusalCause::Unregistered]) {
        Some(refusal) => Check::fails(
            name,
            format!("{} named a user or an organization that is not registered.", refusal.operation),
            "Register first, then ask for the token, with the same id: the uuid of the answer, or the externalId as it \
             was registered. A user has to be in the organization that is named.",
        )
        .at(Some(refusal.at)),
        None if look.facts.user.is_none() => {
            Check::unseen(name, "No user is registered.", "Register one, and ask for its token.")
        }
        None => {
            Check::works(name, "No token was requested for an unregistered user or organization in the last 24 hours.")
        }
    };
    check.proven_by(look.lines.user_token())
}

fn token_issued(look: &Look<'_>) -> Check {
    let name = "token_issued";
    let last = look.facts.keys.iter().filter_map(|key| key.last_token_on.as_ref()).max();
    let check = match last {
        Some(day) => Check::works(name, format!("A token was last issued on {day}.")),
        None => Check::unseen(
            name,
            "No token was issued yet.",
            "Ask for one at each login: user-token with an admin or embed key, auth/token with an account key.",
        ),
    };
    check.on(last).proven_by(look.lines.user_token())
}

fn token_introspected(look: &Look<'_>) -> Check {
    let name = "token_introspected";
    let last = look.facts.keys.iter().filter_map(|key| key.last_introspected_on.as_ref()).max();
    let check = match last {
        Some(day) => Check::works(name, format!("A token was last found active by auth/introspect on {day}.")),
        None => Check::unseen(
            name,
            "No token was found active by auth/introspect yet. Whether tokens are verified with the key set can't be \
             seen: it is public, and kept by caches.",
            "Verify each token, with the tenant's key set or by auth/introspect.",
        ),
    };
    check.on(last).proven_by(look.lines.introspect("API_KEY"))
}

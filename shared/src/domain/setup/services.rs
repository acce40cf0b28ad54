//! Checks of callbacks, passkeys, QR logins, and of the end users of the account surface.

use std::time::Duration;

use super::check::Check;
use super::facts::Look;
use super::refusal::RefusalCause;
use crate::domain::callbacks::receiver::{LastFailure, ReceiverState, ReceiverSummary};
use crate::domain::credentials::api_key_secret::KeyKind;

/// For how many days a call that named no end user counts.
const UNNAMED: Duration = Duration::from_hours(7 * 24);

/// A page for the line of what is off: it is refused, which proves that.
const ANY_PAGE: &str = "https://app.example.com";

pub(super) fn checks(look: &Look<'_>) -> Vec<Check> {
    vec![callbacks(look), passkeys(look), qr_login(look), end_user_named(look), end_user_header(look)]
}

fn callbacks(look: &Look<'_>) -> Check {
    let (name, configuration) = ("callbacks", &look.facts.tenant.configuration);
    let Some(base) = &configuration.callback_url_base else {
        return Check::off(name, "Callbacks are off: the tenant has no callback_url_base.")
            .mended("If the backend is to be told of events, the operator sets callback_url_base: update/tenant.")
            .proven_by(look.lines.ping());
    };
    if configuration.callback_types.as_slice().is_empty() {
        return Check::off(name, "Callbacks are off: callback_types is empty.")
            .mended("The operator sets callback_types to the types of events that the backend is to be told of.")
            .proven_by(look.lines.ping());
    }
    let receivers = || look.facts.receivers.iter();
    let disabled = receivers().find(|(_, receiver)| receiver.state == ReceiverState::Disabled);
    // Of attempts at an earlier base nothing follows for this one.
    let seen = || receivers().filter(|(_, receiver)| receiver.last_base.as_ref().is_none_or(|last| last == base));
    let success = seen().filter_map(|(_, receiver)| receiver.last_success_at).max();
    let failing = seen().find_map(|(flow, receiver)| Some((flow, receiver, failing(receiver)?)));
    let check = if let Some((flow, receiver)) = disabled {
        let failure = receiver.last_failure.as_ref();
        let last =
            failure.map_or_else(String::new, |failure| format!("; the last attempt ended with {}", failure.outcome));
        Check::fails(
            name,
            format!("{base}/relay-callbacks/{flow} is disabled{last}: nothing is sent there."),
            "Fix the receiver. The operator then reactivates it: reactivate/callbacks.",
        )
        .at(failure.map(|failure| failure.at))
    } else if let Some((flow, _, failure)) = failing {
        let says = format!("The last attempt at {base}/relay-callbacks/{flow} failed with {}.", failure.outcome);
        Check::fails(name, says, advice(&failure.outcome)).at(Some(failure.at))
    } else if let Some(at) = success {
        Check::works(name, format!("A callback was last delivered below {base}/relay-callbacks at {at}.")).at(Some(at))
    } else {
        let says = format!("Nothing was delivered below {base}/relay-callbacks yet.");
        Check::unseen(name, says, "Send a ping, and look again a minute later.")
    };
    check.proven_by(look.lines.ping())
}

/// The last attempt, if it failed.
fn failing(receiver: &ReceiverSummary) -> Option<&LastFailure> {
    let failure = receiver.last_failure.as_ref()?;
    receiver.last_success_at.is_none_or(|success| success < failure.at).then_some(failure)
}

/// What to change at a receiver, by what came of an attempt.
fn advice(outcome: &str) -> &'static str {
    match outcome {
        "dns" => "The name of callback_url_base is not resolved: correct it, or publish it.",
        "address_refused" => "callback_url_base leads to an address that is not public: use one that is.",
        "connect" => {
            "Nothing accepts connections at port 443 of callback_url_base: start the receiver, or open its \
                      firewall."
        }
        "tls" => {
            "The receiver's certificate is not trusted, has expired or is for another name: renew it, with its \
                  whole chain."
        }
        "timeout" => "The receiver answers too late: let it store the event, answer 204, and work afterwards.",
        "protocol" => {
            "What answers at callback_url_base does not speak HTTP as it should: look at what stands before \
                       the receiver."
        }
        "401" | "403" => {
            "The receiver refuses the call: let it verify the signature with the webhook secret of now, \
                          over the bytes of the body, and ask for no other credential."
        }
        "404" | "405" => {
            "Nothing takes a POST at that path: callback_url_base is followed by /relay-callbacks and the \
                          name of the flow."
        }
        _ if outcome.starts_with('3') => "Redirects are not followed: set callback_url_base to where they lead.",
        _ if outcome.starts_with('5') => "The receiver fails: look into its log.",
        _ => "Let the receiver answer with a status of 200 to 299.",
    }
}

fn passkeys(look: &Look<'_>) -> Check {
    let (name, configuration) = ("passkeys", &look.facts.tenant.configuration);
    let Some(rp_id) = &configuration.webauthn_rp_id else {
        return Check::off(name, "Passkeys are off: the tenant has no webauthn_rp_id.")
            .mended("If people are to log in with passkeys, the operator sets webauthn_rp_id: update/tenant.")
            .proven_by(look.lines.passkey_login(&ANY_PAGE));
    };
    let origins = configuration.webauthn_origins.as_slice();
    let line = || match origins.first() {
        Some(first) => look.lines.passkey_login(first),
        None => look.lines.passkey_login(&format_args!("https://{rp_id}")),
    };
    if let Err(problem) = configuration.check() {
        let says = format!("webauthn_rp_id and webauthn_origins do not fit: {} {}.", problem.field, problem.problem);
        return Check::fails(name, says, "The operator corrects the field: update/tenant.").proven_by(line());
    }
    if !configuration.passkeys_enabled.unwrap_or(look.defaults.passkeys_enabled) {
        return Check::off(
            name,
            "Passkeys are off: passkeys_enabled is false, or it is null and the deployment's default is false.",
        )
        .mended("If they are to be used, the operator sets passkeys_enabled to true: update/tenant.")
        .proven_by(line());
    }
    let Some(first) = origins.first() else {
        let mend = format!(
            "The operator adds the origin of each page that runs ceremonies, such as https://{rp_id}, to \
             webauthn_origins: update/tenant."
        );
        return Check::fails(name, "Passkeys are enabled, and webauthn_origins is empty: no page may use them.", mend)
            .proven_by(line());
    };
    let check = match look.refused(&[RefusalCause::PasskeyOrigin, RefusalCause::PasskeyPage]) {
        Some(refusal) if refusal.cause == RefusalCause::PasskeyOrigin => Check::fails(
            name,
            format!("{} was asked for a page whose origin is not in webauthn_origins.", refusal.operation),
            "Send browser_origin as the browser has it in location.origin. If the page is meant, the operator adds it \
             to webauthn_origins.",
        )
        .at(Some(refusal.at)),
        Some(refusal) => Check::fails(
            name,
            format!("{} was given an answer of another page, or for another webauthn_rp_id.", refusal.operation),
            "Run the ceremony on the page of browser_origin, in no frame, with the options as they came.",
        )
        .at(Some(refusal.at)),
        None => {
            let more = if origins.len() > 1 { format!(" and {} more", origins.len() - 1) } else { String::new() };
            let says = format!("webauthn_rp_id {rp_id} is that of every origin that may use it: {first}{more}.");
            Check::works(name, says)
        }
    };
    check.proven_by(line())
}

fn qr_login(look: &Look<'_>) -> Check {
    let name = "qr_login";
    let origins = look.facts.tenant.configuration.qr_login_allowed_origins.as_slice();
    let Some(first) = origins.first() else {
        let mend = "If pages are to begin QR logins, the operator adds their origins: scheme, host and port, without a \
                    slash at the end, such as https://app.example.com.";
        return Check::off(name, "QR logins are off: qr_login_allowed_origins is empty.")
            .mended(mend)
            .proven_by(look.lines.qr_login(&ANY_PAGE));
    };
    if let Some(refusal) = look.refused(&[RefusalCause::QrLoginOrigin]) {
        let says = format!("{} was asked for a page that is not in qr_login_allowed_origins.", refusal.operation);
        let mend = "Send browser_origin as the browser has it in location.origin: scheme, host and port, no slash. If \
                    the page is meant, the operator adds it.";
        return Check::fails(name, says, mend).at(Some(refusal.at)).proven_by(look.lines.qr_login(first));
    }
    let more = if origins.len() > 1 { format!(" and {} more", origins.len() - 1) } else { String::new() };
    Check::works(name, format!("Pages of {first}{more} may begin QR logins.")).proven_by(look.lines.qr_login(first))
}

fn end_user_named(look: &Look<'_>) -> Check {
    let (name, tenant) = ("end_user_named", &look.facts.tenant);
    let since = look.now.minus(UNNAMED).day();
    let unnamed = [&tenant.account_wide.call_on, &tenant.account_wide.token_on].into_iter().flatten().max();
    let names = "Name the end user of each call: external_user_id or X-End-User-ID as a header, or external_user_id in \
                 the body. Many proxies drop headers with an underscore; X-End-User-ID has none.";
    let account_keys = || look.facts.keys.iter().filter(|key| key.claims.kind == KeyKind::Account);
    let check = if let Some(refusal) = look.refused(&[RefusalCause::EndUserMissing]) {
        let says = format!("A call to {} named no end user, and the tenant's calls have to.", refusal.operation);
        Check::fails(name, says, names).at(Some(refusal.at))
    } else if let Some(day) = unnamed.filter(|day| **day >= since) {
        let says = format!("A call or token named no end user on {day}, and so was for the whole account.");
        let mend = format!("{names} If that is meant, nothing is to be changed; if never, set require_end_user.");
        Check::fails(name, says, mend).on(Some(day))
    } else if account_keys().any(|key| key.last_used_on.is_some()) {
        let required = tenant.configuration.require_end_user.unwrap_or(look.defaults.require_end_user);
        let says = if required {
            "All calls have to name an end user."
        } else {
            "Every call of the last 7 days named an end user."
        };
        Check::works(name, says).on(account_keys().filter_map(|key| key.last_used_on.as_ref()).max())
    } else if account_keys().next().is_some() {
        Check::unseen(name, "The account surface was not used yet.", "Use it with an account key.")
    } else {
        Check::off(name, "The tenant has no account key, which is for the account surface.")
    };
    check.proven_by(look.lines.sessions())
}

fn end_user_header(look: &Look<'_>) -> Check {
    let name = "end_user_header";
    let check = match look.refused(&[RefusalCause::EndUserHeader]) {
        Some(refusal) => {
            let header = refusal.header.as_ref();
            let header = header.map_or_else(|| "a header".to_owned(), |header| format!("the header {header}"));
            Check::fails(
                name,
                format!("A call to {} had {header}, which almost names an end user.", refusal.operation),
                "Send X-End-User-ID or external_user_id, and let no proxy rename it.",
            )
            .at(Some(refusal.at))
        }
        None if look.facts.keys.iter().any(|key| key.claims.kind == KeyKind::Account && key.last_used_on.is_some()) => {
            Check::works(name, "No header that almost names an end user came in the last 24 hours.")
        }
        None => Check::off(name, "The account surface was not used yet."),
    };
    check.proven_by(look.lines.sessions())
}

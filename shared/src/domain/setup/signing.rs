//! Checks of signed calls.

use super::check::Check;
use super::facts::Look;
use super::refusal::{Refusal, RefusalCause};
use crate::domain::relay::signed_call::SigningVersion;

pub(super) fn checks(look: &Look<'_>) -> Vec<Check> {
    let checks = [signed_call(look), version(look), nonce(look), rotation(look)];
    let mut checks: Vec<_> = checks.into_iter().map(|check| check.proven_by(look.lines.whoami())).collect();
    checks.insert(1, clock(look).proven_by(look.lines.clock()));
    checks
}

fn signed_call(look: &Look<'_>) -> Check {
    let name = "signed_call";
    match look.facts.tenant.signed.last_minute {
        Some(minute) => {
            Check::works(name, format!("A signed call was last accepted in the minute of {minute}.")).at(Some(minute))
        }
        None => Check::unseen(
            name,
            "No signed call was accepted yet. A wrong signature leaves no trace here, because anybody can send one.",
            "Send the line beside this with the tenant's secret. If it is accepted and the backend's calls are not, \
             compare the text that each signs: the timestamp, the bytes of the body exactly as they are sent, and with \
             v2 method, path, query and nonce.",
        ),
    }
}

/// What is refused, or what works without a refusal, of those who sign.
fn refused(
    look: &Look<'_>,
    name: &'static str,
    causes: &[RefusalCause],
    fault: impl FnOnce(&Refusal) -> (String, &'static str),
    works: impl FnOnce() -> String,
) -> Check {
    if let Some(refusal) = look.refused_signer(causes) {
        let (says, mend) = fault(refusal);
        return Check::fails(name, says, mend).at(Some(refusal.at));
    }
    match look.facts.tenant.signed.last_minute {
        Some(minute) => Check::works(name, works()).at(Some(minute)),
        None => Check::unseen(name, "No signed call was accepted yet.", "Send one: see signed_call."),
    }
}

fn clock(look: &Look<'_>) -> Check {
    let fault = |refusal: &Refusal| {
        if refusal.cause == RefusalCause::TimestampUnit {
            let says = format!(
                "A call to {} was signed correctly, with a timestamp that is not in milliseconds.",
                refusal.operation
            );
            return (says, "Send Unix time in milliseconds, which has 13 digits, and sign the same text.");
        }
        let off = refusal.ahead_ms.map_or_else(|| "more than 30 s off".to_owned(), off);
        let says = format!("A call to {} was signed correctly, with a timestamp that was {off}.", refusal.operation);
        (
            says,
            "Let the signer's machine follow a time server (NTP), and take the timestamp when the call is sent: a \
                call that waits in a queue, or is sent again as it was, is too old as well.",
        )
    };
    let works = || match look.facts.tenant.signed.ahead_ms {
        Some(ahead_ms) => {
            format!("The signer's clock was {} when it was last noted, with a call a day.", off(ahead_ms))
        }
        None => "Signed calls are accepted, so the signer's clock is at most 30 s off.".to_owned(),
    };
    refused(look, "clock", &[RefusalCause::ClockOff, RefusalCause::TimestampUnit], fault, works)
}

/// How far a clock is off, in words.
fn off(ahead_ms: i64) -> String {
    let (millis, side) = (ahead_ms.unsigned_abs(), if ahead_ms < 0 { "behind" } else { "ahead" });
    match millis {
        0..1000 => format!("{millis} ms {side}"),
        _ if millis < 600_000 => format!("{} s {side}", millis / 1000),
        _ if millis < 172_800_000 => format!("{} min {side}", millis / 60_000),
        _ => format!("{} days {side}", millis / 86_400_000),
    }
}

fn version(look: &Look<'_>) -> Check {
    let (signed, required) = (&look.facts.tenant.signed, look.facts.tenant.configuration.signing_version);
    let fault = |refusal: &Refusal| {
        let says = format!("A call to {} was signed correctly with v1, and the tenant requires v2.", refusal.operation);
        (
            says,
            "Sign with v2, which covers method, path, query and a nonce as well. Until every signer does, the operator \
                can set signing_version to v1, which takes both.",
        )
    };
    let works = || {
        let used = [(SigningVersion::V1, &signed.v1_on), (SigningVersion::V2, &signed.v2_on)];
        let used = used.into_iter().filter_map(|(version, day)| Some(format!("{version} on {}", day.as_ref()?)));
        let used = used.collect::<Vec<_>>().join(", ");
        match required {
            SigningVersion::V1 => format!("The tenant takes v1 and v2; calls were last signed with {used}."),
            SigningVersion::V2 => format!("The tenant takes v2 only; calls were last signed with {used}."),
        }
    };
    refused(look, "signature_version", &[RefusalCause::SignatureVersion], fault, works)
}

fn nonce(look: &Look<'_>) -> Check {
    let fault = |refusal: &Refusal| {
        let says =
            format!("A call to {} used a nonce, or with v1 a signature, that had been used before.", refusal.operation);
        (
            says,
            "Sign each attempt anew, with a nonce of its own and a new timestamp, also after a 429 or 503. Look for a \
                nonce that is always the same, and for a proxy or a library that repeats calls by itself. Each nonce \
                that is used again is a strike.",
        )
    };
    let works = || "No replayed call was refused in the last 24 hours.".to_owned();
    refused(look, "signature_nonce", &[RefusalCause::NonceReused], fault, works)
}

fn rotation(look: &Look<'_>) -> Check {
    let name = "secret_rotation";
    if let Some(refusal) = look.refused_signer(&[RefusalCause::SecretReplaced]) {
        let says = format!("A call to {} was signed with a secret that a rotation has ended.", refusal.operation);
        let mend = "Give the new secret to every signer. If the old one was to end, this is one that still has it.";
        return Check::fails(name, says, mend).at(Some(refusal.at));
    }
    let previous = look.facts.tenant.secret.previous.as_ref().filter(|previous| look.now < previous.until);
    match previous.map(|previous| (previous.until, previous.last_used_at)) {
        None => Check::off(name, "No overlap of two secrets is under way.").at(look.facts.tenant.secret.rotated_at),
        Some((until, None)) => Check::works(
            name,
            format!("No call was signed with the old secret since the rotation; it ends at {until}."),
        ),
        Some((until, Some(last))) => {
            let says = format!("A call was still signed with the old secret at {last}, and it ends at {until}.");
            Check::fails(name, says, "Give the new secret to every signer before the old one ends.").at(Some(last))
        }
    }
}

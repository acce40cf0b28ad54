//! Each call to AWS is checked against the credential of the request that caused it, in every test.
//!
//! What a request presented, valid or not, says whose data the functions may ask AWS for while they answer it.
//! Partitions are spelled out here, and nothing of the store is used: it is the store that is being watched.

mod claim;
mod named;

use std::sync::{Arc, Mutex};

use stack::AwsCall;

use claim::{About, Account, Claim};
use named::{Access, Named};

/// Scheduled, for all tenants: no request causes what it does.
const UNCHECKED: [&str; 3] = ["deliver-callbacks", "reconcile", "seal-audit-events"];

/// What only the whole account reads where no end user owns it.
const PERSONAL: [&str; 3] = ["SESSION", "MESSAGE", "EXECUTION"];

/// What the name of a tenant's secret has before its id: of the one with what it signs its calls with, and of the one
/// with what its tokens are signed with.
const TENANT_SECRETS: &str = "tenants";
const SIGNING_KEYS: &str = "signing-keys";
const SECRETS: [&str; 2] = [TENANT_SECRETS, SIGNING_KEYS];

/// What a signed call names beside the tenant itself: its nonce, the tenant's people and their passkeys, and what is
/// owed to the tenant for them; and what it is refused for.
const SIGNED: [&str; 9] =
    ["#NONCE#", "#PERSON#", "#PERSON@", "#PASSKEY", "#CEREMONY#", "#DEVICE#", "#QRLOGIN", "#CALLBACKS", "#SETUP"];

/// What a phone's call names beside the tenant itself: its proof, whose device it is and whether that one's tokens were
/// revoked, and what is owed to the tenant for it.
const OF_PHONE: [&str; 5] = ["#PROOF#", "#PERSON#", "#PERSON@", "#EXTERNAL#", "#CALLBACKS"];

/// Whether a request with this claim may name that.
fn allows(claim: &Claim, named: &Named) -> bool {
    match (claim, named) {
        (_, Named::Partition(access, partition)) if partition.starts_with("AUDIT#") => {
            may_audit(claim, *access, partition.trim_start_matches("AUDIT#"))
        }
        (Claim::Anyone { tenant }, Named::Partition(Access::Read, partition)) => within(partition, tenant) == Some(""),
        (Claim::Operator(about), named) => operator_may(about, named),
        (Claim::Tenant { tenant }, Named::Partition(_, partition)) => within(partition, tenant).is_some(),
        // A new one: nobody who signs can choose its id.
        (Claim::Signer { pairs: true, .. }, Named::Partition(Access::Write, partition))
            if partition.starts_with("PAIRING#") =>
        {
            true
        }
        (Claim::Signer { tenant, .. }, Named::Partition(access, partition)) => {
            within(partition, tenant).is_some_and(|rest| signer_may(*access, rest))
        }
        (Claim::Account(account), Named::Partition(access, partition)) => {
            within(partition, &account.tenant).is_some_and(|rest| account_may(account, *access, rest))
        }
        // Its own session, and what is the tenant's: not the sessions of others.
        (Claim::Console { tenant: Some(tenant), id }, Named::Partition(_, partition)) => within(partition, tenant)
            .is_some_and(|rest| !rest.starts_with("#CONSOLE#") || rest == format!("#CONSOLE#{id}")),
        (Claim::Console { tenant: None, id }, Named::Partition(_, partition)) => *partition == format!("CONSOLE#{id}"),
        (Claim::Console { tenant: Some(tenant), .. }, Named::Secret(name)) => is_in(TENANT_SECRETS, name, tenant),
        (Claim::Device { tenant, device, person }, Named::Partition(access, partition)) => within(partition, tenant)
            .is_some_and(|rest| match rest.strip_prefix("#PERSON#") {
                Some(named) => named == person,
                None => {
                    phone_may(*access, rest) || rest == format!("#DEVICE#{device}") || rest.starts_with("#QRLOGIN#")
                }
            }),
        (Claim::Pairing { id, tenant }, Named::Partition(access, partition)) => match (id, tenant) {
            (Some(id), _) if *partition == format!("PAIRING#{id}") => true,
            (_, Some(tenant)) => within(partition, tenant).is_some_and(|rest| pairing_may(*access, rest)),
            // A handle does not say whose it is: that is in the pairing.
            (Some(_), None) => tenant_of(partition).is_some_and(|(_, rest)| pairing_may(*access, rest)),
            (None, None) => false,
        },
        // Who signs its calls is let in by what it signs with, and whoever presents a key or a token gets a token.
        (Claim::Signer { tenant, pairs }, Named::Secret(name)) => {
            is_in(TENANT_SECRETS, name, tenant) || (*pairs && is_in(SIGNING_KEYS, name, tenant))
        }
        (Claim::Tenant { tenant } | Claim::Account(Account { tenant, .. }), Named::Secret(name)) => {
            is_in(SIGNING_KEYS, name, tenant)
        }
        // Nobody names anything: what is no credential is refused before AWS is asked.
        _ => false,
    }
}

/// Who changes something of a tenant writes its audit events. Only the operator reads them.
fn may_audit(claim: &Claim, access: Access, partition: &str) -> bool {
    match claim {
        Claim::Operator(About::One(tenant)) => within(partition, tenant) == Some(""),
        Claim::Operator(About::None) | Claim::Console { tenant: None, .. } => partition == "OPERATOR",
        Claim::Operator(About::New) | Claim::Pairing { id: Some(_), tenant: None } => {
            access == Access::Write && partition.starts_with("TENANT#")
        }
        Claim::Tenant { tenant }
        | Claim::Signer { tenant, .. }
        | Claim::Device { tenant, .. }
        | Claim::Console { tenant: Some(tenant), .. }
        | Claim::Pairing { tenant: Some(tenant), .. }
        | Claim::Account(Account { tenant, .. }) => access == Access::Write && within(partition, tenant) == Some(""),
        _ => false,
    }
}

/// What a signed call names, by what follows `TENANT#<tenant>` in a partition.
fn signer_may(access: Access, rest: &str) -> bool {
    let is_own = rest.is_empty() || SIGNED.iter().any(|beginning| rest.starts_with(beginning));
    // Whether a person's tokens were revoked, before it is said who has approved a login.
    is_own || (access == Access::Read && rest.starts_with("#EXTERNAL#"))
}

/// What a phone's call with a session names, by what follows `TENANT#<tenant>` in a partition.
fn phone_may(access: Access, rest: &str) -> bool {
    let is_own = OF_PHONE.iter().any(|beginning| rest.starts_with(beginning));
    (is_own && (access == Access::Read || !rest.starts_with("#EXTERNAL#")))
        || (rest.is_empty() && access == Access::Read)
}

/// The same of a call that pairs one: its device is new.
fn pairing_may(access: Access, rest: &str) -> bool {
    phone_may(access, rest) || (access == Access::Write && rest.starts_with("#DEVICE#"))
}

/// The operator may name any tenant, but only the one that the request is about if it is about one.
fn operator_may(about: &About, named: &Named) -> bool {
    match (named, about) {
        (Named::Partition(_, partition), _)
            if partition.starts_with("IDEMPOTENCY#operator#") || partition.starts_with("CONSOLE#") =>
        {
            true
        }
        (Named::Partition(_, partition), About::One(tenant)) => within(partition, tenant).is_some(),
        // A search.
        (Named::Partition(Access::Read, partition), About::All) if partition == "TENANTS" => true,
        (Named::Partition(Access::Read, partition), About::All)
        | (Named::Partition(Access::Write, partition), About::New) => partition.starts_with("TENANT#"),
        (Named::List(value), About::All) => ["tenants", "active", "suspended"].contains(&value.as_str()),
        (Named::Secret(name), _) if name.ends_with("/admin-key") => true,
        (Named::Secret(name), About::One(tenant)) => is_of(name, tenant),
        (Named::Secret(name), About::New) => SECRETS.iter().any(|folder| name.contains(&format!("/{folder}/tnt_"))),
        _ => false,
    }
}

/// The rule of the account surface, by what follows `TENANT#<tenant>` in a partition.
fn account_may(account: &Account, access: Access, rest: &str) -> bool {
    if account.is_whole() {
        return true;
    }
    let begins = |beginning: &str| rest.starts_with(beginning);
    let owned = account.owner().is_some_and(|owner| begins(&format!("#OF@{owner}#")));
    let external = account.users().any(|user| rest == format!("#EXTERNAL#{user}"));
    let global = begins("#GLOBAL#") && !PERSONAL.iter().any(|kind| begins(&format!("#GLOBAL#{kind}")));
    let own_key = account.key.as_ref().is_some_and(|key| rest == format!("#KEY#{key}"));
    let counted = account.key.as_ref().is_some_and(|key| rest == format!("#CALLS#{key}"))
        || account.owner().is_some_and(|owner| rest == format!("#CALLS#OF@{owner}"));
    match access {
        Access::Read => owned || global || external || rest.is_empty() || begins("#KEY#") || begins("#TOKEN#"),
        // What it is refused for is noted of its tenant.
        Access::Write => owned || own_key || counted || begins("#ALL#") || rest == "#SETUP",
    }
}

/// The tenant of a partition, and what follows.
fn tenant_of(partition: &str) -> Option<(&str, &str)> {
    let partition = partition.strip_prefix("TENANT#")?;
    Some(partition.split_at(partition.find('#').unwrap_or(partition.len())))
}

/// What follows `TENANT#<tenant>` in a partition: nothing, or `#` and more. `None` if it is not the tenant's.
fn within<'a>(partition: &'a str, tenant: &str) -> Option<&'a str> {
    tenant_of(partition).filter(|(id, _)| *id == tenant).map(|(_, rest)| rest)
}

/// Whether a secret is one of the tenant's.
fn is_of(secret: &str, tenant: &str) -> bool {
    SECRETS.iter().any(|folder| is_in(folder, secret, tenant))
}

/// Whether a secret is the tenant's in that folder.
fn is_in(folder: &str, secret: &str, tenant: &str) -> bool {
    secret.ends_with(&format!("/{folder}/{tenant}"))
}

/// What is wrong with a call; `None` if nothing is. Never has the credential in it.
pub fn violation(call: &AwsCall) -> Option<String> {
    let function = &call.caller.as_ref()?.function;
    if UNCHECKED.contains(&function.as_str()) {
        return None;
    }
    let claim = call.cause.as_ref().map_or(Claim::Nobody, |cause| Claim::of(cause.event()));
    let mut named = named::in_call(call);
    named.retain(|named| !allows(&claim, named));
    let named: Vec<_> = named.iter().map(ToString::to_string).collect();
    (!named.is_empty()).then(|| format!("{function}: {} {} for {claim}", call.operation, named.join(", ")))
}

/// Collects what is wrong with the calls that it is shown. Clones share what they have collected.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Mutex<Vec<String>>>);

impl Witness {
    pub fn see(&self, call: &AwsCall) {
        if let Some(violation) = violation(call) {
            self.0.lock().unwrap().push(violation);
        }
    }

    /// The violations so far, which count no more.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

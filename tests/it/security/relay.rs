//! No call is let in that was not signed by its tenant exactly as it came, and what is refused tells nothing and costs
//! nothing.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};
use shared::api::{OPERATIONS, Surface};
use shared::domain::{SignatureHeaders, SignedCall, SignedParts, TenantSecret};
use stack::{Effect, Fault, Invocation, Match};

use super::refusals::visible;
use crate::support::{Call, Deployment, Signing, Tenant, TestReceiver, WHOAMI, event, in_one_minute, now_ms};

const FUNCTION: &str = "relay-whoami";
const NOBODY: &str = "tnt_00000000000000000000000000000000";

/// A text that can be a nonce.
fn nonce(number: usize) -> String {
    format!("nonce-{number:016}")
}

fn carrying(deployment: &Deployment, headers: &[(String, String)]) -> Call {
    let call = deployment.anonymous("GET", WHOAMI);
    headers.iter().fold(call, |call, (name, value)| call.header(name, value))
}

/// The call with this signature.
fn with_signature(deployment: &Deployment, signing: &Signing, signature: &str) -> Call {
    let mut headers = signing.headers("GET", WHOAMI, b"");
    signature.clone_into(&mut headers[2].1);
    carrying(deployment, &headers)
}

#[tokio::test]
async fn whoever_did_not_sign_is_refused_with_the_same_bytes_and_after_the_same_calls_to_aws() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    deployment.whoami(&tenant.signing()).send().await.data(200);
    let ghost = Tenant { id: NOBODY.to_owned(), ..tenant.clone() };
    let unlike = Tenant { id: "tnt_unknown".to_owned(), ..tenant.clone() };
    let zeros = "0".repeat(64);
    let signings = [
        ("an unknown tenant", ghost.signing()),
        ("an unknown tenant, v2", ghost.signing().nonce(&nonce(1))),
        ("a tenant that cannot be ours", unlike.signing()),
        ("a wrong secret", tenant.with_secret("sk_wrong").signing()),
        ("a wrong secret, v2", tenant.with_secret("sk_wrong").signing().nonce(&nonce(1))),
        ("an empty secret", tenant.with_secret("").signing()),
        ("another tenant's secret", tenant.with_secret(&other.secret).signing()),
        ("another tenant's secret, v2", tenant.with_secret(&other.secret).signing().nonce(&nonce(1))),
        ("the secret without its prefix", tenant.with_secret(&tenant.secret["sk_".len()..]).signing()),
    ];
    let mut calls: Vec<_> = signings.iter().map(|(label, signing)| (*label, deployment.whoami(signing))).collect();
    calls.push(("a signature of nothing", with_signature(&deployment, &tenant.signing(), &zeros)));
    calls.push((
        "a signature of nothing, v2",
        with_signature(&deployment, &tenant.signing().nonce(&nonce(1)), &format!("v2={zeros}")),
    ));
    let mut expected = None;
    for (label, call) in calls {
        let (answer, calls) = deployment.calls_of(call).await;
        answer.refused(401, "unauthenticated");
        assert_eq!(answer.reason(), None, "{label}");
        assert_eq!(&visible(&answer), expected.get_or_insert_with(|| visible(&answer)), "{label}");
        let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(calls, ["GetItem"], "{label}");
    }
}

#[tokio::test]
async fn what_is_malformed_is_refused_alike_for_whom_there_is_and_for_whom_there_is_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let ghost = Tenant { id: NOBODY.to_owned(), ..tenant.clone() };
    let mut told = Vec::new();
    for tenant in [&tenant, &ghost] {
        let signing = || tenant.signing();
        let signature = signing().signature("GET", WHOAMI, b"");
        let v2 = || signing().nonce(&nonce(1));
        let unprefixed = v2().signature("GET", WHOAMI, b"").replace("v2=", "");
        let base64 = BASE64.encode(&HEXLOWER.decode(signature.as_bytes()).unwrap());
        let body = r#"{"event_id":"evt_1"}"#;
        let event = deployment.anonymous("GET", WHOAMI).body("application/json", body);
        let cases = [
            ("credential_missing", deployment.anonymous("GET", WHOAMI)),
            ("signature_not_lower_hex", with_signature(&deployment, &signing(), "")),
            ("signature_not_lower_hex", with_signature(&deployment, &signing(), &signature.to_uppercase())),
            ("signature_not_lower_hex", with_signature(&deployment, &signing(), &signature[1..])),
            ("signature_not_lower_hex", with_signature(&deployment, &signing(), &base64)),
            ("signature_not_lower_hex", with_signature(&deployment, &signing(), &format!("v1={signature}"))),
            ("nonce_malformed", with_signature(&deployment, &signing(), &format!("v2={signature}"))),
            ("version_prefix_missing", with_signature(&deployment, &v2(), &unprefixed)),
            // Joined by the gateway.
            ("signature_not_lower_hex", deployment.whoami(&signing()).header("x-latchkey-signature", &signature)),
            ("several_credentials", deployment.whoami(&signing()).header("x-bloonio-tenant-id", &tenant.id)),
            ("nonce_malformed", deployment.whoami(&signing().nonce("short"))),
            ("body_of_a_callback", event.signed(&signing())),
        ];
        let mut seen = Vec::new();
        for (reason, call) in cases {
            let (answer, calls) = deployment.calls_of(call).await;
            answer.refused(401, "unauthenticated");
            assert_eq!(answer.reason(), Some(reason), "{}", answer.text);
            assert!(calls.is_empty(), "{reason}");
            assert!(!answer.text.contains(&tenant.id) && !answer.text.contains(&signature), "{}", answer.text);
            seen.push(visible(&answer));
        }
        told.push(seen);
    }
    assert_eq!(told[0], told[1], "for whom there is, and for whom there is not");
    // The project's uuid is no tenant id, and says so whosever it is.
    for id in [tenant.project_id(), "5d1f6c0e-8a43-4b7f-9c52-1e7a90d3b684".to_owned()] {
        let (answer, calls) = deployment.calls_of(deployment.whoami(&Tenant { id, ..tenant.clone() }.signing())).await;
        assert_eq!((answer.status, answer.reason()), (401, Some("tenant_id_malformed")));
        assert!(calls.is_empty());
    }
}

/// The secret is asked only to know whose mistake it is: nobody else sees whether it was.
#[tokio::test]
async fn a_timestamp_that_is_off_is_refused_alike_whoever_signed_and_for_whom_there_is_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let ghost = Tenant { id: NOBODY.to_owned(), ..tenant.clone() };
    deployment.whoami(&tenant.signing()).send().await.data(200);
    let now = now_ms();
    for (reason, at) in [
        ("timestamp_out_of_window", now - 31_000),
        ("timestamp_out_of_window", now + 300_000),
        ("timestamp_not_milliseconds", now / 1000),
        ("timestamp_not_milliseconds", now * 1000),
    ] {
        let mut told = Vec::new();
        for (signing, expected) in [
            (tenant.signing(), &[][..]),
            (tenant.signing().nonce(&nonce(1)), &[]),
            (tenant.with_secret("sk_wrong").signing(), &["GetItem"]),
            (ghost.signing(), &["GetItem"]),
        ] {
            let (answer, calls) = deployment.calls_of(deployment.whoami(&signing.at(at))).await;
            answer.refused(401, "unauthenticated");
            assert_eq!(answer.reason(), Some(reason), "{}", answer.text);
            let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert!(calls == expected || calls.is_empty() && expected.is_empty(), "{calls:?}");
            let time = answer.body["error"]["server_time_ms"].as_i64();
            assert_eq!(time.is_some(), reason == "timestamp_out_of_window", "{}", answer.text);
            assert!(time.is_none_or(|time| (now_ms() - time).abs() < 10_000), "{}", answer.text);
            assert!(!answer.text.contains(&tenant.id), "{}", answer.text);
            told.push(visible(&answer));
        }
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    }
}

#[tokio::test]
async fn a_forged_call_spends_nothing_and_writes_nothing() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let body = json!({ "tenant_name": "Acme", "rate_limit_per_min": 3 });
        let tenant = Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await);
        let forged = tenant.with_secret("sk_wrong");
        for left in [2, 1, 0] {
            let quota = deployment.whoami(&tenant.signing().nonce(&nonce(left))).send().await.quota();
            assert_eq!(quota.remaining, u64::try_from(left).unwrap());
            let before = deployment.items().await;
            for number in 0..6 {
                for signing in [forged.signing(), forged.signing().nonce(&nonce(number))] {
                    deployment.whoami(&signing).send().await.refused(401, "unauthenticated");
                }
            }
            assert_eq!(deployment.items().await, before);
            deployment.stack.restart(FUNCTION).await;
        }
        deployment.whoami(&tenant.signing()).send().await.over_limit(3);
        // In a minute that was seen full, too.
        let before = deployment.items().await;
        deployment.whoami(&forged.signing()).send().await.refused(401, "unauthenticated");
        assert_eq!(deployment.items().await, before);
    })
    .await;
}

#[tokio::test]
async fn no_other_credential_signs_or_stands_in_for_a_signature() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let other = deployment.provision("Beta").await;
    let (tenant, admin) = (&world.tenant, deployment.key().to_owned());
    let scoped = deployment.scoped_token(&world.account, None).await;
    let before = deployment.items().await;
    let unsigned = |headers: &[(&str, &str)]| {
        let call = deployment.anonymous("GET", WHOAMI);
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    let credentials = [&world.key.text, &world.account.text, &world.token, &scoped, &admin, &tenant.secret];
    let mut calls = Vec::new();
    for credential in credentials {
        let bearer = format!("Bearer {credential}");
        for header in [
            ("authorization", bearer.as_str()),
            ("x-api-key", credential),
            ("x-admin-key", credential),
            ("x-latchkey-signature", credential),
        ] {
            let at = now_ms().to_string();
            calls.push(unsigned(&[header]));
            calls.push(unsigned(&[header, ("x-latchkey-tenant-id", &tenant.id), ("x-latchkey-timestamp", &at)]));
        }
        if *credential != tenant.secret {
            calls.push(deployment.whoami(&tenant.with_secret(credential).signing()));
            calls.push(deployment.whoami(&tenant.with_secret(credential).signing().nonce(&nonce(1))));
        }
    }
    let digits = tenant.id["tnt_".len()..].to_uppercase();
    for id in [format!("tnt_{digits}"), tenant.id.to_uppercase(), digits, tenant.project_id(), other.id.clone()] {
        calls.push(deployment.whoami(&Tenant { id, ..tenant.clone() }.signing()));
    }
    calls.push(deployment.whoami(&tenant.with_secret(&other.secret).signing()));
    for (number, call) in calls.into_iter().enumerate() {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.code()), (401, Some("unauthenticated")), "{number}: {}", answer.text);
    }
    let after = deployment.items().await;
    assert_eq!(after.iter().filter(|item| !before.contains(item)).count(), 0);
    // None of it is in the way of a signature either.
    let call = deployment.whoami(&tenant.signing()).header("authorization", &format!("Bearer {}", world.token));
    call.header("x-admin-key", "wrong").send().await.data(200);
}

#[tokio::test]
async fn a_signature_opens_nothing_but_what_asks_for_one() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let mut public = Vec::new();
    let others = OPERATIONS.iter().filter(|entry| entry.surface != Surface::Relay);
    // There is no pairing to be looked at.
    for entry in others.filter(|entry| entry.route.name != "device-pairing") {
        let other = Signing { family: "x-bloonio", ..world.tenant.signing().nonce(&nonce(1)) };
        for signing in [world.tenant.signing(), other] {
            let answer = deployment.request(entry, &world).signed(&signing).send().await;
            if entry.security.is_empty() {
                assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
                public.push(entry.route.name);
            } else {
                assert_eq!(answer.status, 401, "{}: {}", entry.route.name, answer.text);
            }
        }
    }
    public.dedup();
    let expected = ["jwks", "oauth-authorization-server", "phone-page", "consent-page", "console-page", "page-file"];
    assert_eq!(public, expected);
}

/// Calls and callbacks are signed with one secret, and in v1 over one kind of text: only the body tells them apart.
#[tokio::test]
async fn no_callback_is_a_call_and_no_call_is_a_callback() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let receiver = TestReceiver::start().await;
    let tenant = deployment.provision("Acme").await;
    let wanted = json!({ "callback_url_base": receiver.base(), "rate_limit_per_min": 10_000 });
    deployment.update(&tenant, &wanted).await.data(200);
    for version in ["v1", "v2"] {
        deployment.update(&tenant, &json!({ "signing_version": version })).await.data(200);
        let ping = deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
        ping.data(202);
        deployment.sweep().await;
    }
    deployment.update(&tenant, &json!({ "signing_version": "v1" })).await.data(200);
    let relay = || OPERATIONS.iter().filter(|entry| entry.surface == Surface::Relay);
    let before = deployment.items().await;
    for received in receiver.received() {
        for (entry, family) in relay().flat_map(|entry| ["latchkey", "bloonio"].map(|family| (entry, family))) {
            let header = |name: &str| &received.headers[&format!("x-{family}-{name}")];
            let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path);
            let call = call.body("application/json", received.text.clone());
            let call = call.header("x-latchkey-nonce", &received.headers["webhook-id"]);
            let names = ["tenant-id", "timestamp", "signature"];
            let call = names.iter().fold(call, |call, name| call.header(&format!("x-latchkey-{name}"), header(name)));
            call.send().await.refused(401, "unauthenticated");
        }
    }
    assert_eq!(deployment.items().await, before, "no strike either");
    // The other way round: whatever is in a body that a call can have, it lacks what a receiver asks for.
    let mut seen = 0;
    for entry in relay().filter(|entry| entry.has_body()) {
        let example: Value = serde_json::from_str(entry.route.body_example).unwrap();
        let send = async |name: &str, value: Value| {
            let mut body = example.clone();
            body[name] = value;
            let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path).json(&body);
            call.signed(&tenant.signing()).send().await
        };
        for name in ["event_id", "flow", "sequence"] {
            // What begins as a callback does is refused before, as no call at all.
            for value in [json!("1"), json!(1), json!({}), Value::Null] {
                send(name, value).await.names(name);
            }
        }
        // Written in another way it is the same field.
        let text = entry.route.body_example.replacen('{', r#"{"\u0065vent_id":1,"#, 1).replace(",}", "}");
        let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path);
        let call = call.body("application/json", text);
        call.signed(&tenant.signing()).send().await.names("event_id");
        // Beside what can't be read, too.
        let text = r#"{"flow":1,"a_field_that_nothing_has":1e999}"#.to_owned();
        let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path);
        let call = call.body("application/json", text);
        call.signed(&tenant.signing()).send().await.names("flow");
        let answer = send("a_field_that_nothing_has", json!(1)).await;
        assert_ne!(answer.status, 422, "{}: {}", entry.route.name, answer.text);
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

/// Whole numbers that look random and are the same each time: splitmix64.
struct Dice(u64);

impl Dice {
    /// Less than `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    /// The text with one of its characters replaced by another of the alphabet.
    fn mutate(&mut self, text: &str, alphabet: &str) -> String {
        let (place, mut changed) = (self.below(text.len()), text.to_owned());
        while changed == text {
            let letter = self.below(alphabet.len());
            changed.replace_range(place..=place, &alphabet[letter..=letter]);
        }
        changed
    }
}

/// A signed request, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    tenant_id: String,
    timestamp: String,
    signature: String,
    nonce: Option<String>,
    method: String,
    path: String,
    query: String,
    body: Vec<u8>,
}

/// What can be changed of a request, and whether v1 covers it.
const KINDS: [(&str, bool); 9] = [
    ("tenant", true),
    ("timestamp", true),
    ("body", true),
    ("signature", true),
    ("version", true),
    ("method", false),
    ("path", false),
    ("query", false),
    ("nonce", false),
];

impl Sent {
    /// A request of the tenant's, with any query and body.
    fn of(tenant: &Tenant, number: usize, dice: &mut Dice) -> Self {
        let signing = tenant.signing();
        let signing = if number.is_multiple_of(2) { signing } else { signing.nonce(&nonce(number)) };
        let query = ["", "a=1", "a=%20&b", "tenant_id=x&limit=10"][dice.below(4)].to_owned();
        let body: Vec<u8> = (0..dice.below(40)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        let target = if query.is_empty() { WHOAMI.to_owned() } else { format!("{WHOAMI}?{query}") };
        Self {
            tenant_id: tenant.id.clone(),
            timestamp: signing.at.to_string(),
            signature: signing.signature("GET", &target, &body),
            nonce: signing.nonce.clone(),
            method: "GET".to_owned(),
            path: WHOAMI.to_owned(),
            query,
            body,
        }
    }

    /// The kinds of changes that its signature has to notice.
    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let is_v2 = self.nonce.is_some();
        KINDS.into_iter().filter(move |(_, in_v1)| *in_v1 || is_v2).map(|(kind, _)| kind)
    }

    /// The request with one thing changed.
    fn mutated(&self, kind: &str, other: &Tenant, dice: &mut Dice) -> Self {
        const WORD: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=";
        let mut sent = self.clone();
        match kind {
            "tenant" => sent.tenant_id.clone_from(&other.id),
            "timestamp" => sent.timestamp = dice.mutate(&self.timestamp, "0123456789"),
            "body" if self.body.is_empty() => sent.body.push(u8::try_from(dice.below(256)).unwrap()),
            "body" => {
                let place = dice.below(self.body.len());
                sent.body[place] ^= 1 << dice.below(8);
            }
            "signature" => {
                let digits = self.signature.trim_start_matches("v2=");
                sent.signature = self.signature.replace(digits, &dice.mutate(digits, "0123456789abcdef"));
            }
            "version" => {
                let digits = self.signature.trim_start_matches("v2=");
                let prefixes =
                    if self.nonce.is_some() { ["", "v1=", "v3=", "V2="] } else { ["v2=", "v1=", "v0=", "="] };
                sent.signature = format!("{}{digits}", prefixes[dice.below(4)]);
                sent.nonce = Some(nonce(dice.below(1000)));
            }
            "method" => sent.method = dice.mutate(&self.method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            "path" => sent.path = dice.mutate(&self.path, WORD),
            "query" if self.query.is_empty() => sent.query = dice.mutate("a=1", WORD),
            "query" => sent.query = dice.mutate(&self.query, WORD),
            _ => sent.nonce = self.nonce.as_deref().map(|nonce| dice.mutate(nonce, WORD)),
        }
        assert_ne!(&sent, self, "{kind}");
        sent
    }

    /// The same, as the gateway may bring it: to this function it routes nothing that is not of its surface.
    fn routed(&self, kind: &str, other: &Tenant, dice: &mut Dice) -> Self {
        loop {
            let sent = self.mutated(kind, other, dice);
            if sent.path.starts_with("/api/v1/relay/") {
                return sent;
            }
        }
    }

    /// Whether the signature is right, by the library.
    fn is_right(&self, tenants: &[Tenant; 2]) -> bool {
        let secret = tenants.iter().find(|tenant| tenant.id == self.tenant_id).unwrap().secret.as_str();
        let headers = SignatureHeaders {
            tenant_id: &self.tenant_id,
            timestamp: &self.timestamp,
            signature: &self.signature,
            nonce: self.nonce.as_deref(),
        };
        let parts = SignedParts { method: &self.method, path: &self.path, query: &self.query, body: &self.body };
        let call = SignedCall::read(headers, parts);
        call.is_ok_and(|call| call.is_signed_with(&TenantSecret::restore(secret).unwrap()))
    }

    /// The event that the gateway would make of it.
    fn event(&self) -> Value {
        let mut headers = vec![
            ("x-latchkey-tenant-id", self.tenant_id.as_str()),
            ("x-latchkey-timestamp", &self.timestamp),
            ("x-latchkey-signature", &self.signature),
        ];
        headers.extend(self.nonce.as_deref().map(|nonce| ("x-latchkey-nonce", nonce)));
        let mut event = event(&self.method, &self.path, &self.query, &headers, None);
        event["body"] = BASE64.encode(&self.body).into();
        event["isBase64Encoded"] = true.into();
        event
    }
}

#[test]
fn of_more_than_ten_thousand_changes_of_signed_requests_the_signature_notices_each() {
    let tenant = |id: &str| Tenant { id: format!("tnt_{id}"), secret: format!("sk_{}", id.repeat(20)) };
    let tenants = [tenant("ours"), tenant("theirs")];
    let mut dice = Dice(0);
    let mut refused = BTreeMap::new();
    for number in 0..200 {
        let sent = Sent::of(&tenants[number / 2 % 2], number, &mut dice);
        assert!(sent.is_right(&tenants), "{sent:?}");
        for kind in sent.kinds() {
            for _ in 0..10 {
                let changed = sent.mutated(kind, &tenants[1 - number / 2 % 2], &mut dice);
                assert!(!changed.is_right(&tenants), "{kind}: {sent:?} {changed:?}");
                *refused.entry(kind).or_insert(0) += 1;
            }
        }
    }
    let expected = KINDS.map(|(kind, in_v1)| (kind, if in_v1 { 2000 } else { 1000 }));
    assert_eq!(refused, BTreeMap::from(expected), "by kind");
    assert!(refused.values().sum::<u32>() > 10_000);
}

#[tokio::test]
async fn of_five_hundred_changes_of_signed_requests_the_function_lets_none_in_and_each_unchanged_one() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let mut dice = Dice(1);
    let mut refused = BTreeMap::new();
    let ask = async |sent: Sent| {
        let answer = deployment.stack.invoke(FUNCTION, sent.event(), Invocation::default()).await.unwrap();
        answer.payload["statusCode"].as_u64().unwrap()
    };
    let mut before = deployment.items().await;
    for number in 0..36 {
        let sent = Sent::of(&tenant, number, &mut dice);
        for kind in sent.kinds() {
            let (one, two) = (sent.routed(kind, &other, &mut dice), sent.routed(kind, &other, &mut dice));
            let (one, two) = tokio::join!(ask(one), ask(two));
            for status in [one, two] {
                // Another method is refused as that, whoever signed.
                assert_eq!(status, if kind == "method" { 405 } else { 401 }, "{kind}: {sent:?}");
                *refused.entry(kind).or_insert(0) += 1;
            }
        }
        assert_eq!(deployment.items().await, before);
        let accepted = if sent.query.is_empty() { 200 } else { 422 };
        assert_eq!(ask(sent).await, accepted, "unchanged it is its tenant's, whatever is wrong with its query");
        before = deployment.items().await;
    }
    let expected = KINDS.map(|(kind, in_v1)| (kind, if in_v1 { 72 } else { 36 }));
    assert_eq!(refused, BTreeMap::from(expected), "by kind");
    assert!(refused.values().sum::<u32>() >= 500);
}

#[tokio::test]
async fn no_secret_signature_or_nonce_is_in_the_output_or_in_an_answer() {
    let loud =
        |builder: stack::StackBuilder| builder.variable("RUST_LOG", "trace").variable("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let deployment = Deployment::start_with(loud).await;
    let tenant = deployment.provision("Acme").await;
    let mut hidden = vec![tenant.secret.clone()];
    let (mut statuses, mut answers) = (Vec::new(), Vec::new());
    let mut ask = async |call: Call, signing: &Signing| {
        let signature = signing.signature(call.method(), call.target(), call.sent());
        hidden.push(signature.trim_start_matches("v2=").to_owned());
        hidden.extend(signing.nonce.clone());
        let answer = call.signed(signing).send().await;
        statuses.push(answer.status);
        answers.push(format!("{answer:?}"));
    };
    let plain = || deployment.anonymous("GET", WHOAMI);
    let v2 = tenant.signing().nonce(&nonce(1));
    ask(plain(), &tenant.signing()).await;
    ask(plain(), &v2).await;
    ask(plain(), &v2).await;
    ask(plain().body("text/plain", "marker-7c1e"), &tenant.signing()).await;
    ask(deployment.anonymous("GET", &format!("{WHOAMI}?surprise=marker-7c1e")), &tenant.signing()).await;
    ask(deployment.anonymous("POST", WHOAMI), &tenant.signing()).await;
    ask(plain(), &tenant.with_secret("sk_marker-7c1e").signing()).await;
    ask(plain(), &tenant.signing().nonce("marker-7c1e")).await;
    ask(plain(), &tenant.signing().at(0)).await;
    deployment.suspend(&tenant).await.data(200);
    ask(plain(), &tenant.signing().nonce(&nonce(2))).await;
    deployment.reactivate(&tenant).await.data(200);
    deployment.update(&tenant, &json!({ "rate_limit_per_min": 1 })).await.data(200);
    ask(plain(), &tenant.signing().nonce(&nonce(3))).await;
    ask(plain(), &tenant.signing().nonce(&nonce(4))).await;
    deployment.stack.restart(FUNCTION).await;
    for operation in ["GetSecretValue", "UpdateItem", "PutItem"] {
        let failing = Effect::Status(400, "AccessDeniedException".to_owned());
        deployment.stack.faults().inject(Fault::new(Match::any().operation(operation), failing));
        ask(plain(), &tenant.signing().nonce(&nonce(5))).await;
        deployment.stack.faults().clear();
        deployment.whoami(&tenant.signing()).send().await;
    }
    statuses.sort_unstable();
    statuses.dedup();
    assert!([200, 401, 403, 405, 422, 429, 503].iter().all(|status| statuses.contains(status)), "{statuses:?}");
    let output = deployment.stack.output();
    let items = Value::from(deployment.items().await).to_string();
    assert!(hidden.len() > 20 && output.lines().count() > 15, "{output}");
    hidden.push("marker-7c1e".to_owned());
    for hidden in &hidden {
        assert!(!output.contains(hidden.as_str()), "in the output: {hidden}");
        assert!(!answers.iter().any(|answer| answer.contains(hidden.as_str())), "in an answer: {hidden}");
        // A nonce is kept, to know it again.
        assert!(hidden.starts_with("nonce-") || !items.contains(hidden.as_str()), "in the table: {hidden}");
    }
    assert!(!output.contains(&HEXLOWER.encode(tenant.secret.as_bytes())));
}

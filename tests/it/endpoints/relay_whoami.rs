//! `GET /api/v1/relay/whoami`

use serde_json::{Value, json};
use shared::domain::Timestamp;

use crate::support::{Answer, Call, Deployment, Signing, Tenant, WHOAMI, in_one_minute, now_ms};

const NONCE: &str = "6f0c8a1e-2b3d-4f50-9c1d-0123456789ab";

type Headers = Vec<(String, String)>;

/// A call of the endpoint with these headers.
fn carrying(deployment: &Deployment, headers: &[(String, String)]) -> Call {
    let call = deployment.anonymous("GET", WHOAMI);
    headers.iter().fold(call, |call, (name, value)| call.header(name, value))
}

async fn ask(deployment: &Deployment, signing: &Signing) -> Answer {
    deployment.whoami(signing).send().await
}

async fn is_accepted(deployment: &Deployment, signing: &Signing) -> bool {
    let answer = ask(deployment, signing).await;
    assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
    answer.status == 200
}

/// Checks that the call is refused before anybody is asked.
async fn check_refused_unasked(deployment: &Deployment, call: Call, label: &str) -> Answer {
    let (answer, calls) = deployment.calls_of(call).await;
    assert_eq!((answer.status, answer.code()), (401, Some("unauthenticated")), "{label}: {}", answer.text);
    assert!(calls.is_empty(), "{label}");
    answer
}

/// The tenant with the secret that a rotation has given it.
fn rotated(tenant: &Tenant, answer: &Answer) -> Tenant {
    tenant.with_secret(answer.data(200)["tenant_secret"].as_str().unwrap())
}

#[tokio::test]
async fn a_tenant_learns_who_it_is_and_what_is_left() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        for used in 1..=3 {
            let answer = ask(&deployment, &tenant.signing()).await;
            let end = Timestamp::from_millis((now_ms() / 60_000 + 1) * 60_000);
            let expected = json!({
                "tenant_id": tenant.id,
                "tenant_name": "Acme",
                "rate_limit_per_min": 60,
                "remaining": 60 - used,
                "resets_at": end,
                "signing_version": "v1",
                "signed_with": "v1",
                "secret": "current",
                "previous_secret_valid_until": null,
                "previous_secret_last_used_at": null,
            });
            assert_eq!(answer.data(200), &expected);
            assert_eq!(answer.body["message"], "OK");
            let quota = answer.quota();
            assert_eq!((quota.limit, quota.remaining), (60, 60 - used));
            let left = u64::try_from(end.as_millis() - now_ms()).unwrap() / 1000;
            assert!((left..=left + 10).contains(&quota.seconds), "{left}: {quota:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn each_header_goes_by_either_of_its_names_and_never_by_both() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let other = |name: &str| name.replacen("x-latchkey-", "x-bloonio-", 1);
    for mix in 0..8 {
        for signing in [tenant.signing(), tenant.signing().nonce(&format!("{NONCE}{mix}"))] {
            let mut headers = signing.headers("GET", WHOAMI, b"");
            for (place, (name, _)) in headers.iter_mut().take(3).enumerate() {
                if mix >> place & 1 == 1 {
                    *name = other(name);
                }
            }
            carrying(&deployment, &headers).send().await.data(200);
        }
    }
    let headers = tenant.signing().headers("GET", WHOAMI, b"");
    for (name, value) in &headers {
        for value in [value.as_str(), "", "x"] {
            let call = carrying(&deployment, &headers).header(&other(name), value);
            check_refused_unasked(&deployment, call, name).await;
        }
    }
    // The nonce is our own, and has one name.
    let mut headers = tenant.signing().nonce(NONCE).headers("GET", WHOAMI, b"");
    headers[3].0 = other(&headers[3].0);
    check_refused_unasked(&deployment, carrying(&deployment, &headers), "nonce").await;
}

#[tokio::test]
async fn a_tenant_on_v1_signs_with_either_version_and_one_on_v2_with_no_less() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (round, (version, takes_v1)) in [("v1", true), ("v2", false), ("v1", true)].into_iter().enumerate() {
        let answer = deployment.update(&tenant, &json!({ "signing_version": version })).await;
        assert_eq!(answer.data(200)["signing_version"], version);
        assert_eq!(deployment.fetch(&tenant).await["signing_version"], version);
        let (v1, v2) = (tenant.signing(), tenant.signing().nonce(&format!("{NONCE}{round}")));
        let answer = ask(&deployment, &v2).await;
        assert_eq!(
            (&answer.data(200)["signing_version"], &answer.data(200)["signed_with"]),
            (&json!(version), &json!("v2"))
        );
        let before = deployment.items_but_notes().await;
        let answer = ask(&deployment, &v1).await;
        if takes_v1 {
            assert_eq!(answer.data(200)["signed_with"], "v1");
        } else {
            answer.refused(401, "unauthenticated");
            assert_eq!(deployment.items_but_notes().await, before);
            // So does a process that has never seen the tenant.
            deployment.stack.restart("relay-whoami").await;
            assert!(!is_accepted(&deployment, &v1).await);
        }
    }
}

#[tokio::test]
async fn the_signing_version_is_v1_or_v2_from_the_beginning_or_later() {
    let deployment = Deployment::start().await;
    let path = "/api/v1/provision/tenant";
    let body = |version: Value| json!({ "tenant_name": "Acme", "signing_version": version });
    let tenant = Tenant::of(&deployment.post(path, &body(json!("v2"))).await);
    assert_eq!(deployment.fetch(&tenant).await["signing_version"], "v2");
    assert!(!is_accepted(&deployment, &tenant.signing()).await);
    assert!(is_accepted(&deployment, &tenant.signing().nonce(NONCE)).await);
    assert_eq!(deployment.fetch(&deployment.provision("Beta").await).await["signing_version"], "v1");
    let before = deployment.items().await;
    for version in [json!(""), json!("V2"), json!("v3"), json!(" v2"), json!(2), json!(true), json!(["v2"])] {
        deployment.post(path, &body(version.clone())).await.names("signing_version");
        deployment.update(&tenant, &json!({ "signing_version": version })).await.names("signing_version");
    }
    deployment.update(&tenant, &json!({ "signing_version": null })).await.names("signing_version");
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_timestamp_is_half_a_minute_off_at_most_on_either_side_and_in_milliseconds() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    assert!(is_accepted(&deployment, &tenant.signing()).await);
    for (round, off) in [-25_000, 25_000].into_iter().enumerate() {
        assert!(is_accepted(&deployment, &tenant.signing().at(now_ms() + off)).await, "{off}");
        let signing = tenant.signing().nonce(&format!("{NONCE}{round}"));
        assert!(is_accepted(&deployment, &signing.at(now_ms() + off)).await, "{off}");
    }
    let now = now_ms();
    for at in [now - 31_000, now + 40_000, now - 86_400_000, now / 1000, now * 1000, 0, i64::MAX] {
        for signing in [tenant.signing(), tenant.signing().nonce(NONCE)] {
            check_refused_unasked(&deployment, deployment.whoami(&signing.at(at)), &at.to_string()).await;
        }
    }
}

/// The headers with another value for one of them, or without it.
fn with(headers: &[(String, String)], name: &str, value: Option<&str>) -> Headers {
    let value = |known: &str, old: &str| match value {
        Some(new) if known.ends_with(name) => Some(new.to_owned()),
        None if known.ends_with(name) => None,
        _ => Some(old.to_owned()),
    };
    headers.iter().filter_map(|(known, old)| Some((known.clone(), value(known, old)?))).collect()
}

/// Headers that are near right ones, each with what is wrong with it.
fn malformed(signing: &Signing) -> Vec<(String, Headers)> {
    let headers = signing.headers("GET", WHOAMI, b"");
    let value = |name: &str| headers.iter().find(|(known, _)| known.ends_with(name)).unwrap().1.clone();
    let (signature, timestamp, tenant) = (value("-signature"), value("-timestamp"), value("-tenant-id"));
    let digits = signature.trim_start_matches("v2=");
    let (prefix, half) = (&signature[..signature.len() - 64], &digits[..32]);
    let signatures = [
        String::new(),
        prefix.to_owned() + &digits.to_uppercase(),
        format!("{prefix}{half} {}", &digits[32..]),
        format!("v2= {digits}"),
        format!("{prefix}0x{digits}"),
        prefix.to_owned() + &digits[1..],
        format!("{prefix}{digits}0"),
        format!("v1={digits}"),
        format!("v3={digits}"),
        format!("V2={digits}"),
        format!("sha256={digits}"),
        format!("v2=v2={digits}"),
    ];
    let timestamps = ["", "now", "01", "1e12", "-1"].map(str::to_owned).into_iter().chain([
        format!("+{timestamp}"),
        format!("0{timestamp}"),
        format!("{timestamp}.0"),
        format!("{} {}", &timestamp[..5], &timestamp[5..]),
    ]);
    let tenants = [String::new(), "tnt_".to_owned(), format!("{tenant} x"), format!("x{tenant}"), "a".repeat(200)];
    let nonces = ["", "fifteen-letters", "sixteen.letters.", "sixteen letters ok", &"n".repeat(65)].map(str::to_owned);
    let changed = |name: &'static str, values: Vec<String>| {
        let case = |value: String| (format!("{name} {value}"), with(&headers, name, Some(&value)));
        values.into_iter().map(case).collect::<Vec<_>>()
    };
    let mut cases = changed("-signature", signatures.into());
    cases.extend(changed("-timestamp", timestamps.collect()));
    cases.extend(changed("-tenant-id", tenants.into()));
    if signing.nonce.is_some() {
        cases.extend(changed("-nonce", nonces.into()));
    }
    for (name, value) in &headers {
        cases.push((format!("no {name}"), with(&headers, name, None)));
        let twice = headers.iter().cloned().chain([(name.clone(), value.clone())]).collect();
        cases.push((format!("{name} twice"), twice));
    }
    cases
}

#[tokio::test]
async fn headers_that_are_not_exactly_right_are_refused_before_anybody_is_asked() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let mut answers = Vec::new();
    for signing in [tenant.signing(), tenant.signing().nonce(NONCE)] {
        for (label, headers) in malformed(&signing) {
            let answer = check_refused_unasked(&deployment, carrying(&deployment, &headers), &label).await;
            assert!(answer.reason().is_some(), "{label}: {}", answer.text);
            answers.push(answer);
        }
        assert!(is_accepted(&deployment, &signing).await);
    }
    assert!(answers.len() > 50, "{}", answers.len());
}

/// For whoever signs for the first time: `cargo dev` asks for it, and nothing that is deployed can.
#[tokio::test]
async fn the_text_to_sign_is_shown_of_a_call_that_is_refused_and_only_where_that_was_asked_for() {
    const SHOWN: &str = "x-latchkey-dev-signed-text";
    let deployment = Deployment::start_with(stack::StackBuilder::show_signed_texts).await;
    let tenant = deployment.provision("Acme").await;
    let wrong = tenant.with_secret("sk_wrong");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for signing in [wrong.signing(), wrong.signing().nonce(NONCE)] {
        let answer = ask(&deployment, &signing).await;
        let expected = match &signing.nonce {
            None => format!("{}.{empty}", signing.at),
            Some(nonce) => format!("{}.GET.{WHOAMI}.{nonce}.{empty}", signing.at),
        };
        assert_eq!((answer.status, answer.headers.get(SHOWN)), (401, Some(&expected)));
        assert!(deployment.stack.output().contains(&expected));
    }
    assert_eq!(ask(&deployment, &tenant.signing()).await.headers.get(SHOWN), None);
    let deployment = Deployment::start().await;
    assert_eq!(ask(&deployment, &wrong.signing()).await.headers.get(SHOWN), None);
}

#[tokio::test]
async fn a_nonce_is_of_the_letters_of_uuids_hexadecimal_and_both_kinds_of_base64() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let longest = "n".repeat(64);
    for nonce in ["sixteen_letters-", "AZaz09+/=AZaz09+/=", NONCE, longest.as_str()] {
        assert!(is_accepted(&deployment, &tenant.signing().nonce(nonce)).await, "{nonce}");
    }
}

/// What is signed is what was sent, whatever the gateway makes of it.
#[tokio::test]
async fn the_bytes_of_the_body_are_signed_as_they_were_received() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let bodies = [
        ("application/json", br#"{"b": 1,  "a":"\u00e9"}"#.to_vec()),
        ("application/json", b"{\"a\":\r\n1}\n".to_vec()),
        ("application/json; charset=utf-8", "{\"a\":\"é\u{2028}😀\"}".as_bytes().to_vec()),
        ("text/plain", "Größe: 5 €\0\u{feff}".as_bytes().to_vec()),
        // These go to the function in Base64.
        ("application/octet-stream", (0..=255).collect()),
        ("application/octet-stream", b"text".to_vec()),
        ("application/json", b"\xff\xfe{}".to_vec()),
    ];
    for (round, (kind, body)) in bodies.into_iter().enumerate() {
        for signing in [tenant.signing(), tenant.signing().nonce(&format!("{NONCE}{round}"))] {
            let call = deployment.anonymous("GET", WHOAMI).body(kind, body.clone()).signed(&signing);
            for place in [0, body.len() / 2, body.len() - 1] {
                let mut flipped = body.clone();
                flipped[place] ^= 1;
                call.clone().bytes(flipped).send().await.refused(401, "unauthenticated");
            }
            for other in [Vec::new(), [&body[..], b"\n"].concat(), body[1..].to_vec()] {
                call.clone().bytes(other).send().await.refused(401, "unauthenticated");
            }
            call.send().await.data(200);
        }
    }
}

/// Both are signed with one secret, and v1 has no direction.
#[tokio::test]
async fn a_callback_that_is_sent_back_is_no_call() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let file: Value = serde_json::from_str(include_str!("../../vectors/callbacks.json")).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let body = vector["body"].as_str().unwrap().as_bytes();
        for signing in [tenant.signing(), tenant.signing().nonce(vector["event_id"].as_str().unwrap())] {
            let call = deployment.anonymous("GET", WHOAMI).body("application/json", body.to_vec()).signed(&signing);
            check_refused_unasked(&deployment, call, "a callback").await;
        }
    }
    let near = br#"{"event_ids":["evt_019039e8b80070008000000000000001"]}"#;
    let call = deployment.anonymous("GET", WHOAMI).body("application/json", near.to_vec());
    call.signed(&tenant.signing()).send().await.data(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_told_to_signers_only_and_counts() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let queries = [("surprise=1", "surprise"), ("a=%20b&c=+d", "a"), ("%61=%C3%A9", "a"), ("a=1&a=1", "a")];
        for (round, (query, field)) in queries.into_iter().enumerate() {
            let call = || deployment.anonymous("GET", &format!("{WHOAMI}?{query}"));
            let v2 = tenant.signing().nonce(&format!("{NONCE}{round}"));
            for (spent, signing) in [tenant.signing(), v2].iter().enumerate() {
                let answer = call().signed(signing).send().await;
                let used = u64::try_from(2 * round + spent + 1).unwrap();
                assert_eq!(answer.names(field).quota().remaining, 60 - used);
                let forged = Signing { secret: "sk_wrong".to_owned(), ..signing.clone() };
                call().signed(&forged).send().await.refused(401, "unauthenticated");
            }
        }
        let answer = deployment.anonymous("GET", &format!("{WHOAMI}?token=x")).signed(&tenant.signing()).send().await;
        answer.refused(400, "credential_in_query");
        assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 51);
    })
    .await;
}

#[tokio::test]
async fn v2_covers_the_query_as_it_was_sent_and_method_and_path() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let target = |query: &str| if query.is_empty() { WHOAMI.to_owned() } else { format!("{WHOAMI}?{query}") };
    let signing = tenant.signing().nonce(NONCE);
    for (signed, sent) in [
        ("a=1", "a=2"),
        ("a=1", ""),
        ("", "a=1"),
        ("a=%20", "a=+"),
        ("a=b", "a=%62"),
        ("a=1&b=2", "b=2&a=1"),
        ("a=1", "a=1&"),
        ("a=%c3", "a=%C3"),
    ] {
        let headers = signing.headers("GET", &target(signed), b"");
        let call = deployment.anonymous("GET", &target(sent));
        let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        call.send().await.refused(401, "unauthenticated");
    }
    for (method, path) in [("POST", WHOAMI), ("get", WHOAMI), ("GET", "/api/v1/relay/whoam"), ("GET", "/")] {
        carrying(&deployment, &signing.headers(method, path, b"")).send().await.refused(401, "unauthenticated");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let (answer, calls) = deployment.calls_of(deployment.anonymous(method, WHOAMI).signed(&signing)).await;
        assert_eq!((answer.status, calls.len()), (405, 0), "{method}");
    }
    // None of them has used the nonce.
    assert!(is_accepted(&deployment, &signing).await);
}

#[tokio::test]
async fn the_old_secret_opens_nothing_once_a_rotation_was_answered() {
    let deployment = Deployment::start().await;
    let mut tenant = deployment.provision("Acme").await;
    // In the second round by a process that has just started.
    for round in 0..2 {
        assert!(is_accepted(&deployment, &tenant.signing()).await);
        let new = rotated(&tenant, &deployment.rotate(&tenant, 0).await);
        if round == 1 {
            deployment.stack.restart("relay-whoami").await;
        }
        assert!(!is_accepted(&deployment, &tenant.signing()).await);
        assert!(!is_accepted(&deployment, &tenant.signing().nonce(&format!("{NONCE}{round}"))).await);
        let answer = ask(&deployment, &new.signing()).await;
        assert_eq!(answer.data(200)["secret"], "current");
        assert!(answer.data(200)["previous_secret_valid_until"].is_null());
        assert!(!is_accepted(&deployment, &tenant.signing()).await);
        tenant = new;
    }
}

#[tokio::test]
async fn both_secrets_open_in_an_overlap_and_the_tenant_sees_which_and_how_long_and_whether_the_old_is_still_used() {
    let deployment = Deployment::start().await;
    let old = deployment.provision("Acme").await;
    let answer = deployment.rotate(&old, 3600).await;
    let (new, until) = (rotated(&old, &answer), answer.data(200)["previous_valid_until"].clone());
    let told = async |tenant: &Tenant| {
        let answer = ask(&deployment, &tenant.signing()).await;
        let fields = ["secret", "previous_secret_valid_until", "previous_secret_last_used_at"];
        fields.map(|field| answer.data(200)[field].clone())
    };
    assert_eq!(told(&new).await, [json!("current"), until.clone(), json!(null)]);
    let mut last = Value::Null;
    for _ in 0..2 {
        let before = now_ms();
        let [secret, valid_until, used] = told(&old).await;
        assert_eq!((secret, &valid_until), (json!("previous"), &until));
        let span = [before, now_ms()].map(|at| json!(Timestamp::from_millis(at)));
        let [from, to, at] = [&span[0], &span[1], &used].map(|at| at.as_str().unwrap());
        assert!(from <= at && at <= to, "{from} {at} {to}");
        assert_eq!(deployment.fetch(&old).await["previous_secret_last_used_at"], used);
        last = used;
    }
    assert_eq!(told(&new).await, [json!("current"), until, last]);

    let over = json!({ "N": (now_ms() - 1).to_string() });
    deployment.set(&format!("TENANT#{}", old.id), "STATE", "previous_secret_until", &over).await;
    for _ in 0..2 {
        assert!(!is_accepted(&deployment, &old.signing()).await);
        assert!(is_accepted(&deployment, &new.signing()).await);
        deployment.stack.restart("relay-whoami").await;
    }
}

#[tokio::test]
async fn there_are_never_three_secrets() {
    let deployment = Deployment::start().await;
    let first = deployment.provision("Acme").await;
    assert!(is_accepted(&deployment, &first.signing()).await);
    let second = rotated(&first, &deployment.rotate(&first, 3600).await);
    assert!(is_accepted(&deployment, &second.signing()).await);
    let third = rotated(&first, &deployment.rotate(&first, 3600).await);
    for _ in 0..2 {
        assert!(!is_accepted(&deployment, &first.signing()).await);
        assert_eq!(ask(&deployment, &second.signing()).await.data(200)["secret"], "previous");
        assert_eq!(ask(&deployment, &third.signing()).await.data(200)["secret"], "current");
        deployment.stack.restart("relay-whoami").await;
    }
    deployment.rotate(&first, 0).await.data(200);
    for dead in [first, second, third] {
        assert!(!is_accepted(&deployment, &dead.signing()).await);
    }
}

#[tokio::test]
async fn a_suspended_tenant_is_told_so_if_it_signs_rightly_and_works_again_after_reactivation() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        assert!(is_accepted(&deployment, &tenant.signing()).await);
        let forged = tenant.with_secret("sk_wrong");
        for round in 0..2 {
            deployment.suspend(&tenant).await.data(200);
            if round == 1 {
                deployment.stack.restart("relay-whoami").await;
            }
            let nonce = format!("{NONCE}{round}");
            for signing in [tenant.signing(), tenant.signing().nonce(&nonce)] {
                let answer = ask(&deployment, &signing).await;
                answer.refused(403, "tenant_suspended");
                assert_eq!(answer.quota().remaining, 59 - round, "a refusal spends nothing");
            }
            assert!(!is_accepted(&deployment, &forged.signing()).await);
            // It was used when the signature was found right.
            assert!(!is_accepted(&deployment, &tenant.signing().nonce(&nonce)).await);
            deployment.reactivate(&tenant).await.data(200);
            assert!(!is_accepted(&deployment, &tenant.signing().nonce(&nonce)).await);
            assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 58 - round);
            deployment.reactivate(&tenant).await.data(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_suspended_tenant_that_got_a_new_secret_is_told_so_under_that_one_only() {
    let deployment = Deployment::start().await;
    let old = deployment.provision("Acme").await;
    assert!(is_accepted(&deployment, &old.signing()).await);
    deployment.suspend(&old).await.data(200);
    let new = rotated(&old, &deployment.rotate(&old, 0).await);
    for _ in 0..2 {
        assert!(!is_accepted(&deployment, &old.signing()).await);
        ask(&deployment, &new.signing()).await.refused(403, "tenant_suspended");
        deployment.stack.restart("relay-whoami").await;
    }
    deployment.reactivate(&old).await.data(200);
    assert!(!is_accepted(&deployment, &old.signing()).await);
    assert!(is_accepted(&deployment, &new.signing()).await);
}

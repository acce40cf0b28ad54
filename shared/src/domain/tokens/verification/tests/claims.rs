//! Claims.

use super::*;

pub(super) fn add(table: &mut Table) {
    claim_types(table);
    claim_sets(table);
    parties(table);
    times(table);
    subjects(table);
    scopes(table);
    end_users(table);
    accounts(table);
}

/// The claims of a user's token, and an example of the JSON type that each has.
pub(super) const TYPES: [(&str, &str); 19] = [
    ("iss", "text"),
    ("aud", "text"),
    ("sub", "text"),
    ("iat", "number"),
    ("exp", "number"),
    ("nbf", "number"),
    ("jti", "text"),
    ("tenant_id", "text"),
    ("key_id", "text"),
    ("client_id", "text"),
    ("scope", "text"),
    ("org_id", "text"),
    ("org_external_id", "text"),
    ("role_id", "text"),
    ("properties", "object"),
    ("external_user_id", "text"),
    ("data", "object"),
    ("epochs", "object"),
    ("epochs.user", "number"),
];

fn claim_types(table: &mut Table) {
    for (name, right) in TYPES {
        let value = match name.split_once('.') {
            Some((outer, inner)) => TENANT.user()[outer][inner].clone(),
            None => TENANT.user().get(name).cloned().unwrap_or(json!("x")),
        };
        for (kind, wrong) in [
            ("null", json!(null)),
            ("bool", json!(true)),
            ("number", json!(NOW)),
            ("number", json!(-1)),
            ("text", json!("x")),
            ("text", json!(NOW.to_string())),
            ("array", json!([])),
            ("array", json!([value])),
            ("object", json!({})),
            ("object", json!({ "value": value })),
        ] {
            if kind != right {
                table.claim(CLAIMS, [(name, wrong)]);
            }
        }
    }
    for name in ["iat", "exp", "nbf", "epochs.tenant", "epochs.key", "epochs.organization", "epochs.user"] {
        for number in
            ["-1", "-0", "1.5", "1782000000.0", "1.782e9", "18446744073709551616", "1e400", "01", "+1", "0x1", "NaN"]
        {
            let mut claims = TENANT.user();
            set(&mut claims, name, json!("here"));
            table.claims(CLAIMS, format!("{name} = {number}"), text(&claims).replace(r#""here""#, number));
        }
    }
    // What a derived decoder takes for an object or a name, if nobody tells it not to.
    table.claim(CLAIMS, [("epochs", json!([1, 2, 3, 4]))]);
    for (scope, claims) in TENANT.all() {
        table.changed(CLAIMS, scope, claims.clone(), [("scope", json!({ scope: null }))]);
        table.changed(CLAIMS, scope, claims, [("scope", json!([scope]))]);
    }
    let array = json!([Uuid::from_u128(4), "Acme", {}]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data", array)]);
    for (name, value) in [
        ("jti", "not-a-uuid"),
        ("org_id", "acme"),
        ("role_id", ""),
        ("tenant_id", ""),
        ("tenant_id", "tnt_"),
        ("tenant_id", "tnt_a b"),
        ("tenant_id", "tnt_a#KEY"),
        ("key_id", ""),
        ("key_id", "key_00112233445566FF"),
        ("key_id", "key_00112233445566ff00"),
        ("client_id", "key_0011223344556g"),
        ("scope", ""),
        ("scope", "PROJECT_USER"),
        ("scope", "ProjectUser"),
        ("scope", "project_user registered_tenant"),
        ("scope", "accounts"),
        ("scope", "EndUser"),
        ("scope", "END_USER"),
        ("scope", "end-user"),
        ("scope", "end_user account"),
        ("external_user_id", ""),
        ("org_external_id", ""),
    ] {
        table.claim(CLAIMS, [(name, json!(value))]);
    }
    table.claim(CLAIMS, [("properties", json!({ "a": "x".repeat(4089) }))]);
    table.claim(CLAIMS, [("external_user_id", json!("x".repeat(257)))]);
    table.claim(CLAIMS, [("org_external_id", json!("x".repeat(257)))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("external_user_id", json!("x".repeat(257)))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.payload", json!([]))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.displayName", json!(null))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.parentOrgId", json!("acme"))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.admin", json!(true))]);
}

fn claim_sets(table: &mut Table) {
    let claims = TENANT.user();
    for name in claims.keys() {
        // What nobody has to have registered.
        if ["external_user_id", "org_external_id"].contains(&name.as_str()) {
            continue;
        }
        let because = if ["org_id", "role_id", "properties"].contains(&name.as_str()) { SCOPE } else { CLAIMS };
        table.claims(because, format!("without {name}"), without(TENANT.user(), name));
        let twice = text(&claims).replacen('{', &format!("{{{}:{},", json!(name), claims[name]), 1);
        table.claims(CLAIMS, format!("{name} twice"), twice);
    }
    for (name, because) in [("tenant", CLAIMS), ("key", CLAIMS), ("organization", SCOPE), ("user", SCOPE)] {
        table.claims(because, format!("without epochs.{name}"), without(TENANT.user(), &format!("epochs.{name}")));
        let twice = text(&claims).replace(r#""epochs":{"#, &format!(r#""epochs":{{"{name}":4,"#));
        table.claims(CLAIMS, format!("epochs.{name} twice"), twice);
    }
    let registered = text(&TENANT.registered());
    for name in ["data", "external_user_id"] {
        let value = &TENANT.registered()[name];
        table.claims(
            CLAIMS,
            format!("{name} twice"),
            registered.replacen('{', &format!("{{{}:{value},", json!(name)), 1),
        );
    }
    for name in ["parentOrgId", "displayName", "payload"] {
        table.claims(CLAIMS, format!("without data.{name}"), without(TENANT.registered(), &format!("data.{name}")));
        let value = &TENANT.registered()["data"][name];
        let twice = registered.replace(r#""data":{"#, &format!(r#""data":{{"{name}":{value},"#));
        table.claims(CLAIMS, format!("data.{name} twice"), twice);
    }
    table.claims(
        CLAIMS,
        "a property twice",
        text(&claims).replace(r#""region":"north""#, r#""region":"north","region":"south""#),
    );
    for name in ["admin", "roles", "azp", "act", "cnf", "client", "Exp", "EXP", "exp ", "", "__proto__", "epochs.extra"]
    {
        table.claim(CLAIMS, [(name, json!(1))]);
    }
    let text = text(&claims);
    let values: Vec<_> = claims.values().cloned().collect();
    for (label, bytes) in [
        ("array of its values", Value::Array(values).to_string().into_bytes()),
        ("array of the object", format!("[{text}]").into_bytes()),
        ("text of the object", json!(text).to_string().into_bytes()),
        ("nothing", Vec::new()),
        ("empty object", b"{}".to_vec()),
        ("null", b"null".to_vec()),
        ("no JSON", b"sub=1".to_vec()),
        ("cut short", text.as_bytes()[..text.len() - 1].to_vec()),
        ("something behind it", format!("{text}x").into_bytes()),
        ("a second object behind it", format!("{text}{text}").into_bytes()),
        ("white space before it", format!("\n{text}").into_bytes()),
        ("byte order mark before it", format!("\u{feff}{text}").into_bytes()),
        ("invalid UTF-8", text.replace("north", "no").into_bytes().into_iter().chain([0xff]).collect()),
        (
            "invalid UTF-8 in a text",
            text.replace("north", "\u{1}").bytes().map(|b| if b == 1 { 0xff } else { b }).collect(),
        ),
        ("a thousand arrays in a property", text.replace("1.5", &("[".repeat(999) + &"]".repeat(999))).into_bytes()),
        ("another token", user_token().into_bytes()),
    ] {
        table.claims(CLAIMS, format!("claims: {label}"), bytes);
    }
}

fn parties(table: &mut Table) {
    let iss = TENANT.issuer.as_str();
    for wrong in [
        "",
        "latchkey",
        TENANT.issuer.tenant_id.as_str(),
        OTHER.issuer.as_str(),
        &format!("{iss}/"),
        &format!("{iss}?"),
        &format!("{iss}#"),
        &format!(" {iss}"),
        &format!("{iss}\0"),
        &iss.to_uppercase(),
        &iss.replace("latchkey", "LATCHKEY"),
        &iss.replace("https", "http"),
        &iss.replace(".com", ".com:443"),
        &iss.replace(".com", ".com."),
        &iss.replace(".com", ".com.attacker.example"),
        &iss.replace("latchkey", "attacker"),
        &iss.replace("/t/", "//t/"),
        &iss.replace("/t/", "/t/../t/"),
        &iss[..iss.len() - 1],
        "https://latchkey.example.com",
    ] {
        table.claim(ISS, [("iss", json!(wrong))]);
    }
    let other = OTHER.issuer.tenant_id.as_str();
    let own = TENANT.issuer.tenant_id.as_str();
    for wrong in ["", "*", other, iss, &own.to_uppercase(), &format!("{own} "), &format!("{own},{other}"), &own[4..]] {
        table.claim(AUD, [("aud", json!(wrong))]);
    }
    for wrong in [other, "tnt_unknown", &own.to_uppercase().replace("TNT", "tnt")] {
        table.claim(AUD, [("tenant_id", json!(wrong))]);
    }
    table.claim(AUD, [("aud", json!(other)), ("tenant_id", json!(other))]);
    table.claim(AUD, [("iss", json!(OTHER.issuer.as_str())), ("aud", json!(other)), ("tenant_id", json!(other))]);
    table.claim(CLIENT, [("client_id", json!("key_0011223344556600"))]);
    table.claim(CLIENT, [("key_id", json!("key_0011223344556600"))]);
}

fn times(table: &mut Table) {
    let mut times = |because, iat: u64, exp: u64| table.claim(because, [("iat", json!(iat)), ("exp", json!(exp))]);
    times(EXPIRED, NOW - 3600, NOW);
    times(EXPIRED, NOW - 3600, NOW - 1);
    times(EXPIRED, NOW - 86_400, NOW);
    times(EXPIRED, 0, 3600);
    times(EXPIRED, 0, 0);
    times(EARLY, NOW + 6, NOW + 3606);
    times(EARLY, NOW + 86_400, NOW + 90_000);
    times(EARLY, NOW * 1000, NOW * 1000 + 3600);
    times(EARLY, u64::MAX, u64::MAX);
    times(LIFETIME, NOW, NOW + 59);
    times(LIFETIME, NOW, NOW + 86_401);
    times(LIFETIME, NOW - 1, NOW + 86_400);
    times(LIFETIME, NOW + 5, NOW + 5);
    times(LIFETIME, NOW + 5, NOW + 4);
    times(LIFETIME, NOW, NOW + 1);
    times(LIFETIME, 0, NOW + 3600);
    times(LIFETIME, NOW, NOW * 1000);
    times(LIFETIME, NOW, u64::MAX);
    times(LIFETIME, 0, u64::MAX);
    for nbf in [NOW + 6, NOW + 3600, NOW * 1000, u64::MAX] {
        table.claim(NOT_BEFORE, [("nbf", json!(nbf))]);
    }
    let mut header = TENANT.header();
    header.insert("kid".to_owned(), json!(TENANT.retired.kid()));
    for iat in [RETIRED_AT + 61, NOW, NOW + 5] {
        let mut claims = TENANT.user();
        claims.extend(fields(&json!({ "iat": iat, "exp": iat + 3600 })));
        let message = message(text(&header), text(&claims));
        table.add(RETIRED, format!("signed at {iat} with the key of before"), signed(&message, &TENANT.retired));
    }
}

fn subjects(table: &mut Table) {
    let uuid = json!(Uuid::from_u128(2));
    for sub in ["", "ada", "00000000000000000000000000000001", "urn:uuid:00000000-0000-0000-0000-000000000001"] {
        table.claim(SCOPE, [("sub", json!(sub))]);
    }
    let data = TENANT.registered()["data"].clone();
    table.claim(SCOPE, [("data", data.clone())]);
    table.claim(SCOPE, [("epochs.external_user", json!(0))]);
    for (scope, claims) in
        [("registered", TENANT.registered()), ("end_user", TENANT.end_user("ada")), ("account", TENANT.account())]
    {
        table.changed(SCOPE, scope, claims, [("org_external_id", json!("acme"))]);
    }
    table.claim(SCOPE, [("scope", json!("registered_tenant")), ("data", data)]);
    let mut registered = |changes: [(&str, Value); 1]| table.changed(SCOPE, "registered", TENANT.registered(), changes);
    registered([("org_id", uuid.clone())]);
    registered([("role_id", uuid)]);
    registered([("properties", json!({}))]);
    registered([("epochs.organization", json!(0))]);
    registered([("epochs.user", json!(0))]);
    registered([("sub", json!(""))]);
    for name in ["data", "external_user_id", "epochs.external_user"] {
        table.claims(SCOPE, format!("registered without {name}"), without(TENANT.registered(), name));
    }
}

/// A token of each scope under the name of each of the others.
fn scopes(table: &mut Table) {
    for (scope, claims) in TENANT.all() {
        for (other, _) in TENANT.all().into_iter().filter(|(other, _)| *other != scope) {
            table.changed(SCOPE, scope, claims.clone(), [("scope", json!(other))]);
        }
    }
    // And with the subject that would go with it, the other claims staying what they are.
    let key = TENANT.account()["key_id"].clone();
    for (scope, claims) in TENANT.all().into_iter().take(2) {
        table.changed(SCOPE, scope, claims.clone(), [("scope", json!("account")), ("sub", key.clone())]);
        table.changed(SCOPE, scope, claims, [("scope", json!("end_user")), ("sub", json!("external:ada"))]);
    }
    table.changed(SCOPE, "end_user", TENANT.end_user("ada"), [("scope", json!("account")), ("sub", key)]);
    let end_user = [("scope", json!("end_user")), ("sub", json!("external:ada"))];
    table.changed(SCOPE, "account", TENANT.account(), end_user.clone());
    let [scope, sub] = end_user;
    table.changed(SCOPE, "account", TENANT.account(), [scope, sub, ("external_user_id", json!("ada"))]);
}

/// What a token for rows has nothing of.
fn strangers() -> [(&'static str, Value); 6] {
    [
        ("org_id", json!(Uuid::from_u128(2))),
        ("role_id", json!(Uuid::from_u128(3))),
        ("properties", json!({})),
        ("data", TENANT.registered()["data"].clone()),
        ("epochs.organization", json!(0)),
        ("epochs.user", json!(0)),
    ]
}

fn end_users(table: &mut Table) {
    let ada = || TENANT.end_user("ada");
    for sub in [
        "",
        "ada",
        "external:",
        "external:a",
        "external:bob",
        "external:Ada",
        "external: ada",
        "external:ada ",
        "external:ada\0",
        "external:external:ada",
        "External:ada",
        " external:ada",
        "external:\u{430}da",
        "key:ada",
        "name:ada",
        "key_00112233445566ff",
        "00000000-0000-0000-0000-000000000001",
    ] {
        table.changed(SCOPE, "end_user", ada(), [("sub", json!(sub))]);
    }
    for (id, other) in
        [("ada", "bob"), ("ada", "Ada"), ("é", "e\u{301}"), ("a", "\u{430}"), ("a", "a "), ("a", "external:a")]
    {
        table.changed(SCOPE, "end_user", TENANT.end_user(id), [("external_user_id", json!(other))]);
        table.changed(SCOPE, "end_user", TENANT.end_user(other), [("external_user_id", json!(id))]);
    }
    for (name, value) in strangers() {
        table.changed(SCOPE, "end_user", ada(), [(name, value)]);
    }
    for name in ["external_user_id", "epochs.external_user"] {
        table.claims(SCOPE, format!("end_user without {name}"), without(ada(), name));
    }
    let mut neither = ada();
    neither.remove("external_user_id");
    table.claims(SCOPE, "end_user without its end user and its epoch", without(neither, "epochs.external_user"));
    for wrong in [json!(null), json!(["ada"]), json!(7), json!(""), json!("x".repeat(257))] {
        table.changed(CLAIMS, "end_user", ada(), [("external_user_id", wrong)]);
    }
    for wrong in [json!(null), json!("3"), json!(-1)] {
        table.changed(CLAIMS, "end_user", ada(), [("epochs.external_user", wrong)]);
    }
    table.changed(CLIENT, "end_user", ada(), [("key_id", json!("key_0011223344556600"))]);
}

fn accounts(table: &mut Table) {
    for sub in [
        "",
        "account",
        "key_",
        "key_0011223344556600",
        "KEY_00112233445566FF",
        "key_00112233445566ff ",
        "external:key_00112233445566ff",
        "key:key_00112233445566ff",
        TENANT.issuer.tenant_id.as_str(),
        "00000000-0000-0000-0000-000000000001",
    ] {
        table.changed(SCOPE, "account", TENANT.account(), [("sub", json!(sub))]);
    }
    for (name, value) in strangers() {
        table.changed(SCOPE, "account", TENANT.account(), [(name, value)]);
    }
    let (user, epoch) = (("external_user_id", json!("ada")), ("epochs.external_user", json!(0)));
    table.changed(SCOPE, "account", TENANT.account(), [user.clone()]);
    table.changed(SCOPE, "account", TENANT.account(), [epoch.clone()]);
    table.changed(SCOPE, "account", TENANT.account(), [user, epoch]);
    // Minted with another key than the one that it says it is.
    let other = json!("key_0011223344556600");
    table.changed(SCOPE, "account", TENANT.account(), [("key_id", other.clone()), ("client_id", other.clone())]);
    table.changed(CLIENT, "account", TENANT.account(), [("key_id", other.clone()), ("sub", other)]);
}

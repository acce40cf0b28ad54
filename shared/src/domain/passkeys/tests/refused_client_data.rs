//! Client data of both ceremonies that is refused.

use super::super::cause::PasskeyCause as Cause;
use super::super::client_data::ClientDataType;
use super::soft::{ORIGIN, Scene};
use super::{Row, keys, refuse};

/// Sets the client data to what becomes of its text.
fn text(scene: &mut Scene<'_>, change: impl FnOnce(String) -> String) {
    let text = String::from_utf8(scene.client_data()).unwrap();
    scene.client_data = Some(change(text).into_bytes());
}

/// Sets the challenge in the client data to what becomes of it.
fn challenge(scene: &mut Scene<'_>, change: impl FnOnce(&str) -> String) {
    let changed = change(scene.challenge.as_str());
    scene.set("challenge", &format!("\"{changed}\""));
}

fn other_type(scene: &mut Scene<'_>) {
    let other = match scene.ceremony {
        ClientDataType::Registration => "\"webauthn.get\"",
        ClientDataType::Login => "\"webauthn.create\"",
    };
    scene.set("type", other);
}

/// The same 32 bytes in another spelling: the last character has two bits that say nothing.
fn with_spare_bits(text: &str) -> String {
    let (rest, last) = text.split_at(42);
    format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
}

pub const ROWS: &[Row] = &[
    ("type of the other ceremony", Cause::WrongType, other_type),
    ("type of a payment", Cause::WrongType, |scene| scene.set("type", r#""payment.get""#)),
    ("type in capitals", Cause::WrongType, |scene| text(scene, |text| text.replace("webauthn.", "WEBAUTHN."))),
    ("type with a space", Cause::WrongType, |scene| text(scene, |text| text.replace("webauthn.", "webauthn. "))),
    ("empty type", Cause::WrongType, |scene| scene.set("type", r#""""#)),
    ("no type", Cause::MalformedClientData, |scene| scene.remove("type")),
    ("type null", Cause::MalformedClientData, |scene| scene.set("type", "null")),
    ("type a number", Cause::MalformedClientData, |scene| scene.set("type", "1")),
    ("type a list", Cause::MalformedClientData, |scene| scene.set("type", r#"["webauthn.get"]"#)),
    ("type with a capital in its name", Cause::MalformedClientData, |scene| {
        text(scene, |text| text.replace("\"type\"", "\"Type\""));
    }),
    ("another challenge", Cause::WrongChallenge, |scene| challenge(scene, |_| "A".repeat(43))),
    ("challenge with padding", Cause::WrongChallenge, |scene| challenge(scene, |text| format!("{text}="))),
    ("challenge in another spelling", Cause::WrongChallenge, |scene| challenge(scene, with_spare_bits)),
    ("challenge cut off", Cause::WrongChallenge, |scene| challenge(scene, |text| text[..42].to_owned())),
    ("challenge and more", Cause::WrongChallenge, |scene| challenge(scene, |text| format!("{text}A"))),
    ("challenge with a space", Cause::WrongChallenge, |scene| challenge(scene, |text| format!(" {text}"))),
    ("challenge twice", Cause::WrongChallenge, |scene| challenge(scene, |text| text.repeat(2))),
    ("empty challenge", Cause::WrongChallenge, |scene| challenge(scene, |_| String::new())),
    ("no challenge", Cause::MalformedClientData, |scene| scene.remove("challenge")),
    ("challenge null", Cause::MalformedClientData, |scene| scene.set("challenge", "null")),
    ("challenge as bytes", Cause::MalformedClientData, |scene| scene.set("challenge", "[1,2,3]")),
    ("challenge of another ceremony expected", Cause::WrongChallenge, |scene| {
        scene.challenge = Scene::new(scene.ceremony, scene.key).challenge;
    }),
    ("origin without TLS", Cause::WrongOrigin, |scene| scene.set("origin", r#""http://example.org""#)),
    ("origin with another port", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://example.org:8443""#)),
    ("origin with the default port", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://example.org:443""#)),
    ("origin with a slash", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://example.org/""#)),
    ("origin in capitals", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://EXAMPLE.org""#)),
    ("origin with a final dot", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://example.org.""#)),
    ("origin of a sub-domain", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://a.example.org""#)),
    ("origin of the parent", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://org""#)),
    ("origin that begins alike", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://example.org.evil.net""#)),
    ("origin that ends alike", Cause::WrongOrigin, |scene| scene.set("origin", r#""https://evilexample.org""#)),
    ("origin without a scheme", Cause::WrongOrigin, |scene| scene.set("origin", r#""example.org""#)),
    ("opaque origin", Cause::WrongOrigin, |scene| scene.set("origin", r#""null""#)),
    ("empty origin", Cause::WrongOrigin, |scene| scene.set("origin", r#""""#)),
    ("origin of an app", Cause::WrongOrigin, |scene| {
        scene.set("origin", &format!("\"android:apk-key-hash:{}\"", "A".repeat(43)));
    }),
    ("no origin", Cause::MalformedClientData, |scene| scene.remove("origin")),
    ("origin null", Cause::MalformedClientData, |scene| scene.set("origin", "null")),
    ("origin a list", Cause::MalformedClientData, |scene| scene.set("origin", &format!("[\"{ORIGIN}\"]"))),
    ("another origin expected", Cause::WrongOrigin, |scene| {
        scene.origin = crate::domain::WebauthnOrigin::parse("https://login.example.org").unwrap();
    }),
    ("frame of another origin", Cause::CrossOrigin, |scene| scene.set("crossOrigin", "true")),
    ("crossOrigin the text true", Cause::CrossOrigin, |scene| scene.set("crossOrigin", r#""true""#)),
    ("crossOrigin the text false", Cause::CrossOrigin, |scene| scene.set("crossOrigin", r#""false""#)),
    ("crossOrigin zero", Cause::CrossOrigin, |scene| scene.set("crossOrigin", "0")),
    ("crossOrigin null", Cause::CrossOrigin, |scene| scene.set("crossOrigin", "null")),
    ("crossOrigin a list", Cause::CrossOrigin, |scene| scene.set("crossOrigin", "[]")),
    ("crossOrigin an object", Cause::CrossOrigin, |scene| scene.set("crossOrigin", "{}")),
    ("frame of a named origin", Cause::CrossOrigin, |scene| {
        scene.set("crossOrigin", "true");
        scene.set("topOrigin", r#""https://example.com""#);
    }),
    ("another origin at the top", Cause::TopOrigin, |scene| scene.set("topOrigin", r#""https://example.com""#)),
    ("its own origin at the top", Cause::TopOrigin, |scene| scene.set("topOrigin", &format!("\"{ORIGIN}\""))),
    ("topOrigin null", Cause::TopOrigin, |scene| scene.set("topOrigin", "null")),
    ("topOrigin empty", Cause::TopOrigin, |scene| scene.set("topOrigin", r#""""#)),
    ("type twice", Cause::DoubleMember, |scene| scene.add("type", r#""webauthn.get""#)),
    ("challenge of another ceremony first", Cause::DoubleMember, |scene| {
        scene.members.insert(0, ("challenge".to_owned(), format!("\"{}\"", "A".repeat(43))));
    }),
    ("origin of another page first", Cause::DoubleMember, |scene| {
        scene.members.insert(0, ("origin".to_owned(), r#""https://evil.net""#.to_owned()));
    }),
    ("origin of another page last", Cause::DoubleMember, |scene| scene.add("origin", r#""https://evil.net""#)),
    ("crossOrigin twice", Cause::DoubleMember, |scene| scene.add("crossOrigin", "true")),
    ("type twice, once with an escape", Cause::DoubleMember, |scene| scene.add(r"\u0074ype", r#""webauthn.get""#)),
    ("unknown member twice", Cause::DoubleMember, |scene| {
        scene.add("extra", "1");
        scene.add("extra", "1");
    }),
    ("no client data", Cause::MalformedClientData, |scene| scene.client_data = Some(Vec::new())),
    ("client data null", Cause::MalformedClientData, |scene| scene.client_data = Some(b"null".to_vec())),
    ("client data in a list", Cause::MalformedClientData, |scene| text(scene, |text| format!("[{text}]"))),
    ("client data as a list", Cause::MalformedClientData, |scene| {
        text(scene, |text| text.replace('{', "[").replace('}', "]").replace(':', ","));
    }),
    ("client data in quotes", Cause::MalformedClientData, |scene| {
        text(scene, |text| serde_json::to_string(&text).unwrap());
    }),
    ("client data twice", Cause::MalformedClientData, |scene| text(scene, |text| text.repeat(2))),
    ("client data and more", Cause::MalformedClientData, |scene| text(scene, |text| format!("{text},"))),
    ("client data and a zero byte", Cause::MalformedClientData, |scene| text(scene, |text| format!("{text}\0"))),
    ("client data cut off", Cause::MalformedClientData, |scene| text(scene, |text| text[..text.len() - 1].to_owned())),
    ("client data with a byte order mark", Cause::MalformedClientData, |scene| {
        text(scene, |text| format!("\u{feff}{text}"));
    }),
    ("client data with a comma too many", Cause::MalformedClientData, |scene| {
        text(scene, |text| text.replace('}', ",}"));
    }),
    ("client data with a comment", Cause::MalformedClientData, |scene| text(scene, |text| format!("/**/{text}"))),
    ("client data in single quotes", Cause::MalformedClientData, |scene| text(scene, |text| text.replace('"', "'"))),
    ("client data in UTF-16", Cause::MalformedClientData, |scene| {
        let text = String::from_utf8(scene.client_data()).unwrap();
        scene.client_data = Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }),
    ("client data with a byte that is no UTF-8", Cause::MalformedClientData, |scene| {
        scene.add("extra", "\"~\"");
        let bytes = scene.client_data().into_iter().map(|byte| if byte == b'~' { 0xff } else { byte }).collect();
        scene.client_data = Some(bytes);
    }),
];

#[test]
fn client_data_that_is_not_in_order_is_refused_by_its_own_reason() {
    refuse(ClientDataType::Registration, &keys(), ROWS);
    refuse(ClientDataType::Login, &keys(), ROWS);
}

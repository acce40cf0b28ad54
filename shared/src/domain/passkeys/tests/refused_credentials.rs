//! The JSON around what is signed, in both ceremonies.

use serde_json::{Value, json};

use super::super::cause::PasskeyCause as Cause;
use super::super::client_data::ClientDataType;
use super::soft::{Scene, encode};
use super::{Row, keys, refuse};

fn ids(credential: &mut Value, id: &str) {
    credential["id"] = id.into();
    credential["rawId"] = id.into();
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

/// Sets a text of the response to what becomes of it.
fn client_data(credential: &mut Value, change: impl FnOnce(&str) -> String) {
    let text = credential["response"]["clientDataJSON"].as_str().unwrap();
    credential["response"]["clientDataJSON"] = change(text).into();
}

pub const ROWS: &[Row] = &[
    ("credential null", Cause::MalformedCredential, |scene| scene.after = |json| *json = Value::Null),
    ("credential a text", Cause::MalformedCredential, |scene| {
        scene.after = |json| *json = json.to_string().into();
    }),
    ("credential in a list", Cause::MalformedCredential, |scene| scene.after = |json| *json = json!([json])),
    ("credential in an envelope", Cause::MalformedCredential, |scene| {
        scene.after = |json| *json = json!({ "credential": json });
    }),
    ("credential without a type", Cause::MalformedCredential, |scene| scene.after = |json| remove(json, "type")),
    ("credential of another type", Cause::WrongCredentialType, |scene| {
        scene.after = |json| json["type"] = "password".into();
    }),
    ("credential type in capitals", Cause::WrongCredentialType, |scene| {
        scene.after = |json| json["type"] = "Public-Key".into();
    }),
    ("credential type null", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["type"] = Value::Null;
    }),
    ("no id", Cause::MalformedCredential, |scene| scene.after = |json| remove(json, "id")),
    ("no rawId", Cause::MalformedCredential, |scene| scene.after = |json| remove(json, "rawId")),
    ("id null", Cause::MalformedCredential, |scene| scene.after = |json| json["id"] = Value::Null),
    ("rawId as bytes", Cause::MalformedCredential, |scene| scene.after = |json| json["rawId"] = json!([17, 17])),
    ("id of another", Cause::IdMismatch, |scene| scene.after = |json| json["id"] = "AAAA".into()),
    ("rawId of another", Cause::IdMismatch, |scene| scene.after = |json| json["rawId"] = "AAAA".into()),
    ("rawId with padding", Cause::IdMismatch, |scene| {
        scene.after = |json| json["rawId"] = format!("{}==", json["id"].as_str().unwrap()).into();
    }),
    ("ids with padding", Cause::MalformedBase64url, |scene| {
        scene.after = |json| ids(json, &format!("{}==", json["id"].as_str().unwrap()));
    }),
    ("ids in standard base64", Cause::MalformedBase64url, |scene| scene.after = |json| ids(json, "+/+/")),
    ("ids with a space", Cause::MalformedBase64url, |scene| scene.after = |json| ids(json, "AAAA AAAA")),
    ("ids with bits left over", Cause::MalformedBase64url, |scene| scene.after = |json| ids(json, "AB")),
    ("ids of a length that cannot be", Cause::MalformedBase64url, |scene| scene.after = |json| ids(json, "AAAAA")),
    ("empty ids", Cause::CredentialIdLength, |scene| scene.after = |json| ids(json, "")),
    ("ids of 1024 bytes", Cause::CredentialIdLength, |scene| scene.after = |json| ids(json, &encode(&[1; 1024]))),
    ("no response", Cause::MalformedCredential, |scene| scene.after = |json| remove(json, "response")),
    ("response null", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"] = Value::Null;
    }),
    ("response in a list", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"] = json!([json["response"]]);
    }),
    ("response as text", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"] = json["response"].to_string().into();
    }),
    ("no clientDataJSON", Cause::MalformedCredential, |scene| {
        scene.after = |json| remove(&mut json["response"], "clientDataJSON");
    }),
    ("clientDataJSON null", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["clientDataJSON"] = Value::Null;
    }),
    ("clientDataJSON as an object", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["clientDataJSON"] = json!({ "type": "webauthn.get" });
    }),
    ("clientDataJSON not encoded", Cause::MalformedBase64url, |scene| {
        scene.after = |json| client_data(json, |_| r#"{"type":"webauthn.get"}"#.to_owned());
    }),
    ("clientDataJSON with padding", Cause::MalformedBase64url, |scene| {
        scene.after = |json| client_data(json, |text| format!("{text}="));
    }),
    ("clientDataJSON with a line feed", Cause::MalformedBase64url, |scene| {
        scene.after = |json| client_data(json, |text| format!("{text}\n"));
    }),
    ("clientDataJSON in lines", Cause::MalformedBase64url, |scene| {
        scene.after = |json| client_data(json, |text| format!("{}\r\n{}", &text[..64], &text[64..]));
    }),
    ("clientDataJSON in standard base64", Cause::MalformedBase64url, |scene| {
        scene.after = |json| client_data(json, |text| format!("{text}++//"));
    }),
];

#[test]
fn json_that_is_not_that_of_a_credential_is_refused_by_its_own_reason() {
    refuse(ClientDataType::Registration, &keys(), ROWS);
    refuse(ClientDataType::Login, &keys(), ROWS);
}

#[test]
fn a_response_of_the_other_ceremony_is_refused() {
    for key in keys() {
        let (registration, login) =
            (Scene::new(ClientDataType::Registration, key), Scene::new(ClientDataType::Login, key));
        let judged = super::super::verify_registration(&login.expected(), &login.response());
        assert_eq!(judged, Err(Cause::WrongType));
        let judged = super::super::verify_login(&registration.expected(), &login.stored, &registration.response());
        assert_eq!(judged, Err(Cause::WrongType));
    }
}

//! Bodies of requests: how large they may be, which forms of them there are, and which of them an operation takes.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::decode::{form, misplaced, read};
use super::places::{members, refuse_near_misses};
use crate::api::{BodyRule, Operation, Surface};
use crate::auth::{LARGEST_BODY, Request};
use crate::domain::Problem;
use crate::error::{Error, Result};

/// The largest body as it is sent, in bytes: enough for [`LARGEST_BODY`] with each of its characters as `\u0041`, and
/// little enough to be read within the time of a request.
const LARGEST_SENT: usize = 400 * 1024;

/// What some programs put in front of UTF-8, and RFC 8259 §8.1 rules out.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same of UTF-16, in either order, as some shells write files.
const OF_UTF_16: &[&[u8]] = &[b"\xff\xfe", b"\xfe\xff"];

/// What bodies of callbacks have, and no call of a tenant has.
const EVENT_MEMBERS: [&str; 3] = ["event_id", "flow", "sequence"];

/// The forms in which a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
}

impl Form {
    /// The form that the content type says; `None` for any other. Its parameters are not looked at: RFC 8259 defines
    /// none for JSON, and says to ignore a charset.
    fn of(request: &Request) -> Option<Self> {
        let essence = request.header("content-type")?.split(';').next()?.trim();
        [("application/json", Self::Json), ("application/x-www-form-urlencoded", Self::Urlencoded)]
            .into_iter()
            .find_map(|(name, form)| essence.eq_ignore_ascii_case(name).then_some(form))
    }

    /// The bytes of what the body says: a character that is sent as an escape counts as itself. Some clients escape all
    /// that is not ASCII, and the same text has the same size from each of them.
    fn size(self, body: &[u8]) -> usize {
        let (mut rest, mut size) = (body, 0);
        while let [first, after @ ..] = rest {
            let (bytes, left) = match (self, first, after) {
                (Self::Json, b'\\', [b'u', a, b, c, d, left @ ..]) => (utf8_size([*a, *b, *c, *d]), left),
                (Self::Json, b'\\', [_, left @ ..]) => (1, left),
                (Self::Urlencoded, b'%', [high, low, left @ ..])
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    (1, left)
                }
                _ => (1, after),
            };
            size += bytes;
            rest = left;
        }
        size
    }
}

/// How many bytes of UTF-8 a UTF-16 unit comes to, of which there are the four hexadecimal digits. A character beyond
/// U+FFFF has two units, and four bytes.
fn utf8_size(digits: [u8; 4]) -> usize {
    let unit = std::str::from_utf8(&digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok());
    match unit {
        Some(0..0x80) => 1,
        Some(0x80..0x800 | 0xd800..0xe000) => 2,
        Some(_) => 3,
        // No escape, and so no JSON: it counts as it is.
        None => 6,
    }
}

/// Reads the body.
pub fn body<O: Operation>(request: &Request) -> Result<O::Body> {
    if O::ROUTE.body == BodyRule::None {
        // On this surface a body may name the end user. Not looked at, the call would be the whole account's.
        if O::SURFACE == Surface::Account && !request.body.is_empty() && !is_null(&request.body) {
            return Err(Error::Malformed(Problem::new("must have no body: name the end user in a header")));
        }
        return read(b"{}");
    }
    let form_of = Form::of(request);
    if is_too_large(form_of.unwrap_or(Form::Json), &request.body) {
        return Err(Error::TooLarge);
    }
    if request.body.is_empty() {
        return match O::ROUTE.body {
            BodyRule::Required => Err(Error::Malformed(Problem::new("must have a JSON body"))),
            BodyRule::Form => Err(Error::Malformed(Problem::new("must have a form or a JSON object as body"))),
            BodyRule::Optional | BodyRule::None => read(b"{}"),
        };
    }
    // Whatever is compressed reads as anything but what it is (RFC 9110 §15.5.16).
    if request.header("content-encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
        return Err(Error::UnsupportedMediaType);
    }
    if [BYTE_ORDER_MARK].iter().chain(OF_UTF_16).any(|mark| request.body.starts_with(mark)) {
        let problem = "body must be UTF-8 that does not begin with a byte order mark (U+FEFF)";
        return Err(Error::Malformed(Problem::new(problem)));
    }
    match form_of {
        Some(Form::Urlencoded) if O::ROUTE.body == BodyRule::Form => {
            let text = std::str::from_utf8(&request.body);
            form(text.map_err(|_| Error::Malformed(Problem::new("body must be a form")))?)
        }
        Some(Form::Json) => {
            if O::ROUTE.body == BodyRule::Optional && O::NULL_IS_NO_BODY && is_null(&request.body) {
                return read(b"{}");
            }
            if O::SURFACE == Surface::Relay {
                refuse_event_members(&request.body)?;
            }
            refuse_near_misses::<O::Body>(&request.body)?;
            read(&request.body).map_err(|error| misplaced::<O>(request, error))
        }
        _ => Err(Error::UnsupportedMediaType),
    }
}

fn is_too_large(form: Form, body: &[u8]) -> bool {
    body.len() > LARGEST_SENT || (body.len() > LARGEST_BODY && form.size(body) > LARGEST_BODY)
}

/// Whether a body is the `null` that some clients send where there is nothing to send.
fn is_null(body: &[u8]) -> bool {
    body.trim_ascii() == b"null"
}

/// Refuses a body with a member that the body of a callback has. Callbacks are signed as calls are, and their
/// signature in v1 says neither which of the two it is nor where it goes: so no call may look like one. Here and not in
/// each input, because the surface ignores other fields that it does not know.
fn refuse_event_members(body: &[u8]) -> Result<()> {
    let members = members(body);
    match EVENT_MEMBERS.into_iter().find(|name| members.contains_key(*name)) {
        Some(name) => Err(Error::invalid(name, Problem::new("is a field of callbacks, and of no call"))),
        None => Ok(()),
    }
}

/// The API key in a body that can't be decoded otherwise: who has a key is told what is wrong with the rest.
pub fn api_key(request: &Request) -> Option<Zeroizing<String>> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "apiKey", alias = "client_secret")]
        api_key: Zeroizing<String>,
    }
    let body = request.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&request.body);
    if is_too_large(Form::of(request).unwrap_or(Form::Json), body) {
        return None;
    }
    // Whatever its type says: a wrong type is one of the things that are told. No text is both.
    let json = serde_json::from_slice::<Body>(body).ok();
    json.or_else(|| serde_html_form::from_bytes(body).ok()).map(|body| body.api_key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_json_text_has_the_size_of_what_it_says_however_it_is_escaped() {
        for (text, size) in [
            (r#""a""#, 3),
            (r#""\u0061""#, 3),
            (r#""\u00e9""#, 4),
            (r#""\u6f22""#, 5),
            (r#""\ud83d\uDE00""#, 6),
            (r#""\n\\u""#, 5),
            (r#""\\u6f22""#, 8),
            (r#""\u12""#, 5),
            (r#""\u12xy""#, 8),
            (r#""\"#, 2),
            ("", 0),
        ] {
            assert_eq!(Form::Json.size(text.as_bytes()), size, "{text}");
        }
        assert_eq!(Form::Urlencoded.size(b"a=%E6%BC%A2+%"), 7);
    }

    proptest! {
        #[test]
        fn escapes_make_no_text_larger(text in "\\PC{0,40}") {
            let plain = serde_json::to_string(&text).unwrap();
            let unit = |unit: u16| format!("\\u{unit:04x}");
            let escaped: String = text.encode_utf16().map(unit).collect();
            prop_assert_eq!(Form::Json.size(format!("\"{escaped}\"").as_bytes()), text.len() + 2);
            prop_assert_eq!(Form::Json.size(plain.as_bytes()), text.len() + 2);
        }
    }

    #[test]
    fn a_body_has_64_kibibytes_of_text_in_400_kibibytes() {
        let body = |piece: &str, times: usize| piece.repeat(times).into_bytes();
        assert!(!is_too_large(Form::Json, &body("a", LARGEST_BODY)));
        assert!(is_too_large(Form::Json, &body("a", LARGEST_BODY + 1)));
        assert!(!is_too_large(Form::Json, &body("\\u0041", LARGEST_BODY)));
        assert!(is_too_large(Form::Json, &body("\\u0041", LARGEST_BODY + 1)));
        assert!(!is_too_large(Form::Urlencoded, &body("%41", LARGEST_BODY)));
        // Not even an escape is looked at in more than that.
        assert!(is_too_large(Form::Json, &body("\\u0041", 400 * 1024 / 6 + 1)));
    }
}

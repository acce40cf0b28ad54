//! URLs that servers connect to on a tenant's behalf, so that server-side request forgery counts.
//!
//! The rule is positive: `https` and a name at or below a registrable domain of the public suffix list
//! (publicsuffix.org). No special-use name (`localhost`, `.local`, `.internal`, `.test`, ...) and no single label has a
//! known suffix. The text is read with the WHATWG URL parser, as an HTTP client will read it, and what is stored is
//! what it serialises: the client sees the host that was checked. The authority must be spelled plainly (see
//! [`Origin`]).
//!
//! Refused alternatives: a table of special-purpose address ranges. Every address is refused, in every spelling: that
//! needs no table to keep up to date, and certificates for addresses are rare. Nor is the name resolved here, since the
//! answer can change before it is used (DNS rebinding): **whoever connects must check the resolved address again**, and
//! connect to that one.

use url::Url;

use super::origin::Origin;
use super::rp_id::has_registrable_domain;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The longest URL, in bytes, as given and as stored.
const MAX_LENGTH: usize = 2048;

/// Names with a known suffix that, with all names below them, are not public hosts.
///
/// The wildcard DNS services are the well-known ones. That list cannot be complete: it turns away the first thing that
/// somebody tries, and the check of the resolved address has to do the rest.
const NOT_PUBLIC: [&[&str]; 4] = [
    // Special-use names that the public suffix list knows: Tor (RFC 7686), infrastructure and home networks (RFC 8375).
    &["onion", "arpa"],
    // Instance metadata. (`metadata.google.internal` and `instance-data` have no known suffix.)
    &["metadata.azure.com", "metadata.goog", "metadata.oraclecloud.com", "metadata.tencentyun.com"],
    // Wildcard DNS that answers with the address embedded in the name.
    &["1u.ms", "nip.io", "rbndr.us", "sslip.io", "traefik.me", "xip.io"],
    // Wildcard DNS that answers with a loopback address.
    &["fuf.me", "lacolhost.com", "localhost.tv", "localtest.me", "lvh.me", "vcap.me", "yoogle.com"],
];

/// The base URL at which the relay calls a tenant back.
///
/// Without a query and without a trailing slash, because `/relay-callbacks/<flow>` is appended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    /// Reads a base URL for callbacks. Slashes at its end are dropped.
    ///
    /// # Errors
    /// If the URL is not `https` on a public host, or has a port, a query or a fragment. (443 is no port: the parser
    /// drops it.)
    pub fn parse(text: &str) -> Result<Self, Problem> {
        #[cfg(feature = "loopback-callbacks")]
        if let Some(base) = loopback_base(text) {
            return Ok(Self(base));
        }
        let url = parse_public_https(text)?;
        if url.query().is_some() {
            return Err(Problem::new("must not have a query: a path is appended to it"));
        }
        // On other ports of public hosts are services that are no web servers, and one that is can move.
        if url.port().is_some() {
            return Err(Problem::new("must not have another port than 443"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Restores a stored value. It is not checked again: a rule that is tightened later, or a new public suffix, must
    /// not make a tenant unreadable.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The URL of a tenant's logo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogoUrl(String);

impl LogoUrl {
    /// Reads the URL of a logo.
    ///
    /// # Errors
    /// If the URL is not `https` on a public host, or has a fragment.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse_public_https(text).map(|url| Self(url.into()))
    }

    /// Restores a stored value. It is not checked again: a rule that is tightened later, or a new public suffix, must
    /// not make a tenant unreadable.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

fn parse_public_https(text: &str) -> Result<Url, Problem> {
    let too_long = || Problem::new("must be at most 2048 bytes long");
    let malformed = || Problem::new("must be an https URL with a plain host, such as https://api.example.com");
    if text.len() > MAX_LENGTH {
        return Err(too_long());
    }
    // Readers disagree about each of these: they are dropped, taken for a slash, mapped to ASCII, or end the host.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'@' | b'#')) {
        return Err(Problem::new("must be printable ASCII without spaces, backslashes, @ and a fragment"));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(malformed());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let origin = Origin::parse(&format!("https://{authority}")).map_err(|_| malformed())?;
    if !has_registrable_domain(origin.host()) || is_not_public(origin.host()) {
        return Err(Problem::new("must have a public domain name as its host, not an address or an internal name"));
    }
    // The host was checked in a part of the text. This is the proof that the parser of the whole sees the same one.
    let is_same = |url: &Url| url.origin().ascii_serialization() == origin.as_str();
    let url = Url::parse(text).ok().filter(is_same).ok_or_else(malformed)?;
    // Percent-encoding makes a URL longer, and what is stored must be readable again.
    if url.as_str().len() > MAX_LENGTH {
        return Err(too_long());
    }
    Ok(url)
}

/// The base of a receiver on the developer's own machine, without slashes at its end: `http://127.0.0.1`, with or
/// without a port and a path. Only what `cargo dev` runs is compiled with this.
#[cfg(feature = "loopback-callbacks")]
fn loopback_base(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let base = url.as_str().trim_end_matches('/');
    let is_plain = text.trim_end_matches('/') == base && !base.contains(['@', '?', '#', '%', '\\']);
    (is_plain && url.scheme() == "http" && url.host_str() == Some("127.0.0.1")).then(|| base.to_owned())
}

fn is_not_public(host: &str) -> bool {
    let is_at_or_below = |name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    NOT_PUBLIC.iter().copied().flatten().any(|name| is_at_or_below(*name))
}

string_newtype! { CallbackUrl, expected: "a public https URL such as https://api.example.com", schema: {
    "type": "string",
    "format": "uri",
    "maxLength": MAX_LENGTH,
    "description": "An `https` URL with a public domain name as its host, without port, user information, query and \
                    fragment."
} }

string_newtype! { LogoUrl, expected: "a public https URL such as https://api.example.com", schema: {
    "type": "string",
    "format": "uri",
    "maxLength": MAX_LENGTH,
    "description": "An `https` URL with a public domain name as its host, without user information and fragment."
} }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &str = "
        https://127.0.0.1 https://127.0.0.1:443/x https://8.8.8.8 https://0.0.0.0 https://192.168.1.1 https://100.64.0.1
        https://2130706433 https://0x7f000001 https://017700000001 https://0x7f.0x0.0x0.0x1 https://0177.0.0.1 https://0
        https://127.1 https://0x7f.1 https://169.254.169.254 https://2852039166 https://0xa9fea9fe
        https://[fd00:ec2::254]
        https://[::1] https://[::1]:443 https://[::] https://::1 https://[fe80::1%eth0] https://[fe80::1%25eth0]
        https://[::ffff:127.0.0.1] https://[::ffff:7f00:1] https://[::127.0.0.1] https://[64:ff9b::7f00:1]
        https://[2002:7f00:1::]
        https://u@a.com https://u:p@a.com https://@a.com https://a.com@127.0.0.1 https://127.0.0.1@a.com
        https://a.com/@b
        https://a.com\\@127.0.0.1 https://127.0.0.1#@a.com https://a.com:x@b.com https://a.com%40b.com
        https://\u{ff11}\u{ff12}\u{ff17}.0.0.1 https://127\u{ff0e}0\u{ff0e}0\u{ff0e}1
        https://127\u{3002}0\u{3002}0\u{3002}1
        https://a\u{3002}com https://\u{24d4}xample.com https://b\u{fc}cher.de https://a.com/\u{e9}
        https://%31%32%37.0.0.1 https://%6c%6f%63alhost https://a%2ecom https://127.0.0.1%2f.a.com
        https://a.com%00.b.com
        https:\\\\a.com https:/\\a.com https://a.com\\x https://127.0.0.1\\.a.com https://a..com https://.a.com
        https://.
        https://a.com. https://localhost. https://127.0.0.1. https://metadata.goog. https://com https://co.uk
        https://github.io
        https://localhost https://LOCALHOST:8443 https://a.localhost https://a.local https://localhost.localdomain
        https://a.internal https://a.home.arpa https://a.onion https://a.test https://a.invalid https://a.example
        https://intranet
        https://metadata.google.internal https://METADATA.goog https://instance-data https://metadata.azure.com
        https://127.0.0.1.nip.io https://10-0-0-1.sslip.io https://a.10.0.0.1.xip.io https://7f000001.c0a80001.rbndr.us
        https://localtest.me https://a.localtest.me https://A.LVH.ME https://a.vcap.me https://lacolhost.com
        http://a.com ftp://a.com file:///etc/passwd file://a.com/x gopher://a.com:70/_x dict://a.com ldap://a.com
        wss://a.com
        jar:https://a.com blob:https://a.com/x data:text/html,x javascript:alert(1) javascript://a.com/%0a about:blank
        a.com //a.com /x https https: https:// https:a.com https:/a.com https:///a.com https:////a.com https://?a.com
        https://https://a.com https:https://a.com http://https://a.com https://http:127.0.0.1 ://a.com xhttps://a.com
        https://a.com:0 https://a.com:65536 https://a.com:-1 https://a.com:x https://a.com: https://a.com:0443
        https://:443
        https://0x7f.0.0.1.:443 https://127.0.0.1.. https://1.1 https://0x https://0x0
        https://4294967296 https://256.1.1.1
        https://00000177.1 https://[::ffff:a9fe:a9fe] https://[64:ff9b:1::1] https://[fc00::1] https://[fe80::1]
        https://[v1.x] https://a.com.. https://A.LOCAL https://printer.local https://db.internal
        https://a.corp https://a.lan
        https://kubernetes.default.svc https://a.cluster.local https://wpad https://a.intranet
        https://a.home https://router
        https://a.localdomain https://ip6-localhost https://broadcasthost https://a.alt https://a.b.c.127.1
        https://*.a.com https://a_b.com https://a,b.com https://a$b.com https://-a.com https://xn--a.com https://a.com#x
    ";

    /// Text, stored as a logo, stored as a callback.
    const ACCEPTED: &str = "
        https://api.example.com        https://api.example.com/      https://api.example.com
        https://api.example.com//      https://api.example.com//     https://api.example.com
        HTTPS://A.Example.COM:443/B/   https://a.example.com/B/      https://a.example.com/B
        https://a.com:8443             https://a.com:8443/           refused
        https://a.com:80               https://a.com:80/             refused
        https://a.com:443              https://a.com/                https://a.com
        https://a.github.io            https://a.github.io/          https://a.github.io
        https://xn--bcher-kva.de       https://xn--bcher-kva.de/     https://xn--bcher-kva.de
        https://a.com/x/../%2E%2e/<    https://a.com/%3C             https://a.com/%3C
        https://notnip.io              https://notnip.io/            https://notnip.io
        https://a.com/l.png?v=1&w='    https://a.com/l.png?v=1&w=%27 refused
        https://a.com?                 https://a.com/?               refused
    ";

    #[test]
    fn hostile_forms_are_refused() {
        for text in HOSTILE.split_whitespace().chain([""]) {
            assert!(CallbackUrl::parse(text).is_err() && LogoUrl::parse(text).is_err(), "{text}");
        }
        // No place is safe for a character that one reader drops and another keeps.
        for character in " \t\r\n\0\u{7f}\u{a0}\u{ad}\u{200b}\u{feff}\\@#".chars() {
            for place in 0..="https://a.com/x".len() {
                let mut text = String::from("https://a.com/x");
                text.insert(place, character);
                assert!(CallbackUrl::parse(&text).is_err() && LogoUrl::parse(&text).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn accepted_urls_are_stored_as_the_parser_writes_them() {
        for row in ACCEPTED.trim().lines() {
            let [text, logo, callback] = row.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{row}") };
            assert_eq!(LogoUrl::parse(text).unwrap().as_str(), logo);
            assert_eq!(CallbackUrl::parse(text).map_or("refused".to_owned(), |url| url.to_string()), callback);
        }
    }

    #[cfg(feature = "loopback-callbacks")]
    #[test]
    fn a_developer_can_be_called_back_on_the_own_machine() {
        for (text, base) in [
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
            ("http://127.0.0.1:3000/hooks//", "http://127.0.0.1:3000/hooks"),
        ] {
            assert_eq!(CallbackUrl::parse(text).unwrap().as_str(), base);
            assert!(LogoUrl::parse(text).is_err());
        }
        for text in "http://127.0.0.2 http://127.1 http://0x7f.1 http://2130706433 http://localhost http://[::1]
            http://0.0.0.0 http://127.0.0.1:x http://u@127.0.0.1 http://127.0.0.1@a.com http://127.0.0.1?x
            http://127.0.0.1#x http://127.0.0.1.nip.io https://127.0.0.1 http:127.0.0.1
        ftp://127.0.0.1 http://127.0.0.1:80"
            .split_whitespace()
        {
            assert!(CallbackUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_are_bounded_as_given_and_as_stored() {
        let path = |count, text: &str| format!("https://a.com/{}", text.repeat(count));
        assert!(LogoUrl::parse(&path(2034, "x")).is_ok());
        for text in [path(2035, "x"), path(1000, "<"), path(1000, "x/../")] {
            assert!(LogoUrl::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn json_is_the_text() {
        let url: CallbackUrl = serde_json::from_str(r#""https://A.com/""#).unwrap();
        assert_eq!(serde_json::to_string(&url).unwrap(), r#""https://a.com""#);
        let problem = serde_json::from_str::<LogoUrl>("7").unwrap_err().to_string();
        assert!(problem.contains("expected a public https URL"), "{problem}");
        let problem = serde_json::from_str::<LogoUrl>(r#""https://10.0.0.1""#).unwrap_err().to_string();
        assert!(problem.starts_with("must have a public domain name"), "{problem}");
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            r"[hH]ttps:[/\\]{2,3}[a-zA-Z0-9.:@%\[\]_-]{0,8}(\.com|\.io|\.local|\.1)?(:[0-9]{1,5})?[/?#]?.{0,8}",
            r#"https://[a-z]{1,3}\.com[/?][./%2eE?'"<>{}x:]{0,16}"#,
        ]
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_accepted_is_stable_and_public(text in any_text()) {
            let logo = LogoUrl::parse(&text);
            if let Ok(logo) = &logo {
                prop_assert_eq!(&LogoUrl::parse(logo.as_str()).unwrap(), logo);
                let url = Url::parse(logo.as_str()).unwrap();
                prop_assert!(url.scheme() == "https" && url.domain().is_some_and(has_registrable_domain));
            }
            if let Ok(callback) = CallbackUrl::parse(&text) {
                let logo = logo.unwrap();
                prop_assert_eq!(callback.as_str(), logo.as_str().trim_end_matches('/'));
                prop_assert_eq!(CallbackUrl::parse(callback.as_str()), Ok(callback));
            }
        }
    }
}

//! The web origin of a browser page (RFC 6454): scheme, host and port.
//!
//! An origin is compared with the `Origin` header, which browsers write in one way only: the ASCII serialization of
//! RFC 6454 §6.2, as the WHATWG URL parser produces it. So that is what is stored: upper case is lowered and a default
//! port dropped, and everything else that the parser would quietly repair (tabs, backslashes, missing slashes, an
//! encoded host, `0x7f.1` for an address) is refused. Nobody writes those by intention, and two readers of a repaired
//! text may see two hosts.
//!
//! Refused alternatives: patterns (`https://*.example.com`), since whoever takes over one forgotten sub-domain would
//! then pass; `null`, which every sandboxed page on the web sends; cutting off a path, since its author believes that
//! the path restricts something.

use url::{Host, Url};

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The longest origin, in bytes: that of a DNS name, rounded up.
const MAX_LENGTH: usize = 255;

/// A web origin, spelled as browsers send it in the `Origin` header.
///
/// `https` with any host; `http` only for the developer's own machine, which browsers too treat as a secure context.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin. Upper case and a default port are normalised.
    ///
    /// # Errors
    /// If the text is not an origin, or is not spelled as browsers spell it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_LENGTH {
            return Err(Problem::new("must be at most 255 bytes long"));
        }
        let lower = text.to_ascii_lowercase();
        let url = Url::parse(&lower).map_err(|_| not_an_origin())?;
        let default_port = match (url.scheme(), url.host_str()) {
            ("https", _) => ":443",
            ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => ":80",
            ("http", _) => {
                return Err(Problem::new("must use https; http is only for localhost, 127.0.0.1 and [::1]"));
            }
            _ => return Err(not_an_origin()),
        };
        // One comparison finds a path, a query, a fragment, user information and every repair of the parser: none of
        // them is left in the serialization.
        let canonical = url.origin().ascii_serialization();
        if lower.strip_suffix(default_port).unwrap_or(&lower) != canonical {
            return Err(not_an_origin());
        }
        if matches!(url.host(), Some(Host::Domain(name)) if !is_host_name(name)) {
            return Err(Problem::new("must have a host of letters, digits, hyphens and single dots"));
        }
        if url.port() == Some(0) {
            return Err(Problem::new("must not have port 0"));
        }
        Ok(Self(canonical))
    }

    /// Restores a stored value. It is not checked again: a rule that is tightened later, or a new public suffix, must
    /// not make a tenant unreadable.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The host, in lower case; an `IPv6` address keeps its brackets.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match authority.rsplit_once(':') {
            // The last colon of a bare IPv6 address is within its brackets.
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        }
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

fn not_an_origin() -> Problem {
    Problem::new("must be a web origin without a path or trailing slash, such as https://example.com")
}

/// Whether the text is a host name (RFC 1123 §2.1) in lower case: labels of 1 to 63 letters, digits and inner hyphens.
///
/// The WHATWG parser is laxer (`a_b`, `a..b`, `-a`, `a$b`), but neither DNS hosts nor certificates have such names.
pub(super) fn is_host_name(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}

string_newtype! { Origin, expected: "a web origin such as https://example.com", schema: {
    "type": "string",
    "format": "uri",
    "maxLength": MAX_LENGTH,
    "description": "A web origin: `https`, a host and at most a port, without a path or trailing slash, such as \
                    `https://example.com`. `http` is accepted for `localhost`, `127.0.0.1` and `[::1]` only."
} }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text, what is stored, its host.
    const ACCEPTED: &str = "
        https://example.com        https://example.com       example.com
        HTTPS://Example.COM        https://example.com       example.com
        https://a.example:443      https://a.example         a.example
        https://a.b:8443           https://a.b:8443          a.b
        https://a.b:80             https://a.b:80            a.b
        https://intranet           https://intranet          intranet
        https://xn--bcher-kva.de   https://xn--bcher-kva.de  xn--bcher-kva.de
        https://192.0.2.7:444      https://192.0.2.7:444     192.0.2.7
        https://[2001:DB8::1]      https://[2001:db8::1]     [2001:db8::1]
        https://[::443]            https://[::443]           [::443]
        http://localhost           http://localhost          localhost
        http://localhost:80        http://localhost          localhost
        http://localhost:443       http://localhost:443      localhost
        http://127.0.0.1:3000      http://127.0.0.1:3000     127.0.0.1
        http://[::1]:3000          http://[::1]:3000         [::1]
    ";

    const REFUSED: &str = "
        https://a.b/ https://a.b/x https://a.b? https://a.b?x https://a.b# https://a.b#x https://a.b:443/
        https://u@a.b https://u:p@a.b https://@a.b https://:@a.b https://a.b@c.d
        * null https://* https://*.a.b https://*:443 https://a.b:*
        http://a.b http://127.0.0.2 http://[::2] http://a.localhost http://localhost.a.b
        ftp://a.b ws://a.b wss://a.b x://a.b file:///a file://a.b blob:https://a.b data:,x javascript:1 about:blank
        a.b //a.b :// https https:// https:a.b https:/a.b https:///a.b https:\\\\a.b https://a.b,https://c.d
        https://a.b. https://a.b.:443 http://localhost. https://a..b https://.a.b https://.
        https://%61.b https://a.b%2e https://a%2eb https://a.b%00
        https://0x7f.1 http://127.1 http://2130706433 http://0177.0.0.1 https://1 https://1.2.3.4.5 https://a.1
        http://[0:0::1] https://[::1.2.3.4] https://[fe80::1%25eth0] https://::1 https://[] https://[::1
        https://a.b:0 http://localhost:0 https://a.b: https://a.b:0443 https://a.b:65536 https://a.b:-1 https://a.b:x
        https://:443 https://a.b:443:443 https://a.b:80:443
        https://a_b.c https://a,b.c https://a$b.c https://a|b.c https://-a.b https://a-.b https://xn--a.b
        https://b\u{fc}cher.de https://\u{ff41}.b https://a\u{3002}b https://\u{212a}.b
    ";

    #[test]
    fn an_origin_is_stored_as_browsers_send_it() {
        for row in ACCEPTED.trim().lines() {
            let [text, stored, host] = row.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{row}") };
            let origin = Origin::parse(text).unwrap();
            assert_eq!((origin.as_str(), origin.host()), (stored, host), "{text}");
            assert_eq!(origin.is_https(), stored.starts_with("https:"), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in REFUSED.split_whitespace().chain([""]) {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
        // No place is safe for a character that one reader drops and another keeps.
        for character in " \t\r\n\0\u{7f}\u{a0}\u{ad}\u{200b}\u{feff}\\@#?%*".chars() {
            for place in 0..="https://a.com".len() {
                let mut text = String::from("https://a.com");
                text.insert(place, character);
                assert!(Origin::parse(&text).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let label = "a".repeat(63);
        let name = [label.as_str(); 3].join(".");
        assert!(Origin::parse(&format!("https://{name}.{}", "a".repeat(55))).is_ok());
        assert!(Origin::parse(&format!("https://{name}.{}", "a".repeat(56))).is_err());
        assert!(Origin::parse(&format!("https://{label}a.b")).is_err());
    }

    #[test]
    fn json_is_the_text() {
        let origin: Origin = serde_json::from_str(r#""https://A.b:443""#).unwrap();
        assert_eq!(serde_json::to_string(&origin).unwrap(), r#""https://a.b""#);
        let problem = serde_json::from_str::<Origin>("7").unwrap_err().to_string();
        assert!(problem.contains("expected a web origin such as"), "{problem}");
        let problem = serde_json::from_str::<Origin>(r#""null""#).unwrap_err().to_string();
        assert!(problem.starts_with("must be a web origin"), "{problem}");
    }

    fn nearly_an_origin() -> impl Strategy<Value = String> {
        r"[hH]ttps?:[/\\]{2,3}[a-zA-Z0-9.:@%\[\]_-]{0,12}(:[0-9]{1,5})?[/?#]?"
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_accepted_is_canonical(text in prop_oneof![any::<String>(), nearly_an_origin()]) {
            if let Ok(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(origin.as_str()), Ok(origin.clone()));
                let url = Url::parse(origin.as_str()).unwrap();
                prop_assert_eq!(url.host_str(), Some(origin.host()));
                prop_assert_eq!(url.origin().ascii_serialization(), origin.as_str());
            }
        }

        #[test]
        fn a_host_and_a_port_are_kept(host in "[a-z]([a-z0-9]{0,8}\\.)?[a-z]{2,8}", port in 1_u16..) {
            let origin = Origin::parse(&format!("https://{host}:{port}")).unwrap();
            prop_assert_eq!(origin.host(), host);
            prop_assert_eq!(origin.as_str().ends_with(&format!(":{port}")), port != 443);
        }
    }

    #[test]
    fn http_elsewhere_is_told_why_not() {
        let problem = Origin::parse("http://a.b").unwrap_err().to_string();
        assert!(problem.contains("must use https"), "{problem}");
    }
}

//! The relying party id of passkeys (Web Authentication Level 3, §5.1.2 and the definition of "RP ID").
//!
//! A passkey belongs to its RP ID for good and every origin at or below that name may use it, so the name has to belong
//! to one party: it is a registrable domain (one label more than a public suffix, publicsuffix.org) or lies below one.
//! The private section of the list counts: `github.io` would share the passkeys of every project there. A suffix that
//! the list does not know is refused; the list's own default rule (`*`) would make a registrable domain of any two
//! labels, internal names among them.
//!
//! Refused alternatives: lowering upper case, since the authenticator hashes the bytes and a tenant's own front end
//! would go on with the other spelling; `localhost`, which browsers allow for experiments, but where every program on
//! the user's machine is the same party.

use url::Host;

use super::origin::{Origin, is_host_name};
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The longest domain name in its textual form, in bytes (RFC 1035 §2.3.4, less the length and root octets).
const MAX_LENGTH: usize = 253;

/// A WebAuthn relying party id: a domain name that one party controls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RpId(String);

/// What a service that `cargo dev` runs takes as well, for a page on the developer's own machine.
#[cfg(feature = "loopback-callbacks")]
const LOCAL: &str = "localhost";

impl RpId {
    /// Reads a relying party id, which is never normalised.
    ///
    /// # Errors
    /// If the text is not a domain name in lower case, or is not at or below a registrable domain.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        #[cfg(feature = "loopback-callbacks")]
        if text == LOCAL {
            return Ok(Self(text.to_owned()));
        }
        if text.len() > MAX_LENGTH {
            return Err(Problem::new("must be at most 253 bytes long"));
        }
        // The URL parser also tells addresses from names and checks `xn--` labels, which is what the browser does.
        if !is_host_name(text) || !matches!(Host::parse(text), Ok(Host::Domain(name)) if name == text) {
            return Err(Problem::new(
                "must be a domain name alone, in lower case and without scheme, port or trailing dot, such as \
                 example.com",
            ));
        }
        if !has_registrable_domain(text) {
            return Err(Problem::new("must be a registrable domain of the public suffix list, or a sub-domain of one"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Restores a stored value. It is not checked again: a rule that is tightened later, or a new public suffix, must
    /// not make a tenant unreadable.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether pages of the origin may use this relying party's passkeys.
    ///
    /// The rule is "is a registrable domain suffix of or is equal to" of the HTML standard, on `https` alone. Its last
    /// step matters where suffixes nest: `amazonaws.com` is a registrable domain, but the bucket
    /// `a.s3.amazonaws.com` is another party, because `s3.amazonaws.com` is a public suffix again.
    pub fn covers(&self, origin: &Origin) -> bool {
        let host = origin.host();
        #[cfg(feature = "loopback-callbacks")]
        if self.0 == LOCAL {
            return host == LOCAL;
        }
        let at_or_below =
            host.strip_suffix(self.as_str()).is_some_and(|labels| labels.is_empty() || labels.ends_with('.'));
        // Both are suffixes of the host, so the longer one is at or below the shorter.
        let same_party = psl::domain_str(host).is_some_and(|registrable| registrable.len() <= self.0.len());
        origin.is_https() && at_or_below && same_party
    }
}

/// Whether a lower-case host name is at or below a registrable domain of a known public suffix.
///
/// False for addresses as well: no suffix is numeric.
pub(super) fn has_registrable_domain(host: &str) -> bool {
    psl::domain(host.as_bytes()).is_some_and(|domain| domain.suffix().is_known())
}

string_newtype! { RpId, expected: "a relying party id, a domain such as example.com", schema: {
    // No format `hostname`: it also allows upper case and single labels.
    "type": "string",
    "maxLength": MAX_LENGTH,
    "description": "A WebAuthn relying party id: a registrable domain by the public suffix list or a sub-domain of \
                    one, in lower case, such as `example.com`."
} }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACCEPTED: &str = "
        example.com login.example.com a.b.c.example.co.uk example.co.uk 1.com a--b.com
        xn--bcher-kva.de bank.xn--p1ai
        project.github.io a.project.github.io abc123.execute-api.us-east-1.amazonaws.com
        www.ck city.kawasaki.jp
    ";

    const REFUSED: &str = "
        com co.uk github.io s3.amazonaws.com us-east-1.elasticbeanstalk.com foo.kawasaki.jp foo.ck xn--p1ai
        a.localhost a.local a.internal a.test a.invalid a.example a.lan intranet a.b.c.zzzz
        127.0.0.1 1.2.3.4 0x7f.1 2130706433 [::1] ::1 [2001:db8::1] 1.2.3
        https://example.com //example.com example.com:443 example.com/ example.com/x u@example.com
        . .. .com example.com. .example.com a..example.com example..com
        * *.com *.example.com
        Example.com EXAMPLE.COM example.COM
        - -example.com example-.com a.-b.com a-.example.com -.com
        a_b.com a,b.com a'b.com a$b.com a%2eb.com %61.com
        b\u{fc}cher.de \u{ff45}xample.com example\u{3002}com \u{212a}.com
        xn--a.com xn--.com xn--example-.com
    ";

    /// The last rows: another party below a public suffix that itself lies below a registrable domain.
    const COVERED: &str = "
        example.com        covers  https://example.com
        example.com        covers  https://example.com:8443
        example.com        covers  https://a.b.example.com
        example.com        not     https://notexample.com
        example.com        not     https://example.com.evil.net
        example.com        not     https://com
        example.com        not     https://127.0.0.1
        example.com        not     https://[::1]
        example.com        not     http://localhost
        login.example.com  covers  https://login.example.com
        login.example.com  covers  https://a.login.example.com
        login.example.com  not     https://example.com
        login.example.com  not     https://shop.example.com
        project.github.io  covers  https://project.github.io
        project.github.io  not     https://other.github.io
        amazonaws.com      covers  https://amazonaws.com
        amazonaws.com      not     https://s3.amazonaws.com
        amazonaws.com      not     https://bucket.s3.amazonaws.com
        kawasaki.jp        not     https://a.foo.kawasaki.jp
    ";

    #[test]
    fn domains_of_one_party_are_accepted() {
        for text in ACCEPTED.split_whitespace() {
            assert_eq!(RpId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in REFUSED.split_whitespace().chain([""]) {
            assert!(RpId::parse(text).is_err(), "{text}");
        }
        for character in " \t\r\n\0\u{7f}\u{a0}\u{ad}\u{200b}\u{feff}\\@#?%*:/_".chars() {
            for place in 0..="a.com".len() {
                let mut text = String::from("a.com");
                text.insert(place, character);
                assert!(RpId::parse(&text).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let label = "a".repeat(63);
        assert!(RpId::parse(&format!("{label}.com")).is_ok());
        assert!(RpId::parse(&format!("{label}a.com")).is_err());
        let name = [label.as_str(); 3].join(".");
        assert!(RpId::parse(&format!("{}.{name}.com", "b".repeat(57))).is_ok());
        assert!(RpId::parse(&format!("{}.{name}.com", "b".repeat(58))).is_err());
    }

    #[test]
    fn an_origin_is_covered_at_or_below_the_name_on_https() {
        for row in COVERED.trim().lines() {
            let [id, covered, origin] = row.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{row}") };
            let origin = Origin::parse(origin).unwrap();
            assert_eq!(RpId::parse(id).unwrap().covers(&origin), covered == "covers", "{row}");
        }
    }

    #[test]
    fn json_is_the_text() {
        let id: RpId = serde_json::from_str(r#""example.com""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""example.com""#);
        let problem = serde_json::from_str::<RpId>("[]").unwrap_err().to_string();
        assert!(problem.contains("expected a relying party id"), "{problem}");
        let problem = serde_json::from_str::<RpId>(r#""com""#).unwrap_err().to_string();
        assert!(problem.starts_with("must be a registrable domain"), "{problem}");
    }

    fn nearly_a_domain() -> impl Strategy<Value = String> {
        r"[a-z0-9-]{0,10}[A-Z._%]?[a-z0-9]{0,2}\.?(com|co\.uk|github\.io|jp|local|xn--p1ai)\.?"
    }

    #[cfg(not(feature = "loopback-callbacks"))]
    #[test]
    fn the_developers_own_machine_is_no_party() {
        assert!(RpId::parse("localhost").is_err());
    }

    #[cfg(feature = "loopback-callbacks")]
    #[test]
    fn cargo_dev_takes_the_developers_own_machine_by_its_name() {
        let local = RpId::parse("localhost").unwrap();
        for (origin, is_covered) in [
            ("http://localhost:3000", true),
            ("https://localhost", true),
            ("http://127.0.0.1:3000", false),
            ("https://example.com", false),
        ] {
            assert_eq!(local.covers(&Origin::parse(origin).unwrap()), is_covered, "{origin}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_accepted_covers_its_own_origin(
            text in prop_oneof![any::<String>(), nearly_a_domain()],
        ) {
            if let Ok(id) = RpId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
                let origin = Origin::parse(&format!("https://{id}")).unwrap();
                prop_assert!(id.covers(&origin));
            }
        }

        #[test]
        fn a_name_covers_what_is_below_it_and_not_what_ends_like_it(
            id in r"[a-z]{1,8}\.example\.(com|org|co\.uk)", label in "[a-z0-9]{1,8}",
        ) {
            let id = RpId::parse(&id).unwrap();
            let below = Origin::parse(&format!("https://{label}.{id}")).unwrap();
            let beside = Origin::parse(&format!("https://{label}{id}")).unwrap();
            prop_assert!(id.covers(&below));
            prop_assert!(!id.covers(&beside));
        }
    }
}

//! How near the phone and the browser are, as far as their addresses tell.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::trace_key::TraceKey;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The IP address of a browser or a phone. An `IPv4` address in `IPv6` (RFC 4291 §2.5.5.2) is that `IPv4` address,
/// in whatever spelling: one browser has one.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserAddress(String);

impl BrowserAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// If the text is no `IPv4` or `IPv6` address, or one with a zone.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let address: IpAddr = text.parse().map_err(|_| Problem::new("must be an IPv4 or IPv6 address"))?;
        Ok(Self(address.to_canonical().to_string()))
    }

    fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }

    /// Its network: the first 24 bits of an `IPv4` address, the first 48 of an `IPv6` address.
    pub fn network(&self) -> Option<BrowserNetwork> {
        let network = match self.ip()? {
            IpAddr::V4(address) => {
                let [one, two, three, _] = address.octets();
                format!("{}/24", Ipv4Addr::new(one, two, three, 0))
            }
            IpAddr::V6(address) => {
                let [one, two, three, ..] = address.segments();
                format!("{}/48", Ipv6Addr::new(one, two, three, 0, 0, 0, 0, 0))
            }
        };
        Some(BrowserNetwork(network))
    }

    /// The name under which the logins of an address are counted: a digest under the deployment's key, since addresses
    /// are few enough to try all of them. Of an `IPv6` address the first 64 bits: whoever has one has all that begin
    /// so.
    pub fn counted_as(&self, tenant: &TenantId, key: &TraceKey) -> String {
        let counted = match self.ip() {
            Some(IpAddr::V6(address)) => {
                let [one, two, three, four, ..] = address.segments();
                Ipv6Addr::new(one, two, three, four, 0, 0, 0, 0).to_string()
            }
            _ => self.0.clone(),
        };
        key.counted(tenant, "address", &counted)
    }
}

impl fmt::Debug for BrowserAddress {
    /// Its name only: an address is a person's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BrowserAddress")
    }
}

string_newtype! { BrowserAddress, expected: "a string", schema: {
    "type": "string",
    "maxLength": 45,
    "description": "IPv4 or IPv6 address of the browser.",
} }

/// The network of a browser. All that is kept of its address.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserNetwork(String);

impl BrowserNetwork {
    /// Restores a stored value.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_v6(&self) -> bool {
        self.0.contains(':')
    }
}

impl fmt::Debug for BrowserNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BrowserNetwork")
    }
}

impl fmt::Display for BrowserNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How near the phone is to the browser, as far as their addresses tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proximity {
    /// Both have the same address, or one that begins alike: 24 bits of `IPv4`, 48 of `IPv6`.
    SameNetwork,
    /// An address is not known, or one is of `IPv4` and the other of `IPv6`.
    Unknown,
    /// Both are known, of one family, and of different networks.
    Distant,
}

impl Proximity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SameNetwork, Self::Unknown, Self::Distant];

    /// How near two networks are.
    pub fn of(browser: Option<&BrowserNetwork>, phone: Option<&BrowserNetwork>) -> Self {
        match (browser, phone) {
            (Some(browser), Some(phone)) if browser == phone => Self::SameNetwork,
            (Some(browser), Some(phone)) if browser.is_v6() == phone.is_v6() => Self::Distant,
            _ => Self::Unknown,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameNetwork => "same_network",
            Self::Unknown => "unknown",
            Self::Distant => "distant",
        }
    }

    /// Reads what [`Proximity::as_str`] gave.
    ///
    /// # Errors
    /// If it is no such name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| Problem::new("is no proximity"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> BrowserAddress {
        BrowserAddress::parse(text).unwrap()
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (text, canonical) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
        ] {
            assert_eq!(address(text).as_str(), canonical);
        }
        for text in
            ["", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1:80", "[::1]", "fe80::1%eth0", "localhost", " ::1"]
        {
            assert!(BrowserAddress::parse(text).is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", address("192.0.2.1")), "BrowserAddress");
    }

    #[test]
    fn nearness_is_that_of_the_network() {
        let rows = "
            192.0.2.1 192.0.2.1 same_network
            192.0.2.1 192.0.2.254 same_network
            192.0.2.1 192.0.3.1 distant
            ::ffff:192.0.2.1 192.0.2.9 same_network
            2001:db8:1::1 2001:db8:1:ffff::2 same_network
            2001:db8:1::1 2001:db8:2::1 distant
            2001:db8:1::1 192.0.2.1 unknown
            192.0.2.1 ? unknown
            ? 192.0.2.1 unknown
            ? ? unknown
        ";
        for row in rows.trim().lines() {
            let parts: Vec<_> = row.split_whitespace().collect();
            let network = |text: &str| BrowserAddress::parse(text).ok().and_then(|address| address.network());
            let proximity = Proximity::of(network(parts[0]).as_ref(), network(parts[1]).as_ref());
            assert_eq!(proximity.as_str(), parts[2], "{row}");
            assert_eq!(serde_json::to_value(proximity).unwrap(), parts[2]);
            assert_eq!(Proximity::parse(parts[2]), Ok(proximity));
        }
        assert!(Proximity::parse("near").is_err());
    }

    #[test]
    fn what_is_counted_is_an_address_of_ipv4_and_a_subscriber_of_ipv6() {
        let key = TraceKey::parse(&"a".repeat(48)).unwrap();
        let [tenant, other] = [1, 2].map(|byte| TenantId::of(&[byte; 16]));
        let counted = |text: &str| address(text).counted_as(&tenant, &key);
        assert_eq!(counted("192.0.2.1"), counted("::ffff:192.0.2.1"));
        assert_ne!(counted("192.0.2.1"), counted("192.0.2.2"));
        assert_eq!(counted("2001:db8::1"), counted("2001:db8::ffff:1"));
        assert_ne!(counted("2001:db8::1"), counted("2001:db8:0:1::1"));
        assert_ne!(counted("192.0.2.1"), address("192.0.2.1").counted_as(&other, &key));
        assert!(!counted("192.0.2.1").contains("192"));
    }

    #[test]
    fn a_network_is_all_that_is_kept() {
        assert_eq!(address("192.0.2.77").network().unwrap().as_str(), "192.0.2.0/24");
        assert_eq!(address("2001:db8:1:2:3::4").network().unwrap().as_str(), "2001:db8:1::/48");
        let network = address("192.0.2.77").network().unwrap();
        assert_eq!(BrowserNetwork::from_stored(&network.to_string()), network);
        assert_eq!(format!("{network:?}"), "BrowserNetwork");
    }
}

//! Which addresses may be dialled for a tenant: those of public hosts.
//!
//! What the operator entered is a name ([`CallbackUrl`](crate::domain::tenants::CallbackUrl) refuses everything else),
//! and whoever owns the name decides what it stands for, anew at each look-up. So each address of an answer is checked,
//! and a checked one is dialled.
//!
//! Sources: the IANA registries of special-purpose addresses for [IPv4] and [IPv6] (RFC 6890, as of 2025), of
//! [multicast] addresses, and of [global unicast] addresses. `Ipv4Addr::is_global` of the standard library is unstable.
//! Prefixes that the registries call globally reachable (AS112, AMT) are refused, too: nobody receives callbacks there.
//!
//! [IPv4]: https://www.iana.org/assignments/iana-ipv4-special-registry
//! [IPv6]: https://www.iana.org/assignments/iana-ipv6-special-registry
//! [multicast]: https://www.iana.org/assignments/multicast-addresses
//! [global unicast]: https://www.iana.org/assignments/ipv6-unicast-address-assignments

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Networks of `IPv4` that are not public: first address, length of the prefix, what it is.
const NOT_PUBLIC_V4: [([u8; 4], u32, &str); 18] = [
    ([0, 0, 0, 0], 8, "this network (RFC 791)"),
    ([10, 0, 0, 0], 8, "private use (RFC 1918)"),
    ([100, 64, 0, 0], 10, "shared address space of carriers (RFC 6598)"),
    ([127, 0, 0, 0], 8, "loopback (RFC 1122)"),
    // Instance metadata, and the time and DNS services of AWS.
    ([169, 254, 0, 0], 16, "link local (RFC 3927)"),
    // In no registry: an address of Microsoft's that answers within each of its virtual networks.
    ([168, 63, 129, 16], 32, "platform services of Azure"),
    ([172, 16, 0, 0], 12, "private use (RFC 1918)"),
    ([192, 0, 0, 0], 24, "IETF protocol assignments (RFC 6890)"),
    ([192, 0, 2, 0], 24, "documentation (RFC 5737)"),
    ([192, 31, 196, 0], 24, "AS112 (RFC 7535)"),
    ([192, 52, 193, 0], 24, "AMT (RFC 7450)"),
    ([192, 88, 99, 0], 24, "6to4 relays (RFC 7526)"),
    ([192, 168, 0, 0], 16, "private use (RFC 1918)"),
    ([192, 175, 48, 0], 24, "AS112 (RFC 7534)"),
    ([198, 18, 0, 0], 15, "benchmarks (RFC 2544)"),
    ([198, 51, 100, 0], 24, "documentation (RFC 5737)"),
    ([203, 0, 113, 0], 24, "documentation (RFC 5737)"),
    // Multicast (RFC 5771), reserved (RFC 1112) and limited broadcast (RFC 8190).
    ([224, 0, 0, 0], 3, "multicast or reserved"),
];

/// Where `IPv6` has public hosts (RFC 4291 §2.4, and the registry of global unicast addresses). Outside of it are the
/// unspecified address, loopback, mapped and compatible `IPv4` addresses, both prefixes of NAT64, discard-only and
/// segment-routing prefixes, unique local, link-local, site-local and multicast addresses.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within it that are not public.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32, &str); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "IETF protocol assignments and Teredo (RFC 2928, RFC 4380)"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation (RFC 3849)"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4 (RFC 3056)"),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, "AS112 (RFC 7534)"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation (RFC 9637)"),
];

/// An address is none of a public host. It says what for an address it is, and not which: that is the tenant's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPublic(&'static str);

impl fmt::Display for NotPublic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for NotPublic {}

/// Checks that an address is one of a public host.
///
/// An `IPv6` address in which an `IPv4` address is embedded is refused, whatever that one is: the resolver has the
/// plain one to give, and a translator on the way would decide where the connection ends.
///
/// # Errors
/// If it is not.
pub fn check_public(address: IpAddr) -> Result<(), NotPublic> {
    let found = match address {
        IpAddr::V4(address) => NOT_PUBLIC_V4.iter().find_map(|(network, length, name)| {
            let differing = address.to_bits() ^ u32::from_be_bytes(*network);
            (differing.leading_zeros() >= *length).then_some(*name)
        }),
        IpAddr::V6(address) => {
            let is_within =
                |network: Ipv6Addr, length: u32| (address.to_bits() ^ network.to_bits()).leading_zeros() >= length;
            let listed =
                NOT_PUBLIC_V6.iter().find_map(|(network, length, name)| is_within(*network, *length).then_some(*name));
            let (network, length) = PUBLIC_V6;
            if is_within(network, length) { listed } else { Some("no global unicast address (RFC 4291)") }
        }
    };
    found.map_or(Ok(()), |name| Err(NotPublic(name)))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    /// First and last address of each network that is refused, and addresses that stand for an internal one.
    const REFUSED: &str = "
        0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255
        169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255 168.63.129.16 172.16.0.0 172.31.255.255
        192.0.0.0 192.0.0.8 192.0.0.9 192.0.0.170 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.255
        192.31.196.0 192.31.196.255 192.52.193.0 192.52.193.255 192.88.99.0 192.88.99.2 192.88.99.255
        192.168.0.0 192.168.255.255 192.175.48.0 192.175.48.255 198.18.0.0 198.19.255.255
        198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255
        224.0.0.0 224.0.0.251 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255
        :: ::1 ::2 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
        ::ffff:255.255.255.255 64:ff9b:: 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b::ffff:ffff
        64:ff9b:1:: 64:ff9b:1::a00:1
        64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100:: 100::ffff:ffff:ffff:ffff 100:0:0:1:: 1fff:ffff::
        2001:: 2001::1 2001:0:7f00:1:: 2001:1::1 2001:1::2 2001:2:: 2001:3:: 2001:4:112:: 2001:10:: 2001:20:: 2001:30::
        2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: 2001:db8::1 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
        2002:: 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:808:808::1 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff
        2620:4f:8000:: 2620:4f:8000:ffff:ffff:ffff:ffff:ffff 3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff
        4000:: 5f00:: 5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff 8000:: fc00:: fd00:ec2::254 fdff:ffff:ffff:ffff::1
        fe00:: fe80:: fe80::1 fe80::a9fe:a9fe febf:ffff:ffff:ffff::1 fec0:: feff:ffff:ffff:ffff::1 ff00::
        ff02::1 ff0e::1
        ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    ";

    /// The neighbours of those networks, and well-known public hosts.
    const ACCEPTED: &str = "
        1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
        169.255.0.0 168.63.129.15 168.63.129.17 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0
        192.0.1.255 192.0.3.0
        192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
        192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
        223.255.255.255
        2000:: 2001:200:: 2001:4860:4860::8888 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2003:: 2600:1f18::1
        2606:4700:4700::1111 2620:4f:7fff:ffff:ffff:ffff:ffff:ffff 2620:4f:8001:: 2a00:1450:4001::1
        3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    ";

    #[test]
    fn a_refusal_says_what_the_address_is() {
        let refused = check_public(Ipv4Addr::LOCALHOST.into()).unwrap_err();
        assert!(refused.to_string().contains("loopback"), "{refused}");
    }

    #[test]
    fn no_special_purpose_address_is_public() {
        let mut seen = 0;
        for text in REFUSED.split_whitespace() {
            assert!(check_public(text.parse().unwrap()).is_err(), "{text}");
            seen += 1;
        }
        assert!(seen >= 80, "{seen}");
    }

    #[test]
    fn their_neighbours_are() {
        for text in ACCEPTED.split_whitespace() {
            assert_eq!(check_public(text.parse().unwrap()), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_the_network_and_not_the_address() {
        for text in REFUSED.split_whitespace() {
            let refusal = check_public(text.parse().unwrap()).unwrap_err();
            assert!(!refusal.to_string().contains(text) || text == "::", "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn no_address_is_public_that_the_standard_library_knows_as_special(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let is_special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_documentation()
                || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!is_special || check_public(address.into()).is_err());
        }

        #[test]
        fn no_embedded_address_is_public(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let [a, b] = [bits >> 16, bits & 0xffff].map(|half| u16::try_from(half).unwrap());
            for embedding in [
                address.to_ipv6_mapped(),
                address.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 1, a, b, 0, 0, 0),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, a, b, 0, 0, !a, !b),
            ] {
                prop_assert!(check_public(embedding.into()).is_err(), "{}", embedding);
            }
        }
    }
}

//! Which addresses a source may not lead to, and which the operator opened.
//!
//! A feed, a redirect or a name server is hostile input: none of them may make us ask a machine that only
//! we can reach. The table is the IANA special-purpose registries (RFC 6890, as of 2026-11) and, beyond
//! them, the two metadata services that live on public addresses. What is not global unicast is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

/// Refused IPv4 ranges: base, prefix length, and what lives there.
const V4: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared with a carrier"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a metadata service"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Refused IPv6 ranges, the embedded IPv4 addresses apart.
const V6: &[(Ipv6Addr, u8, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::UNSPECIFIED, 96, "IPv4-compatible"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local translation"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discarded"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "a Teredo tunnel"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

/// The only range of global unicast (RFC 4291 section 2.4).
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The prefix of 6to4, which holds an IPv4 address in its next 32 bits (RFC 3056).
const SIX_TO_FOUR: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Prefixes of 96 bits that hold an IPv4 address in the last 32: NAT64 (RFC 6052), mapped and translated.
const ENDS_IN_V4: &[Ipv6Addr] = &[
    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
    Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
    Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0),
];

/// Why this address is refused to sources, redirects and article links; `None` when it is public.
///
/// An IPv6 address that stands for an IPv4 address is judged by that one.
pub fn refused(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => {
            V4.iter().find(|&&(base, prefix, _)| within_v4(ip, base, prefix)).map(|&(_, _, why)| why)
        }
        IpAddr::V6(ip) => refused_v6(ip),
    }
}

fn refused_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(embedded) = embedded_v4(ip) {
        return refused(IpAddr::V4(embedded));
    }
    let listed = V6.iter().find(|&&(base, prefix, _)| within_v6(ip, base, prefix)).map(|&(_, _, why)| why);
    let (base, prefix) = GLOBAL_UNICAST;
    listed.or_else(|| (!within_v6(ip, base, prefix)).then_some("not public"))
}

/// The IPv4 address that packets for this one end up at.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let (base, prefix) = SIX_TO_FOUR;
    let [_, high, low, .., last_high, last_low] = ip.segments();
    if within_v6(ip, base, prefix) {
        return Some(v4(high, low));
    }
    ENDS_IN_V4.iter().any(|&base| within_v6(ip, base, 96)).then(|| v4(last_high, last_low))
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

fn within_v4(ip: Ipv4Addr, base: Ipv4Addr, prefix: u8) -> bool {
    let differing = ip.to_bits() ^ base.to_bits();
    differing.checked_shr(32 - u32::from(prefix)).unwrap_or(0) == 0
}

fn within_v6(ip: Ipv6Addr, base: Ipv6Addr, prefix: u8) -> bool {
    let differing = ip.to_bits() ^ base.to_bits();
    differing.checked_shr(128 - u32::from(prefix)).unwrap_or(0) == 0
}

/// The ranges of `allow_networks`: private or loopback addresses that sources may reach all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Arc<[Network]>);

/// A base address and the length of the prefix that counts, at most 32 or 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Networks {
    /// Whether an address lies in one of the ranges; one mapped into IPv6 counts as the IPv4 address it is.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| match (ip, network.base) {
            (IpAddr::V4(ip), IpAddr::V4(base)) => within_v4(ip, base, network.prefix),
            (IpAddr::V6(ip), IpAddr::V6(base)) => within_v6(ip, base, network.prefix),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        })
    }

    /// Why an address is refused, given these ranges.
    pub fn refuse(&self, ip: IpAddr) -> Option<&'static str> {
        refused(ip).filter(|_| !self.contains(ip))
    }

    /// Why a URL is refused when its host is written as an address: a resolver is never asked for those.
    pub fn refuse_literal(&self, url: &Url) -> Option<&'static str> {
        match url.host()? {
            Host::Ipv4(ip) => self.refuse(IpAddr::V4(ip)),
            Host::Ipv6(ip) => self.refuse(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        }
    }
}

/// The text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    /// Takes `127.0.0.0/8`, `fd00::/8` and a bare address, which means itself alone.
    fn from_str(range: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = range.split_once('/').map_or((range, None), |(a, p)| (a, Some(p)));
        let read = || {
            let base: IpAddr = address.parse().ok()?;
            let longest = if base.is_ipv4() { 32 } else { 128 };
            let prefix = match prefix {
                None => longest,
                // `u8::from_str` would take "+8".
                Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok()?,
                Some(_) => return None,
            };
            (prefix <= longest).then_some(Self { base, prefix })
        };
        read().ok_or_else(|| NotANetwork(range.to_owned()))
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn why(address: &str) -> Option<&'static str> {
        refused(address.parse().unwrap())
    }

    #[test]
    fn addresses_only_we_can_reach_are_refused() {
        let rows = [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.1.2.3", "private"),
            ("100.64.0.1", "shared with a carrier"),
            ("100.100.100.200", "shared with a carrier"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.255", "loopback"),
            ("168.63.129.16", "a metadata service"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "reserved"),
            ("192.168.1.1", "private"),
            ("198.19.0.1", "benchmarking"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4-compatible"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:0:10.0.0.1", "private"),
            ("64:ff9b::169.254.169.254", "link-local"),
            ("64:ff9b:1::1", "local translation"),
            ("100::1", "discarded"),
            ("2001::1", "a Teredo tunnel"),
            ("2001:10::1", "reserved"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "loopback"),
            ("2002:a9fe:a9fe::1", "link-local"),
            ("3fff::1", "documentation"),
            ("4000::1", "not public"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ];
        for (address, expected) in rows {
            assert_eq!(why(address), Some(expected), "{address}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        let rows = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::5e",
        ];
        for address in rows {
            assert_eq!(why(address), None, "{address}");
        }
    }

    #[test]
    fn every_way_to_write_a_literal_is_seen() {
        let none = Networks::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "[::1]",
            "[::ffff:7f00:1]",
            "127.0.0.1.",
        ] {
            let url = Url::parse(&format!("http://{host}/feed")).unwrap();
            assert_eq!(none.refuse_literal(&url), Some("loopback"), "{host}");
        }
        assert_eq!(none.refuse_literal(&Url::parse("http://example.org/").unwrap()), None);
    }

    #[test]
    fn allowed_networks_open_their_range_alone() {
        let ranges = ["127.0.0.0/8", "fd00::/8", "10.0.0.7"];
        let networks: Networks = ranges.iter().map(|range| range.parse::<Network>().unwrap()).collect();
        for (address, expected) in [
            ("127.0.0.1", None),
            ("::ffff:127.0.0.1", None),
            ("fd12::1", None),
            ("10.0.0.7", None),
            ("10.0.0.8", Some("private")),
            ("::1", Some("loopback")),
            ("64:ff9b::127.0.0.1", Some("loopback")),
        ] {
            assert_eq!(networks.refuse(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_range_that_is_none_is_named() {
        for bad in ["", "lan", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0/8"]
        {
            let error = bad.parse::<Network>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{bad}` is no network"));
        }
    }

    proptest! {
        #[test]
        fn a_network_of_length_zero_holds_its_whole_family(bits: u32) {
            let all: Networks = ["0.0.0.0/0".parse::<Network>().unwrap()].into_iter().collect();
            prop_assert!(all.contains(IpAddr::V4(Ipv4Addr::from_bits(bits))));
        }

        #[test]
        fn an_address_in_ipv6_disguise_is_judged_as_itself(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let expected = refused(IpAddr::V4(v4));
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(refused(IpAddr::V6(v6)), expected, "{}", v6);
            }
        }
    }
}

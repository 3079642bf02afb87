//! Which addresses a check may connect to.
//!
//! What an administrator configured may lie in a private network; what an answer leads to may not, unless the configured
//! host itself lies in one. Link-local addresses, where clouds keep the credentials of machines, are never reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anybody's.
    Public,
    /// This machine's, or a private network's.
    Private,
    /// Nothing that a check may talk to: link-local, multicast, unspecified, reserved.
    Never,
}

impl Reach {
    /// Of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    let never = address.is_link_local() || address.is_multicast() || address.is_broadcast() || a == 0 || a >= 240;
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    // Alibaba Cloud's metadata lies in the shared range.
    if never || address == Ipv4Addr::new(100, 100, 100, 200) {
        Reach::Never
    } else if address.is_loopback() || address.is_private() || shared || benchmark || (a, b, c) == (192, 0, 0) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    if let Some(v4) = address.to_ipv4_mapped() {
        return of_v4(v4);
    }
    let segments = address.segments();
    // 6to4 and NAT64 carry an IPv4 address, which is where they lead.
    if segments[0] == 0x2002 {
        return of_v4(embedded(segments[1], segments[2]));
    }
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return of_v4(embedded(segments[6], segments[7]));
    }
    let metadata = segments == [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254];
    let link_local = segments[0] & 0xffc0 == 0xfe80;
    if metadata || link_local || address.is_multicast() || address.is_unspecified() {
        Reach::Never
    } else if address.is_loopback() || segments[0] & 0xfe00 == 0xfc00 || segments[0] & 0xffc0 == 0xfec0 {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

/// Whether every address may be connected to: of a configured host, or of one that an answer named. The first that may
/// not is the error.
pub fn allow(addresses: &[IpAddr], private: bool) -> Result<(), IpAddr> {
    let refused = |address: &&IpAddr| match Reach::of(**address) {
        Reach::Public => false,
        Reach::Private => !private,
        Reach::Never => true,
    };
    addresses.iter().find(refused).map_or(Ok(()), |address| Err(*address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (address, want) in [
            ("203.0.113.9", Reach::Public),
            ("2001:db8::1", Reach::Public),
            ("127.0.0.1", Reach::Private),
            ("10.1.2.3", Reach::Private),
            ("172.31.0.1", Reach::Private),
            ("172.32.0.1", Reach::Public),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("100.100.100.200", Reach::Never),
            ("198.18.0.1", Reach::Private),
            ("169.254.169.254", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("::", Reach::Never),
            ("::1", Reach::Private),
            ("fd00::1", Reach::Private),
            ("fd00:ec2::254", Reach::Never),
            ("fe80::1", Reach::Never),
            ("::ffff:10.0.0.1", Reach::Private),
            ("::ffff:169.254.169.254", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("64:ff9b::a00:1", Reach::Private),
            ("64:ff9b::cb00:7109", Reach::Public),
        ] {
            assert_eq!(Reach::of(address.parse().unwrap()), want, "{address}");
        }
    }

    #[test]
    fn one_private_address_among_public_ones_is_enough_to_refuse() {
        let list: Vec<IpAddr> = ["203.0.113.9", "10.0.0.1"].map(|text| text.parse().unwrap()).into();
        assert_eq!(allow(&list, false), Err(list[1]));
        assert_eq!(allow(&list, true), Ok(()));
        let metadata = ["169.254.169.254".parse().unwrap()];
        assert_eq!(allow(&metadata, true), Err(metadata[0]));
    }
}

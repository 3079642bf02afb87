//! Echo requests (ping), where this machine lets the server send them.

use super::network::{Deadline, Fault, micros_since};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use std::net::{IpAddr, SocketAddr};
use tokio::net::UdpSocket;
use tokio::time::Instant;
use watch::check::WhyCode;

/// Random bytes by which an answer is known.
const NONCE: usize = 16;

/// Why nothing could be sent.
#[derive(Debug)]
pub enum EchoError {
    /// The machine doesn't allow it.
    NotAllowed,
    /// Nothing came back, or something went wrong.
    Fault(Fault),
}

struct Socket {
    socket: UdpSocket,
    v6: bool,
}

impl Socket {
    /// A socket for pings without privileges, else a raw one with them.
    fn open(v6: bool) -> Result<Self, EchoError> {
        let (family, protocol) =
            if v6 { (AddressFamily::INET6, ipproto::ICMPV6) } else { (AddressFamily::INET, ipproto::ICMP) };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let plain = socket_with(family, SocketType::DGRAM, flags, Some(protocol));
        let opened = plain.or_else(|_| socket_with(family, SocketType::RAW, flags, Some(protocol)));
        let fd = opened.map_err(|error| match error {
            Errno::ACCESS | Errno::PERM | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => EchoError::NotAllowed,
            other => EchoError::Fault(Fault::answered(WhyCode::Ping, "a socket for pings", other.to_string())),
        })?;
        let socket = UdpSocket::from_std(fd.into());
        let failed = |error: std::io::Error| {
            EchoError::Fault(Fault::answered(WhyCode::Ping, "a socket for pings", error.to_string()))
        };
        Ok(Self { socket: socket.map_err(failed)?, v6 })
    }
}

/// An echo request: type, code, checksum, identifier, sequence, nonce.
fn request(v6: bool, nonce: [u8; NONCE]) -> Vec<u8> {
    let mut packet = vec![if v6 { 128 } else { 8 }, 0, 0, 0, 0, 0, 0, 1];
    packet.extend(nonce);
    // The kernel knows the checksum of IPv6, whose addresses are part of it.
    if !v6 {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// The Internet checksum of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from)).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    #[expect(clippy::cast_possible_truncation, reason = "folded to 16 bits above")]
    let folded = sum as u16;
    !folded
}

/// Whether a packet is the answer to the request with this nonce. Raw sockets hand over the IPv4 header too.
fn is_answer(packet: &[u8], v6: bool, nonce: [u8; NONCE]) -> bool {
    let of =
        |packet: &[u8]| packet.first() == Some(if v6 { &129 } else { &0 }) && packet.get(8..8 + NONCE) == Some(&nonce);
    let behind_header =
        packet.first().filter(|first| !v6 && **first >> 4 == 4).map(|first| usize::from(first & 15) * 4);
    of(packet) || behind_header.and_then(|at| packet.get(at..)).is_some_and(of)
}

/// Sends one echo request; how long the answer took, microseconds.
pub async fn echo(address: IpAddr, deadline: Deadline) -> Result<u64, EchoError> {
    let Socket { socket, v6 } = Socket::open(address.is_ipv6())?;
    let nonce: [u8; NONCE] = rand::random();
    let expected = deadline.text(&format!("an echo of {address}"));
    let silent = |got: &str| {
        let mut fault = Fault::answered(WhyCode::Ping, &expected, got);
        fault.silence = true;
        EchoError::Fault(fault)
    };
    let begin = Instant::now();
    let exchange = async {
        socket.send_to(&request(v6, nonce), SocketAddr::new(address, 0)).await?;
        let mut packet = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut packet).await?;
            if from.ip() == address && is_answer(&packet[..length], v6, nonce) {
                return Ok::<_, std::io::Error>(());
            }
        }
    };
    match deadline.limit(exchange).await {
        None => Err(silent("nothing")),
        Some(Ok(())) => Ok(micros_since(begin)),
        Some(Err(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(EchoError::NotAllowed),
        Some(Err(error)) => Err(silent(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_request_has_a_right_checksum_and_its_answer_is_known() {
        let nonce = [7; NONCE];
        let packet = request(false, nonce);
        assert_eq!(checksum(&packet), 0, "the sum over a packet with its checksum is nothing");
        let mut answer = packet.clone();
        answer[0] = 0;
        let mut raw = vec![0x45; 20];
        raw.extend(&answer);
        assert!(is_answer(&answer, false, nonce) && is_answer(&raw, false, nonce));
        assert!(!is_answer(&packet, false, nonce), "the request itself, as a raw socket on loopback sees it");
        assert!(
            !is_answer(&answer, false, [8; NONCE])
                && !is_answer(&[], false, nonce)
                && !is_answer(&[0x45], false, nonce)
        );
    }

    #[tokio::test]
    async fn this_machine_answers_itself_where_pings_are_allowed() {
        match echo("127.0.0.1".parse().unwrap(), Deadline::within(Duration::from_secs(5))).await {
            Ok(took) => assert!(took < 5_000_000),
            Err(EchoError::NotAllowed) => eprintln!("SKIPPED: this machine does not allow pings"),
            Err(EchoError::Fault(fault)) => panic!("{fault:?}"),
        }
    }
}

//! Whether a host is there at all: a connection and an echo, tried beside each other.

use super::echo::{EchoError, echo};
use super::network::Deadline;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use watch::check::address::allow;
use watch::liveness::{Outcome, ProbeKind};

/// How long each may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tries to reach a host at a port, whatever listens there, and by an echo. An address that nobody may be sent to is not
/// tried.
pub async fn reach(at: SocketAddr) -> Vec<(ProbeKind, Outcome)> {
    if allow(&[at.ip()], true).is_err() {
        return vec![(ProbeKind::Tcp, Outcome::NotTried), (ProbeKind::Icmp, Outcome::NotTried)];
    }
    let (tcp, icmp) = tokio::join!(connect(at), ping(at));
    vec![(ProbeKind::Tcp, tcp), (ProbeKind::Icmp, icmp)]
}

async fn connect(at: SocketAddr) -> Outcome {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(at)).await {
        Ok(Ok(_)) => Outcome::Answered,
        Ok(Err(error)) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Outcome::Refused,
            ErrorKind::TimedOut => Outcome::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Outcome::Unreachable,
            _ => Outcome::NotTried,
        },
        Err(_) => Outcome::TimedOut,
    }
}

async fn ping(at: SocketAddr) -> Outcome {
    match echo(at.ip(), Deadline::within(PATIENCE)).await {
        Ok(_) => Outcome::Answered,
        Err(EchoError::Fault(fault)) if fault.silence => Outcome::TimedOut,
        Err(EchoError::NotAllowed | EchoError::Fault(_)) => Outcome::NotTried,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_takes_or_refuses_shows_life_and_forbidden_addresses_are_left_alone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        assert_eq!(reach(at).await[0], (ProbeKind::Tcp, Outcome::Answered));
        drop(listener);
        assert_eq!(reach(at).await[0], (ProbeKind::Tcp, Outcome::Refused));
        let metadata = reach("169.254.169.254:80".parse().unwrap()).await;
        assert!(metadata.iter().all(|(_, outcome)| *outcome == Outcome::NotTried), "{metadata:?}");
    }
}

//! One attempt of any check: what it looks at, and what it found.

use super::echo::{EchoError, echo};
use super::http;
use super::network::{Deadline, Fault, Network, micros_since};
use base::{Clock, Timestamp};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use watch::check::address::allow;
use watch::check::answer::in_time;
use watch::check::{Check, DnsQuestion, HostPort, Phases, Probe, StepResult, Why, WhyCode};
use x509_parser::prelude::FromDer;

/// The steps of an attempt, and what ended it.
#[derive(Debug, Default)]
pub struct Stepped {
    /// Up to the one that failed.
    pub steps: Vec<StepResult>,
    /// What was wrong with the last of them.
    pub fault: Option<Fault>,
    /// It can't be said from here, whatever the network does.
    pub not_allowed: bool,
}

/// Tries a check once.
pub async fn attempt(network: &Network, clock: &Clock, check: &Check) -> Stepped {
    let mut one = One {
        network,
        deadline: Deadline::within(check.timeout.to_std()),
        result: StepResult {
            name: format!("{} {}", check.probe.kind(), check.probe.target()),
            ok: false,
            why: None,
            status: None,
            address: None,
            phases: Phases::default(),
            certificate_ends: None,
        },
    };
    let begin = Instant::now();
    let found = match &check.probe {
        Probe::Http(steps) => return http::run(network, clock, check, steps).await,
        // Nothing is asked of a job: it says itself that it ran.
        Probe::Heartbeat { .. } => return Stepped::default(),
        Probe::Tcp(at) => one.connect(at).await.map(drop),
        Probe::Tls { at, expires_in } => one.tls(at, clock.now().plus_micros(expires_in.micros())).await,
        Probe::Dns(question) => one.dns(question).await,
        Probe::Icmp { host } => match one.icmp(host).await {
            Ok(()) => Ok(()),
            Err(EchoError::Fault(fault)) => Err(fault),
            Err(EchoError::NotAllowed) => {
                let why = Why::new(WhyCode::NotAllowed, "", "this machine does not let koshu send pings");
                one.result.why = Some(why.clone());
                return Stepped {
                    steps: vec![one.result],
                    fault: Some(Fault { why, silence: false }),
                    not_allowed: true,
                };
            }
        },
    };
    one.result.phases.total_us = Some(micros_since(begin));
    let in_time = || in_time(&check.below, &one.result.phases).map_err(|why| Fault { why, silence: false });
    let fault = found.and_then(|()| in_time()).err();
    one.result.ok = fault.is_none();
    one.result.why = fault.as_ref().map(|fault| fault.why.clone());
    Stepped { steps: vec![one.result], fault, not_allowed: false }
}

struct One<'n> {
    network: &'n Network,
    deadline: Deadline,
    result: StepResult,
}

impl One<'_> {
    async fn connect(&mut self, at: &HostPort) -> Result<TcpStream, Fault> {
        let (addresses, dns_us) = self.network.resolve(&at.host, self.deadline).await?;
        self.result.phases.dns_us = dns_us;
        allow(&addresses, true).map_err(|address| refused(&address.to_string()))?;
        let (stream, address, connect_us) = self.network.connect(&addresses, at.port, self.deadline).await?;
        self.result.phases.connect_us = Some(connect_us);
        self.result.address = Some(address.to_string());
        Ok(stream)
    }

    async fn tls(&mut self, at: &HostPort, valid_until: Timestamp) -> Result<(), Fault> {
        let stream = self.connect(at).await?;
        let (stream, tls_us) = self.network.handshake(stream, &at.host, self.deadline).await?;
        self.result.phases.tls_us = Some(tls_us);
        let ends = certificate_end(&stream);
        self.result.certificate_ends = ends;
        match ends {
            Some(ends) if ends >= valid_until => Ok(()),
            Some(ends) => {
                let expected = format!("a certificate that is valid until {valid_until} or longer");
                Err(Fault::answered(WhyCode::Certificate, expected, format!("one that ends {ends}")))
            }
            None => Err(Fault::answered(WhyCode::Certificate, "a certificate", "one that can't be read")),
        }
    }

    async fn dns(&mut self, question: &DnsQuestion) -> Result<(), Fault> {
        let (answers, dns_us) = self.network.ask(question, self.deadline).await?;
        self.result.phases.dns_us = Some(dns_us);
        let got = || if answers.is_empty() { "no answer".to_owned() } else { answers.join(", ") };
        if answers.is_empty() {
            let expected = format!("{} of {}", question.kind.as_str(), question.name);
            return Err(Fault::answered(WhyCode::Answer, expected, got()));
        }
        let missing = question.answers.iter().find(|wanted| !answers.iter().any(|found| same_record(wanted, found)));
        missing.map_or(Ok(()), |wanted| Err(Fault::answered(WhyCode::Answer, wanted, got())))
    }

    async fn icmp(&mut self, host: &str) -> Result<(), EchoError> {
        let (addresses, dns_us) = self.network.resolve(host, self.deadline).await.map_err(EchoError::Fault)?;
        self.result.phases.dns_us = dns_us;
        allow(&addresses, true).map_err(|address| EchoError::Fault(refused(&address.to_string())))?;
        let Some(address) = addresses.first() else {
            return Err(EchoError::Fault(Fault::answered(WhyCode::Dns, host, "no address")));
        };
        self.result.address = Some(address.to_string());
        self.result.phases.first_byte_us = Some(echo(*address, self.deadline).await?);
        Ok(())
    }
}

fn refused(address: &str) -> Fault {
    Fault::answered(WhyCode::Address, "an address that a check may reach", address)
}

/// Equal as people write records: without the last dot, quotes and case.
fn same_record(wanted: &str, found: &str) -> bool {
    let plain = |text: &str| text.trim_matches('"').trim_end_matches('.').to_ascii_lowercase();
    plain(wanted) == plain(found)
}

/// When the certificate of the other side ends.
pub fn certificate_end<S>(stream: &TlsStream<S>) -> Option<Timestamp> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(certificate).ok()?;
    Some(Timestamp::from_seconds(parsed.validity().not_after.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_compared_as_people_write_them() {
        for (wanted, found, want) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("10 mail.shop.example", "10 Mail.shop.example.", true),
            ("v=spf1 -all", "\"v=spf1 -all\"", true),
            ("192.0.2.1", "192.0.2.10", false),
        ] {
            assert_eq!(same_record(wanted, found), want, "{wanted} {found}");
        }
    }
}

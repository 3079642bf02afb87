//! Opens the sockets beside the first HTTP one: what other programs already send to, on the ports they know.
//!
//! A port that somebody asked for must be free; one that is only usual is left to whoever has it, and that is said.

use crate::config::{Config, ForwardUser, Listen, TlsSection};
use anyhow::{Context, Result, bail};
use server::Door;
use server::listen::{forward, otlp_grpc, statsd, syslog};
use server::parts::Parts;
use server::tls::{Tls, TlsFiles, Wire};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A listener, and where it is when nothing else was said.
struct Known {
    name: &'static str,
    usual: Option<&'static str>,
}

const KNOWN: [Known; 7] = [
    Known { name: "https", usual: None },
    Known { name: "otlp_grpc", usual: Some("127.0.0.1:4317") },
    Known { name: "otlp_http", usual: Some("127.0.0.1:4318") },
    Known { name: "forward", usual: Some("127.0.0.1:24224") },
    Known { name: "syslog", usual: Some("127.0.0.1:5514") },
    Known { name: "elasticsearch", usual: None },
    Known { name: "statsd", usual: None },
];

/// Where to listen, by the command line, which wins, and the configuration.
pub struct Wanted<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// `--listen NAME=ADDR`.
    pub flags: &'a [(&'static str, Listen)],
}

impl Wanted<'_> {
    fn asked(&self, name: &str) -> Option<Listen> {
        let flag = self.flags.iter().rfind(|(flag, _)| *flag == name).map(|(_, at)| *at);
        flag.or_else(|| self.config.server.listen.get(name))
    }
}

/// What listeners are given.
pub struct Surroundings {
    /// What they store into.
    pub parts: Parts,
    /// What answers HTTP.
    pub door: Door,
    /// Ends them.
    pub stop: CancellationToken,
    /// Runs them.
    pub tasks: TaskTracker,
}

/// Opens every listener that is wanted, and books its address.
pub async fn open(wanted: &Wanted<'_>, around: &Surroundings) -> Result<()> {
    let tls = wanted.config.server.tls.as_ref().map(files).map(Tls::open).transpose().context("server.tls")?;
    let tls = tls.map(Arc::new);
    if let Some(tls) = &tls {
        around.tasks.spawn(Arc::clone(tls).follow(around.stop.clone()));
    }
    for known in KNOWN {
        let asked = wanted.asked(known.name);
        let at = match (asked, known.usual) {
            (Some(Listen::Off), _) | (None, None) => continue,
            (Some(Listen::At(at)), _) => at,
            (None, Some(usual)) => usual.parse().context("a usual address")?,
        };
        let wire = wire(known.name, at, wanted.config, tls.as_ref())?;
        match start(known.name, at, wire, wanted.config, around).await {
            Ok(address) => drop(around.parts.listeners.lock().insert(known.name.into(), address.to_string())),
            Err(error) if asked.is_none() => {
                tracing::warn!(%error, "{} is not listened on: {at} is taken", known.name);
            }
            Err(error) => return Err(error).with_context(|| format!("failed to listen on {at} for {}", known.name)),
        }
    }
    Ok(())
}

fn files(section: &TlsSection) -> TlsFiles {
    let TlsSection { certificate, key, clients } = section.clone();
    TlsFiles { certificate, key, clients }
}

/// How bytes of a listener travel: as they are on this machine, and encrypted beyond it.
fn wire(name: &str, at: SocketAddr, config: &Config, tls: Option<&Arc<Tls>>) -> Result<Wire> {
    if let Some(refused) = config.server.refused(name, at) {
        bail!("{}: {}", refused.why, refused.help);
    }
    let Some(tls) = tls.filter(|_| name == "https" || !at.ip().is_loopback()) else { return Ok(Wire::default()) };
    Ok(match name {
        "syslog" => tls.wire_for_known()?,
        "forward" => tls.wire(&[])?,
        "otlp_grpc" => tls.wire(&[b"h2"])?,
        _ => tls.wire(&[b"http/1.1"])?,
    })
}

async fn start(
    name: &str,
    at: SocketAddr,
    wire: Wire,
    config: &Config,
    around: &Surroundings,
) -> std::io::Result<SocketAddr> {
    let Surroundings { parts, door, stop, tasks } = around;
    if name == "statsd" {
        let socket = UdpSocket::bind(at).await?;
        let address = socket.local_addr()?;
        tasks.spawn(statsd::serve(socket, parts.clone(), stop.clone()));
        return Ok(address);
    }
    let listener = TcpListener::bind(at).await?;
    let address = listener.local_addr()?;
    match name {
        "otlp_grpc" => drop(tasks.spawn(otlp_grpc::serve(listener, wire, parts.clone(), stop.clone()))),
        "forward" => {
            // Some senders never ask for it; without it the protocol works.
            if let Ok(socket) = UdpSocket::bind(address).await {
                tasks.spawn(forward::answer_heartbeats(socket, stop.clone()));
            }
            let intake = &config.server.intake;
            let password = |user: &ForwardUser| Some((user.name.clone(), user.password.clone()?));
            let settings = forward::Settings {
                shared_key: intake.forward_shared_key.clone(),
                users: intake.forward_users.iter().filter_map(password).collect(),
                hostname: parts.about.host.clone(),
            };
            tasks.spawn(forward::serve(listener, wire, parts.clone(), settings, stop.clone()));
        }
        "syslog" => {
            // Datagrams are not encrypted.
            if !wire.is_encrypted() {
                tasks.spawn(syslog::serve_udp(UdpSocket::bind(address).await?, parts.clone(), stop.clone()));
            }
            tasks.spawn(syslog::serve_tcp(listener, wire, parts.clone(), stop.clone()));
        }
        _ => drop(tasks.spawn(server::serve(listener, wire, door.clone(), stop.clone()))),
    }
    Ok(address)
}

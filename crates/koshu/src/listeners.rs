//! Opens the sockets beside the first HTTP one: what other programs already send to, on the ports they know.
//!
//! A port that somebody asked for must be free; one that is only usual is left to whoever has it, and that is said.

use crate::config::{Config, Listen};
use anyhow::{Context, Result, bail};
use server::Door;
use server::listen::{forward, otlp_grpc, statsd, syslog};
use server::parts::Parts;
use std::net::SocketAddr;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A listener, and where it is when nothing else was said.
struct Known {
    name: &'static str,
    usual: Option<&'static str>,
}

const KNOWN: [Known; 6] = [
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
        let section = &self.config.server.listen;
        flag.or(match name {
            "otlp_grpc" => section.otlp_grpc,
            "otlp_http" => section.otlp_http,
            "forward" => section.forward,
            "syslog" => section.syslog,
            "elasticsearch" => section.elasticsearch,
            "statsd" => section.statsd,
            _ => None,
        })
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
    for known in KNOWN {
        let asked = wanted.asked(known.name);
        let at = match (asked, known.usual) {
            (Some(Listen::Off), _) | (None, None) => continue,
            (Some(Listen::At(at)), _) => at,
            (None, Some(usual)) => usual.parse().context("a usual address")?,
        };
        if !at.ip().is_loopback() {
            bail!(
                "{at} for {} is reachable from other machines, and these protocols are not encrypted here: listen on \
                 127.0.0.1 and let an agent on this machine pass on what others send",
                known.name
            );
        }
        match start(known.name, at, wanted.config, around).await {
            Ok(address) => drop(around.parts.listeners.lock().insert(known.name.into(), address.to_string())),
            Err(error) if asked.is_none() => {
                tracing::warn!(%error, "{} is not listened on: {at} is taken", known.name);
            }
            Err(error) => return Err(error).with_context(|| format!("failed to listen on {at} for {}", known.name)),
        }
    }
    Ok(())
}

async fn start(name: &str, at: SocketAddr, config: &Config, around: &Surroundings) -> std::io::Result<SocketAddr> {
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
        "otlp_grpc" => drop(tasks.spawn(otlp_grpc::serve(listener, parts.clone(), stop.clone()))),
        "forward" => {
            // Some senders never ask for it; without it the protocol works.
            if let Ok(socket) = UdpSocket::bind(address).await {
                tasks.spawn(forward::answer_heartbeats(socket, stop.clone()));
            }
            let settings = forward::Settings {
                shared_key: config.server.intake.forward_shared_key.clone(),
                hostname: parts.about.host.clone(),
            };
            tasks.spawn(forward::serve(listener, parts.clone(), settings, stop.clone()));
        }
        "syslog" => syslog::serve(listener, UdpSocket::bind(address).await?, parts, stop, tasks),
        _ => drop(tasks.spawn(server::serve(listener, door.clone(), stop.clone()))),
    }
    Ok(address)
}

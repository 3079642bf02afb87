//! Whether this machine's own network works, when a check heard nothing at all.
//!
//! Tried are the gateway and places that other checks reached a moment ago. One of them that answers, even with a refusal,
//! shows that the network works; then the failure is the target's. If none does, nobody can say, and the result is unknown.

use super::echo::{EchoError, echo};
use super::network::Deadline;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use watch::check::Evidence;

/// How long each may take.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a finding is good: when everything fails at once, one look is enough.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// Ports of a gateway that answer or refuse.
const PORTS: [u16; 3] = [443, 80, 53];
/// Places of other checks that are tried.
const MAX_OTHERS: usize = 4;
/// So many others that are silent say something even without a gateway.
const SEVERAL: usize = 2;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether the network seems lost.
    pub lost: bool,
    /// What was tried.
    pub evidence: Vec<Evidence>,
}

/// Looks at the network, once for many.
#[derive(Debug, Default)]
pub struct OwnNetwork {
    gateway: Option<IpAddr>,
    last: tokio::sync::Mutex<Option<(Instant, Finding)>>,
}

impl OwnNetwork {
    /// With the gateway to try; `None` for that of the default route.
    pub fn new(gateway: Option<IpAddr>) -> Self {
        Self { gateway, last: tokio::sync::Mutex::default() }
    }

    /// Looks, or says what was found a moment ago. `others` are names of checks and where they were answered.
    pub async fn look(&self, others: impl FnOnce() -> Vec<(String, SocketAddr)>) -> Finding {
        // Those who come meanwhile wait for the one look.
        let mut last = self.last.lock().await;
        if let Some((at, finding)) = last.as_ref()
            && at.elapsed() < GOOD_FOR
        {
            return finding.clone();
        }
        let finding = self.look_now(several(others())).await;
        *last = Some((Instant::now(), finding.clone()));
        finding
    }

    async fn look_now(&self, others: Vec<(String, SocketAddr)>) -> Finding {
        let routes = match self.gateway {
            Some(gateway) => Routes { gateway: Some(gateway), any: true },
            None => tokio::task::spawn_blocking(Routes::read).await.unwrap_or_default(),
        };
        let gateway = async {
            match routes.gateway {
                None => Evidence { tried: "default route".into(), found: "there is none".into(), reached: false },
                Some(gateway) => try_gateway(gateway).await,
            }
        };
        let count = others.len();
        let others = others.into_iter().map(|(name, at)| async move {
            let (reached, found) = try_port(at).await;
            Evidence { tried: format!("target of check {name} ({at})"), found, reached }
        });
        let (gateway, others) = tokio::join!(gateway, futures::future::join_all(others));
        let evidence: Vec<Evidence> = std::iter::once(gateway).chain(others).collect();
        Finding { lost: is_lost(&evidence, routes, count), evidence }
    }
}

/// A machine without any route has no network. One in a network without a way out is judged by the others.
fn is_lost(evidence: &[Evidence], routes: Routes, others: usize) -> bool {
    let says_something = routes.gateway.is_some() || !routes.any || others >= SEVERAL;
    says_something && evidence.iter().all(|evidence| !evidence.reached)
}

/// Some places on different machines, none of them this one.
fn several(places: Vec<(String, SocketAddr)>) -> Vec<(String, SocketAddr)> {
    let mut seen = HashSet::new();
    let elsewhere = places.into_iter().filter(|(_, at)| !at.ip().is_loopback() && seen.insert(at.ip()));
    elsewhere.take(MAX_OTHERS).collect()
}

async fn try_gateway(gateway: IpAddr) -> Evidence {
    let tried = format!("gateway {gateway}");
    match echo(gateway, Deadline::within(PATIENCE)).await {
        Ok(us) => return Evidence { tried, found: format!("an echo after {us}us"), reached: true },
        Err(EchoError::Fault(_)) => {}
        Err(EchoError::NotAllowed) => {
            let tries = PORTS.map(|port| try_port(SocketAddr::new(gateway, port)));
            let mut found = futures::future::join_all(tries).await;
            found.sort_by_key(|(reached, _)| !reached);
            let (reached, found) = found.swap_remove(0);
            return Evidence { tried, found, reached };
        }
    }
    let (reached, found) = try_port(SocketAddr::new(gateway, PORTS[0])).await;
    Evidence { tried, found, reached }
}

/// Whether something answers; a refusal is an answer.
async fn try_port(at: SocketAddr) -> (bool, String) {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(at)).await {
        Ok(Ok(_)) => (true, "a connection".into()),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => (true, "a refusal".into()),
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, "nothing".into()),
    }
}

/// What the kernel knows of ways out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Routes {
    gateway: Option<IpAddr>,
    any: bool,
}

impl Routes {
    fn read() -> Self {
        let v4 = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
        let v6 = std::fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
        let (four, six) = (Self::of_v4(&v4), Self::of_v6(&v6));
        Self { gateway: four.gateway.or(six.gateway), any: four.any || six.any }
    }

    /// `/proc/net/route`: interface, destination, gateway, flags, ...; addresses are hexadecimal in the machine's order.
    fn of_v4(text: &str) -> Self {
        let mut routes = Self::default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [name, destination, gateway, ..] = fields[..] else { continue };
            routes.any |= name != "lo";
            if destination == "00000000"
                && let Ok(bits) = u32::from_str_radix(gateway, 16)
                && bits != 0
            {
                let address = Ipv4Addr::from(bits.to_ne_bytes());
                routes.gateway = routes.gateway.or(Some(address.into()));
            }
        }
        routes
    }

    /// `/proc/net/ipv6_route`: destination, its length, source, its length, next hop, ..., interface.
    fn of_v6(text: &str) -> Self {
        let mut routes = Self::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [destination, length, _, _, hop, .., name] = fields[..] else { continue };
            // Every interface has routes to its own neighbours and multicast; they lead nowhere else.
            let is_local = destination.starts_with("fe80") || destination.starts_with("ff");
            let is_default = length == "00";
            routes.any |= name != "lo" && !is_local && !is_default;
            if is_default
                && name != "lo"
                && let Ok(bits) = u128::from_str_radix(hop, 16)
                && bits != 0
            {
                let address = Ipv6Addr::from(bits);
                // A link-local router can't be connected to without naming the interface.
                if !address.is_unicast_link_local() {
                    routes.gateway = routes.gateway.or(Some(address.into()));
                }
                routes.any = true;
            }
        }
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_that_of_the_default_route() {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
        let hex = |a: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(a));
        let default = format!("{head}eth0\t00000000\t{}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", hex([192, 0, 2, 1]));
        let link = format!("{head}eth0\t{}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", hex([192, 0, 2, 0]));
        assert_eq!(Routes::of_v4(&default), Routes { gateway: Some("192.0.2.1".parse().unwrap()), any: true });
        assert_eq!(Routes::of_v4(&link), Routes { gateway: None, any: true });
        assert_eq!(Routes::of_v4(head), Routes::default());
        assert_eq!(Routes::of_v4("garbage\nx y\n\u{0}"), Routes::default());
        let zero = "0".repeat(32);
        let v6 = format!(
            "fe800000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000002 00000000 00000001     eth0\n\
             {zero} 00 {zero} 00 20010db8000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n"
        );
        assert_eq!(Routes::of_v6(&v6), Routes { gateway: Some("2001:db8::1".parse().unwrap()), any: true });
        let lo = format!("{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n");
        assert_eq!(Routes::of_v6(&lo), Routes::default());
    }

    #[test]
    fn others_are_machines_elsewhere_each_once() {
        let place = |name: &str, at: &str| (name.to_owned(), at.parse().unwrap());
        let places = vec![
            place("own", "127.0.0.1:80"),
            place("a", "192.0.2.1:80"),
            place("b", "192.0.2.1:443"),
            place("c", "192.0.2.2:443"),
        ];
        let names: Vec<String> = several(places).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn a_network_is_lost_only_when_something_could_have_answered() {
        let silent = Evidence { tried: "x".into(), found: "nothing".into(), reached: false };
        let answered = Evidence { reached: true, ..silent.clone() };
        let gateway = Routes { gateway: Some("192.0.2.1".parse().unwrap()), any: true };
        let no_way_out = Routes { gateway: None, any: true };
        for (case, evidence, routes, others, want) in [
            ("a silent gateway", vec![silent.clone()], gateway, 0, true),
            ("a gateway that answers", vec![answered.clone()], gateway, 0, false),
            ("another target answers", vec![silent.clone(), answered], gateway, 1, false),
            ("no route at all", vec![silent.clone()], Routes::default(), 0, true),
            ("no way out, nobody else to ask", vec![silent.clone()], no_way_out, 0, false),
            ("no way out, one other silent", vec![silent.clone(); 2], no_way_out, 1, false),
            ("no way out, several silent", vec![silent; 3], no_way_out, 2, true),
        ] {
            assert_eq!(is_lost(&evidence, routes, others), want, "{case}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer_and_one_look_is_enough_for_many() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(try_port(free).await, (true, "a refusal".into()));
        let own = OwnNetwork::new(Some("127.0.0.1".parse().unwrap()));
        let finding = own.look(Vec::new).await;
        assert!(!finding.lost && finding.evidence[0].reached, "{finding:?}");
        let again = own.look(|| panic!("looked again")).await;
        assert_eq!(again, finding);
    }
}

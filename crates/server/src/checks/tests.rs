//! Checks against real servers on this machine: HTTP, TLS with a certificate of its own, a name server, broken ones.

use super::*;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use lake::{LakeOptions, Query};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// An address that no packet is sent to: the kernel refuses at once.
const UNREACHABLE: &str = "255.255.255.255";

struct Place {
    checks: Arc<Checks>,
    lake: Arc<Lake>,
    _dir: TempDir,
}

async fn place_with(list: &[(&str, Value)], settings: CheckSettings, roots: RootCertStore) -> Place {
    let dir = TempDir::new().unwrap();
    let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
    let checks =
        list.iter().map(|(name, check)| (name.parse().unwrap(), serde_json::from_value(check.clone()).unwrap()));
    let around = Surroundings {
        lake: Arc::clone(&lake),
        clock: Clock::System,
        redactor: Redactor::new(false),
        roots: Some(roots),
    };
    let checks = Checks::new(checks.collect(), &settings, around).await.unwrap();
    Place { checks, lake, _dir: dir }
}

async fn place(list: &[(&str, Value)]) -> Place {
    place_with(list, CheckSettings::default(), RootCertStore::empty()).await
}

impl Place {
    async fn run(&self, name: &str) -> Arc<RunResult> {
        self.checks.run_now(name).await.unwrap()
    }
}

/// The reason of a run that was not good, as people read it.
fn why(result: &RunResult) -> String {
    result.why().unwrap_or_else(|| panic!("{result:?}")).to_string()
}

/// One request as it came, answered by a function.
async fn answer(mut socket: impl AsyncRead + AsyncWrite + Unpin, handle: &(dyn Fn(&str) -> Vec<u8> + Send + Sync)) {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let wanted =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
            if body.len() >= wanted {
                let _ = socket.write_all(&handle(&text)).await;
                let _ = socket.shutdown().await;
                return;
            }
        }
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&part[..read]),
        }
    }
}

async fn serve(handle: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let handle = Arc::clone(&handle);
            tokio::spawn(async move { answer(socket, handle.as_ref()).await });
        }
    });
    at
}

fn http(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A shop with a form to sign in, a page for those who did, and odd corners.
fn shop(request: &str) -> Vec<u8> {
    let line = request.lines().next().unwrap();
    let has = |text: &str| request.contains(text);
    match line {
        "GET /login HTTP/1.1" => {
            http(200, "set-cookie: sid=s-1; Path=/; HttpOnly\r\n", "<input name=\"csrf\" value=\"c&1 x\">")
        }
        "POST /login HTTP/1.1" if has("cookie: sid=s-1") && has("csrf=c%261+x&password=hunter2hunter2") => {
            http(302, "location: /home\r\nset-cookie: sid=s-2; Path=/\r\n", "")
        }
        "GET /home HTTP/1.1" if has("cookie: sid=s-2") => http(200, "content-type: text/html\r\n", "welcome back"),
        "GET /echo?q=c%261%20x HTTP/1.1" => http(200, "", &request.replace("\r\n", " ")),
        "GET /metadata HTTP/1.1" => http(302, "location: http://169.254.169.254/latest/meta-data/\r\n", ""),
        "GET /file HTTP/1.1" => http(302, "location: file:///etc/passwd\r\n", ""),
        "GET /loop HTTP/1.1" => http(302, "location: /loop\r\n", ""),
        "GET /large HTTP/1.1" => http(200, "", &"x".repeat((1 << 20) + 10)),
        "GET /no-http HTTP/1.1" => b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        "GET /half HTTP/1.1" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec(),
        "GET /secret HTTP/1.1" => http(500, "", "password: hunter2hunter2 and authorization: Bearer abcdefghijkl"),
        _ => http(403, "", "no"),
    }
}

#[tokio::test]
async fn a_scenario_keeps_cookies_and_values_and_times_every_phase() {
    let at = serve(shop).await;
    let mut check: Value = json!({
        "service": "shop",
        "steps": [
            {"get": format!("http://{at}/login"), "save": {"csrf": "regex:value=\"([^\"]+)\""}},
            {"post": format!("http://{at}/login"), "form": {"csrf": "{{csrf}}", "password": "{{password}}"}, "follow": 1,
             "expect": {"status": 200, "contains": "welcome back", "header": {"content-type": "text/html"}}},
            {"get": format!("http://{at}/echo?q={{{{csrf}}}}"), "expect": {"contains": "user-agent: koshu-check/"}},
        ],
    });
    check["secret_files"] = json!({"password": "unused"});
    let mut parsed: Check = serde_json::from_value(check).unwrap();
    parsed.secrets.insert("password".into(), base::Secret::new("hunter2hunter2"));
    let place = place(&[]).await;
    let done = place.checks.runner.run("buy", &parsed, LOCAL).await;
    assert_eq!(done.outcome, Outcome::Ok, "{done:?}");
    assert_eq!(done.steps.iter().map(|step| step.status).collect::<Vec<_>>(), [Some(200), Some(200), Some(200)]);
    for step in &done.steps {
        let phases = step.phases;
        assert!(step.ok && phases.connect_us.is_some() && phases.first_byte_us.is_some(), "{step:?}");
        assert!(phases.dns_us.is_none() && phases.tls_us.is_none(), "an address needs neither: {step:?}");
        let parts = phases.connect_us.unwrap() + phases.first_byte_us.unwrap();
        assert!(phases.total_us.unwrap() >= parts, "{step:?}");
        assert_eq!(step.address.as_deref(), Some(at.to_string().as_str()));
    }
    assert_eq!(done.steps[2].name, format!("GET http://{at}/echo"), "no query, no value");
}

#[tokio::test]
async fn what_goes_wrong_is_said_and_never_what_is_secret() {
    let at = serve(shop).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap();
    let step = |path: &str, more: Value| {
        let mut step = json!({"get": format!("http://{at}{path}")});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"steps": [step], "retries": 0})
    };
    let cases = [
        ("forbidden", step("/", json!({})), "expected status below 400, got 403"),
        ("redirect", step("/loop", json!({"expect": {"status": 200}})), "expected status 200, got 302"),
        ("loop", step("/loop", json!({"follow": 3})), "expected at most 3 redirects, got another one to /loop"),
        (
            "metadata",
            step("/metadata", json!({"follow": 3})),
            "expected an address that a check may reach, got 169.254.169.254",
        ),
        ("file", step("/file", json!({"follow": 3})), "expected a redirect to http or https, got file:///etc/passwd"),
        ("large", step("/large", json!({"expect": {"json": {"$": 1}}})), "too large to be read as JSON"),
        ("no-http", step("/no-http", json!({})), "expected an HTTP answer, got"),
        ("half", step("/half", json!({})), "expected an HTTP answer, got"),
        (
            "secret",
            step("/secret", json!({"expect": {"status": 500, "contains": "fine"}})),
            "in the body, got password: ***",
        ),
        ("closed", json!({"tcp": closed.to_string(), "retries": 0}), "got connection refused"),
        (
            "silent",
            json!({"steps": [{"get": format!("http://{silent_at}/")}], "timeout": "50ms", "retries": 0}),
            "expected the start of an answer within 50ms, got nothing",
        ),
        ("slow", step("/login", json!({"expect": {"below": {"total": "1us"}}})), "expected total below 1us, got"),
        ("never", json!({"tcp": "169.254.169.254:80", "retries": 0}), "expected an address that a check may reach"),
    ];
    let list: Vec<(&str, Value)> = cases.iter().map(|(name, check, _)| (*name, check.clone())).collect();
    let place = place(&list).await;
    for (name, _, want) in cases {
        let result = place.run(name).await;
        let said = why(&result);
        assert!(said.contains(want), "{name}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("abcdefgh"), "{name}: {said}");
        assert_eq!(result.status(), Status::Failed, "{name}");
        let last = result.steps.last().unwrap();
        assert!(!last.ok && last.why.as_ref() == result.why(), "{name}: {last:?}");
        assert_eq!(place.checks.state(name).unwrap().why.unwrap().to_string(), said);
    }
    drop(silent);
}

#[tokio::test]
async fn a_failure_counts_only_when_it_stays() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let at =
        serve(move |_| http(if counter.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { 500 } else { 200 }, "", ""))
            .await;
    let check = |retries: u32| json!({"steps": [{"get": format!("http://{at}/")}], "retries": retries});
    let place = place(&[("patient", check(1)), ("strict", check(0))]).await;
    let result = place.run("patient").await;
    assert_eq!((result.status(), result.attempts), (Status::Ok, 2));
    assert_eq!(place.run("strict").await.status(), Status::Failed);
    asked.store(1, Ordering::SeqCst);
    assert_eq!(place.run("strict").await.status(), Status::Ok);
    let state = place.checks.state("strict").unwrap();
    assert_eq!((state.status, state.why, state.step), (Status::Ok, None, None));
    let past = place.checks.past("strict").unwrap();
    assert_eq!(past.briefs.iter().map(|brief| brief.status).collect::<Vec<_>>(), [Status::Failed, Status::Ok]);
    assert_eq!(past.last_bad.unwrap().status(), Status::Failed);
    let now = Clock::System.now();
    let counts = place.checks.minute_counts("strict", now.plus_seconds(-120), now.plus_seconds(60));
    let sums = counts.iter().fold((0, 0), |sums, minute| (sums.0 + minute.good, sums.1 + minute.valid));
    assert_eq!(sums, (1, 2));
}

/// A certificate authority and a certificate for `shop.example`, made by openssl; valid for 30 days.
struct Authority {
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let authority = Self { dir };
        authority.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 60 -subj /CN=test-ca");
        authority.openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout shop.key -out shop.csr -subj /CN=shop.example");
        std::fs::write(authority.dir.path().join("ext"), "subjectAltName=DNS:shop.example\n").unwrap();
        authority.openssl(
            "x509 -req -in shop.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out shop.pem -days 30 -extfile ext",
        );
        authority
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn certificate(&self, name: &str) -> rustls::pki_types::CertificateDer<'static> {
        use rustls::pki_types::pem::PemObject;
        rustls::pki_types::CertificateDer::from_pem_file(self.dir.path().join(name)).unwrap()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate("ca.pem")).unwrap();
        roots
    }

    async fn serve(&self) -> SocketAddr {
        use rustls::pki_types::pem::PemObject;
        let key = rustls::pki_types::PrivateKeyDer::from_pem_file(self.dir.path().join("shop.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate("shop.pem")], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(socket) = acceptor.accept(socket).await {
                        answer(socket, &|_| http(200, "", "over tls")).await;
                    }
                });
            }
        });
        at
    }
}

/// A name server that knows `shop.example` at 127.0.0.1, mail at two servers, and nothing else.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let asked = Message::from_vec(&packet[..length]).unwrap();
            let query = asked.queries.first().unwrap().clone();
            let mut reply = Message::response(asked.metadata.id, asked.metadata.op_code);
            reply.metadata.recursion_available = true;
            reply.add_query(query.clone());
            let name = query.name().to_string().to_lowercase();
            let data: Vec<RData> = match (name.as_str(), query.query_type()) {
                ("shop.example.", RecordType::A) => vec![RData::A("127.0.0.1".parse().unwrap())],
                ("shop.example.", RecordType::MX) => [(10, "a.mail.example."), (20, "b.mail.example.")]
                    .map(|(at, host)| {
                        let host = Name::from_ascii(host).unwrap();
                        RData::MX(hickory_resolver::proto::rr::rdata::MX::new(at, host))
                    })
                    .into(),
                _ => Vec::new(),
            };
            if name != "shop.example." {
                reply.metadata.response_code =
                    if name == "broken.example." { ResponseCode::ServFail } else { ResponseCode::NXDomain };
            }
            for data in data {
                reply.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
            let _ = socket.send_to(&reply.to_vec().unwrap(), from).await;
        }
    });
    at
}

#[tokio::test]
async fn tls_is_judged_by_issuer_name_and_end() {
    let authority = Authority::new();
    let at = authority.serve().await;
    let settings = CheckSettings { gateway: Some("127.0.0.1".parse().unwrap()), resolver: Some(name_server().await) };
    let target = format!("shop.example:{}", at.port());
    let list = [
        ("good", json!({"tls": target, "retries": 0})),
        ("ends", json!({"tls": target, "expires_in": "31d", "retries": 0})),
        ("name", json!({"tls": at.to_string(), "retries": 0})),
        (
            "https",
            json!({"steps": [{"get": format!("https://{target}/"), "expect": {"contains": "over tls"}}], "retries": 0}),
        ),
    ];
    let place = place_with(&list, settings.clone(), authority.roots()).await;
    let good = place.run("good").await;
    assert_eq!(good.status(), Status::Ok, "{good:?}");
    let ends = good.steps[0].certificate_ends.unwrap();
    let days = (ends.micros() - Clock::System.now().micros()) / 86_400_000_000;
    assert!((29..=30).contains(&days), "{ends}");
    assert_eq!(place.checks.state("good").unwrap().certificate_ends, Some(ends));
    let said = why(&place.run("ends").await.clone());
    assert!(
        said.starts_with("expected a certificate that is valid until 20") && said.contains("got one that ends 20"),
        "{said}"
    );
    let said = why(&place.run("name").await.clone());
    assert!(said.ends_with("got a certificate for another name"), "{said}");
    let https = place.run("https").await;
    assert_eq!(https.status(), Status::Ok, "{https:?}");
    let phases = https.steps[0].phases;
    assert!(phases.dns_us.is_some() && phases.tls_us.is_some() && phases.connect_us.is_some(), "{phases:?}");
    let stranger = place_with(&list[..1], settings, RootCertStore::empty()).await;
    let said = why(&stranger.run("good").await.clone());
    assert!(said.contains("unknown issuer"), "{said}");
}

#[tokio::test]
async fn name_servers_are_asked_and_their_answers_compared() {
    let resolver = name_server().await.to_string();
    let dns = |name: &str, kind: &str, answers: Value| json!({"dns": name, "type": kind, "answers": answers, "resolver": resolver, "retries": 0, "timeout": "2s"});
    let list = [
        ("any", dns("shop.example", "A", json!([]))),
        ("one", dns("shop.example", "A", json!(["127.0.0.1"]))),
        ("mail", dns("shop.example", "MX", json!(["20 B.mail.example"]))),
        ("other", dns("shop.example", "A", json!(["192.0.2.1"]))),
        ("none", dns("nowhere.example", "A", json!([]))),
        ("no-txt", dns("shop.example", "TXT", json!([]))),
    ];
    let place = place(&list).await;
    for name in ["any", "one", "mail"] {
        let result = place.run(name).await;
        assert_eq!(result.status(), Status::Ok, "{name}: {result:?}");
        assert!(result.steps[0].phases.dns_us.is_some());
    }
    for (name, want) in [
        ("other", "expected 192.0.2.1, got 127.0.0.1"),
        ("none", "no such name (NXDOMAIN)"),
        ("no-txt", "no such record"),
    ] {
        let result = place.run(name).await;
        assert_eq!(result.status(), Status::Failed, "{name}");
        assert!(why(&result).contains(want), "{name}: {}", why(&result));
    }
}

#[tokio::test]
async fn a_lost_network_makes_results_unknown_and_a_working_one_does_not() {
    // It takes questions and never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let check = json!({"tcp": "shop.example:443", "timeout": "300ms", "retries": 0});
    let resolver = Some(silent.local_addr().unwrap());
    for (gateway, want) in [(UNREACHABLE, Status::Unknown), ("127.0.0.1", Status::Failed)] {
        let settings = CheckSettings { gateway: Some(gateway.parse().unwrap()), resolver };
        let place = place_with(&[("buy", check.clone())], settings, RootCertStore::empty()).await;
        let result = place.run("buy").await;
        assert_eq!(result.status(), want, "{gateway}: {result:?}");
        let state = place.checks.state("buy").unwrap();
        assert_eq!(state.status, want);
        let evidence: Vec<&str> = state.evidence.iter().map(|evidence| evidence.tried.as_str()).collect();
        let tried = [format!("gateway {gateway}")];
        assert_eq!(evidence, if want == Status::Unknown { &tried[..] } else { &[] });
        let counts =
            place.checks.minute_counts("buy", Timestamp::from_seconds(0), Clock::System.now().plus_seconds(60));
        let unknown = u32::from(want == Status::Unknown);
        assert_eq!(
            (counts[0].unknown, counts[0].valid),
            (unknown, 1 - unknown),
            "what can't be said counts for nothing"
        );
    }
    // A name server that says it can't help may be cut off as we are; one that knows of no such name is not.
    let resolver = Some(name_server().await);
    let settings = CheckSettings { gateway: Some(UNREACHABLE.parse().unwrap()), resolver };
    let list = [
        ("servfail", json!({"tcp": "broken.example:443", "timeout": "2s", "retries": 0})),
        ("nxdomain", json!({"tcp": "nowhere.example:443", "timeout": "2s", "retries": 0})),
        // What is on this machine needs no network, however silent it is.
        (
            "here",
            json!({"dns": "shop.example", "resolver": silent.local_addr().unwrap().to_string(), "timeout": "300ms", "retries": 0}),
        ),
    ];
    let place = place_with(&list, settings, RootCertStore::empty()).await;
    for (name, want) in [("servfail", Status::Unknown), ("nxdomain", Status::Failed), ("here", Status::Failed)] {
        let result = place.run(name).await;
        assert_eq!(result.status(), want, "{name}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_in_the_lake_after_a_stop_and_known_again_after_a_start() {
    let at = serve(shop).await;
    let list = [
        (
            "buy",
            json!({"service": "shop", "retries": 0, "steps": [
            {"get": format!("http://{at}/login")}, {"get": format!("http://{at}/nothing")}]}),
        ),
        ("far", json!({"tcp": at.to_string(), "from": ["web-1"]})),
    ];
    let place = place(&list).await;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    place.checks.start("here", &tasks, &stop);
    place.run("buy").await;
    // Its agent may be two turns and a minute late; then nobody knows, which is said once and stored.
    let far = Arc::clone(place.checks.set().find("far").unwrap());
    let later = |seconds: i64| Moment { wall: Clock::System.now(), steady_us: seconds * 1_000_000 };
    place.checks.miss(&far, later(170));
    assert_eq!(place.checks.state("far").unwrap().status, Status::Pending);
    place.checks.miss(&far, later(190));
    let state = place.checks.state("far").unwrap();
    assert_eq!((state.status, state.why.unwrap().code), (Status::Unknown, WhyCode::NoRunner));
    assert_eq!((state.places[0].from.as_str(), state.places[0].status), ("web-1", Status::Unknown));
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    let now = Clock::System.now();
    let range = base::TimeRange { from: now.plus_seconds(-600), to: now.plus_seconds(60) };
    let sql = "SELECT name, state, service, host, attrs['why'], attrs['step'], attrs['steps.0.status'], attrs['good'],
                   attrs['valid'], attrs['steps.1.name'] FROM events WHERE kind = 'check' ORDER BY name, ts"
        .to_owned();
    let answer = place.lake.sql(&Query { sql, range, limit: 10 }).await.unwrap();
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for batch in &answer.batches {
        let columns: Vec<_> = (0..batch.num_columns()).map(|column| crate::signals::texts(batch, column)).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()));
    }
    let text = |text: &str| Some(text.to_owned());
    let buy = [
        text("buy"),
        text("failed"),
        text("shop"),
        text("here"),
        text("expected status below 400, got 403"),
        text("1"),
        text("200"),
        text("1"),
        text("2"),
        Some(format!("GET http://{at}/nothing")),
    ];
    assert_eq!(rows[0], buy);
    assert_eq!(rows[1][..4], [text("far"), text("unknown"), None, text("here")]);

    let around = Surroundings {
        lake: Arc::clone(&place.lake),
        clock: Clock::System,
        redactor: Redactor::new(false),
        roots: Some(RootCertStore::empty()),
    };
    let check = serde_json::from_value(list[0].1.clone()).unwrap();
    let again = Checks::new([("buy".parse().unwrap(), check)].into(), &CheckSettings::default(), around).await.unwrap();
    past::remember(&again, &again.set()).await;
    assert_eq!(again.uptime("buy").unwrap().failed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_goes_missing_and_comes_back() {
    let place = place(&[("backup", json!({"heartbeat": "b-1", "every": "1s", "grace": "200ms"}))]).await;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let state = || place.checks.state("backup").unwrap();
    assert_eq!(state().heartbeat.unwrap().phase, HeartbeatPhase::Waiting);
    place.checks.ping("other", Signal::Ok);
    assert_eq!(state().status, Status::Pending);
    place.checks.start("here", &tasks, &stop);
    place.checks.ping("b-1", Signal::Ok);
    assert_eq!((state().status, state().heartbeat.unwrap().phase), (Status::Ok, HeartbeatPhase::Ok));
    let became = async |want: Status| {
        let wait = async {
            while state().status != want {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .unwrap_or_else(|_| panic!("never {want:?}: {:?}", state()));
    };
    became(Status::Failed).await;
    assert_eq!(state().why.unwrap().code, WhyCode::JobMissing);
    place.checks.ping("b-1", Signal::Exit(3));
    assert_eq!(state().heartbeat.unwrap().phase, HeartbeatPhase::Failed);
    place.checks.ping("b-1", Signal::Start);
    assert!(state().heartbeat.unwrap().running_since.is_some());
    place.checks.ping("b-1", Signal::Exit(0));
    assert_eq!((state().status, state().heartbeat.unwrap().running_since), (Status::Ok, None));
    stop.cancel();
    tasks.close();
    tasks.wait().await;
}

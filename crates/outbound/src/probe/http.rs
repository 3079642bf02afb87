//! One scenario of HTTP requests: cookies and saved values are kept from step to step, each phase is timed.
//!
//! Redirects are followed only when asked, and never into a private network unless the configured host lies in one; what
//! was meant for one host (headers, cookies, bodies) is not carried to another.

use super::attempt::{Stepped, certificate_end};
use super::network::{Deadline, Fault, Network, micros_since};
use base::Clock;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use url::Url;
use watch::check::address::{self, Reach};
use watch::check::answer::{filled, save, unmade};
use watch::check::cookies::Jar;
use watch::check::{Answer, Bag, Body, Check, Context, HttpStep, Method, Phases, StepResult, WhyCode, judge};

/// Most bytes of a body that are read.
pub const MAX_BODY: usize = 1 << 20;
/// What access logs see, so that checks can be told from people.
const AGENT: &str = concat!("koshu-check/", env!("CARGO_PKG_VERSION"));

/// A request ready to be sent.
struct Ready {
    method: hyper::Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Bytes,
    content_type: Option<&'static str>,
}

/// What came back, read to its end.
struct Came {
    status: u16,
    headers: Vec<(String, String)>,
    body: BytesMut,
    cut: bool,
}

/// Runs all steps until one fails.
pub async fn run(network: &Network, clock: &Clock, check: &Check, steps: &[HttpStep]) -> Stepped {
    let mut bag = Bag::new(&check.variables, &check.secrets);
    let mut jar = Jar::default();
    let mut done = Stepped::default();
    for step in steps {
        let mut scenario = Scenario { network, clock, jar: &mut jar, bag: &mut bag, timeout: check.timeout.to_std() };
        let (mut result, fault) = scenario.step(step).await;
        let fault = fault.map(|fault| Fault { why: fault.why.map(|text| bag.mask(text)), ..fault });
        result.ok = fault.is_none();
        result.why = fault.as_ref().map(|fault| fault.why.clone());
        done.steps.push(result);
        if fault.is_some() {
            done.fault = fault;
            break;
        }
    }
    done
}

struct Scenario<'r> {
    network: &'r Network,
    clock: &'r Clock,
    jar: &'r mut Jar,
    bag: &'r mut Bag,
    timeout: Duration,
}

impl Scenario<'_> {
    async fn step(&mut self, step: &HttpStep) -> (StepResult, Option<Fault>) {
        let mut result = StepResult {
            name: step.name(),
            ok: false,
            why: None,
            status: None,
            address: None,
            phases: Phases::default(),
            certificate_ends: None,
        };
        let begin = Instant::now();
        let fault = self.exchange(step, &mut result).await.err();
        if result.phases.total_us.is_none() {
            result.phases.total_us = Some(micros_since(begin));
        }
        (result, fault)
    }

    async fn exchange(&mut self, step: &HttpStep, result: &mut StepResult) -> Result<(), Fault> {
        let deadline = Deadline::within(self.timeout);
        let begin = Instant::now();
        let mut ready = self.ready(step)?;
        let mut set = Vec::new();
        let mut followed = 0;
        let mut private = true;
        let came = loop {
            let (addresses, dns_us) = self.network.resolve(host(&ready.url)?, deadline).await?;
            result.phases.add(&Phases { dns_us, ..Phases::default() });
            if let Err(refused) = address::allow(&addresses, private) {
                let expected = if private { "an address that a check may reach" } else { "a public address" };
                let got = format!("{refused} of {}", ready.url.host_str().unwrap_or_default());
                return Err(Fault::answered(WhyCode::Address, expected, got));
            }
            if followed == 0 {
                // Where the configured host lies, its redirects may lead.
                private = addresses.iter().any(|address| Reach::of(*address) == Reach::Private);
            }
            let came = self.send(&ready, &addresses, deadline, result).await?;
            result.status = Some(came.status);
            let now = self.clock.now();
            for (name, value) in &came.headers {
                if name == "set-cookie"
                    && let Some(named) = self.jar.set(&ready.url, value, now)
                {
                    set.push(named);
                }
            }
            let is_redirect = matches!(came.status, 301 | 302 | 303 | 307 | 308);
            let location = came.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.as_str());
            let (true, Some(location)) = (is_redirect && step.follow > 0, location) else { break came };
            followed += 1;
            if followed > step.follow {
                let expected = format!("at most {} redirects", step.follow);
                return Err(Fault::answered(WhyCode::Redirect, expected, format!("another one to {location}")));
            }
            ready = redirected(ready, came.status, location)?;
        };
        result.phases.total_us = Some(micros_since(begin));
        let answer = Answer {
            status: came.status,
            headers: &came.headers,
            body: &came.body,
            cut: came.cut,
            phases: result.phases,
        };
        let wrong = |why| Fault { why, silence: false };
        judge(&step.expect, &answer, self.bag).map_err(wrong)?;
        save(&step.save, &answer, &set, self.bag).map_err(wrong)
    }

    fn ready(&self, step: &HttpStep) -> Result<Ready, Fault> {
        let fill = |template: &watch::check::Template, context| {
            template.expand(self.bag, context).map_err(|error| Fault { why: unmade(&error), silence: false })
        };
        let text = fill(&step.url, Context::Url)?;
        let url = Url::parse(&text).map_err(|_| Fault::answered(WhyCode::Variable, "an address", &text))?;
        // The configuration allows variables behind the host only; this is the second lock of the same door.
        let configured = Url::parse(&step.url.to_string()).ok();
        if configured.is_none_or(|configured| origin(&configured) != origin(&url)) {
            return Err(Fault::answered(WhyCode::Variable, "the configured host", url.host_str().unwrap_or_default()));
        }
        let mut headers = Vec::new();
        for (name, value) in &step.headers {
            headers.push((name.clone(), fill(value, Context::Header)?));
        }
        let given = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        let (body, content_type) = match &step.body {
            Body::None => (String::new(), None),
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &fill(value, Context::Plain)?);
                }
                (form.finish(), Some("application/x-www-form-urlencoded"))
            }
            Body::Json(value) => {
                let value = filled(value, self.bag).map_err(|error| Fault { why: unmade(&error), silence: false })?;
                (value.to_string(), Some("application/json"))
            }
            Body::Text(text) => {
                let context = match given {
                    Some(kind) if kind.contains("json") => Context::Json,
                    Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => Context::Url,
                    _ => Context::Plain,
                };
                (fill(text, context)?, None)
            }
        };
        let content_type = content_type.filter(|_| given.is_none());
        Ok(Ready { method: method(step.method), url, headers, body: body.into(), content_type })
    }

    async fn send(
        &self,
        ready: &Ready,
        addresses: &[IpAddr],
        deadline: Deadline,
        result: &mut StepResult,
    ) -> Result<Came, Fault> {
        let port = ready.url.port_or_known_default().unwrap_or(80);
        let (stream, address, connect_us) = self.network.connect(addresses, port, deadline).await?;
        result.address = Some(address.to_string());
        result.phases.add(&Phases { connect_us: Some(connect_us), ..Phases::default() });
        if ready.url.scheme() == "https" {
            let (stream, tls_us) = self.network.handshake(stream, host(&ready.url)?, deadline).await?;
            result.phases.add(&Phases { tls_us: Some(tls_us), ..Phases::default() });
            result.certificate_ends = certificate_end(&stream);
            self.talk(ready, stream, deadline, result).await
        } else {
            self.talk(ready, stream, deadline, result).await
        }
    }

    async fn talk(
        &self,
        ready: &Ready,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        deadline: Deadline,
        result: &mut StepResult,
    ) -> Result<Came, Fault> {
        let request = self.request(ready)?;
        let begin = Instant::now();
        let broken = |error: hyper::Error| Fault::answered(WhyCode::Http, "an HTTP answer", chain(&error));
        let late = |what: &str| Fault::answered(WhyCode::Timeout, deadline.text(what), "nothing");
        let asked = async {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            // Ends with this call, whatever happens.
            let connection = AbortOnDropHandle::new(tokio::spawn(connection));
            sender.send_request(request).await.map(|response| (response, sender, connection))
        };
        let (response, _sender, _connection) =
            deadline.limit(asked).await.ok_or_else(|| late("the start of an answer"))?.map_err(broken)?;
        result.phases.add(&Phases { first_byte_us: Some(micros_since(begin)), ..Phases::default() });
        result.status = Some(response.status().as_u16());
        deadline.limit(read(response)).await.ok_or_else(|| late("the whole answer"))?.map_err(broken)
    }

    fn request(&self, ready: &Ready) -> Result<Request<Full<Bytes>>, Fault> {
        let wrong = |error: &dyn std::fmt::Display| Fault::answered(WhyCode::Variable, "a request", error.to_string());
        let target = match ready.url.query() {
            Some(query) => format!("{}?{query}", ready.url.path()),
            None => ready.url.path().to_owned(),
        };
        let mut request = Request::builder().method(ready.method.clone()).uri(target);
        let headers = request.headers_mut().ok_or_else(|| wrong(&"its address"))?;
        let authority = match ready.url.port() {
            Some(port) => format!("{}:{port}", host(&ready.url)?),
            None => host(&ready.url)?.to_owned(),
        };
        headers.insert(header::HOST, HeaderValue::from_str(&authority).map_err(|error| wrong(&error))?);
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if let Some(kind) = ready.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(cookies) = self.jar.header(&ready.url, self.clock.now()) {
            headers.insert(header::COOKIE, HeaderValue::from_str(&cookies).map_err(|error| wrong(&error))?);
        }
        for (name, value) in &ready.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&error))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|error| wrong(&error))?);
        }
        request.body(Full::new(ready.body.clone())).map_err(|error| wrong(&error))
    }
}

fn method(method: Method) -> hyper::Method {
    match method {
        Method::Get => hyper::Method::GET,
        Method::Head => hyper::Method::HEAD,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
        Method::Patch => hyper::Method::PATCH,
        Method::Delete => hyper::Method::DELETE,
    }
}

fn host(url: &Url) -> Result<&str, Fault> {
    url.host_str().ok_or_else(|| Fault::answered(WhyCode::Redirect, "an address with a host", url.as_str()))
}

fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

/// The request that a redirect asks for.
fn redirected(before: Ready, status: u16, location: &str) -> Result<Ready, Fault> {
    let wrong = |expected: &str| Fault::answered(WhyCode::Redirect, expected, location);
    let mut url = before.url.join(location).map_err(|_| wrong("a redirect to an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("a redirect to http or https"));
    }
    // A name in the address would become a header that nobody configured.
    let _ = (url.set_username(""), url.set_password(None));
    let same = origin(&url) == origin(&before.url);
    let keeps_method = matches!(status, 307 | 308) || matches!(before.method, hyper::Method::GET | hyper::Method::HEAD);
    if keeps_method && !before.body.is_empty() && !same {
        return Err(wrong("a redirect that does not carry the body to another host"));
    }
    let headers = if same { before.headers } else { Vec::new() };
    if keeps_method {
        return Ok(Ready { url, headers, ..before });
    }
    let headers = headers.into_iter().filter(|(name, _)| name != "content-type").collect();
    Ok(Ready { method: hyper::Method::GET, url, headers, body: Bytes::new(), content_type: None })
}

async fn read(response: Response<Incoming>) -> Result<Came, hyper::Error> {
    let (head, mut incoming) = response.into_parts();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut came = Came { status: head.status.as_u16(), headers: headers.collect(), body: BytesMut::new(), cut: false };
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = MAX_BODY - came.body.len();
        came.body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            came.cut = true;
            break;
        }
    }
    Ok(came)
}

/// An error with its causes, without the library's own first words.
fn chain(error: &hyper::Error) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_carries_nothing_to_another_host() {
        let ready = |method: hyper::Method, body: &'static str| {
            let headers = vec![("authorization".to_owned(), "Bearer x".to_owned())];
            let url = Url::parse("https://shop.example/a").unwrap();
            Ready { method, url, headers, body: body.into(), content_type: None }
        };
        for (case, method, body, status, location, want) in [
            ("same host", hyper::Method::GET, "", 302, "/b", Ok(("GET", "https://shop.example/b", true, ""))),
            (
                "another",
                hyper::Method::GET,
                "",
                302,
                "https://other.example/b",
                Ok(("GET", "https://other.example/b", false, "")),
            ),
            (
                "another port",
                hyper::Method::GET,
                "",
                302,
                "https://shop.example:8443/",
                Ok(("GET", "https://shop.example:8443/", false, "")),
            ),
            (
                "plain",
                hyper::Method::GET,
                "",
                302,
                "http://shop.example/",
                Ok(("GET", "http://shop.example/", false, "")),
            ),
            (
                "after a form",
                hyper::Method::POST,
                "a=b",
                303,
                "/done",
                Ok(("GET", "https://shop.example/done", true, "")),
            ),
            (
                "again",
                hyper::Method::POST,
                "a=b",
                307,
                "/again",
                Ok(("POST", "https://shop.example/again", true, "a=b")),
            ),
            ("body elsewhere", hyper::Method::POST, "a=b", 308, "https://other.example/", Err(())),
            (
                "a name in it",
                hyper::Method::GET,
                "",
                302,
                "https://u:p@shop.example/",
                Ok(("GET", "https://shop.example/", true, "")),
            ),
            ("no http", hyper::Method::GET, "", 302, "javascript:alert(1)", Err(())),
        ] {
            let got = redirected(ready(method, body), status, location);
            let got = got.as_ref().map(|ready| {
                let body = std::str::from_utf8(&ready.body).unwrap();
                (ready.method.as_str(), ready.url.as_str(), !ready.headers.is_empty(), body)
            });
            assert_eq!(got.map_err(drop), want, "{case}");
        }
    }
}

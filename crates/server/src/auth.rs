//! Who asks: a session of the browser, or a token.
//!
//! Handlers take one of the extractors [`MayRead`], [`MayAdmin`], [`MaySend`] or [`SignedIn`]; without it a route is
//! public. A request that changes something by cookie must come from our own pages (`Origin` equal to the host).

use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, Method, header};
use base::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocols::sentry::auth::Auth;
use std::net::SocketAddr;
use store::{Scope, Session, Store, Token};

/// The session cookie's name.
pub const COOKIE: &str = "koshu_session";

/// Someone with a session.
pub struct SignedIn(pub Session);
/// Someone who may read what was observed.
pub struct MayRead;
/// Someone who may change what the server does.
pub struct MayAdmin;
/// Someone who may send records.
pub struct MaySend;

/// The agent of a host, by its token.
pub struct ByAgent(pub Token);

/// Someone who may act on alerts and tickets, by name: a person, or a program with an admin token.
pub struct Acting(pub String);

enum Caller {
    Person(Session),
    Token(Scope),
    Nobody,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, _: &S) -> Result<Self, ApiError> {
        let info = head.extensions.get::<ConnectInfo<SocketAddr>>();
        info.map(|info| Self(info.0)).ok_or_else(|| ApiError::internal("the connection has no address"))
    }
}

/// The value of our session cookie.
pub fn session_cookie(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Secret::new(value))
}

/// The token of a request: `Bearer`, or the password of `Basic` with any user. A proxy in front may ask for a name and
/// a password of its own and hand them on: a password that is no token of ours is not meant for us.
fn token(headers: &HeaderMap) -> Option<Secret> {
    let raw = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = raw.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Secret::new(value.trim()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let (_, password) = decoded.split_once(':')?;
        return password.starts_with(store::TOKEN_PREFIX).then(|| Secret::new(password));
    }
    None
}

/// The token that a client of Sentry sends as its key, as the header that says the same.
fn sentry_key(head: &Head) -> Option<header::HeaderValue> {
    let by_header = || Auth::from_header(head.headers.get("x-sentry-auth")?.to_str().ok()?);
    let key = by_header().or_else(|| Auth::from_query(head.uri.query()?))?.key;
    let is_token = key.starts_with(store::TOKEN_PREFIX);
    is_token.then(|| header::HeaderValue::from_str(&format!("Bearer {key}")).ok()).flatten()
}

/// Whether the request comes from one of our own pages.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return false };
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
}

/// Whether a request names this machine as its host and no proxy says that it hands it on. HTTP/2 names the host in
/// `:authority`, not among the headers.
pub fn is_direct(headers: &HeaderMap, authority: Option<&str>) -> bool {
    const HANDED_ON: [&str; 5] = ["forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "x-forwarded-proto"];
    if HANDED_ON.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    let by_header = || headers.get(header::HOST)?.to_str().ok();
    let Some(host) = authority.or_else(by_header) else { return false };
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

async fn caller(head: &Head, store: &Store) -> Result<Caller, ApiError> {
    if let Some(secret) = token(&head.headers) {
        return match store.tokens().verify(secret.reveal()).await? {
            Some(token) => Ok(Caller::Token(token.scope)),
            None => Err(ApiError::unauthorized("the token is not known; it may have been deleted")),
        };
    }
    let Some(secret) = session_cookie(&head.headers) else { return Ok(Caller::Nobody) };
    let Some(session) = store.sessions().find(secret.reveal()).await? else { return Ok(Caller::Nobody) };
    let safe = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && !is_same_origin(&head.headers) {
        return Err(ApiError::forbidden("this request did not come from a page of this server"));
    }
    Ok(Caller::Person(session))
}

async fn require(head: &Head, store: &Store, needed: Scope) -> Result<(), ApiError> {
    match caller(head, store).await? {
        Caller::Person(_) => Ok(()),
        Caller::Token(scope) if scope.allows(needed) => Ok(()),
        Caller::Token(_) => Err(ApiError::forbidden(format!("this token may not do that; it takes scope {needed}"))),
        Caller::Nobody => Err(ApiError::unauthorized("sign in, or send a token as 'Authorization: Bearer ...'")),
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Self, ApiError> {
        match caller(head, &Store::from_ref(state)).await? {
            Caller::Person(session) => Ok(Self(session)),
            Caller::Token(_) => Err(ApiError::forbidden("this takes a person who is signed in, not a token")),
            Caller::Nobody => Err(ApiError::unauthorized("sign in first")),
        }
    }
}

impl<S> FromRequestParts<S> for Acting
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Self, ApiError> {
        let store = Store::from_ref(state);
        if let Caller::Person(session) = caller(head, &store).await? {
            return Ok(Self(session.user));
        }
        require(head, &store, Scope::Admin).await.map(|()| Self("api".to_owned()))
    }
}

impl FromRequestParts<Parts> for ByAgent {
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, parts: &Parts) -> Result<Self, ApiError> {
        let how = "make one with `koshu token create --scope agent`";
        let secret = token(&head.headers).ok_or_else(|| {
            ApiError::unauthorized(format!("an agent sends its token as 'Authorization: Bearer ...'; {how}"))
        })?;
        match parts.store.tokens().verify(secret.reveal()).await? {
            Some(token) if token.scope == Scope::Agent => Ok(Self(token)),
            Some(_) => Err(ApiError::forbidden(format!("this token is none of an agent; {how}"))),
            None => Err(ApiError::unauthorized(format!("the token is not known; it may have been deleted; {how}"))),
        }
    }
}

macro_rules! scoped {
    ($extractor:ident, $scope:expr) => {
        impl<S> FromRequestParts<S> for $extractor
        where
            S: Send + Sync,
            Store: FromRef<S>,
        {
            type Rejection = ApiError;

            async fn from_request_parts(head: &mut Head, state: &S) -> Result<Self, ApiError> {
                require(head, &Store::from_ref(state), $scope).await.map(|()| Self)
            }
        }
    };
}
scoped!(MayRead, Scope::Read);
scoped!(MayAdmin, Scope::Admin);

impl FromRequestParts<Parts> for MaySend {
    type Rejection = ApiError;

    /// On loopback, while nobody ever made a token, sending is open: to this machine, not to those for whom a proxy on
    /// it speaks.
    async fn from_request_parts(head: &mut Head, parts: &Parts) -> Result<Self, ApiError> {
        let store = Store::from_ref(parts);
        if let Some(secret) = sentry_key(head) {
            head.headers.insert(header::AUTHORIZATION, secret);
        }
        let has_credentials = token(&head.headers).is_some() || session_cookie(&head.headers).is_some();
        let Peer(peer) = Peer::from_request_parts(head, parts).await?;
        // A page of another site can make a browser post here, but not without telling its origin.
        let foreign_page = head.headers.contains_key(header::ORIGIN) && !is_same_origin(&head.headers);
        let is_local = peer.ip().is_loopback() && is_direct(&head.headers, None);
        if !has_credentials && is_local && !foreign_page && !store.tokens().any_created().await? {
            return Ok(Self);
        }
        require(head, &store, Scope::Ingest).await.map(|()| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn tokens_come_as_bearer_or_as_the_password_of_basic() {
        for (case, value, want) in [
            ("bearer", "Bearer koshu_x", Some("koshu_x")),
            ("lower case", "bearer koshu_x", Some("koshu_x")),
            ("basic", "Basic dXNlcjprb3NodV94", Some("koshu_x")),
            ("basic of a proxy", "Basic cHJveHk6cGFzc3dvcmQ=", None),
            ("broken basic", "Basic !!!", None),
            ("other", "Digest x", None),
        ] {
            let found = token(&headers(&[("authorization", value)]));
            assert_eq!(found.as_ref().map(Secret::reveal), want, "{case}");
        }
    }

    #[test]
    fn only_this_machine_itself_finds_the_door_open() {
        for (case, pairs, want) in [
            ("address", &[("host", "127.0.0.1:4649")][..], true),
            ("IPv6", &[("host", "[::1]:4649")], true),
            ("name", &[("host", "localhost")], true),
            ("a proxy that keeps the host", &[("host", "koshu.example")], false),
            ("another address", &[("host", "192.0.2.1:4649")], false),
            ("no host", &[], false),
            ("forwarded", &[("host", "127.0.0.1:4649"), ("forwarded", "for=192.0.2.7")], false),
            ("forwarded for", &[("host", "127.0.0.1:4649"), ("x-forwarded-for", "192.0.2.7")], false),
            ("real address", &[("host", "127.0.0.1:4649"), ("x-real-ip", "192.0.2.7")], false),
        ] {
            assert_eq!(is_direct(&headers(pairs), None), want, "{case}");
        }
    }

    #[test]
    fn over_http_2_the_host_is_in_the_authority() {
        assert!(is_direct(&headers(&[]), Some("127.0.0.1:4317")));
        assert!(!is_direct(&headers(&[]), Some("koshu.example")));
        assert!(!is_direct(&headers(&[("x-forwarded-for", "192.0.2.7")]), Some("127.0.0.1:4317")));
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        for (case, pairs, want) in [
            ("same", &[("origin", "http://127.0.0.1:4649"), ("host", "127.0.0.1:4649")][..], true),
            ("other site", &[("origin", "http://evil.example"), ("host", "127.0.0.1:4649")], false),
            ("other port", &[("origin", "http://127.0.0.1:80"), ("host", "127.0.0.1:4649")], false),
            ("null", &[("origin", "null"), ("host", "127.0.0.1:4649")], false),
            ("missing", &[("host", "127.0.0.1:4649")], false),
        ] {
            assert_eq!(is_same_origin(&headers(pairs)), want, "{case}");
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let found = session_cookie(&headers(&[("cookie", "a=b; koshu_session=abc; c=d")]));
        assert_eq!(found.as_ref().map(Secret::reveal), Some("abc"));
        assert!(session_cookie(&headers(&[("cookie", "xkoshu_session=abc")])).is_none());
    }
}

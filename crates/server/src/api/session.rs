//! Signing in and out, passwords, tokens.

use super::{Json, Path};
use crate::auth::{COOKIE, MayAdmin, Peer, SignedIn, session_cookie};
use crate::parts::{About, Parts};
use crate::problem::ApiError;
use crate::tls::Encrypted;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::{Clock, Id, Secret, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{PASSWORD_MIN_CHARS, SESSION_ABSOLUTE, Scope, Store, StoreError, Throttle, Token, User};

/// Who is looking, and at what.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionView {
    signed_in: bool,
    user: Option<String>,
    password_set: bool,
    demo: bool,
    version: &'static str,
    time_zone: String,
    hostname: String,
}

/// `GET /api/v1/session`: says only who is signed in to those who are not.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "read_session",
    responses((status = 200, body = SessionView))
)]
pub async fn show(State(parts): State<Parts>, headers: HeaderMap) -> Result<axum::Json<SessionView>, ApiError> {
    let session = match session_cookie(&headers) {
        Some(secret) => parts.store.sessions().find(secret.reveal()).await?,
        None => None,
    };
    let users = parts.store.users().list().await?;
    let known = |about: &About| if session.is_some() { about.host.clone() } else { String::new() };
    Ok(axum::Json(SessionView {
        signed_in: session.is_some(),
        hostname: known(&parts.about),
        demo: session.is_some() && parts.intake.services().iter().any(|service| service.settings().demo),
        user: session.map(|session| session.user),
        password_set: users.iter().any(|user| user.password_set),
        version: parts.about.version,
        time_zone: parts.about.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    }))
}

/// A user and a password.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Credentials {
    user: String,
    #[schema(value_type = String)]
    password: Secret,
}

/// Who has just signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Welcome {
    user: String,
    password_set: bool,
}

/// `POST /api/v1/session`
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "sign_in",
    request_body = Credentials,
    responses((status = 200, body = Welcome))
)]
pub async fn sign_in(
    State(store): State<Store>,
    State(throttle): State<Arc<Mutex<Throttle>>>,
    State(clock): State<Clock>,
    browser: Browser,
    Json(given): Json<Credentials>,
) -> Result<Response, ApiError> {
    throttle.lock().attempt(&given.user, &browser.address, clock.now()).map_err(|wait| {
        let after = wait.0.to_std();
        ApiError::too_many(format!("too many wrong passwords; try again in {} s", after.as_secs().max(1)), after)
    })?;
    let Some(user) = store.users().verify_password(&given.user, &given.password).await? else {
        return Err(ApiError::unauthorized("user or password is wrong"));
    };
    throttle.lock().succeeded(&given.user, &browser.address);
    begin(&store, &user, &browser).await
}

/// The secret of a one-time link.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct LinkSecret {
    #[schema(value_type = String)]
    secret: Secret,
}

/// `POST /api/v1/session/link`
#[utoipa::path(
    post,
    path = "/api/v1/session/link",
    operation_id = "redeem_link",
    request_body = LinkSecret,
    responses((status = 200, body = Welcome))
)]
pub async fn redeem_link(
    State(store): State<Store>,
    browser: Browser,
    Json(given): Json<LinkSecret>,
) -> Result<Response, ApiError> {
    let used =
        || ApiError::unauthorized("this link was used already or is too old; make another with: koshu user link");
    let user = store.links().redeem(given.secret.reveal()).await?.ok_or_else(used)?;
    let user = store.users().get(user).await?.ok_or_else(used)?;
    begin(&store, &user, &browser).await
}

/// Who signs in, from where.
pub struct Browser {
    address: String,
    /// It speaks TLS, with this server or, as a proxy in front says, with that.
    is_https: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Self, ApiError> {
        let Peer(peer) = Peer::from_request_parts(head, state).await?;
        let by_proxy = head.headers.get("x-forwarded-proto").is_some_and(|value| value == "https");
        let is_https = by_proxy || head.extensions.get::<Encrypted>().is_some();
        Ok(Self { address: peer.ip().to_string(), is_https })
    }
}

async fn begin(store: &Store, user: &User, browser: &Browser) -> Result<Response, ApiError> {
    let (secret, _) = store.sessions().start(user, &browser.address).await?;
    let welcome = Welcome { user: user.name.clone(), password_set: user.password_set };
    let mut response = axum::Json(welcome).into_response();
    let age = SESSION_ABSOLUTE.micros() / 1_000_000;
    let secure = if browser.is_https { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", secret.reveal());
    let cookie = HeaderValue::from_str(&cookie).map_err(ApiError::internal)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `DELETE /api/v1/session`
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "sign_out",
    responses((status = 204))
)]
pub async fn sign_out(State(store): State<Store>, SignedIn(session): SignedIn) -> Result<Response, ApiError> {
    store.sessions().end(session.id).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = HeaderValue::from_static("koshu_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok(response)
}

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewPassword {
    #[schema(value_type = String)]
    password: Secret,
}

/// `POST /api/v1/session/password`: ends every other session.
#[utoipa::path(
    post,
    path = "/api/v1/session/password",
    operation_id = "set_password",
    request_body = NewPassword,
    responses((status = 204))
)]
pub async fn set_password(
    State(store): State<Store>,
    SignedIn(session): SignedIn,
    Json(given): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    if given.password.reveal().chars().count() < PASSWORD_MIN_CHARS {
        return Err(ApiError::bad_request(format!("a password has at least {PASSWORD_MIN_CHARS} characters")));
    }
    store.users().set_password(session.user_id, &given.password, Some(session.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenView {
    id: String,
    name: String,
    scope: String,
    prefix: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    last_used_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            scope: token.scope.to_string(),
            prefix: token.prefix,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// Tokens.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenList {
    tokens: Vec<TokenView>,
}

/// `GET /api/v1/tokens`
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    operation_id = "list_tokens",
    responses((status = 200, body = TokenList))
)]
pub async fn list_tokens(State(store): State<Store>, _: MayAdmin) -> Result<axum::Json<TokenList>, ApiError> {
    let tokens = store.tokens().list().await?;
    Ok(axum::Json(TokenList { tokens: tokens.into_iter().map(TokenView::from).collect() }))
}

/// A token to make.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewToken {
    name: String,
    scope: String,
}

/// A token that was made; its secret is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MadeToken {
    id: String,
    token: String,
}

/// `POST /api/v1/tokens`
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    operation_id = "create_token",
    request_body = NewToken,
    responses((status = 201, body = MadeToken))
)]
pub async fn create_token(
    State(store): State<Store>,
    _: MayAdmin,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, axum::Json<MadeToken>), ApiError> {
    let scope: Scope =
        new.scope.parse().map_err(|error: store::ScopeError| ApiError::bad_request(error.to_string()))?;
    let name = new.name.trim();
    if name.is_empty() || name.len() > 100 {
        return Err(ApiError::bad_request("a token's name has 1 to 100 characters"));
    }
    let (secret, token) = store.tokens().create(name, scope).await?;
    let made = MadeToken { id: token.id.to_string(), token: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// `DELETE /api/v1/tokens/{id}`
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    operation_id = "delete_token",
    params(("id" = String, Path, description = "Id of the token.")),
    responses((status = 204))
)]
pub async fn delete_token(
    State(store): State<Store>,
    _: MayAdmin,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: Id<Token> = id.parse().map_err(|_| ApiError::not_found("there is no such token"))?;
    match store.tokens().delete(id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(ApiError::not_found("there is no such token")),
        Err(error) => Err(StoreError::into(error)),
    }
}

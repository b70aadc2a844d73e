//! Sessions over HTTP: sign in, refresh, look, sign out.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{self, Anybody, DeviceMayBeRevoked, Unreadable, WithBody};
use super::auth::Caller;
use super::body::StrictJson;
use super::limits;
use super::problem::Problem;
use crate::app::App;
use crate::usecases::sign_in::password::Password;
use crate::usecases::sign_in::session::{self, SignedIn};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(sign_in)
        .service(refresh)
        .service(current)
        .service(sign_out);
}

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The name by which they sign in.
    #[schema(example = "wang.fang")]
    pub login: String,
    /// The password.
    #[schema(value_type = String, format = Password, example = "correct horse battery")]
    pub password: Password,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// As the last answer gave it.
    #[schema(example = "hlr_mZ3Vn1cVQ0yTt6yS8n0oQkq0r5S2u7vXw9yAzBcDeFg")]
    pub refresh_token: String,
}

/// A session that goes on.
#[derive(Serialize, ToSchema)]
pub struct SessionAnswer {
    /// Who signed in.
    pub person: PersonRecord,
    /// For the header `Authorization: Bearer …` of every request.
    pub access_token: String,
    /// Until when it is good; minutes.
    pub access_expires_at: Timestamp,
    /// For the next refresh. The one before stays good until this one is first used.
    pub refresh_token: String,
    /// Until when it is good, unless it is used.
    pub refresh_expires_at: Timestamp,
    /// The device that the session is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_id: Option<InstallId>,
}

impl From<SignedIn> for SessionAnswer {
    fn from(signed_in: SignedIn) -> Self {
        let tokens = signed_in.tokens;
        Self {
            person: signed_in.person,
            access_token: tokens.access_token,
            access_expires_at: tokens.access_expires_at,
            refresh_token: tokens.refresh_token,
            refresh_expires_at: tokens.refresh_expires_at,
            install_id: signed_in.install_id,
        }
    }
}

/// The session that a token belongs to.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Which.
    pub session_id: Uuid,
    /// Whose.
    pub person: PersonRecord,
    /// The device that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_id: Option<InstallId>,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
}

/// Tokens are not for caches (RFC 6749, section 5.1).
pub(super) const NO_STORE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Sign in
///
/// An unknown name, a wrong password and a disabled account are one answer. After some failures
/// for one name from one network, further attempts from there have to wait.
#[utoipa::path(
    tag = "sessions",
    operation_id = "signIn",
    request_body = Credentials,
    responses(
        (status = 201, description = "Signed in", body = SessionAnswer),
        (status = 401, description = "Name or password is wrong", body = Problem, content_type = "application/problem+json"),
        Anybody, Unreadable, WithBody,
    )
)]
#[post("/sessions")]
async fn sign_in(
    app: web::Data<App>,
    http: HttpRequest,
    body: StrictJson<Credentials>,
) -> Result<HttpResponse, Problem> {
    let source = limits::source(&http, &app.settings);
    let StrictJson(Credentials { login, password }) = body;
    let signed_in = session::sign_in(&app, &login, password, source).await?;
    let answer = SessionAnswer::from(signed_in);
    Ok(HttpResponse::Created().insert_header(NO_STORE).json(answer))
}

/// Refresh a session
///
/// Answers a successor of the refresh token. The presented one stays good until a successor is
/// first used, so that a lost answer locks nobody out; when it comes after that, it is in two
/// hands, and the session ends.
#[utoipa::path(
    tag = "sessions",
    operation_id = "refreshSession",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "Refreshed", body = SessionAnswer),
        (status = 401, description = "The token is unknown, expired or reused, or its session has ended", body = Problem, content_type = "application/problem+json"),
        Anybody, DeviceMayBeRevoked, Unreadable, WithBody,
    )
)]
#[post("/sessions/refresh")]
async fn refresh(
    app: web::Data<App>,
    body: StrictJson<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    let signed_in = session::refresh(&app, &body.0.refresh_token).await?;
    let answer = SessionAnswer::from(signed_in);
    Ok(HttpResponse::Ok().insert_header(NO_STORE).json(answer))
}

/// Look at the present session
#[utoipa::path(
    tag = "sessions",
    operation_id = "currentSession",
    responses(
        (status = 200, description = "The session of the token", body = SessionView),
        answers::SignedIn, DeviceMayBeRevoked,
    ),
    security(("bearer" = []))
)]
#[get("/sessions/current")]
async fn current(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let (session, person) = session::current(&app, caller.bearer()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(NO_STORE)
        .json(SessionView {
            session_id: session.id,
            person,
            install_id: session.install_id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
        }))
}

/// Sign out
///
/// Ends the session. Its device stays enrolled, and its queue may be sent after signing in again.
#[utoipa::path(
    tag = "sessions",
    operation_id = "signOut",
    responses((status = 204, description = "Signed out"), answers::SignedIn, DeviceMayBeRevoked),
    security(("bearer" = []))
)]
#[delete("/sessions/current")]
async fn sign_out(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    session::sign_out(&app, caller.bearer()).await?;
    Ok(HttpResponse::NoContent().finish())
}

//! Who asks: the bearer token of a request, checked before the handler runs.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use hazardloop_domain::ids::{InstallId, PersonId};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use uuid::Uuid;

use super::problem::Problem;
use super::turn;
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::usecases::sign_in::{self, access_token::Bearer};

/// The name of the security scheme in the description of the API; handlers that take a
/// [`Caller`] say `security(("bearer" = []))`.
pub const BEARER: &str = "bearer";

/// Who asks. A handler that takes this answers 401 to everybody else, 403 to revoked devices,
/// and 429 to those who ask too often. Who asks for much at once waits for their turn (see `turns`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub person_id: PersonId,
    /// Their sign-in.
    pub session_id: Uuid,
    /// The device that it is bound to.
    pub install_id: Option<InstallId>,
}

impl Caller {
    /// The same, as use cases take it.
    pub fn bearer(&self) -> Bearer {
        Bearer {
            person_id: self.person_id,
            session_id: self.session_id,
            install_id: self.install_id,
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer_token(request).map(str::to_owned);
        let (app, held) = (app(request).cloned(), turn::held(request));
        let waits = turn::waits(request);
        Box::pin(async move {
            let _waits = waits;
            let (token, app, held) = (token?, app?, held?);
            let bearer = sign_in::authenticate(&app, &token).await?;
            let turn = app
                .turns
                .request(bearer.session_id, bearer.person_id)
                .await?;
            held.keep(turn);
            Ok(Self {
                person_id: bearer.person_id,
                session_id: bearer.session_id,
                install_id: bearer.install_id,
            })
        })
    }
}

/// The shared parts of the server, from a request.
///
/// # Errors
/// 500 when `serve` has not put them there.
pub(super) fn app(request: &HttpRequest) -> Result<&App, Failure> {
    let app = request.app_data::<web::Data<App>>();
    let missing = || Failure::Internal("the server is not set up".to_owned());
    app.map(|app| app.get_ref()).ok_or_else(missing)
}

fn bearer_token(request: &HttpRequest) -> Result<&str, Failure> {
    let refused = Failure::Unauthenticated;
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let only = headers
        .next()
        .ok_or_else(|| refused(Unauthenticated::Missing))?;
    let invalid = || refused(Unauthenticated::Invalid);
    if headers.next().is_some() {
        return Err(invalid());
    }
    let text = only.to_str().map_err(|_| invalid())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused(Unauthenticated::Missing));
    }
    Ok(token.trim())
}

/// Adds the bearer scheme to the description of the API.
pub fn describe(api: &mut OpenApi) {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.bearer_format = Some("JWT".to_owned());
    http.description = Some("Access token of POST /api/v1/sessions, valid for minutes".to_owned());
    let components = api.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(http));
}

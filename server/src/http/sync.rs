//! Push and pull: CBOR (or, for debugging and third parties, JSON) in and out.

use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, post, web};
use futures_util::StreamExt as _;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    MEDIA_TYPE_CBOR, MEDIA_TYPE_JSON, OfferRequest, PROTOCOL_MAX, PROTOCOL_MIN, PullRequest,
    PushRequest, PushResult,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Anybody, SignedIn, WithMessage, WithOffer};
use super::auth::Caller;
use super::binary::Binary;
use super::problem::{Problem, ProblemCode};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(push).service(pull).service(offer);
}

/// Push a batch of commands
///
/// The body is a `PushRequest`, the answer a `PushResponse`, both in the media type of the
/// request. Every command gets an outcome; a bad one never blocks those behind it. The same batch
/// may be pushed again without harm.
#[utoipa::path(
    tag = "sync",
    operation_id = "pushCommands",
    request_body(content = Binary, content_type = "application/vnd.hazardloop.sync+cbor"),
    responses(
        (status = 200, description = "One result a command", body = Binary,
            content_type = "application/vnd.hazardloop.sync+cbor"),
        (status = 422, description = "The batch is out of order", body = Problem, content_type = "application/problem+json"),
        SignedIn, WithMessage,
    ),
    security(("bearer" = []))
)]
#[post("/sync/push")]
async fn push(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let form = Form::of(&http)?;
    let body = read_body(&app, payload).await?;
    let request: PushRequest = form.read(&app, &body)?;
    require_own_install(&caller, request.install_id)?;
    let response = usecases::push::push(&app, caller.person_id, request).await?;
    for result in &response.results {
        let outcome = match result {
            PushResult::Receipt(receipt) => receipt.outcome.name(),
            PushResult::IdReused { .. } => "id_reused",
        };
        app.metrics.pushed.with_label_values(&[outcome]).inc();
    }
    form.write(&response)
}

/// Pull what changed
///
/// The body is a `PullRequest`, the answer a `PullResponse`, both in the media type of the
/// request. Pull again at once while `more` is true.
#[utoipa::path(
    tag = "sync",
    operation_id = "pullRecords",
    request_body(content = Binary, content_type = "application/vnd.hazardloop.sync+cbor"),
    responses(
        (status = 200, description = "One answer a scope", body = Binary,
            content_type = "application/vnd.hazardloop.sync+cbor"),
        (status = 426, description = "A protocol version that this server does not speak", body = Problem, content_type = "application/problem+json"),
        SignedIn, WithMessage,
    ),
    security(("bearer" = []))
)]
#[post("/sync/pull")]
async fn pull(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let form = Form::of(&http)?;
    let body = read_body(&app, payload).await?;
    let request: PullRequest = form.read(&app, &body)?;
    require_own_install(&caller, request.install_id)?;
    let response = usecases::pull::pull(&app, caller.person_id, request).await?;
    form.write(&response)
}

/// Offer what a revoked device has not sent
///
/// The body is an `OfferRequest`, the answer an `OfferResponse`, both in the media type of the
/// request. It takes no token, for a revoked device's tokens open nothing: the offer is signed by
/// the key that the device enrolled with. Nothing of it is carried out; its commands wait in
/// quarantine for a person (`listQuarantined`). The same offer may be made again without harm.
#[utoipa::path(
    tag = "sync",
    operation_id = "offerCommands",
    request_body(content = Binary, content_type = "application/vnd.hazardloop.sync+cbor"),
    responses(
        (status = 200, description = "One result a command", body = Binary,
            content_type = "application/vnd.hazardloop.sync+cbor"),
        (status = 409, description = "The device is not revoked: it pushes", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The offer is out of order", body = Problem, content_type = "application/problem+json"),
        Anybody, WithOffer,
    )
)]
#[post("/sync/offer")]
async fn offer(
    app: web::Data<App>,
    http: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let form = Form::of(&http)?;
    let body = read_body(&app, payload).await?;
    let request: OfferRequest = form.read(&app, &body)?;
    let response = usecases::offers::offer(&app, request).await?;
    form.write(&response)
}

/// A token of one device opens that device's stream and no other.
fn require_own_install(
    caller: &Caller,
    install_id: hazardloop_domain::ids::InstallId,
) -> Result<(), Problem> {
    if caller.install_id == Some(install_id) {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::Forbidden,
        "sync needs the token of this very device",
    ))
}

#[derive(Clone, Copy)]
enum Form {
    Cbor,
    Json,
}

impl Form {
    fn of(http: &HttpRequest) -> Result<Self, Problem> {
        let stated = http
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        let media_type = stated
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        match media_type {
            MEDIA_TYPE_CBOR => Ok(Self::Cbor),
            MEDIA_TYPE_JSON => Ok(Self::Json),
            _ => Err(Problem::new(
                ProblemCode::UnsupportedMedia,
                format!("expected {MEDIA_TYPE_CBOR} or {MEDIA_TYPE_JSON}"),
            )),
        }
    }

    fn read<T>(self, app: &App, body: &[u8]) -> Result<T, Problem>
    where
        T: DeserializeOwned + for<'b> minicbor::Decode<'b, ()>,
    {
        let malformed = |error: &dyn std::fmt::Display| {
            Problem::new(
                ProblemCode::Malformed,
                format!("the body cannot be read: {error}"),
            )
        };
        match self {
            Self::Cbor => codec::decode_strict(body, app.settings.wire_limits().depth)
                .map_err(|error| malformed(&error)),
            Self::Json => serde_json::from_slice(body).map_err(|error| malformed(&error)),
        }
    }

    fn write<T: Serialize + minicbor::Encode<()>>(
        self,
        message: &T,
    ) -> Result<HttpResponse, Problem> {
        let (media_type, body) = match self {
            Self::Cbor => (MEDIA_TYPE_CBOR, codec::encode(message)),
            Self::Json => {
                let text = serde_json::to_vec(message)
                    .map_err(|error| Problem::from(Failure::Internal(error.to_string())))?;
                (MEDIA_TYPE_JSON, text)
            }
        };
        Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .insert_header((
                "Hazardloop-Protocol",
                format!("{PROTOCOL_MIN}-{PROTOCOL_MAX}"),
            ))
            .body(body))
    }
}

/// Reads a body up to the limit on sync messages, within the time a body may take.
async fn read_body(app: &App, mut payload: web::Payload) -> Result<Vec<u8>, Problem> {
    let most = app.settings.sync.body_bytes;
    let too_large = || {
        Problem::new(
            ProblemCode::PayloadTooLarge,
            format!("a message has at most {most} bytes"),
        )
    };
    let reading = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::new(
                    ProblemCode::Malformed,
                    format!("the body broke off: {error}"),
                )
            })?;
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    let patience = Duration::from_secs(app.settings.http.body_timeout_s);
    tokio::time::timeout(patience, reading)
        .await
        .map_err(|_| Problem::new(ProblemCode::Timeout, "the body came too slowly"))?
}

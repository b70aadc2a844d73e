//! Push and pull: CBOR (or, for debugging and third parties, JSON) in and out.

use actix_web::{HttpRequest, HttpResponse, post, web};
use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::wire::{OfferRequest, PullRequest, PushRequest, PushResult};

use super::answers::{Anybody, SignedIn, WithMessage, WithOffer};
use super::auth::Caller;
use super::binary::Binary;
use super::limits;
use super::problem::{Problem, ProblemCode};
use super::sync_body::{self, Form};
use super::turn;
use crate::app::App;
use crate::usecases;
use crate::usecases::lean::Said;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(push).service(pull).service(offer);
}

/// Push a batch of commands
///
/// The body is a `PushRequest`, the answer a `PushResponse`, both in the media type of the request;
/// or a `LeanPush` of `application/vnd.hazardloop.sync-lean+cbor`, or a `PackedPush` of
/// `application/vnd.hazardloop.sync-packed+cbor`, answered in CBOR. Content codings:
/// `zstd`, `hl-zh1`, `hl-zh2`. Every command gets an outcome; a bad one never blocks those behind it. The same
/// batch may be pushed again without harm.
#[utoipa::path(
    tag = "sync",
    operation_id = "pushCommands",
    request_body(content = Binary, content_type = "application/vnd.hazardloop.sync+cbor"),
    responses(
        (status = 200, description = "One result a command", body = Binary,
            content_type = "application/vnd.hazardloop.sync+cbor"),
        (status = 409, description = "`SAY_IN_FULL`: the lean or packed form does not fit; nothing was recorded", body = Problem, content_type = "application/problem+json"),
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
    // Before the body: who waits takes no memory.
    turn::held(&http)?.keep(app.turns.sync(own_install(&caller)?).await?);
    let body = sync_body::read(&app, &http, payload).await?;
    let said = match form {
        Form::Lean => Some(Said::Lean(form.read(&app, &body)?)),
        Form::Packed => Some(Said::Packed(form.read(&app, &body)?)),
        Form::Cbor | Form::Json => None,
    };
    let request: PushRequest = match said {
        Some(said) => {
            let install_id = own_install(&caller)?;
            usecases::lean::push_in_full(&app, caller.person_id, install_id, said).await?
        }
        None => form.read(&app, &body)?,
    };
    require_own_install(&caller, request.install_id)?;
    let response = usecases::push::push(&app, caller.person_id, request).await?;
    for result in &response.results {
        let outcome = match result {
            PushResult::Receipt(receipt) => receipt.outcome.name(),
            PushResult::IdReused { .. } => "id_reused",
        };
        app.metrics.pushed.with_label_values(&[outcome]).inc();
    }
    form.write(&http, &response)
}

/// Pull what changed
///
/// The body is a `PullRequest`, the answer a `PullResponse`, both in the media type of the request;
/// or a `LeanPull` of `application/vnd.hazardloop.sync-lean+cbor`, answered in CBOR. Who accepts that
/// type gets a `LeanPullResponse` where there are many records, and who accepts
/// `application/vnd.hazardloop.sync-packed+cbor` a `PackedPullResponse`. Content codings: `zstd`, `hl-zh1`, `hl-zh2`.
/// Pull again at once while `more` is true.
#[utoipa::path(
    tag = "sync",
    operation_id = "pullRecords",
    request_body(content = Binary, content_type = "application/vnd.hazardloop.sync+cbor"),
    responses(
        (status = 200, description = "One answer a scope", body = Binary,
            content_type = "application/vnd.hazardloop.sync+cbor"),
        (status = 409, description = "`SAY_IN_FULL`: something is new; ask in the full form", body = Problem, content_type = "application/problem+json"),
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
    let form = Form::of_pull(&http)?;
    // Before the body: who waits takes no memory.
    turn::held(&http)?.keep(app.turns.sync(own_install(&caller)?).await?);
    let body = sync_body::read(&app, &http, payload).await?;
    if form == Form::Lean {
        let (install_id, held) = (own_install(&caller)?, form.read(&app, &body)?);
        let response =
            usecases::lean::nothing_new(&app, caller.person_id, install_id, held).await?;
        return form.write(&http, &response);
    }
    let request: PullRequest = form.read(&app, &body)?;
    require_own_install(&caller, request.install_id)?;
    let response = usecases::pull::pull(&app, caller.person_id, request).await?;
    form.write_pull(&http, response)
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
    if matches!(form, Form::Lean | Form::Packed) {
        let why = "an offer has no lean form";
        return Err(Problem::new(ProblemCode::UnsupportedMedia, why));
    }
    let from = limits::source(&http, &app.settings);
    turn::held(&http)?.keep(app.turns.offer(from).await?);
    let body = sync_body::read(&app, &http, payload).await?;
    let request: OfferRequest = form.read(&app, &body)?;
    let response = usecases::offers::offer(&app, request).await?;
    form.write(&http, &response)
}

/// A token of one device opens that device's stream and no other.
fn require_own_install(caller: &Caller, install_id: InstallId) -> Result<(), Problem> {
    if own_install(caller)? == install_id {
        return Ok(());
    }
    Err(not_this_device())
}

/// Whose stream the token opens.
fn own_install(caller: &Caller) -> Result<InstallId, Problem> {
    caller.install_id.ok_or_else(not_this_device)
}

fn not_this_device() -> Problem {
    Problem::new(
        ProblemCode::Forbidden,
        "sync needs the token of this very device",
    )
}

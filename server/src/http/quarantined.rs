//! Commands of devices that could not be judged, over HTTP: list them, look at one, settle one.

use actix_web::{HttpResponse, get, post, web};
use hazardloop_domain::command::Action;
use hazardloop_domain::command_fate::{Chosen, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use hazardloop_sync_protocol::wire::QuarantineReason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::{
    DeviceMayBeRevoked, Hidden, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging::CommandsQuery;
use super::problem::Problem;
use crate::app::App;
use crate::store::command_photos::CommandPhoto;
use crate::store::quarantined::SettledAs;
use crate::usecases::quarantined::{self, Shown};
use crate::usecases::time_proof;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(list).service(settle).service(one);
}

/// What a person made of a command.
#[derive(Debug, Serialize, ToSchema)]
struct SettlementView {
    /// How.
    how: SettledAs,
    /// Why, or where it was entered.
    note: String,
    /// Who.
    by: PersonId,
    /// When.
    at: Timestamp,
}

/// A command that could not be judged.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantinedView {
    /// The device that sent it.
    install_id: InstallId,
    /// Its place in what that device sent, from 1.
    seq: i64,
    /// Whose device.
    person_id: PersonId,
    /// Its kind, as it was sent.
    #[schema(example = "note")]
    kind: String,
    /// What it acts upon, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<SubjectId>,
    /// When the server received it.
    received_at: Timestamp,
    /// When it was made, and what proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_proof: Option<TimeProof>,
    /// Why it could not be judged: `unknown_kind`, `unknown_version`, `malformed_payload`, `bad_signature`,
    /// `broken_chain`, `reassigned`, `co_signer_revoked` or `offered_after_revocation`.
    #[schema(value_type = String, example = "reassigned")]
    reason: QuarantineReason,
    /// The same in words.
    detail: String,
    /// What it says, where this server can read it: as in `POST /hazards/{id}/commands`. Only where it is looked at by
    /// itself, and speaks of nothing that is here or of what the asker sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    command: Option<Action>,
    /// The photos that it names, as far as its author brought or is still asked for them; as `command`.
    #[serde(skip_serializing_if = "Option::is_none")]
    photos: Option<Vec<QuarantinedPhoto>>,
    /// What its author chose to do about it; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
    /// What a person made of it; absent: it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<SettlementView>,
}

/// A photo of a command that could not be judged.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantinedPhoto {
    /// Which; `GET /photos/{sha256}` shows it once it has arrived.
    sha256: Digest,
    /// When its author brought it; absent: their device is asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_at: Option<Timestamp>,
}

impl From<Shown> for QuarantinedView {
    fn from(shown: Shown) -> Self {
        let of = shown.quarantined;
        let (command, photos) = shown
            .said
            .map_or((None, None), |said| (said.action, Some(said.photos)));
        let photo = |photo: CommandPhoto| QuarantinedPhoto {
            sha256: photo.sha256,
            arrived_at: photo.arrived_at,
        };
        Self {
            command,
            photos: photos.map(|photos| photos.into_iter().map(photo).collect()),
            chosen: shown.chosen,
            install_id: of.which.install_id,
            seq: of.which.seq,
            person_id: of.person_id,
            kind: of.kind,
            subject_id: of.subject_id,
            received_at: of.received_at,
            time_proof: None,
            reason: of.reason,
            detail: of.detail,
            settlement: of.settlement.map(|of| SettlementView {
                how: of.how,
                note: of.note,
                by: of.by,
                at: of.at,
            }),
        }
    }
}

/// Where a page goes on.
#[derive(Serialize, ToSchema)]
struct AfterCommand {
    /// Ask with `after_install`,
    install_id: InstallId,
    /// and `after_seq`.
    seq: i64,
}

/// Commands that wait.
#[derive(Serialize, ToSchema)]
struct QuarantinePage {
    /// Those that are the asker's to settle; perhaps fewer than asked for, or none.
    items: Vec<QuarantinedView>,
    /// Where to go on; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<AfterCommand>,
}

/// What is made of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettleCommand {
    /// `dismissed`: it is to have no effect; `entered`: what it says was entered in another way.
    how: SettledAs,
    /// Why, or where it was entered; for the record.
    #[schema(example = "已由接任人员登记在案", min_length = 1, max_length = 4000)]
    note: String,
}

/// List commands that wait for a person
///
/// What a device sent and the server could not judge: it had no effect, and its bytes are kept. For
/// administrators and department heads, of people who hold or held a role in their jurisdiction; nobody's
/// own.
#[utoipa::path(
    tag = "devices",
    operation_id = "listQuarantined",
    params(CommandsQuery),
    responses(
        (status = 200, description = "A page of commands", body = QuarantinePage),
        SignedIn, RoleNeeded, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/quarantined")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<CommandsQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, rows) = page.0.wanted(&app.settings.http)?;
    let (found, next) = quarantined::list(&app, caller.person_id, after, rows).await?;
    let which = found.iter().map(|found| found.quarantined.which).collect();
    let mut proofs = time_proof::of_commands(&app, which).await?;
    let items = found.into_iter().map(|found| QuarantinedView {
        time_proof: proofs.remove(&found.quarantined.which),
        ..QuarantinedView::from(found)
    });
    let items = items.collect();
    let next = next.map(|next| AfterCommand {
        install_id: next.install_id,
        seq: next.seq,
    });
    Ok(HttpResponse::Ok().json(QuarantinePage { items, next }))
}

/// Look at a command that waits, or waited
///
/// With what it says and its photos, for whoever settles it and sees what it is about.
#[utoipa::path(
    tag = "devices",
    operation_id = "readQuarantined",
    params(
        ("install_id" = InstallId, Path, description = "The device"),
        ("seq" = i64, Path, description = "Its place in what the device sent"),
    ),
    responses(
        (status = 200, description = "The command", body = QuarantinedView),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable,
    ),
    security(("bearer" = []))
)]
#[get("/quarantined/{install_id}/{seq}")]
async fn one(
    app: web::Data<App>,
    caller: Caller,
    path: StrictPath<(InstallId, i64)>,
) -> Result<HttpResponse, Problem> {
    let (install_id, seq) = path.0;
    let which = SentCommand { install_id, seq };
    let found = quarantined::one(&app, caller.person_id, which).await?;
    let mut proofs = time_proof::of_commands(&app, vec![which]).await?;
    Ok(HttpResponse::Ok().json(QuarantinedView {
        time_proof: proofs.remove(&which),
        ..QuarantinedView::from(found)
    }))
}

/// Settle a command that waits
///
/// Says what became of it, in the history of whoever sent it. Nothing is carried out in another's name. The
/// same again by the same person changes nothing.
#[utoipa::path(
    tag = "devices",
    operation_id = "settleQuarantined",
    params(
        ("install_id" = InstallId, Path, description = "The device"),
        ("seq" = i64, Path, description = "Its place in what the device sent"),
    ),
    request_body = SettleCommand,
    responses(
        (status = 200, description = "SettledAs, now or before by the same request", body = QuarantinedView),
        (status = 409, description = "Somebody has settled it otherwise, or its author has sent it again with effect", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/quarantined/{install_id}/{seq}/settle")]
async fn settle(
    app: web::Data<App>,
    caller: Caller,
    path: StrictPath<(InstallId, i64)>,
    body: StrictJson<SettleCommand>,
) -> Result<HttpResponse, Problem> {
    let (install_id, seq) = path.0;
    let StrictJson(SettleCommand { how, note }) = body;
    let which = SentCommand { install_id, seq };
    let settled = quarantined::settle(&app, caller.person_id, which, (how, note)).await?;
    let mut proofs = time_proof::of_commands(&app, vec![which]).await?;
    Ok(HttpResponse::Ok().json(QuarantinedView {
        time_proof: proofs.remove(&which),
        ..QuarantinedView::from(settled)
    }))
}

//! One's own commands that took no full effect, over HTTP: those that wait, one beside how its record stands now,
//! what became of the others, and the choice.

use actix_web::{HttpResponse, get, post, web};
use hazardloop_domain::command::{Action, ActionKind};
use hazardloop_domain::command_fate::{
    ChoiceKind, Chosen, CommandFate, SentCommand, SettledCommand,
};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{InstallId, SubjectId};
use hazardloop_domain::inspection::InspectionState;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use hazardloop_sync_protocol::wire::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answers::{
    DeviceMayBeRevoked, Hidden, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging::{self, CommandsQuery, Cursor};
use super::problem::Problem;
use crate::app::App;
use crate::usecases::command_fates::{self, Present, Shown};
use crate::usecases::time_proof;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(list)
        .service(fates)
        .service(choose)
        .service(one);
}

/// A command that took no full effect.
#[derive(Debug, Serialize, ToSchema)]
struct AttentionView {
    /// The device that sent it.
    install_id: InstallId,
    /// Its place in what that device sent, from 1.
    seq: i64,
    /// Its kind, as it was sent.
    #[schema(example = "reinspect")]
    kind: String,
    /// What it acts upon, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<SubjectId>,
    /// When the server received it.
    received_at: Timestamp,
    /// When it was made, and what proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_proof: Option<TimeProof>,
    /// What became of it at the time: `conflict`, `rejected`, `quarantined` or `blocked_by`, with the rule or the
    /// reason; as in a receipt of sync.
    #[schema(value_type = Object)]
    outcome: Outcome,
    /// What it says, where this server can read it: as in `POST /hazards/{id}/commands`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    command: Option<Action>,
    /// Whether it still waits for a choice.
    waits: bool,
    /// What its author chose; absent: nothing yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
    /// What those who answer for the place made of it; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<SettledCommand>,
}

impl From<Shown> for AttentionView {
    fn from(of: Shown) -> Self {
        let (chosen, settled) = of
            .fate
            .map_or((None, None), |fate| (fate.chosen, fate.settled));
        Self {
            install_id: of.pushed.command.install_id,
            seq: of.pushed.command.seq,
            kind: of.pushed.kind,
            subject_id: of.pushed.subject_id,
            received_at: of.pushed.receipt.received_at,
            time_proof: None,
            outcome: of.pushed.receipt.outcome,
            command: of.action,
            waits: of.pushed.waits,
            chosen,
            settled,
        }
    }
}

/// How the record stands that a command acts upon.
#[derive(Debug, Serialize, ToSchema)]
struct PresentView {
    /// Its version.
    version: i64,
    /// Of a hazard, its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusName>,
    /// Of an inspection, its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    inspection: Option<InspectionState>,
    /// What the asker may do with it now, as far as state and role go.
    allowed_actions: Vec<ActionKind>,
}

impl From<Present> for PresentView {
    fn from(of: Present) -> Self {
        match of {
            Present::Hazard(version, status, allowed_actions) => Self {
                version,
                status: Some(status),
                inspection: None,
                allowed_actions,
            },
            Present::Inspection(version, state, allowed_actions) => Self {
                version,
                status: None,
                inspection: Some(state),
                allowed_actions,
            },
        }
    }
}

/// A command that took no full effect, beside how its record stands.
#[derive(Debug, Serialize, ToSchema)]
struct AttentionDetail {
    /// The command.
    #[serde(flatten)]
    command: AttentionView,
    /// How the record stands now; absent: there is none that the asker sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<PresentView>,
}

/// Commands that wait for their author.
#[derive(Serialize, ToSchema)]
struct AttentionPage {
    /// By device, in the order in which each sent them. A page with fewer than were asked for is the last.
    items: Vec<AttentionView>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FatesQuery {
    /// The `next` of the page before; absent: the first page.
    after: Option<Cursor>,
    /// Rows at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// What became of a command that took no full effect.
#[derive(Debug, Serialize, ToSchema)]
struct FateView {
    /// The device that sent it.
    install_id: InstallId,
    /// Its place in what that device sent.
    seq: i64,
    /// Its kind, as it was sent.
    kind: String,
    /// What it acts upon, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<SubjectId>,
    /// When the server received it.
    received_at: Timestamp,
    /// What its author chose last.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
    /// What those who answer for the place made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<SettledCommand>,
}

impl From<CommandFate> for FateView {
    fn from(of: CommandFate) -> Self {
        Self {
            install_id: of.command.install_id,
            seq: of.command.seq,
            kind: of.kind,
            subject_id: of.subject_id,
            received_at: of.received_at,
            chosen: of.chosen,
            settled: of.settled,
        }
    }
}

/// What became of commands.
#[derive(Serialize, ToSchema)]
struct FatePage {
    /// The latest first.
    items: Vec<FateView>,
    /// Ask for the next page with it; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What is to become of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChooseCommand {
    /// `given_up`: it is to have no effect; `retried`: what it says is carried out now, if the rules allow it. `amended`
    /// is refused here (422): what goes in its place is a command of its own, with `instead_of`.
    how: ChoiceKind,
    /// Why; always said where it is given up.
    #[serde(default)]
    #[schema(example = "与另一条隐患重复", min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// List one's own commands that wait
///
/// What the asker's devices sent and what took no full effect: refused by the rules, overtaken by somebody else, or
/// not to be judged. Each waits until its author chooses, or those who answer for the place settle it.
#[utoipa::path(
    tag = "devices",
    operation_id = "listAttention",
    params(CommandsQuery),
    responses(
        (status = 200, description = "A page of commands", body = AttentionPage),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/attention")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<CommandsQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, rows) = page.0.wanted(&app.settings.http)?;
    let found = command_fates::waiting(&app, caller.person_id, after, rows).await?;
    let which = found.iter().map(|shown| shown.pushed.command).collect();
    let mut proofs = time_proof::of_commands(&app, which).await?;
    let items = found.into_iter().map(|shown| AttentionView {
        time_proof: proofs.remove(&shown.pushed.command),
        ..AttentionView::from(shown)
    });
    let items = items.collect();
    Ok(HttpResponse::Ok().json(AttentionPage { items }))
}

/// List what became of one's own commands
///
/// Of those that took no full effect: what their author chose, and what those who answer for the place made of them.
#[utoipa::path(
    tag = "devices",
    operation_id = "listSettled",
    params(FatesQuery),
    responses(
        (status = 200, description = "A page", body = FatePage),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/attention/settled")]
async fn fates(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<FatesQuery>,
) -> Result<HttpResponse, Problem> {
    let wanted = paging::wanted(page.0.after, page.0.limit, &app.settings.http)?;
    let found = command_fates::settled(&app, caller.person_id, wanted.after, wanted.limit).await?;
    let full = found.len() >= wanted.limit;
    let last = found.last().filter(|_| full);
    let next = last.map(|(key, _)| Cursor(*key).to_string());
    let items = found
        .into_iter()
        .map(|(_, fate)| FateView::from(fate))
        .collect();
    Ok(HttpResponse::Ok().json(FatePage { items, next }))
}

/// Look at one's own command
///
/// With how the record stands now that it acts upon, and what the asker may do about it.
#[utoipa::path(
    tag = "devices",
    operation_id = "readAttention",
    params(
        ("install_id" = InstallId, Path, description = "The device"),
        ("seq" = i64, Path, description = "Its place in what the device sent"),
    ),
    responses(
        (status = 200, description = "The command", body = AttentionDetail),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable,
    ),
    security(("bearer" = []))
)]
#[get("/attention/{install_id}/{seq}")]
async fn one(
    app: web::Data<App>,
    caller: Caller,
    path: StrictPath<(InstallId, i64)>,
) -> Result<HttpResponse, Problem> {
    let (install_id, seq) = path.0;
    let command = SentCommand { install_id, seq };
    let (shown, present) = command_fates::one(&app, caller.person_id, command).await?;
    let mut proofs = time_proof::of_commands(&app, vec![command]).await?;
    Ok(HttpResponse::Ok().json(AttentionDetail {
        command: AttentionView {
            time_proof: proofs.remove(&command),
            ..shown.into()
        },
        present: present.map(PresentView::from),
    }))
}

/// Choose what is to become of one's own command
///
/// Recorded with its author's history. For a page or another device: the device that sent the command says it in its
/// own stream. What is sent again and refused goes on waiting. The same again changes nothing.
#[utoipa::path(
    tag = "devices",
    operation_id = "chooseAttention",
    params(
        ("install_id" = InstallId, Path, description = "The device"),
        ("seq" = i64, Path, description = "Its place in what the device sent"),
    ),
    request_body = ChooseCommand,
    responses(
        (status = 200, description = "Chosen, now or before by the same request", body = AttentionView),
        (status = 409, description = "It took effect, is settled otherwise, or does not fit how its record stands", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Hidden, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/attention/{install_id}/{seq}/choice")]
async fn choose(
    app: web::Data<App>,
    caller: Caller,
    path: StrictPath<(InstallId, i64)>,
    body: StrictJson<ChooseCommand>,
) -> Result<HttpResponse, Problem> {
    let (install_id, seq) = path.0;
    let StrictJson(ChooseCommand { how, reason }) = body;
    let command = SentCommand { install_id, seq };
    let chosen = command_fates::choose(&app, caller.person_id, command, (how, reason)).await?;
    let mut proofs = time_proof::of_commands(&app, vec![command]).await?;
    Ok(HttpResponse::Ok().json(AttentionView {
        time_proof: proofs.remove(&command),
        ..AttentionView::from(chosen)
    }))
}

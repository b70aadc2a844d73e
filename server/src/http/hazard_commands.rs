//! What people do to a hazard over REST, and what was done to it.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use hazardloop_domain::command::{Action, ActionKind, SubjectKind};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hazard::{FieldName, Hazard};
use hazardloop_domain::ids::{CommandId, HazardId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Hidden, Outdated, RoleNeeded, SignedIn, Unreadable, WithBody,
    WithParameters, WrongState,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::commands::{self, CoSignatureBody};
use super::hazard_views::HazardEventPage;
use super::paging;
use super::problem::Problem;
use super::versions::if_match;
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::execute::Record;
use crate::usecases::{read, rest_command};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(send).service(history);
}

/// A command upon a hazard.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "command_id": "019aab12-3c4d-7e5f-8a6b-7c8d9e0f1a2c",
    "command": {
        "kind": "confirm",
        "grade": "general",
        "responsible_person": "王强",
        "requirement": "清理积尘，检查泄爆片",
        "due_date": "2026-12-02",
        "category": "现场管理-生产设备设施及工艺"
    }
}))]
struct NewCommand {
    /// UUID of version 7, made by the client; the same id is the same command.
    command_id: CommandId,
    /// What is done, told apart by `kind`.
    command: Action,
    /// Signatures of others who stand behind the same act; as many as the settings allow.
    #[serde(default)]
    co_signatures: Vec<CoSignatureBody>,
    /// A command of one's own devices that took no effect, in whose place this one goes: see `GET /attention`.
    #[serde(default)]
    instead_of: Option<SentCommand>,
}

/// How a command took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CommandOutcome {
    /// As its author meant it.
    Applied,
    /// Beside a change that its author had not seen.
    Merged,
    /// A field was changed by somebody else meanwhile: both values are kept, see `disputed`.
    Disputed,
}

/// The answer to a command that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct CommandAnswer {
    /// How it took effect.
    outcome: CommandOutcome,
    /// Fields that now have two values.
    disputed: Vec<FieldName>,
    /// The hazard's version right after the command.
    version: i64,
    /// The hazard as it is now.
    hazard: Hazard,
}

/// Send a command
///
/// One thing done to the hazard: confirm, reject, amend, attach a photo, submit a rectification,
/// re-inspect, close, reopen, note, record a photo as lost. A refused command changes nothing and
/// says what would be possible. It may be sent again: the same command under the same id is taken
/// once, and the answer then carries `Hazardloop-Repeated: true`.
#[utoipa::path(
    tag = "hazards",
    operation_id = "sendCommand",
    params(
        ("id" = HazardId, Path, description = "The hazard"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the caller saw, to be refused when the hazard changed since"),
    ),
    request_body = NewCommand,
    responses(
        (status = 200, description = "Accepted", body = CommandAnswer, headers(
            ("ETag" = String, description = "The hazard's version now, in quotes"),
            ("Hazardloop-Repeated" = Option<String>, description = "`true` when it had been taken before"),
        )),
        SignedIn, Unreadable, RoleNeeded, Hidden, WrongState, Outdated, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/hazards/{id}/commands")]
async fn send(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<HazardId>,
    body: StrictJson<NewCommand>,
) -> Result<HttpResponse, Problem> {
    let NewCommand {
        command_id,
        command,
        co_signatures,
        instead_of,
    } = body.0;
    commands::require_fresh_id(command_id)?;
    if command.kind() == ActionKind::Report {
        let why = "a report begins a hazard: send it to POST /hazards";
        return Err(Failure::invalid("command.kind", why).into());
    }
    if command.kind().subject() != SubjectKind::Hazard {
        let why = "acts on inspections: send it to POST /inspections/{id}/commands";
        return Err(Failure::invalid("command.kind", why).into());
    }
    let sent = rest_command::Sent {
        command_id,
        person_id: caller.person_id,
        subject_id: id.0.into(),
        action: command,
        co_signatures: co_signatures.into_iter().map(Into::into).collect(),
        if_match: if_match(&http)?.version(),
        instead_of,
    };
    let taken = rest_command::take(&app, sent).await?;
    let Record::Hazard(hazard) = taken.record else {
        return Err(Failure::Internal("a hazard's command gave something else".to_owned()).into());
    };
    let mut answer = commands::accepted(hazard.version, taken.repeated);
    Ok(answer.json(CommandAnswer {
        outcome: match taken.answer.outcome.as_str() {
            "merged" => CommandOutcome::Merged,
            "disputed" => CommandOutcome::Disputed,
            _ => CommandOutcome::Applied,
        },
        disputed: taken.answer.disputed,
        version: taken.answer.version,
        hazard: *hazard,
    }))
}

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// After the event with this `seq`.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// Events at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Read a hazard's history
///
/// What happened, oldest first, each event hashed onto the one before. What a device says of time
/// is shown as claimed; what the server witnessed as received.
#[utoipa::path(
    tag = "hazards",
    operation_id = "readHazardHistory",
    params(("id" = HazardId, Path, description = "The hazard"), HistoryQuery),
    responses(
        (status = 200, description = "One page", body = HazardEventPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/hazards/{id}/events")]
async fn history(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<HazardId>,
    query: StrictQuery<HistoryQuery>,
) -> Result<HttpResponse, Problem> {
    let HistoryQuery { after, limit } = query.0;
    let rows = paging::page_rows(limit, &app.settings.http)?;
    let after = after.unwrap_or(0);
    if after < 0 {
        return Err(Failure::invalid("after", "must not be negative").into());
    }
    // One more than is shown tells whether there is more.
    let more = rows.saturating_add(1);
    let mut entries = read::hazard::history(&app, caller.person_id, id.0, after, more).await?;
    let ends_here = entries.len() <= rows;
    entries.truncate(rows);
    let next = entries
        .last()
        .filter(|_| !ends_here)
        .map(|entry| entry.record.seq);
    let items = entries.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(HazardEventPage { items, next }))
}

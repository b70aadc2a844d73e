//! Inspections and self-checks over REST: list, read, commands, history.

use actix_web::{HttpRequest, HttpResponse, get, post, route, web};
use hazardloop_domain::command::{Action, InspectionKind, SubjectKind};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{CommandId, EnterpriseId, InspectionId, JurisdictionId};
use hazardloop_domain::inspection::{Inspection, InspectionState};
use hazardloop_domain::time::Timestamp;
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
use super::inspection_views::{InspectionEventPage, InspectionPage, InspectionView};
use super::openapi_schemas::InspectionAction;
use super::paging::{self, Cursor};
use super::problem::Problem;
use super::versions::{HeldVersion, answer_unless_held, if_match};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::execute::Record;
use crate::usecases::read::inspections::Filters;
use crate::usecases::{read, rest_command};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(read_one)
        .service(send)
        .service(history);
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct InspectionQuery {
    /// What kind.
    kind: Option<InspectionKind>,
    /// Where it stands.
    state: Option<InspectionState>,
    /// Of this enterprise.
    enterprise_id: Option<EnterpriseId>,
    /// Of this jurisdiction and everything below it; outside of the caller's own: nothing.
    jurisdiction_id: Option<JurisdictionId>,
    /// Held at or after this time: begun, or planned from this day on.
    from: Option<Timestamp>,
    /// Held before this time.
    to: Option<Timestamp>,
    /// Where the page begins, as `next` of the page before said.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// List inspections
///
/// Those that the caller may see, newest first. Every filter given must be met. Of an unannounced
/// visit the enterprise sees nothing before it begins.
#[utoipa::path(
    tag = "inspections",
    operation_id = "listInspections",
    params(InspectionQuery),
    responses(
        (status = 200, description = "One page", body = InspectionPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/inspections")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<InspectionQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let wanted = paging::wanted(query.after, query.limit, &app.settings.http)?;
    let filters = Filters {
        kind: query.kind,
        state: query.state,
        enterprise_id: query.enterprise_id,
        jurisdiction_id: query.jurisdiction_id,
        from: query.from,
        to: query.to,
    };
    let page = read::inspections::list(&app, caller.person_id, filters, wanted).await?;
    Ok(HttpResponse::Ok().json(InspectionPage::from(&page)))
}

/// Read an inspection
///
/// Its ETag is its version, which `If-Match` of a command takes. How often the enterprise was
/// inspected, and what lies close by, follows from the time of asking and is not part of the
/// version.
#[utoipa::path(
    tag = "inspections",
    operation_id = "readInspection",
    params(
        ("id" = InspectionId, Path, description = "The inspection"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The inspection", body = InspectionView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[route("/inspections/{id}", method = "GET", method = "HEAD")]
async fn read_one(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<InspectionId>,
) -> Result<HttpResponse, Problem> {
    let seen = read::inspection::one(&app, caller.person_id, id.0).await?;
    let version = seen.inspection.version;
    Ok(answer_unless_held(&http, version, || {
        InspectionView::from(seen)
    }))
}

/// A command upon an inspection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "command_id": "019aab12-3c4d-7e5f-8a6b-7c8d9e0f1a2c",
    "command": {
        "kind": "submit_self_check",
        "start": {
            "setup": {
                "kind": "self_check",
                "enterprise_id": "019aab12-0000-7000-8000-000000000010",
                "cadence": "daily",
                "checklists": [{"code": "GM-CK-D-DUST", "edition": 1, "mandatory": ["1"]}]
            },
            "started_at": "2026-11-22T00:30:00Z",
            "place_text": "二号厂房打磨车间"
        },
        "results": [{"item": {"checklist": "GM-CK-D-DUST", "item": "1"}, "outcome": "ok"}],
        "completion": {
            "completed_at": "2026-11-22T01:00:00Z",
            "situation": "各项检查正常",
            "no_hazard_found": true
        }
    }
}))]
struct NewInspectionCommand {
    /// UUID of version 7, made by the client; the same id is the same command.
    command_id: CommandId,
    /// What is done, told apart by `kind`.
    #[schema(value_type = InspectionAction)]
    command: Action,
    /// Signatures of others on the same `sign_inspection`, as many as the settings allow; nothing else of an
    /// inspection takes any.
    #[serde(default)]
    co_signatures: Vec<CoSignatureBody>,
    /// A command of one's own devices that took no effect, in whose place this one goes: see `GET /attention`.
    #[serde(default)]
    instead_of: Option<SentCommand>,
}

/// How a command on an inspection took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum InspectionOutcome {
    /// As its author meant it.
    Applied,
    /// Beside what another person found: both results are kept.
    Merged,
}

/// The answer to a command that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct InspectionCommandAnswer {
    /// How it took effect.
    outcome: InspectionOutcome,
    /// The inspection's version right after the command.
    version: i64,
    /// The inspection as it is now.
    inspection: Inspection,
}

/// Send a command
///
/// One thing done to the inspection. `plan_inspection`, `start_inspection` with a `setup` and
/// `submit_self_check` with one begin it, under the id (UUID of version 7) that the client made. A
/// refused command changes nothing and says what would be possible. It may be sent again: the same
/// command under the same id is taken once, and the answer then carries
/// `Hazardloop-Repeated: true`.
#[utoipa::path(
    tag = "inspections",
    operation_id = "sendInspectionCommand",
    params(
        ("id" = InspectionId, Path, description = "The inspection"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the caller saw, to be refused when the inspection changed since"),
    ),
    request_body = NewInspectionCommand,
    responses(
        (status = 200, description = "Accepted", body = InspectionCommandAnswer, headers(
            ("ETag" = String, description = "The inspection's version now, in quotes"),
            ("Hazardloop-Repeated" = Option<String>, description = "`true` when it had been taken before"),
        )),
        SignedIn, Unreadable, RoleNeeded, Hidden, WrongState, Outdated, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/inspections/{id}/commands")]
async fn send(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<InspectionId>,
    body: StrictJson<NewInspectionCommand>,
) -> Result<HttpResponse, Problem> {
    let NewInspectionCommand {
        command_id,
        command,
        co_signatures,
        instead_of,
    } = body.0;
    commands::require_fresh_id(command_id)?;
    if command.kind().subject() != SubjectKind::Inspection {
        let why = "acts on hazards: send it to POST /hazards/{id}/commands";
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
    let Record::Inspection(inspection) = taken.record else {
        let what = "an inspection's command gave something else".to_owned();
        return Err(Failure::Internal(what).into());
    };
    let mut answer = commands::accepted(inspection.version, taken.repeated);
    Ok(answer.json(InspectionCommandAnswer {
        outcome: match taken.answer.outcome.as_str() {
            "merged" => InspectionOutcome::Merged,
            _ => InspectionOutcome::Applied,
        },
        version: taken.answer.version,
        inspection: *inspection,
    }))
}

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct InspectionHistoryQuery {
    /// After the event with this `seq`.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// Events at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Read an inspection's history
///
/// What happened, oldest first, each event hashed onto the one before. What a device says of time
/// is shown as claimed; what the server witnessed as received.
#[utoipa::path(
    tag = "inspections",
    operation_id = "readInspectionHistory",
    params(
        ("id" = InspectionId, Path, description = "The inspection"),
        InspectionHistoryQuery,
    ),
    responses(
        (status = 200, description = "One page", body = InspectionEventPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/inspections/{id}/events")]
async fn history(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<InspectionId>,
    query: StrictQuery<InspectionHistoryQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = paging::page_rows(query.0.limit, &app.settings.http)?;
    let after = query.0.after.unwrap_or(0);
    if after < 0 {
        return Err(Failure::invalid("after", "must not be negative").into());
    }
    // One more than is shown tells whether there is more.
    let more = rows.saturating_add(1);
    let mut entries = read::inspection::history(&app, caller.person_id, id.0, after, more).await?;
    let ends_here = entries.len() <= rows;
    entries.truncate(rows);
    let next = entries
        .last()
        .filter(|_| !ends_here)
        .map(|entry| entry.record.seq);
    let items = entries.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(InspectionEventPage { items, next }))
}

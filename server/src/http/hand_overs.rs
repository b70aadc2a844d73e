//! Hand-overs over HTTP: make one, look at one, list them.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, post, web};
use hazardloop_domain::ids::{GrantId, InspectionId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answers::{
    DeviceMayBeRevoked, Hidden, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging;
use super::problem::Problem;
use super::versions::created_or_known;
use crate::app::App;
use crate::store::hand_overs::{HandOver, TeamOutcome};
use crate::usecases::hand_overs::{self, NewHandOver};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(make).service(list).service(one);
}

/// A hand-over to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHandOver {
    /// UUIDv7, made by the asker; the same id again is the same request again.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f12")]
    id: Uuid,
    /// Whose roles end.
    from_person: PersonId,
    /// Who holds them from then on.
    to_person: PersonId,
    /// Which grants; absent: all that hold then.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    grants: Option<Vec<GrantId>>,
    /// For the record.
    #[schema(example = "调任其他岗位", min_length = 1, max_length = 500)]
    reason: String,
    /// From when on, not in the past; absent: from now.
    #[serde(default)]
    effective_at: Option<Timestamp>,
}

/// A grant that ended, and the one that was given for it.
#[derive(Debug, Serialize, ToSchema)]
struct HandedGrant {
    /// The predecessor's.
    ended: GrantId,
    /// The successor's.
    given: GrantId,
}

/// A planned inspection on whose team the predecessor was.
#[derive(Debug, Serialize, ToSchema)]
struct HandedInspection {
    /// Which.
    inspection_id: InspectionId,
    /// Whether the successor has taken the place, or why not.
    outcome: TeamOutcome,
}

/// A hand-over that was made.
#[derive(Debug, Serialize, ToSchema)]
struct HandOverView {
    /// Which.
    id: Uuid,
    /// Whose roles ended.
    from_person: PersonId,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_name: Option<String>,
    /// Who holds them since.
    to_person: PersonId,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_name: Option<String>,
    /// Why.
    reason: String,
    /// From when on.
    effective_at: Timestamp,
    /// Who did it.
    made_by: PersonId,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by_name: Option<String>,
    /// When it was done.
    made_at: Timestamp,
    /// What was handed over.
    grants: Vec<HandedGrant>,
    /// Planned inspections within that, on whose teams the predecessor was: of one that is made or read by
    /// itself, for whoever took part in it. More may follow where there are many, and where it takes
    /// effect later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inspections: Vec<HandedInspection>,
}

impl HandOverView {
    fn of(made: HandOver, names: &BTreeMap<PersonId, String>) -> Self {
        let grants = made.grants.into_iter();
        let name = |id: &PersonId| names.get(id).cloned();
        Self {
            from_name: name(&made.from_person),
            to_name: name(&made.to_person),
            made_by_name: name(&made.made_by),
            id: made.id,
            from_person: made.from_person,
            to_person: made.to_person,
            reason: made.reason,
            effective_at: made.effective_at,
            made_by: made.made_by,
            made_at: made.made_at,
            grants: grants
                .map(|(ended, given)| HandedGrant { ended, given })
                .collect(),
            inspections: made
                .inspections
                .into_iter()
                .map(|(inspection_id, outcome)| HandedInspection {
                    inspection_id,
                    outcome,
                })
                .collect(),
        }
    }
}

async fn named(app: &App, made: HandOver) -> Result<HandOverView, Problem> {
    let names = hand_overs::names(app, std::slice::from_ref(&made)).await?;
    Ok(HandOverView::of(made, &names))
}

/// Which hand-overs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HandOverQuery {
    /// The `next` of the page before; absent: the newest.
    after: Option<Uuid>,
    /// Rows at most; the upper bound (200) where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Hand-overs, newest first.
#[derive(Serialize, ToSchema)]
struct HandOverPage {
    /// Those that the asker may see.
    items: Vec<HandOverView>,
    /// Ask for this one with `after`; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Uuid>,
}

/// Hand over roles
///
/// Ends grants of one person and gives another the same roles over the same places and sectors, from
/// one instant on. For administrators and department heads within their own jurisdiction, and for
/// principals within their enterprise; administrators' roles are handed over by administrators alone,
/// and nobody makes themselves the successor. A certificate stays with its inspector: the successor
/// acts by their own.
///
/// The predecessor's places on the teams of planned inspections go to the successor, who must hold the
/// role there that the predecessor was there by, and a certificate if the predecessor had one; otherwise
/// the predecessor stays on the team, and `inspections` says why.
#[utoipa::path(
    tag = "people",
    operation_id = "createHandOver",
    request_body = CreateHandOver,
    responses(
        (status = 201, description = "Handed over", body = HandOverView,
            headers(("Location" = String, description = "Where it is"))),
        (status = 200, description = "Handed over before by the same request", body = HandOverView),
        (status = 404, description = "No such person or grant, or none that you may hand over", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id is taken, nothing is left to hand over, a grant is handed over already, or the successor's account is disabled", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/hand-overs")]
async fn make(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<CreateHandOver>,
) -> Result<HttpResponse, Problem> {
    let StrictJson(body) = body;
    let new = NewHandOver {
        id: body.id,
        from_person: body.from_person,
        to_person: body.to_person,
        grants: body.grants,
        reason: body.reason,
        effective_at: body.effective_at,
    };
    let (made, created) = hand_overs::make(&app, caller.person_id, new).await?;
    let mut answer = created_or_known(created, &format!("/hand-overs/{}", made.id));
    Ok(answer.json(named(&app, made).await?))
}

/// List hand-overs
///
/// Those that the asker made or took part in, and those of people whom they see.
#[utoipa::path(
    tag = "people",
    operation_id = "listHandOvers",
    params(HandOverQuery),
    responses(
        (status = 200, description = "A page of hand-overs", body = HandOverPage),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/hand-overs")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<HandOverQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = paging::page_rows(page.0.limit, &app.settings.http)?;
    let (found, next) = hand_overs::list(&app, caller.person_id, page.0.after, rows).await?;
    let names = hand_overs::names(&app, &found).await?;
    let view = |made| HandOverView::of(made, &names);
    let items = found.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(HandOverPage { items, next }))
}

/// Look at a hand-over
#[utoipa::path(
    tag = "people",
    operation_id = "readHandOver",
    params(("id" = Uuid, Path, description = "The hand-over")),
    responses(
        (status = 200, description = "The hand-over", body = HandOverView),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable,
    ),
    security(("bearer" = []))
)]
#[get("/hand-overs/{id}")]
async fn one(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<Uuid>,
) -> Result<HttpResponse, Problem> {
    let made = hand_overs::one(&app, caller.person_id, id.0).await?;
    Ok(HttpResponse::Ok().json(named(&app, made).await?))
}

//! Who answers for what, over REST: read, say, ask; and the hazards that nobody answers for.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::responsibility::{Answer, Basis, Matrix, SECTOR_MAX};
use hazardloop_domain::text;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Hidden, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded,
    WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::hazard_views::HazardSummary;
use super::paging::{self, Cursor};
use super::problem::Problem;
use super::versions::{HeldVersion, SeenVersion, answer_unless_held, etag, required_version};
use super::warnings::Warning;
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::responsibilities::{self, Change};
use crate::usecases::{sector_names, unclaimed};

/// Adds the routes of this file: before those of hazards, of which none is called `unclaimed`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_unclaimed)
        // Not a hazard whose id is "unclaimed".
        .route("/hazards/unclaimed", web::route().to(super::nothing_here))
        .service(who_answers)
        .service(read)
        .service(set);
}

/// One row.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Responsibility {
    /// 监管行业: the code of a pack's sector or its name, which is kept by the code; or a sector of the place's
    /// own, letter by letter.
    #[schema(example = "town-gas", min_length = 1, max_length = 32)]
    sector: String,
    /// The department that answers for it here and below.
    #[schema(example = "区经济信息委", min_length = 1, max_length = 500)]
    department: String,
}

/// Who answers for what in one jurisdiction and below.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "rows": [
        {"sector": "industry-and-trade", "department": "区应急管理局"},
        {"sector": "town-gas", "department": "区经济信息委"}
    ],
    "fallback": "区应急管理局"
}))]
struct Responsibilities {
    /// Each sector once. How many there may be is a setting.
    #[schema(max_items = 500)]
    rows: Vec<Responsibility>,
    /// 业务相近: who takes what neither this jurisdiction nor one above it names, as 安委办 said.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    fallback: Option<String>,
}

/// What a jurisdiction itself says, and what to look at again.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ResponsibilitiesView {
    /// By sector.
    rows: Vec<Responsibility>,
    /// 业务相近.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<String>,
    /// Advice about names of sectors.
    warnings: Vec<Warning>,
}

impl ResponsibilitiesView {
    fn of(app: &App, matrix: Matrix) -> Self {
        let catalog = app.catalog.now();
        let warning = |sector: &String| {
            let finding = sector_names::finding(&catalog, sector)?;
            Some(Warning::of_sector(
                format!("rows[{sector}].sector"),
                &finding,
            ))
        };
        Self {
            warnings: matrix.rows.keys().filter_map(warning).collect(),
            rows: matrix
                .rows
                .into_iter()
                .map(|(sector, department)| Responsibility { sector, department })
                .collect(),
            fallback: matrix.fallback,
        }
    }
}

/// Read who answers for what
///
/// What this jurisdiction itself says; what it leaves open is said above it. For everybody who is
/// signed in: who answers is no secret. Its ETag is `"0"` while nothing was ever said.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "readResponsibilities",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction"), HeldVersion),
    responses(
        (status = 200, description = "Who answers for what", body = ResponsibilitiesView,
            headers(("ETag" = String, description = "The version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable,
    ),
    security(("bearer" = []))
)]
#[get("/jurisdictions/{id}/responsibilities")]
async fn read(
    app: web::Data<App>,
    _caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
) -> Result<HttpResponse, Problem> {
    let (matrix, version) = responsibilities::of(&app, id.0).await?;
    Ok(answer_unless_held(&http, version, || {
        ResponsibilitiesView::of(&app, matrix)
    }))
}

/// Say who answers for what
///
/// Puts these rows in the place of all that this jurisdiction said. For supervisors and
/// administrators over all its sectors. What it says already changes nothing, whatever `If-Match`
/// says. A sector that no pack knows is taken, with a warning.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "setResponsibilities",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction"), SeenVersion),
    request_body = Responsibilities,
    responses(
        (status = 200, description = "Said", body = ResponsibilitiesView,
            headers(("ETag" = String, description = "The version in quotes"))),
        SignedIn, RoleNeeded, Hidden, Outdated, VersionNeeded, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[put("/jurisdictions/{id}/responsibilities")]
async fn set(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
    body: StrictJson<Responsibilities>,
) -> Result<HttpResponse, Problem> {
    let rows = body.0.rows.into_iter();
    let change = Change {
        seen: required_version(&http)?,
        rows: rows.map(|row| (row.sector, row.department)).collect(),
        fallback: body.0.fallback,
    };
    let said = responsibilities::replace(&app, caller.person_id, id.0, change).await?;
    let (matrix, version) = said;
    Ok(HttpResponse::Ok()
        .insert_header(etag(version))
        .json(ResponsibilitiesView::of(&app, matrix)))
}

/// For which sector.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SectorQuery {
    /// 监管行业: code, name or alias, or a sector of the place's own, letter by letter.
    #[param(min_length = 1, max_length = 32, example = "town-gas")]
    sector: String,
}

/// Which department answers for a sector in a jurisdiction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "basis": "inherited",
    "department": "区经济信息委",
    "said_by": "019aab12-0000-7000-8000-000000000002"
}))]
struct WhoAnswers {
    /// By which row.
    basis: Basis,
    /// The department; absent: nobody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    /// The jurisdiction whose row it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    said_by: Option<JurisdictionId>,
}

impl From<Answer> for WhoAnswers {
    fn from(answer: Answer) -> Self {
        Self {
            basis: answer.basis,
            department: answer.department,
            said_by: answer.said_by,
        }
    }
}

/// Ask who answers for a sector
///
/// The department in this jurisdiction: by its own row, else by that of the nearest one above that
/// names the sector, else the fallback (业务相近) of the nearest that has one. For everybody who is
/// signed in.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "findResponsible",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction"), SectorQuery),
    responses(
        (status = 200, description = "Who answers", body = WhoAnswers),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/jurisdictions/{id}/responsibilities/answering")]
async fn who_answers(
    app: web::Data<App>,
    _caller: Caller,
    id: StrictPath<JurisdictionId>,
    query: StrictQuery<SectorQuery>,
) -> Result<HttpResponse, Problem> {
    let sector = query.0.sector;
    text::required("sector", &sector, SECTOR_MAX).map_err(Failure::from)?;
    let answer = responsibilities::who_answers(&app, id.0, sector).await?;
    Ok(HttpResponse::Ok().json(WhoAnswers::from(answer)))
}

/// What the queue is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct QueueQuery {
    /// Of this jurisdiction and everything below it; outside of the caller's own: nothing.
    jurisdiction_id: Option<JurisdictionId>,
    /// Where the page begins, as `next` of the page before said.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// A hazard that no department answers for.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct UnclaimedHazard {
    /// The hazard.
    #[serde(flatten)]
    hazard: HazardSummary,
    /// 监管行业, for which nobody answers; absent: nobody knows the sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    sector: Option<String>,
}

/// One page of the queue, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct UnclaimedPage {
    /// The hazards. A page may be short, or empty, before the end: what counts is `next`.
    items: Vec<UnclaimedHazard>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    next: Option<String>,
}

/// List hazards that nobody answers for
///
/// 无主隐患（监管盲区）: open hazards of no known sector, or of one for which no department answers
/// in their jurisdiction, those above it included. Oldest first: it is there to be worked off. For
/// supervisors, department heads and administrators, each within their scope. A hazard leaves once
/// `assign_sector` names its department, or once somebody says who answers for its sector.
#[utoipa::path(
    tag = "hazards",
    operation_id = "listUnclaimed",
    params(QueueQuery),
    responses(
        (status = 200, description = "One page", body = UnclaimedPage),
        SignedIn, Unreadable, RoleNeeded, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/hazards/unclaimed")]
async fn list_unclaimed(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<QueueQuery>,
) -> Result<HttpResponse, Problem> {
    let QueueQuery {
        jurisdiction_id,
        after,
        limit,
    } = query.0;
    let wanted = paging::wanted(after, limit, &app.settings.http)?;
    let now = app.clock.now();
    let page = unclaimed::list(&app, caller.person_id, jurisdiction_id, wanted).await?;
    let items = page.items.iter().map(|hazard| UnclaimedHazard {
        hazard: HazardSummary::of(hazard, now),
        sector: hazard.sector.clone(),
    });
    Ok(HttpResponse::Ok().json(UnclaimedPage {
        items: items.collect(),
        next: page.next.map(|key| Cursor(key).to_string()),
    }))
}

#[cfg(test)]
#[path = "responsibilities_tests.rs"]
mod tests;

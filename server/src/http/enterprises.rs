//! Enterprises over REST: list, read, register, correct, move.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, route, web};
use hazardloop_domain::enterprise::{Enterprise, OperatingStatus, RiskLevel, SizeClass};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Hidden, IdTaken, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded,
    WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::enterprise_bodies::{EnterpriseCorrections, NewEnterprise};
use super::paging::{self, Cursor};
use super::place_params::{self, BoxParam, PointParam};
use super::problem::Problem;
use super::versions::{
    HeldVersion, SeenVersion, answer_unless_held, created_or_known, etag, required_version,
};
use super::warnings::Warning;
use crate::app::App;
use crate::failure::Failure;
use crate::store::enterprise_rows::TraitFilter;
use crate::usecases::enterprises::{self, Correction};
use crate::usecases::read::enterprises::Filters;
use crate::usecases::{read, relocate, sector_names};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(register)
        .service(read_one)
        .service(correct)
        .service(relocate_one);
}

/// An enterprise, and what to look at again.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct EnterpriseView {
    /// The enterprise.
    #[serde(flatten)]
    enterprise: Enterprise,
    /// Advice about its fields.
    warnings: Vec<Warning>,
}

impl EnterpriseView {
    fn of(app: &App, enterprise: Enterprise) -> Self {
        let codes = enterprises::warnings(&enterprise).into_iter();
        let mut warnings: Vec<Warning> = codes
            .map(|(field, finding)| Warning::of_credit_code(field, finding))
            .collect();
        let sector = sector_names::finding(&app.catalog.now(), &enterprise.sector);
        warnings.extend(sector.map(|finding| Warning::of_sector("sector", &finding)));
        Self {
            enterprise,
            warnings,
        }
    }
}

fn answer(
    app: &App,
    mut response: actix_web::HttpResponseBuilder,
    enterprise: Enterprise,
) -> HttpResponse {
    response
        .insert_header(etag(enterprise.version))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(EnterpriseView::of(app, enterprise))
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EnterpriseQuery {
    /// Part of the name.
    #[param(max_length = 500)]
    name: Option<String>,
    /// In this jurisdiction and everything below it; outside of the caller's own: nothing.
    jurisdiction_id: Option<JurisdictionId>,
    /// Of this 监管行业: code, name or alias.
    #[param(max_length = 500)]
    sector: Option<String>,
    /// 状态.
    status: Option<OperatingStatus>,
    /// 风险等级.
    risk_level: Option<RiskLevel>,
    /// 规模.
    size_class: Option<SizeClass>,
    /// Around this point, `longitude,latitude@reference`; goes with `radius_m`.
    near: Option<PointParam>,
    /// How far around it, metres.
    #[param(minimum = 0, maximum = 50_000)]
    radius_m: Option<f64>,
    /// In this box, `west,south,east,north@reference`; not together with `near`.
    bbox: Option<BoxParam>,
    /// Where the page begins, as `next` of the page before said.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// The names under which a list finds a sector; none: it is not narrowed to one.
pub(super) fn sectors_of(app: &App, sector: Option<&str>) -> Vec<String> {
    let looked_for = |typed| sector_names::looked_for(&app.catalog.now(), typed);
    sector.map(looked_for).unwrap_or_default()
}

/// One page of enterprises, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct EnterprisePage {
    /// The enterprises. A page may be short, or empty, before the end: what counts is `next`.
    items: Vec<Enterprise>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    next: Option<String>,
}

/// List enterprises
///
/// Those that the caller may see, newest first.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "listEnterprises",
    params(EnterpriseQuery),
    responses(
        (status = 200, description = "One page", body = EnterprisePage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/enterprises")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<EnterpriseQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let wanted = paging::wanted(query.after, query.limit, &app.settings.http)?;
    let filters = Filters {
        name: query.name,
        jurisdiction_id: query.jurisdiction_id,
        traits: TraitFilter {
            sectors: sectors_of(&app, query.sector.as_deref()),
            status: query.status,
            risk_level: query.risk_level,
            size_class: query.size_class,
        },
        area: place_params::area(query.near, query.radius_m, query.bbox)?,
    };
    let page = read::enterprises::list(&app, caller.person_id, filters, wanted).await?;
    let next = page.next.map(|key| Cursor(key).to_string());
    Ok(HttpResponse::Ok().json(EnterprisePage {
        items: page.items,
        next,
    }))
}

/// Read an enterprise
#[utoipa::path(
    tag = "enterprises",
    operation_id = "readEnterprise",
    params(
        ("id" = EnterpriseId, Path, description = "The enterprise"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The enterprise", body = EnterpriseView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[route("/enterprises/{id}", method = "GET", method = "HEAD")]
async fn read_one(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<EnterpriseId>,
) -> Result<HttpResponse, Problem> {
    let enterprise = enterprises::one(&app, caller.person_id, id.0).await?;
    let version = enterprise.version;
    Ok(answer_unless_held(&http, version, || {
        EnterpriseView::of(&app, enterprise)
    }))
}

/// Register an enterprise
///
/// For administrators and department reviewers of its jurisdiction. May be sent again: the same
/// registration under the same id is taken once, and answered with 200 instead of 201.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "registerEnterprise",
    request_body = NewEnterprise,
    responses(
        (status = 201, description = "Registered", body = EnterpriseView, headers(
            ("Location" = String, description = "The enterprise"),
            ("ETag" = String, description = "Its version in quotes"),
        )),
        (status = 200, description = "This very registration had been taken before; the enterprise as it is now",
            body = EnterpriseView, headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Hidden, IdTaken, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/enterprises")]
async fn register(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<NewEnterprise>,
) -> Result<HttpResponse, Problem> {
    let (enterprise, new) = enterprises::create(&app, caller.person_id, body.0.into()).await?;
    let response = created_or_known(new, &format!("/enterprises/{}", enterprise.id));
    Ok(answer(&app, response, enterprise))
}

/// Correct an enterprise
///
/// For administrators and department reviewers of its jurisdiction.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "correctEnterprise",
    params(
        ("id" = EnterpriseId, Path, description = "The enterprise"),
        SeenVersion,
    ),
    request_body = EnterpriseCorrections,
    responses(
        (status = 200, description = "Corrected", body = EnterpriseView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Hidden, Outdated, VersionNeeded, WithBody,
    ),
    security(("bearer" = []))
)]
#[patch("/enterprises/{id}")]
async fn correct(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<EnterpriseId>,
    body: StrictJson<EnterpriseCorrections>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(&http)?;
    let corrections = body.0;
    if corrections.is_empty() {
        let nothing = Failure::invalid("body", "must name at least one field to change");
        return Err(nothing.into());
    }
    let correction = Correction {
        names_sector: corrections.names_sector(),
        apply: Box::new(move |before| corrections.applied_to(before)),
    };
    let corrected = enterprises::correct(&app, caller.person_id, id.0, seen, correction).await?;
    Ok(answer(&app, HttpResponse::Ok(), corrected))
}

/// Where an enterprise moves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "jurisdiction_id": "019aab12-0000-7000-8000-000000000003",
    "reason": "搬迁至新园区"
}))]
struct Relocation {
    /// The jurisdiction that answers for it from now on.
    jurisdiction_id: JurisdictionId,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Move an enterprise
///
/// Hands the enterprise and all its hazards to another jurisdiction: they leave the scopes they were
/// in and arrive in the new ones. Of an enterprise with very many hazards, the first move at the
/// same moment as the enterprise (how many is a setting) and the others within moments; what is
/// reported from now on is the new jurisdiction's. For whoever administers or reviews in both.
/// Moving it to where it is already changes nothing, whatever `If-Match` says.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "relocateEnterprise",
    params(("id" = EnterpriseId, Path, description = "The enterprise"), SeenVersion),
    request_body = Relocation,
    responses(
        (status = 200, description = "Moved", body = EnterpriseView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Hidden, Outdated, VersionNeeded, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/enterprises/{id}/relocate")]
async fn relocate_one(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<EnterpriseId>,
    body: StrictJson<Relocation>,
) -> Result<HttpResponse, Problem> {
    let move_to = relocate::Move {
        seen: required_version(&http)?,
        to: body.0.jurisdiction_id,
        reason: body.0.reason,
    };
    let moved = relocate::relocate(&app, caller.person_id, id.0, move_to).await?;
    Ok(answer(&app, HttpResponse::Ok(), moved))
}

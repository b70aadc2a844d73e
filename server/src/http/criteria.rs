//! Criteria over REST (判定标准): listed, read in all editions, and found by what an inspector types.

use std::str::FromStr;

use actix_web::{HttpResponse, get, web};
use hazardloop_domain::command::CriterionRef;
use hazardloop_domain::pack::Criterion;
use hazardloop_domain::text::SHORT_TEXT_MAX;
use hazardloop_domain::time::LocalDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{DeviceMayBeRevoked, Hidden, SignedIn, Unreadable, WithParameters};
use super::auth::Caller;
use super::body::{StrictPath, StrictQuery};
use super::paging;
use super::problem::Problem;
use super::query_text::query_text;
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::catalog::{CriteriaFilter, Snapshot};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_criteria).service(read_criterion);
}

/// A criterion, and how it may be used.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CriterionView {
    /// The criterion.
    #[serde(flatten)]
    criterion: Criterion,
    /// The evidence as people write it: `V`, `V-topic`, `V-part`, `V-title`, `K-h`, `K-m` or `K-l`.
    mark: &'static str,
    /// Title of its standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    title_zh: Option<String>,
    /// The same in our own English.
    #[serde(skip_serializing_if = "Option::is_none")]
    title_en: Option<String>,
    /// `full_text`: may be cited with document, number and clause. `clause_only`: a pointer to the clause.
    /// `not_citable`: no legal basis.
    #[schema(
        pattern = "^(full_text|clause_only|not_citable)$",
        example = "full_text"
    )]
    citability: &'static str,
    /// What to say beside it, Chinese; absent where its text was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_zh: Option<&'static str>,
    /// The same in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_en: Option<&'static str>,
}

fn criterion_view(catalog: &Snapshot, criterion: &Criterion) -> CriterionView {
    let standard = catalog.standard(criterion);
    let citability = criterion.citability();
    let notice = citability.notice();
    CriterionView {
        criterion: criterion.clone(),
        mark: criterion.evidence.mark(),
        title_zh: standard.map(|standard| standard.title_zh.clone()),
        title_en: standard.map(|standard| standard.title_en.clone()),
        citability: citability.as_str(),
        notice_zh: notice.map(|(zh, _)| zh),
        notice_en: notice.map(|(_, en)| en),
    }
}

/// An edition of a criterion, `code@edition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionParam(CriterionRef);

/// A text that names no edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an edition of a criterion: expected CODE@EDITION, such as GM-10-11-3@1")]
pub struct NoEdition;

impl FromStr for EditionParam {
    type Err = NoEdition;

    fn from_str(text: &str) -> Result<Self, NoEdition> {
        let (code, edition) = text.rsplit_once('@').ok_or(NoEdition)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let digits = edition.chars().all(|c| c.is_ascii_digit());
        let edition = edition.parse().map_err(|_| NoEdition)?;
        if code.is_empty() || code.len() > 64 || !code.chars().all(plain) || !digits {
            return Err(NoEdition);
        }
        let code = code.to_owned();
        Ok(Self(CriterionRef { code, edition }))
    }
}

impl std::fmt::Display for EditionParam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.0.code, self.0.edition)
    }
}

query_text!(
    EditionParam,
    "^[A-Za-z0-9-]{1,64}@[0-9]{1,9}$",
    "GM-10-11-3@1",
    "An edition of a criterion, `code@edition`"
);

/// Which criteria.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CriteriaQuery {
    /// What is wrong on site, Chinese or English: the criteria that fit come best first. Only the first
    /// page of them is to be had; retired editions are not among them.
    #[param(max_length = 500)]
    q: Option<String>,
    /// Of this sector: code, name or alias (`industry-and-trade`, `工贸`, `粉尘涉爆`). With `q` it brings
    /// criteria of the sector to the front, and excludes none.
    #[param(max_length = 500)]
    sector: Option<String>,
    /// Of this standard: its code or its number (文号).
    #[param(max_length = 500)]
    standard: Option<String>,
    /// Only those that may be picked as a legal basis (with their text, or as a pointer to the clause), or
    /// only those that may not.
    citable: Option<bool>,
    /// Only those whose standard holds on this day (Asia/Shanghai).
    in_force_on: Option<LocalDate>,
    /// Where the page begins, as `next` of the page before said; not together with `q`.
    after: Option<EditionParam>,
    /// Criteria at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One page of criteria: by code, or best first.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CriteriaPage {
    /// The criteria.
    items: Vec<CriterionView>,
    /// Send it as `after` for the next page; absent at the end and with `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<EditionParam>)]
    next: Option<String>,
}

/// Text of a query is no longer than what people write into a short field.
pub(super) fn bounded(field: &str, text: Option<&String>) -> Result<(), Failure> {
    match text {
        Some(text) if text.chars().count() > SHORT_TEXT_MAX => Err(Failure::invalid(
            field,
            format!("has more than {SHORT_TEXT_MAX} characters"),
        )),
        _ => Ok(()),
    }
}

/// List criteria, or find the ones that fit
///
/// Criteria for major accident hazards (判定标准), in this project's own words; the published text decides.
/// What was seen of that text is in `evidence`, and `citability` says how a criterion may be used.
#[utoipa::path(
    tag = "catalog",
    operation_id = "listCriteria",
    params(CriteriaQuery),
    responses(
        (status = 200, description = "One page", body = CriteriaPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/criteria")]
async fn list_criteria(
    app: web::Data<App>,
    _caller: Caller,
    query: StrictQuery<CriteriaQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let rows = paging::page_rows(query.limit, &app.settings.http)?;
    bounded("q", query.q.as_ref())?;
    bounded("sector", query.sector.as_ref())?;
    bounded("standard", query.standard.as_ref())?;
    if query.q.is_some() && query.after.is_some() {
        let why = "goes without q: what fits best is on the first page";
        return Err(Failure::invalid("after", why).into());
    }
    let ranked = query.q.is_some();
    let filter = CriteriaFilter {
        sector: query.sector,
        standard: query.standard,
        text: query.q,
        citable: query.citable,
        in_force_on: query.in_force_on,
        after: query.after.map(|after| after.0),
    };
    let catalog = app.catalog.now();
    let mut found = catalog.criteria(&filter, rows.saturating_add(1));
    let more = found.len() > rows;
    found.truncate(rows);
    let last = found.last().filter(|_| more && !ranked);
    let next = last.map(|criterion| EditionParam(criterion.reference()).to_string());
    let items = found
        .into_iter()
        .map(|one| criterion_view(&catalog, one))
        .collect();
    Ok(HttpResponse::Ok().json(CriteriaPage { items, next }))
}

/// Every edition of one criterion.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CriterionEditions {
    /// Oldest first; a hazard pins the one it was judged under.
    items: Vec<CriterionView>,
}

/// Read a criterion
///
/// In all its editions.
#[utoipa::path(
    tag = "catalog",
    operation_id = "readCriterion",
    params(("code" = String, Path, description = "Its code", example = "GM-10-11-3")),
    responses(
        (status = 200, description = "Its editions", body = CriterionEditions),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/criteria/{code}")]
async fn read_criterion(
    app: web::Data<App>,
    _caller: Caller,
    code: StrictPath<String>,
) -> Result<HttpResponse, Problem> {
    let catalog = app.catalog.now();
    let editions = catalog.editions(&code.0);
    let items: Vec<_> = editions.map(|one| criterion_view(&catalog, one)).collect();
    if items.is_empty() {
        return Err(Failure::NotFound("criterion").into());
    }
    Ok(HttpResponse::Ok().json(CriterionEditions { items }))
}

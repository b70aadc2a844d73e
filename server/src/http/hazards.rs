//! Hazards over REST: list, read, report.

use actix_web::{HttpRequest, HttpResponse, get, post, route, web};
use hazardloop_domain::command::{
    Action, CriterionRef, FixedOnSpot, Grade, Nature, PhotoRef, Report, Source,
};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::geography::Position;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{CommandId, EnterpriseId, HazardId, JurisdictionId};
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::{LocalDate, Timestamp};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Hidden, IdTaken, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::enterprises::sectors_of;
use super::hazard_views::{HazardPage, HazardView};
use super::paging::{self, Cursor};
use super::place_params::{self, BoxParam, PointParam};
use super::problem::Problem;
use super::query_text::Listed;
use super::versions::{HeldVersion, answer_unless_held, created_or_known, etag};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::read::hazards::{Filters, Order, Span};
use crate::usecases::{read, rest_command};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(report).service(read_one);
}

/// In which order a list of hazards is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// By when the server received the report, newest first.
    #[default]
    Newest,
    /// By due date, earliest and so overdue ones first; only hazards with a due date in force.
    DueDate,
}

/// Whose reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Reporter {
    /// The caller's own.
    Me,
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HazardQuery {
    /// Where the hazard stands: one state, or several with commas between them.
    #[param(value_type = Option<Vec<StatusName>>, style = Form, explode = false, min_items = 1)]
    status: Option<Listed<StatusName>>,
    /// Grade.
    grade: Option<Grade>,
    /// Of this enterprise.
    enterprise_id: Option<EnterpriseId>,
    /// Of this jurisdiction and everything below it; outside of the caller's own: nothing.
    jurisdiction_id: Option<JurisdictionId>,
    /// Of enterprises of this sector (监管行业): code, name or alias.
    #[param(max_length = 500)]
    sector: Option<String>,
    /// Whether the due date has passed by now.
    overdue: Option<bool>,
    /// The code of the criterion that it meets.
    #[param(max_length = 200)]
    criterion: Option<String>,
    /// How it came to be known.
    source: Option<Source>,
    /// `me`: what the caller reported.
    #[param(inline)]
    reporter: Option<Reporter>,
    /// Received by the server at this time or later.
    received_from: Option<Timestamp>,
    /// Received by the server at this time or earlier.
    received_until: Option<Timestamp>,
    /// Due on this day or later; only hazards with a due date in force.
    due_from: Option<LocalDate>,
    /// Due on this day or earlier; only hazards with a due date in force.
    due_until: Option<LocalDate>,
    /// Words that its number, description, place or enterprise's name hold, all of them, in any order. Full
    /// and half width, capital and small letters are the same; punctuation only sets words apart.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// The number by which people quote it.
    #[param(max_length = 64)]
    number: Option<String>,
    /// Around this point, `longitude,latitude@reference`; goes with `radius_m`.
    near: Option<PointParam>,
    /// How far around it, metres.
    #[param(minimum = 0, maximum = 50_000)]
    radius_m: Option<f64>,
    /// In this box, `west,south,east,north@reference`; not together with `near`.
    bbox: Option<BoxParam>,
    /// The order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Also says how many there are.
    count: Option<bool>,
    /// Where the page begins, as `next` of the page before said; of the same filters and order.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// From when until when, where either is given.
fn span(from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Span> {
    (from.is_some() || until.is_some()).then(|| Span {
        from: from.map_or(i64::MIN, Timestamp::as_millis),
        until: until.map_or(i64::MAX, Timestamp::as_millis),
    })
}

impl HazardQuery {
    fn filters(self, app: &App, caller: &Caller) -> Result<Filters, Failure> {
        let text = self.q.as_deref().map(Query::new).transpose();
        let of_day = |day: Option<LocalDate>| day.map(LocalDate::end_of_day);
        Ok(Filters {
            statuses: self.status.map(|listed| listed.0).unwrap_or_default(),
            grade: self.grade,
            enterprise_id: self.enterprise_id,
            jurisdiction_id: self.jurisdiction_id,
            overdue: self.overdue,
            received: span(self.received_from, self.received_until),
            due: span(of_day(self.due_from), of_day(self.due_until)),
            source: self.source,
            sectors: sectors_of(app, self.sector.as_deref()),
            criterion: self.criterion,
            reported_by: self.reporter.map(|Reporter::Me| caller.person_id),
            number: self.number,
            area: place_params::area(self.near, self.radius_m, self.bbox)?,
            text: text.map_err(|error| Failure::invalid("q", error.to_string()))?,
        })
    }
}

/// List hazards
///
/// Those that the caller may see, newest first or by due date. Every filter given must be met. Filters that few
/// records meet together may make a page short or empty before the end; go on while there is `next`.
#[utoipa::path(
    tag = "hazards",
    operation_id = "listHazards",
    params(HazardQuery),
    responses(
        (status = 200, description = "One page", body = HazardPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/hazards")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<HazardQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let wanted = paging::wanted(query.after, query.limit, &app.settings.http)?;
    let order = match query.sort.unwrap_or_default() {
        Sort::Newest => Order::Newest,
        Sort::DueDate => Order::Due,
    };
    let counts = query.count == Some(true);
    let filters = query.filters(&app, &caller)?;
    let (now, person_id) = (app.clock.now(), caller.person_id);
    let total = if counts {
        Some(read::hazards::count(&app, person_id, filters.clone(), order, now).await?)
    } else {
        None
    };
    let page = read::hazards::list(&app, person_id, filters, order, wanted, now).await?;
    Ok(HttpResponse::Ok().json(HazardPage::of(&page, total, now)))
}

/// Read a hazard
///
/// Its ETag is its version, which `If-Match` of a command takes. `overdue` follows from the time
/// of asking and is not part of the version.
#[utoipa::path(
    tag = "hazards",
    operation_id = "readHazard",
    params(
        ("id" = HazardId, Path, description = "The hazard"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The hazard", body = HazardView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[route("/hazards/{id}", method = "GET", method = "HEAD")]
async fn read_one(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<HazardId>,
) -> Result<HttpResponse, Problem> {
    let seen = read::hazard::one(&app, caller.person_id, id.0).await?;
    let version = seen.hazard.version;
    Ok(answer_unless_held(&http, version, || {
        HazardView::from(seen)
    }))
}

/// A report, with the id that its author made for the hazard.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "019aab12-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "source": "dept_inspection",
    "grade": "general",
    "enterprise_id": "019aab12-0000-7000-8000-000000000010",
    "description": "打磨车间除尘管道积尘严重",
    "place_text": "二号厂房打磨车间",
    "position": {"longitude": 105.594, "latitude": 29.405, "reference": "gcj02", "accuracy_m": 8.5},
    "found_at": "2026-11-22T01:00:00Z",
    "photos": [{
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "size": 3145728,
        "media_type": "image/jpeg",
        "kind": "before"
    }]
}))]
struct NewHazard {
    /// UUID of version 7, made by the client; the same id is the same report.
    id: HazardId,
    /// How it came to be known.
    source: Source,
    /// The grade its finder sees; confirmation decides.
    grade: Grade,
    /// The enterprise; absent when nobody knows yet.
    #[serde(default)]
    enterprise_id: Option<EnterpriseId>,
    /// What is wrong.
    #[schema(min_length = 1, max_length = 4000)]
    description: String,
    /// 部位: which workshop, line, machine.
    #[schema(min_length = 1, max_length = 500)]
    place_text: String,
    /// Where, as measured; needed when the enterprise is unknown.
    #[serde(default)]
    position: Option<Position>,
    /// When it was found.
    found_at: Timestamp,
    /// Photos of the hazard; their bytes travel apart.
    #[serde(default)]
    photos: Vec<PhotoRef>,
    /// Why there is no photo; required when there is none.
    #[serde(default)]
    #[schema(max_length = 500)]
    no_photo_reason: Option<String>,
    /// The criterion it meets, as its finder sees it.
    #[serde(default)]
    criterion: Option<CriterionRef>,
    /// 临时措施: what was done at once.
    #[serde(default)]
    #[schema(max_length = 4000)]
    immediate_measure: Option<String>,
    /// 即查即改: it was corrected on the spot; general hazards only, with photos before and after.
    #[serde(default)]
    fixed_on_spot: Option<FixedOnSpot>,
    /// 重复隐患: the closed hazard that this one repeats.
    #[serde(default)]
    recurrence_of: Option<HazardId>,
    /// What kind of hazard it is, and what may come of it.
    #[serde(default)]
    nature: Option<Nature>,
    /// A command of one's own devices that took no effect, in whose place this report goes: see `GET /attention`.
    #[serde(default)]
    instead_of: Option<SentCommand>,
}

impl From<NewHazard> for Report {
    fn from(new: NewHazard) -> Self {
        Self {
            source: new.source,
            grade: new.grade,
            enterprise_id: new.enterprise_id,
            description: new.description,
            place_text: new.place_text,
            position: new.position,
            found_at: new.found_at,
            photos: new.photos,
            no_photo_reason: new.no_photo_reason,
            criterion: new.criterion,
            immediate_measure: new.immediate_measure,
            fixed_on_spot: new.fixed_on_spot,
            recurrence_of: new.recurrence_of,
            nature: new.nature,
        }
    }
}

/// Report a hazard
///
/// May be sent again: the same report under the same id is taken once, and answered with 200
/// instead of 201.
#[utoipa::path(
    tag = "hazards",
    operation_id = "reportHazard",
    request_body = NewHazard,
    responses(
        (status = 201, description = "Reported", body = HazardView, headers(
            ("Location" = String, description = "The hazard"),
            ("ETag" = String, description = "Its version in quotes"),
        )),
        (status = 200, description = "This very report had been taken before; the hazard as it is now",
            body = HazardView, headers(
                ("ETag" = String, description = "Its version in quotes"),
                ("Hazardloop-Repeated" = String, description = "`true`"),
            )),
        SignedIn, Unreadable, RoleNeeded, Hidden, IdTaken, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/hazards")]
async fn report(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<NewHazard>,
) -> Result<HttpResponse, Problem> {
    let id = body.0.id;
    if !id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7").into());
    }
    let instead_of = body.0.instead_of;
    let sent = rest_command::Sent {
        command_id: CommandId(id.0),
        person_id: caller.person_id,
        subject_id: id.into(),
        action: Action::Report(body.0.into()),
        co_signatures: Vec::new(),
        if_match: None,
        instead_of,
    };
    let taken = rest_command::take(&app, sent).await?;
    let seen = read::hazard::one(&app, caller.person_id, id).await?;
    let mut answer = created_or_known(!taken.repeated, &format!("/hazards/{id}"));
    if taken.repeated {
        answer.insert_header(("Hazardloop-Repeated", "true"));
    }
    Ok(answer
        .insert_header(etag(seen.hazard.version))
        .json(HazardView::from(seen)))
}

//! Calendars over REST: which years' working days are published here, and importing one.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use hazardloop_domain::calendar_year::{CalendarDay, CalendarYear};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded, WithBody,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath};
use super::problem::Problem;
use super::versions::{SeenVersion, etag, required_version};
use crate::app::App;
use crate::usecases::calendar;

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_calendars).service(import_calendar);
}

/// The years whose working days are known.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Calendars {
    /// Ascending. Due dates in any other year are provisional.
    years: Vec<KnownYear>,
}

/// One year.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KnownYear {
    /// The year.
    year: i16,
    /// The imported table; absent: the one that the program was shipped with.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<CalendarYear>,
}

/// A year's table of holidays and make-up workdays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarTable {
    /// Its marked days, ascending; weekdays that are worked and weekends that are free are left out.
    days: Vec<CalendarDay>,
    /// Where it was published.
    #[schema(max_length = 500)]
    source: String,
}

/// List calendars
///
/// The years whose working days are published here.
#[utoipa::path(
    tag = "calendars",
    operation_id = "listCalendars",
    responses((status = 200, description = "The years", body = Calendars), SignedIn, DeviceMayBeRevoked),
    security(("bearer" = []))
)]
#[get("/calendars")]
async fn list_calendars(app: web::Data<App>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let years = calendar::years(&app).await?.into_iter();
    let years = years.map(|(year, imported)| KnownYear { year, imported });
    Ok(HttpResponse::Ok().json(Calendars {
        years: years.collect(),
    }))
}

/// Import a calendar
///
/// Puts a year's published table in the place of the one before. For administrators of the whole
/// tree. Every device receives it, and due dates that were provisional are counted again; all others
/// stay. Importing the table that is there changes nothing, whatever `If-Match` says; for a year
/// that has none, `If-Match` is `"0"`.
#[utoipa::path(
    tag = "calendars",
    operation_id = "importCalendar",
    params(("year" = i16, Path, description = "The year", example = 2027), SeenVersion),
    request_body(content = CalendarTable, example = json!({
        "source": "国务院办公厅关于2027年部分节假日安排的通知",
        "days": [
            {"date": "2027-01-01", "kind": "holiday", "occasion": "元旦"},
            {"date": "2027-02-05", "kind": "holiday", "occasion": "春节"}
        ]
    })),
    responses(
        (status = 200, description = "Imported", body = CalendarYear,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Outdated, VersionNeeded, WithBody,
    ),
    security(("bearer" = []))
)]
#[put("/calendars/{year}")]
async fn import_calendar(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    year: StrictPath<i16>,
    body: StrictJson<CalendarTable>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(&http)?;
    let table = CalendarYear {
        year: year.0,
        days: body.0.days,
        source: body.0.source,
        version: seen,
    };
    let stored = calendar::import_for(&app, caller.person_id, table, seen).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(stored.version))
        .json(stored))
}

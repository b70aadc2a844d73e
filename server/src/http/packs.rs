//! Packs and checklists over REST: reference data that everybody who is signed in may read. Criteria are in
//! `criteria`.

use actix_web::{HttpRequest, HttpResponse, get, web};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::ChecklistId;
use hazardloop_domain::pack::{Cadence, Checklist, PackHead};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{DeviceMayBeRevoked, Hidden, SignedIn, Unreadable, WithParameters};
use super::auth::Caller;
use super::body::{StrictPath, StrictQuery};
use super::criteria::bounded;
use super::paging;
use super::problem::Problem;
use super::versions::{HeldVersion, answer_unless_held};
use crate::app::App;
use crate::failure::Failure;
use crate::store::packs::Stored;
use crate::usecases::catalog::{ChecklistFilter, Snapshot};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_packs)
        .service(read_pack)
        .service(list_checklists)
        .service(read_checklist);
}

/// One version of a pack.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PackVersion {
    /// The version.
    version: u32,
    /// When it was added.
    added_at: Timestamp,
    /// SHA-256 of the whole version.
    #[schema(value_type = String)]
    digest: Digest,
}

impl From<&Stored> for PackVersion {
    fn from(stored: &Stored) -> Self {
        Self {
            version: stored.head.version,
            added_at: stored.added_at,
            digest: stored.digest,
        }
    }
}

/// A pack in its newest version, and which versions there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PackView {
    /// The pack without its criteria and checklists.
    #[serde(flatten)]
    head: PackHead,
    /// Criteria of the newest version.
    criteria: usize,
    /// Checklists of the newest version.
    checklists: usize,
    /// Every version that was added, oldest first.
    versions: Vec<PackVersion>,
}

fn pack_view(catalog: &Snapshot, newest: &Stored) -> PackView {
    let name = &newest.head.name;
    let criteria = catalog
        .criteria
        .iter()
        .filter(|c| c.pack == *name && c.retired_in.is_none());
    let lists = catalog
        .checklists
        .iter()
        .filter(|l| l.pack == *name && l.retired_in.is_none());
    PackView {
        head: newest.head.clone(),
        criteria: criteria.count(),
        checklists: lists.count(),
        versions: catalog.versions(name).map(Into::into).collect(),
    }
}

/// Which packs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PackQuery {
    /// After the pack of this name, as `next` of the page before said.
    #[param(max_length = 64)]
    after: Option<String>,
    /// Packs at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One page of packs, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PackPage {
    /// The packs.
    items: Vec<PackView>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List packs
///
/// What the sectors' rules are, as data: each pack in its newest version.
#[utoipa::path(
    tag = "catalog",
    operation_id = "listPacks",
    params(PackQuery),
    responses(
        (status = 200, description = "One page", body = PackPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/packs")]
async fn list_packs(
    app: web::Data<App>,
    _caller: Caller,
    query: StrictQuery<PackQuery>,
) -> Result<HttpResponse, Problem> {
    let PackQuery { after, limit } = query.0;
    let rows = paging::page_rows(limit, &app.settings.http)?;
    let catalog = app.catalog.now();
    let newest = catalog.newest();
    let mut rest =
        newest.filter(|stored| after.as_ref().is_none_or(|name| stored.head.name > *name));
    let items: Vec<_> = rest
        .by_ref()
        .take(rows)
        .map(|one| pack_view(&catalog, one))
        .collect();
    let more = rest.next().is_some();
    let next = items
        .last()
        .filter(|_| more)
        .map(|pack| pack.head.name.clone());
    Ok(HttpResponse::Ok().json(PackPage { items, next }))
}

/// Read a pack
///
/// Its newest version: sectors, standards, site types, risk points, duties, filings and words; and which
/// versions there are.
#[utoipa::path(
    tag = "catalog",
    operation_id = "readPack",
    params(("name" = String, Path, description = "Its name", example = "industry-and-trade")),
    responses(
        (status = 200, description = "The pack", body = PackView),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/packs/{name}")]
async fn read_pack(
    app: web::Data<App>,
    _caller: Caller,
    name: StrictPath<String>,
) -> Result<HttpResponse, Problem> {
    let catalog = app.catalog.now();
    let newest = catalog.versions(&name.0).last();
    let newest = newest.ok_or(Failure::NotFound("pack"))?;
    Ok(HttpResponse::Ok().json(pack_view(&catalog, newest)))
}

/// Which checklists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ChecklistQuery {
    /// Of this sector: code, name or alias.
    #[param(max_length = 500)]
    sector: Option<String>,
    /// For this kind of site, by its code in the pack; lists for any site are among them.
    #[param(max_length = 64)]
    site_type: Option<String>,
    /// Gone through this often.
    cadence: Option<Cadence>,
    /// Also editions that a newer version of their pack has no longer.
    retired: Option<bool>,
    /// After this checklist, as `next` of the page before said.
    after: Option<ChecklistId>,
    /// Checklists at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One page of checklists, by code.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ChecklistPage {
    /// The checklists.
    items: Vec<Checklist>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<ChecklistId>,
}

/// List checklists
///
/// What to look at on site, by sector, kind of site and cadence. An item that names no criterion is
/// `unverified`: sound practice, no law.
#[utoipa::path(
    tag = "catalog",
    operation_id = "listChecklists",
    params(ChecklistQuery),
    responses(
        (status = 200, description = "One page", body = ChecklistPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/checklists")]
async fn list_checklists(
    app: web::Data<App>,
    _caller: Caller,
    query: StrictQuery<ChecklistQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let rows = paging::page_rows(query.limit, &app.settings.http)?;
    bounded("sector", query.sector.as_ref())?;
    let filter = ChecklistFilter {
        sector: query.sector,
        site_type: query.site_type,
        cadence: query.cadence,
        retired: query.retired.unwrap_or(false),
        after: query.after,
    };
    let catalog = app.catalog.now();
    let mut found = catalog.checklists(&filter, rows.saturating_add(1));
    let more = found.len() > rows;
    found.truncate(rows);
    let next = found.last().filter(|_| more).map(|list| list.id);
    let items = found.into_iter().cloned().collect();
    Ok(HttpResponse::Ok().json(ChecklistPage { items, next }))
}

/// Read a checklist
///
/// One edition: an inspection pins the one it was made with.
#[utoipa::path(
    tag = "catalog",
    operation_id = "readChecklist",
    params(
        ("id" = ChecklistId, Path, description = "The edition of the checklist"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The checklist", body = Checklist,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/checklists/{id}")]
async fn read_checklist(
    app: web::Data<App>,
    _caller: Caller,
    http: HttpRequest,
    id: StrictPath<ChecklistId>,
) -> Result<HttpResponse, Problem> {
    let catalog = app.catalog.now();
    let list = catalog
        .checklist(id.0)
        .ok_or(Failure::NotFound("checklist"))?;
    Ok(answer_unless_held(&http, list.version, || list.clone()))
}

#[cfg(test)]
#[path = "packs_tests.rs"]
pub(crate) mod tests;

//! Tables of enterprises over REST: try out, import, look at what was imported, undo.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, get, post, web};
use hazardloop_domain::ids::ImportId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    Hidden, IdTaken, RoleNeeded, SignedIn, Unreadable, WithParameters, WithTable,
};
use super::auth::Caller;
use super::binary::Binary;
use super::body::{self, StrictPath, StrictQuery};
use super::paging::{self, Cursor};
use super::problem::Problem;
use super::versions::created_or_known;
use crate::app::App;
use crate::failure::Failure;
use crate::tables::Format;
use crate::usecases::imports::{self, Brought, ImportReport, ImportView, RowView};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(import)
        .service(list)
        .service(undo)
        .service(read_one)
        // Not an enterprise whose id is "imports".
        .route("/enterprises/imports", web::route().to(super::nothing_here));
}

/// Which import, and whether it is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// UUID of version 7, made by the client; the same id is the same import. Not asked for in a dry
    /// run.
    id: Option<ImportId>,
    /// Say what would happen and store nothing; false where nothing is said.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Import enterprises from a table
///
/// For administrators and department reviewers. The body is CSV (UTF-8 or GB18030) or an XLSX
/// workbook, whose first sheet is read; `hazardloop enterprise template` prints the columns. Every
/// problem of every row is told at once. A row changes the enterprise with its `id`, else with its
/// credit code, else with its name in its jurisdiction, else it registers a new one; an empty cell
/// leaves a field as it is, `-` empties it. All or nothing: with any error nothing is stored. May be
/// sent again: the same file under the same id is taken once, and answered with 200 instead of 201.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "importEnterprises",
    params(ImportQuery),
    request_body(content((Binary = "text/csv"), (Binary = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses(
        (status = 201, description = "Imported", body = ImportReport,
            headers(("Location" = String, description = "The import")),
            example = json!({
                "id": "019aab12-0000-7000-8000-000000000020", "dry_run": false, "rows": 2,
                "created": 1, "updated": 1, "unchanged": 0, "errors": 0, "warnings": 1,
                "problems": [{
                    "row": 3, "column": "credit_code", "heading": "统一社会信用代码",
                    "severity": "warning", "code": "CREDIT_CODE",
                    "message_zh": "统一社会信用代码校验码应为 Y，请核对",
                    "message_en": "the last character of the credit code should be Y; please compare"
                }],
                "took_ms": 12
            })),
        (status = 200, description = "What a dry run found; or this very import had been taken before: the first answer",
            body = ImportReport),
        SignedIn, Unreadable, RoleNeeded, IdTaken, WithTable,
    ),
    security(("bearer" = []))
)]
#[post("/enterprises/imports")]
async fn import(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<ImportQuery>,
    http: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    // Before a file is taken in that nobody may import.
    imports::require_keeper_somewhere(&app, caller.person_id).await?;
    let query = query.0;
    let id = match (query.id, query.dry_run) {
        (Some(id), _) => id,
        (None, true) => ImportId(app.entropy.uuid_v7(app.clock.now())),
        (None, false) => {
            let why = "is required: a UUID of version 7, made by the client";
            return Err(Failure::invalid("id", why).into());
        }
    };
    let format = Format::of_media_type(http.content_type()).ok_or_else(|| {
        let why = "the body must be text/csv or an XLSX workbook";
        Failure::UnsupportedMedia(why.to_owned())
    })?;
    let announced = body::announced_length(&http)?;
    let most = app.settings.imports.file_bytes;
    let bytes = body::read(payload.into_inner(), announced, most, &app.settings.http).await?;
    let brought = Brought { id, bytes, format };
    if query.dry_run {
        let report = imports::try_out(&app, caller.person_id, brought).await?;
        return Ok(answer(HttpResponse::Ok(), &report));
    }
    let (report, new) = imports::import(&app, caller.person_id, brought).await?;
    let response = created_or_known(new, &format!("/enterprises/imports/{id}"));
    Ok(answer(response, &report))
}

fn answer<T: Serialize>(mut response: actix_web::HttpResponseBuilder, body: &T) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(body)
}

/// Which page of imports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportsQuery {
    /// Where the page begins, as `next` of the page before said.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One page of imports, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ImportPage {
    /// The imports.
    items: Vec<ImportView>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    next: Option<String>,
}

/// List imports of enterprises
///
/// One's own, and those that lie wholly within the jurisdictions whose enterprises one keeps.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "listImports",
    params(ImportsQuery),
    responses(
        (status = 200, description = "One page", body = ImportPage),
        SignedIn, Unreadable, RoleNeeded, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/enterprises/imports")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<ImportsQuery>,
) -> Result<HttpResponse, Problem> {
    let wanted = paging::wanted(query.0.after, query.0.limit, &app.settings.http)?;
    let page = imports::list(&app, caller.person_id, wanted).await?;
    let next = page.next.map(|key| Cursor(key).to_string());
    let items = page.items;
    Ok(answer(HttpResponse::Ok(), &ImportPage { items, next }))
}

/// Which rows of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RowsQuery {
    /// Rows after this one, as `next` of the page before said; from the first where nothing is said.
    after: Option<u32>,
    /// Rows at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// An import, and one page of what its rows did.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ImportWithRows {
    /// The import.
    import: ImportView,
    /// What the rows did, in the order of the file.
    items: Vec<RowView>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u32>,
}

/// Read an import of enterprises
#[utoipa::path(
    tag = "enterprises",
    operation_id = "readImport",
    params(("id" = ImportId, Path, description = "The import"), RowsQuery),
    responses(
        (status = 200, description = "The import and one page of its rows", body = ImportWithRows),
        SignedIn, Unreadable, RoleNeeded, Hidden, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/enterprises/imports/{id}")]
async fn read_one(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<ImportId>,
    query: StrictQuery<RowsQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = paging::page_rows(query.0.limit, &app.settings.http)?;
    let after = query.0.after.unwrap_or_default();
    let (found, items) = imports::one(&app, caller.person_id, id.0, after, rows).await?;
    let full = items.len() >= rows;
    let next = items.last().map(|row| row.row).filter(|_| full);
    let page = ImportWithRows {
        import: found,
        items,
        next,
    };
    Ok(answer(HttpResponse::Ok(), &page))
}

/// Undo an import of enterprises
///
/// What it registered is removed, as long as it was not changed since and has no hazards, no inspections
/// (planned ones neither) and no people with roles; what it changed is as it was, as long as it was not changed since. When any row
/// cannot be undone none is, and every reason is told in `rows`. What happened stays on record. For
/// whoever may see the import and keeps all its enterprises; may be sent again.
#[utoipa::path(
    tag = "enterprises",
    operation_id = "undoImport",
    params(("id" = ImportId, Path, description = "The import")),
    responses(
        (status = 200, description = "Undone", body = ImportView),
        (status = 409, description = "Rows that cannot be undone: all of them are in `rows`", body = Problem,
            content_type = "application/problem+json"),
        SignedIn, Unreadable, RoleNeeded, Hidden,
    ),
    security(("bearer" = []))
)]
#[post("/enterprises/imports/{id}/undo")]
async fn undo(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<ImportId>,
) -> Result<HttpResponse, Problem> {
    let undone = imports::undo(&app, caller.person_id, id.0).await?;
    Ok(answer(HttpResponse::Ok(), &undone))
}

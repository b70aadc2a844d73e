//! Packs brought over REST: tried out, or added.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{RoleNeeded, SignedIn, Unreadable, WithArchive};
use super::auth::Caller;
use super::binary::Binary;
use super::body::{self, StrictQuery};
use super::problem::Problem;
use super::versions::created_or_known;
use crate::app::App;
use crate::failure::Failure;
use crate::tables::ZIP;
use crate::usecases::bring_pack::{self, PackOutcome, PackReport};

/// Adds the route of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(add_pack);
}

/// Whether it is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PackUpload {
    /// Say what would happen and store nothing; false where nothing is said.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Add a pack
///
/// For administrators of the whole tree. The body is a ZIP archive of the pack's folder, or of the
/// files in it; `catalog/packs/README.md` says what they are. Every problem of every file is told at
/// once, with file and line, as `hazardloop pack check` does; a dry run also tells what the packs that
/// are here stand against. All or nothing: with anything wrong nothing is stored. An edition of a
/// criterion or checklist that is here never changes what it says. May be sent again: a version that is
/// here is answered with 200 instead of 201, and changes nothing. Every device receives the new version.
#[utoipa::path(
    tag = "catalog",
    operation_id = "addPack",
    params(PackUpload),
    request_body(content = Binary, content_type = "application/zip"),
    responses(
        (status = 201, description = "Added", body = PackReport,
            headers(("Location" = String, description = "The pack")),
            example = json!({
                "dry_run": false, "outcome": "added",
                "pack": {
                    "name": "town-gas", "version": 2, "title_zh": "城镇燃气", "title_en": "Town gas",
                    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "criteria": 22, "checklists": 4
                },
                "errors": 0, "problems": [], "conflicts": []
            })),
        (status = 200, description = "What a dry run found; or this very version is here already",
            body = PackReport),
        (status = 409, description = "The version is here with other content, an edition would say something else, or a code is another pack's",
            body = Problem, content_type = "application/problem+json"),
        SignedIn, Unreadable, RoleNeeded, WithArchive,
    ),
    security(("bearer" = []))
)]
#[post("/packs")]
async fn add_pack(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<PackUpload>,
    http: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    // Before a file is taken in from somebody who may not bring one.
    bring_pack::require_keeper(&app, caller.person_id).await?;
    if !http.content_type().trim().eq_ignore_ascii_case(ZIP) {
        let why = "the body must be a ZIP archive (application/zip)";
        return Err(Failure::UnsupportedMedia(why.to_owned()).into());
    }
    let announced = body::announced_length(&http)?;
    let most = app.settings.packs.archive_bytes;
    let bytes = body::read(payload.into_inner(), announced, most, &app.settings.http).await?;
    if query.0.dry_run {
        let report = bring_pack::try_out(&app, caller.person_id, bytes).await?;
        return Ok(answer(HttpResponse::Ok(), &report));
    }
    let report = bring_pack::add(&app, caller.person_id, bytes).await?;
    let name = report.pack.as_ref().map_or("", |pack| pack.name.as_str());
    let new = report.outcome == PackOutcome::Added;
    Ok(answer(
        created_or_known(new, &format!("/packs/{name}")),
        &report,
    ))
}

fn answer(mut response: actix_web::HttpResponseBuilder, report: &PackReport) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(report)
}

#[cfg(test)]
#[path = "pack_archives_tests.rs"]
mod tests;

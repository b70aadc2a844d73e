//! The OpenAPI document, made from the code: the routes themselves, and a frame around them.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::{HttpResponse, get};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::Problem;
use super::{API_ROOT, answers, api_routes, auth, openapi_schemas, paging, place_params};

/// Media type of the document (RFC 9512).
pub const YAML: &str = "application/yaml";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Hazardloop",
        description = "Major accident hazards, self-checked, self-reported, self-corrected \
            (重大事故隐患自查自报自改), from the first report to closure, with a record of who did \
            what that cannot be argued with.\n\n\
            Errors are problem documents (RFC 9457) with a stable `code`. Creates take an `id` \
            made by the client (UUID of version 7) and may be sent again. Records carry their \
            version as ETag; a change of one that asks for `If-Match` answers 428 without it, and \
            412 when the record has changed since. Lists are read page by page: `next` of one page \
            is `after` of the following one. What lies outside of the caller's scope reads as not found.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "The server that this document came from")),
    tags(
        (name = "sessions", description = "Signing in, staying signed in, signing out"),
        (name = "hazards", description = "隐患: reports, commands, history"),
        (name = "orders", description = "责令限期整改指令书: those in force, and each as a document"),
        (name = "inspections", description = "检查、自查: commands, records, history"),
        (name = "photos", description = "Evidence, by content; uploads over tus 1.0"),
        (name = "enterprises", description = "生产经营单位"),
        (name = "jurisdictions", description = "管辖: who answers where"),
        (name = "calendars", description = "工作日历: the working days that due dates are counted by"),
        (name = "catalog", description = "判定标准与检查表: packs, criteria, checklists"),
        (name = "people", description = "Accounts and roles"),
        (name = "devices", description = "Field devices and their keys"),
        (name = "sync", description = "Push and pull of field devices"),
        (name = "audit", description = "审计链: what happened, and where it stands in the chain"),
        (name = "meta", description = "About this API"),
    ),
    components(schemas(
        Problem,
        paging::Cursor,
        place_params::PointParam,
        place_params::BoxParam,
        hazardloop_domain::hazard::StatusName,
        hazardloop_domain::command::ActionKind,
        hazardloop_domain::command::Grade,
    ))
)]
struct Frame;

/// Adds the route of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_document);
}

/// The document of the whole API, without a running server.
pub fn document() -> OpenApi {
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Frame::openapi())
        .service(utoipa_actix_web::scope(API_ROOT).configure(api_routes))
        .split_for_parts();
    auth::describe(&mut document);
    openapi_schemas::correct(&mut document);
    answers::complete(&mut document);
    document
}

/// The document as `openapi.yaml` holds it.
///
/// # Errors
/// When it cannot be written as YAML, which a test rules out.
pub fn yaml() -> Result<String, String> {
    document().to_yaml().map_err(|error| error.to_string())
}

/// Read this description
///
/// The OpenAPI 3.1 document of this very server.
#[utoipa::path(
    tag = "meta",
    operation_id = "readDescription",
    responses((status = 200, description = "The document", body = serde_json::Value, content_type = "application/yaml")),
)]
#[get("/openapi.yaml")]
async fn read_document() -> HttpResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| yaml().unwrap_or_default());
    HttpResponse::Ok().content_type(YAML).body(TEXT.as_str())
}

/// The methods that there are at each path.
static METHODS: LazyLock<Vec<(ResourceDef, Vec<&'static str>)>> = LazyLock::new(|| {
    let documented = document().paths.paths;
    let mut all: Vec<_> = documented
        .iter()
        .map(|(path, item)| (ResourceDef::new(path.as_str()), methods_of(item)))
        .collect();
    all.extend(super::ops::PATHS.map(|path| (ResourceDef::new(path), vec!["GET"])));
    all
});

fn methods_of(item: &PathItem) -> Vec<&'static str> {
    let operations = [
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
    ];
    operations
        .into_iter()
        .filter(|(_, operation)| operation.is_some())
        .map(|(name, _)| name)
        .collect()
}

/// The methods that there are at this path, of a request that no route took; empty when there is
/// nothing at all.
pub(super) fn methods_at(path: &str) -> Vec<&'static str> {
    let fits: Vec<_> = METHODS
        .iter()
        .filter(|(pattern, _)| pattern.is_match(path))
        .collect();
    // A path that is written out is no id: `/enterprises/imports` is not `/enterprises/{id}`.
    let parameters = |pattern: &ResourceDef| {
        let pattern = pattern.pattern().unwrap_or_default();
        pattern.matches('{').count()
    };
    let fewest = fits.iter().map(|(pattern, _)| parameters(pattern)).min();
    let mut methods: Vec<&'static str> = fits
        .into_iter()
        .filter(|(pattern, _)| Some(parameters(pattern)) == fewest)
        .flat_map(|(_, methods)| methods.iter().copied())
        .collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;

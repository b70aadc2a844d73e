//! HTTP: routes, extractors, answers. Nothing is decided here.

pub mod answers;
pub mod attention;
pub mod audit;
pub mod auth;
pub mod binary;
pub mod body;
pub mod boundaries;
pub mod calendars;
mod commands;
pub mod criteria;
pub mod devices;
mod enterprise_bodies;
pub mod enterprises;
pub mod grants;
pub mod hand_overs;
pub mod hazard_commands;
pub mod hazard_views;
pub mod hazards;
pub mod imports;
pub mod inspection_views;
pub mod inspections;
pub mod jurisdictions;
pub mod limits;
pub mod merge_jurisdictions;
pub mod openapi;
mod openapi_schemas;
pub mod ops;
pub mod orders;
mod pace;
pub mod pack_archives;
pub mod packs;
pub mod paging;
pub mod people;
pub mod person_keys;
pub mod photos;
pub mod place_params;
pub mod problem;
pub mod quarantined;
mod query_text;
pub mod recurrences;
pub mod responsibilities;
pub mod sessions;
pub mod sync;
mod sync_body;
mod turn;
pub mod tus;
mod tus_body;
pub mod tus_headers;
pub mod versions;
mod warnings;

#[cfg(test)]
mod sign_in_tests;

#[cfg(test)]
mod authorization_requests;
#[cfg(test)]
mod authorization_tests;
#[cfg(test)]
mod authorization_world;
#[cfg(test)]
mod certificates_tests;
#[cfg(test)]
mod enterprise_lists_tests;
#[cfg(test)]
mod enterprise_record_tests;
#[cfg(test)]
mod enterprises_tests;
#[cfg(test)]
mod hand_over_teams_tests;
#[cfg(test)]
mod hand_overs_once_tests;
#[cfg(test)]
mod hand_overs_tests;
#[cfg(test)]
mod hazard_lists_tests;
#[cfg(test)]
mod hazards_tests;
#[cfg(test)]
mod imports_tests;
#[cfg(test)]
mod merge_jurisdictions_tests;
#[cfg(test)]
mod moved_sectors_tests;
#[cfg(test)]
mod quarantined_tests;
#[cfg(test)]
mod recurrences_tests;
#[cfg(test)]
mod sector_codes_tests;
#[cfg(test)]
mod sync_scope_tests;
#[cfg(test)]
mod taken_ids_tests;
#[cfg(test)]
mod tasks_tests;
#[cfg(test)]
mod test_client;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use problem::{Problem, ProblemCode};

/// Where the API lives.
pub const API_ROOT: &str = "/api/v1";

/// Every route of the server.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.configure(ops::routes);
    let api = utoipa_actix_web::scope(API_ROOT)
        .configure(api_routes)
        .wrap(from_fn(turn::hold));
    ServiceConfig::new(cfg).service(api);
    cfg.default_service(web::route().to(nothing_here));
}

/// Every documented route, relative to [`API_ROOT`].
pub fn api_routes(cfg: &mut ServiceConfig<'_>) {
    // Before the others: a hazard is never called `unclaimed`.
    cfg.configure(responsibilities::routes);
    cfg.configure(hazards::routes);
    cfg.configure(hazard_commands::routes);
    cfg.configure(recurrences::routes);
    cfg.configure(orders::routes);
    cfg.configure(inspections::routes);
    // Before the others: an enterprise is never called `imports`.
    cfg.configure(imports::routes);
    cfg.configure(enterprises::routes);
    cfg.configure(jurisdictions::routes);
    cfg.configure(merge_jurisdictions::routes);
    cfg.configure(boundaries::routes);
    cfg.configure(calendars::routes);
    cfg.configure(packs::routes);
    cfg.configure(pack_archives::routes);
    cfg.configure(audit::routes);
    cfg.configure(criteria::routes);
    cfg.configure(openapi::routes);
    cfg.configure(sessions::routes);
    cfg.configure(devices::routes);
    cfg.configure(people::routes);
    cfg.configure(person_keys::routes);
    cfg.configure(grants::routes);
    cfg.configure(hand_overs::routes);
    cfg.configure(quarantined::routes);
    cfg.configure(attention::routes);
    cfg.configure(sync::routes);
    cfg.configure(tus::routes);
    cfg.configure(photos::routes);
}

/// What is not there, or not by this method.
async fn nothing_here(http: HttpRequest) -> HttpResponse {
    let (method, path) = (http.method(), http.path());
    let methods = openapi::methods_at(path);
    if methods.is_empty() {
        let detail = format!("there is nothing at {path}");
        return Problem::new(ProblemCode::NotFound, detail).error_response();
    }
    let detail = format!("{method} is not possible at {path}");
    let mut answer = Problem::new(ProblemCode::MethodNotAllowed, detail).error_response();
    if let Ok(allowed) = header::HeaderValue::from_str(&methods.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}

/// Counts requests and the time they take. The path is not a label: ids would make one series
/// each.
///
/// # Errors
/// Those of the service behind it.
pub async fn count_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let method = known_method(request.method());
    let metrics = request
        .app_data::<web::Data<App>>()
        .map(|app| app.metrics.clone());
    #[allow(clippy::disallowed_methods, reason = "a stopwatch for metrics")]
    let started = std::time::Instant::now();
    let answer = next.call(request).await;
    if let Some(metrics) = metrics {
        let status = match &answer {
            Ok(answer) => answer.status().as_u16(),
            Err(error) => error.as_response_error().status_code().as_u16(),
        };
        let class = format!("{}xx", status / 100);
        metrics
            .requests
            .with_label_values(&[method, class.as_str()])
            .inc();
        metrics
            .request_seconds
            .observe(started.elapsed().as_secs_f64());
    }
    answer
}

#[cfg(test)]
mod inspections_tests;
#[cfg(test)]
mod photos_tests;
#[cfg(test)]
mod turns_tests;
#[cfg(test)]
mod tus_line_tests;

/// The method as a label: anybody may invent methods, and each label is a series for ever.
fn known_method(method: &actix_web::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;

    #[test]
    fn invented_methods_share_one_series() {
        assert_eq!(known_method(&Method::PATCH), "PATCH");
        for invented in ["BREW", "PROPFIND", "GETGETGET"] {
            let method = Method::from_bytes(invented.as_bytes()).unwrap();
            assert_eq!(known_method(&method), "other");
        }
    }
}

//! For whoever runs the server: is it alive, is it ready, what does it count.

use actix_web::{HttpResponse, get, web};

use super::problem::Problem;
use crate::app::App;
use crate::failure::Failure;
use crate::store::identity::EPOCH;
use crate::store::meta;

/// The paths of this file.
pub const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Adds the routes of this file, outside `/api`.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(healthz).service(readyz).service(metrics);
}

/// The process answers.
#[get("/healthz")]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// The database answers too.
#[get("/readyz")]
async fn readyz(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    app.db
        .read(|tx| meta::get(tx.conn(), EPOCH).map_err(Failure::from))
        .await?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ready\n"))
}

/// Counters.
#[get("/metrics")]
async fn metrics(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(app.metrics.render()?))
}

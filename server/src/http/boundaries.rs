//! Boundaries of jurisdictions over REST: set, remove.

use actix_web::{HttpRequest, HttpResponse, delete, put, web};
use hazardloop_domain::geography::CoordinateReference;
use hazardloop_domain::ids::JurisdictionId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{Hidden, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded, WithBody};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath};
use super::jurisdictions::JurisdictionView;
use super::problem::Problem;
use super::versions::{SeenVersion, etag, required_version};
use crate::app::App;
use crate::usecases::boundaries;

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(set_boundary).service(remove_boundary);
}

/// A boundary and the reference of its numbers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Boundary {
    /// A GeoJSON geometry (RFC 7946), `Polygon` or `MultiPolygon`.
    #[schema(value_type = Object)]
    geometry: serde_json::Value,
    /// The coordinate reference of its numbers.
    reference: CoordinateReference,
}

impl Boundary {
    /// As it is stored: GeoJSON and the reference.
    pub(super) fn into_text(self) -> (String, CoordinateReference) {
        (self.geometry.to_string(), self.reference)
    }
}

/// Set a boundary
///
/// Gives the jurisdiction a boundary, or another one than it had. For administrators of the node
/// above. From now on it decides who answers for a report without an enterprise; hazards that were
/// reported before stay where they are. Setting the boundary that it has changes nothing, whatever
/// `If-Match` says.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "setBoundary",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction"), SeenVersion),
    request_body(content = Boundary, example = json!({
        "geometry": {"type": "Polygon", "coordinates": [
            [[105.5, 29.3], [105.7, 29.3], [105.7, 29.5], [105.5, 29.5], [105.5, 29.3]]
        ]},
        "reference": "cgcs2000"
    })),
    responses(
        (status = 200, description = "Set", body = JurisdictionView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Hidden, Outdated, VersionNeeded, WithBody,
    ),
    security(("bearer" = []))
)]
#[put("/jurisdictions/{id}/boundary")]
async fn set_boundary(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
    body: StrictJson<Boundary>,
) -> Result<HttpResponse, Problem> {
    change_boundary(&app, &caller, &http, id.0, Some(body.0)).await
}

/// Remove a boundary
///
/// For administrators of the node above. Removing one that is not there changes nothing, whatever
/// `If-Match` says.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "removeBoundary",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction"), SeenVersion),
    responses(
        (status = 200, description = "It has none", body = JurisdictionView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, Hidden, Outdated, VersionNeeded,
    ),
    security(("bearer" = []))
)]
#[delete("/jurisdictions/{id}/boundary")]
async fn remove_boundary(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
) -> Result<HttpResponse, Problem> {
    change_boundary(&app, &caller, &http, id.0, None).await
}

async fn change_boundary(
    app: &App,
    caller: &Caller,
    http: &HttpRequest,
    id: JurisdictionId,
    boundary: Option<Boundary>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(http)?;
    let boundary = boundary.map(Boundary::into_text);
    let node = boundaries::change(app, caller.person_id, id, seen, boundary).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(node.node.version))
        .json(JurisdictionView::from(node)))
}

//! Merging a jurisdiction into another one, over REST.

use actix_web::{HttpRequest, HttpResponse, post, web};
use hazardloop_domain::ids::JurisdictionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::{Hidden, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded, WithBody};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath};
use super::jurisdictions::JurisdictionView;
use super::problem::Problem;
use super::versions::{SeenVersion, etag, required_version};
use crate::app::App;
use crate::usecases::merge_jurisdictions::{self, Asked};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(merge);
}

/// Into which one, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "into": "019aab12-0000-7000-8000-000000000003",
    "reason": "渝府〔2026〕12号：撤销某某镇，并入某某街道"
}))]
struct MergeJurisdiction {
    /// The successor: below the same node, of the same level, not merged itself.
    into: JurisdictionId,
    /// Why: the decision by which it is dissolved.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A jurisdiction that was merged.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct MergedJurisdiction {
    /// As it is now: below its successor, with `merged_into`.
    #[serde(flatten)]
    view: JurisdictionView,
    /// Whether the boundary of the successor has to be drawn anew. Until then places within the old boundary are
    /// the successor's.
    boundary_to_redraw: bool,
}

/// Merge a jurisdiction into another one
///
/// For administrators of the node above both. What was filed in it (enterprises, hazards, inspections, roles,
/// jurisdictions below) goes to the successor, soon after and without anybody missing a record meanwhile; `is_merging`
/// says whether that is under way. It stays as a record that names its successor; nothing new is placed in it. `If-Match`
/// takes the ETag of the jurisdiction that is dissolved; one that has been merged into this very one already stays as it
/// is, whatever `If-Match` says.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "mergeJurisdiction",
    params(("id" = JurisdictionId, Path, description = "The jurisdiction that is dissolved"), SeenVersion),
    request_body = MergeJurisdiction,
    responses(
        (status = 200, description = "Merged, now or before", body = MergedJurisdiction,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 409, description = "Either was merged before (`JURISDICTION_MERGED`, with `successor_id`), or something is still on its way into the one that is to be dissolved", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Hidden, Outdated, VersionNeeded, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/jurisdictions/{id}/merge")]
async fn merge(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
    body: StrictJson<MergeJurisdiction>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked {
        seen: required_version(&http)?,
        into: body.0.into,
        reason: body.0.reason,
    };
    let done = merge_jurisdictions::merge(&app, caller.person_id, id.0, asked).await?;
    let version = done.node.node.version;
    Ok(HttpResponse::Ok()
        .insert_header(etag(version))
        .json(MergedJurisdiction {
            view: done.node.into(),
            boundary_to_redraw: done.boundary_to_redraw,
        }))
}

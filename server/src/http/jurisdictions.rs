//! The jurisdiction tree over REST: list, read, find by place, add. Boundaries are in `boundaries`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{
    DeviceMayBeRevoked, Hidden, IdTaken, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::boundaries::Boundary;
use super::paging;
use super::place_params::PointParam;
use super::problem::Problem;
use super::versions::{HeldVersion, answer_unless_held, created_or_known, etag};
use crate::app::App;
use crate::store::jurisdictions::Node;
use crate::usecases::jurisdictions::{self, NewJurisdiction};

/// Adds the routes of this file. `locate` before `{id}`, which would take it for an id.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(add)
        .service(locate)
        .service(read_one);
}

/// A jurisdiction, and how it lies in the tree.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct JurisdictionView {
    /// The node.
    #[serde(flatten)]
    node: Jurisdiction,
    /// Steps from the root, which has 1.
    depth: u32,
    /// Whether it has a boundary of its own.
    has_boundary: bool,
    /// Of one that was merged: whether its records are still on their way to its successor.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_merging: Option<bool>,
}

impl From<Node> for JurisdictionView {
    fn from(node: Node) -> Self {
        let is_merging = node.node.merged_into.map(|_| node.is_merging);
        Self {
            node: node.node,
            depth: node.depth,
            has_boundary: node.has_boundary,
            is_merging,
        }
    }
}

/// Which part of the tree.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TreeQuery {
    /// Only the children of this node.
    parent_id: Option<JurisdictionId>,
    /// After this node, as `next` of the page before said.
    after: Option<JurisdictionId>,
    /// Nodes at most; the upper bound (200) where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// A part of the tree, a parent always before its children.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct JurisdictionPage {
    /// The nodes.
    items: Vec<JurisdictionView>,
    /// Send it as `after` for the nodes that follow; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<JurisdictionId>,
}

/// List jurisdictions
///
/// The whole tree, for everybody who is signed in: who answers where is no secret.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "listJurisdictions",
    params(TreeQuery),
    responses(
        (status = 200, description = "One page", body = JurisdictionPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/jurisdictions")]
async fn list(
    app: web::Data<App>,
    _caller: Caller,
    query: StrictQuery<TreeQuery>,
) -> Result<HttpResponse, Problem> {
    let TreeQuery {
        parent_id,
        after,
        limit,
    } = query.0;
    let limits = &app.settings.http;
    let rows = paging::page_rows(Some(limit.unwrap_or(limits.page_rows)), limits)?;
    let mut nodes = jurisdictions::list(&app, after, parent_id, rows.saturating_add(1)).await?;
    let ends_here = nodes.len() <= rows;
    nodes.truncate(rows);
    let next = nodes.last().filter(|_| !ends_here).map(|node| node.node.id);
    let items = nodes.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(JurisdictionPage { items, next }))
}

/// Read a jurisdiction
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "readJurisdiction",
    params(
        ("id" = JurisdictionId, Path, description = "The jurisdiction"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The jurisdiction", body = JurisdictionView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/jurisdictions/{id}")]
async fn read_one(
    app: web::Data<App>,
    _caller: Caller,
    http: HttpRequest,
    id: StrictPath<JurisdictionId>,
) -> Result<HttpResponse, Problem> {
    let node = jurisdictions::one(&app, id.0).await?;
    let version = node.node.version;
    Ok(answer_unless_held(&http, version, || {
        JurisdictionView::from(node)
    }))
}

/// Which place.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LocateQuery {
    /// The place, `longitude,latitude@reference`.
    at: PointParam,
}

/// Who answers for a place.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Located {
    /// The narrowest jurisdiction whose boundary holds the place.
    jurisdiction_id: JurisdictionId,
    /// From the root down to and including it.
    ancestors: Vec<JurisdictionView>,
}

/// Find who answers for a place
///
/// The narrowest jurisdiction whose boundary holds it. Only boundaries that are known count.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "locateJurisdiction",
    params(LocateQuery),
    responses(
        (status = 200, description = "Found", body = Located),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/jurisdictions/locate")]
async fn locate(
    app: web::Data<App>,
    _caller: Caller,
    query: StrictQuery<LocateQuery>,
) -> Result<HttpResponse, Problem> {
    let nodes = jurisdictions::locate(&app, query.0.at.0.to_wgs84()).await?;
    let Some(last) = nodes.last() else {
        return Err(crate::failure::Failure::NotFound("jurisdiction").into());
    };
    let jurisdiction_id = last.node.id;
    let ancestors = nodes.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(Located {
        jurisdiction_id,
        ancestors,
    }))
}

/// A new node of the tree.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "019aab12-0000-7000-8000-000000000003",
    "parent_id": "019aab12-0000-7000-8000-000000000001",
    "name": "某某工业园区",
    "level": "town",
    "boundary": {
        "geometry": {"type": "Polygon", "coordinates": [
            [[105.5, 29.3], [105.7, 29.3], [105.7, 29.5], [105.5, 29.5], [105.5, 29.3]]
        ]},
        "reference": "cgcs2000"
    }
}))]
struct NewNode {
    /// UUID of version 7, made by the client; the same id is the same addition.
    id: JurisdictionId,
    /// The node above.
    parent_id: JurisdictionId,
    /// Name.
    #[schema(min_length = 1, max_length = 500)]
    name: String,
    /// Level; below that of the node above.
    level: Level,
    /// 12-digit division code, where it has one.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{12}$")]
    division_code: Option<String>,
    /// Its boundary, where one is known.
    #[serde(default)]
    boundary: Option<Boundary>,
}

/// Add a jurisdiction
///
/// For administrators of the node above. May be sent again: the same addition under the same id is
/// taken once, and answered with 200 instead of 201.
#[utoipa::path(
    tag = "jurisdictions",
    operation_id = "addJurisdiction",
    request_body = NewNode,
    responses(
        (status = 201, description = "Added", body = JurisdictionView, headers(
            ("Location" = String, description = "The jurisdiction"),
            ("ETag" = String, description = "Its version in quotes"),
        )),
        (status = 200, description = "This very addition had been taken before", body = JurisdictionView,
            headers(("ETag" = String, description = "Its version in quotes"))),
        SignedIn, Unreadable, RoleNeeded, IdTaken, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/jurisdictions")]
async fn add(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<NewNode>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let jurisdiction = Jurisdiction {
        id: body.id,
        parent_id: Some(body.parent_id),
        name: body.name,
        level: body.level,
        division_code: body.division_code,
        version: 1,
        merged_into: None,
        merged_at: None,
    };
    let boundary = body.boundary.map(Boundary::into_text);
    let new = NewJurisdiction {
        jurisdiction,
        boundary,
    };
    let (added, is_new) = jurisdictions::create(&app, caller.person_id, new).await?;
    let node = jurisdictions::one(&app, added.id).await?;
    let mut answer = created_or_known(is_new, &format!("/jurisdictions/{}", added.id));
    Ok(answer
        .insert_header(etag(added.version))
        .json(JurisdictionView::from(node)))
}

//! What people are, over HTTP: give a role, end one.

use actix_web::{HttpRequest, HttpResponse, delete, post, web};
use hazardloop_domain::access::{Certificate, Grant, GrantScope, Role};
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answers::{Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded, WithBody};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath};
use super::problem::Problem;
use super::versions::{SeenVersion, required_version};
use crate::app::App;
use crate::usecases::people::{self, NewGrant, Terms};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(grant).service(end_grant);
}

/// A grant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGrant {
    /// UUIDv7, made by the asker; the same id again is the same request again.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f11")]
    pub id: GrantId,
    /// The role.
    pub role: Role,
    /// Over what: an enterprise for its own people, either for experts and insurers, a jurisdiction
    /// for the others.
    pub scope: GrantScope,
    /// Within these sectors (监管行业) alone, for a role over a jurisdiction; none: within all. Names of
    /// sectors are kept by their codes.
    #[serde(default)]
    #[schema(example = json!(["industry-and-trade"]), max_items = 16)]
    pub sectors: Vec<String>,
    /// The certificate by which an inspector acts; without one that is valid they only assist.
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// From when; absent: from now.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
    /// Until when; absent: open-ended.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// Why it is held away from home for a time (异地交叉执法). With it the grant needs an end, at
    /// most 90 days (a setting) after it begins; without it, a jurisdiction outside of the districts
    /// of the person's standing roles is refused.
    #[serde(default)]
    #[schema(example = "交叉执法检查", max_length = 500)]
    pub temporary_reason: Option<String>,
}

/// Give a person one more role
///
/// For administrators, within their own jurisdiction, and not for themselves. The person's devices learn
/// of it. `If-Match` takes the ETag of the person; a request that was taken before is answered whatever it says.
#[utoipa::path(
    tag = "people",
    operation_id = "createGrant",
    params(("id" = PersonId, Path, description = "The person"), SeenVersion),
    request_body = CreateGrant,
    responses(
        (status = 201, description = "Granted", body = Grant),
        (status = 200, description = "Granted before by the same request", body = Grant),
        (status = 404, description = "No such person, or none that you may know of, or the scope is none that you administer", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id is taken, the account is disabled, or the certificate is another person's", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Outdated, VersionNeeded, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/people/{id}/grants")]
async fn grant(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<PersonId>,
    body: StrictJson<CreateGrant>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(&http)?;
    let StrictJson(body) = body;
    let new = NewGrant {
        id: body.id,
        terms: Terms {
            role: body.role,
            scope: body.scope,
            sectors: body.sectors,
            certificate: body.certificate,
        },
        valid_from: body.valid_from,
        valid_until: body.valid_until,
        temporary_reason: body.temporary_reason,
    };
    let (granted, created) = people::grant(&app, caller.person_id, id.0, seen, new).await?;
    let mut answer = if created {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(answer.json(granted))
}

/// End a grant now
///
/// For administrators, within their own jurisdiction. `If-Match` takes the ETag of the person. One
/// that has ended stays as it is, whatever `If-Match` says.
#[utoipa::path(
    tag = "people",
    operation_id = "endGrant",
    params(
        ("id" = PersonId, Path, description = "The person"),
        ("grant_id" = GrantId, Path, description = "The grant"),
        SeenVersion,
    ),
    responses(
        (status = 204, description = "Ended, now or before"),
        (status = 404, description = "No such grant, or none that you may know of", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Outdated, VersionNeeded, Unreadable,
    ),
    security(("bearer" = []))
)]
#[delete("/people/{id}/grants/{grant_id}")]
async fn end_grant(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    ids: StrictPath<(PersonId, GrantId)>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(&http)?;
    let (person_id, grant_id) = ids.0;
    people::end_grant(&app, caller.person_id, person_id, seen, grant_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

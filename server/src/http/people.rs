//! People over HTTP: list, look, add, grant, end a grant, disable.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, delete, get, post, web};
use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{BodyProblems, CallerProblems};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::id_pages::{PageQuery, next_of};
use super::problem::Problem;
use crate::app::App;
use crate::usecases::people::{self, NewGrant, PersonRequest, PersonView};
use crate::usecases::sign_in::password::Password;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(list)
        .service(one)
        .service(create)
        .service(grant)
        .service(end_grant)
        .service(disable);
}

/// A role over a scope.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOver {
    /// The role.
    pub role: Role,
    /// Over what: an enterprise for its own people, a jurisdiction for the others.
    pub scope: GrantScope,
}

/// Somebody to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePerson {
    /// UUIDv7, made by the asker; the same id again is the same request again.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f10")]
    pub id: PersonId,
    /// The name by which they will sign in; no white space.
    #[schema(example = "wang.fang", max_length = 64)]
    pub login: String,
    /// Their name.
    #[schema(example = "王芳", max_length = 100)]
    pub name: String,
    /// Where to reach them.
    #[serde(default)]
    #[schema(example = "13800000000", max_length = 32)]
    pub phone: Option<String>,
    /// Their first password, 10 to 256 characters.
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 256,
        example = "correct horse battery")]
    pub password: Password,
    /// What they are from now on; at least one.
    #[schema(min_items = 1, max_items = 200)]
    pub grants: Vec<RoleOver>,
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
    /// Over what: an enterprise for its own people, a jurisdiction for the others.
    pub scope: GrantScope,
    /// From when; absent: from now.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
    /// Until when; absent: open-ended.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
}

/// Why an account is disabled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisablePerson {
    /// For the record.
    #[schema(example = "left the bureau", min_length = 1, max_length = 500)]
    pub reason: String,
}

/// A page of people.
#[derive(Serialize, ToSchema)]
pub struct PersonPage {
    /// The people, in order of id.
    pub items: Vec<PersonView>,
    /// Ask for this one with `after`; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

fn with_etag(mut answer: HttpResponseBuilder, person: &PersonView) -> HttpResponse {
    answer
        .insert_header((header::ETAG, format!("\"{}\"", person.version)))
        .json(person)
}

/// List people
///
/// Administrators, department reviewers and supervisors see who holds a role in their
/// jurisdiction; principals, who holds one in their enterprise; everybody, themselves.
#[utoipa::path(
    tag = "people",
    operation_id = "listPeople",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of people", body = PersonPage),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is not acceptable", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
    ),
    security(("bearer" = []))
)]
#[get("/people")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = page.0.rows(&app.settings.http)?;
    let after = page.0.after.map(PersonId);
    let items = people::list(&app, caller.person_id, after, rows).await?;
    let next = next_of(&items, rows, |person| person.id.0);
    Ok(HttpResponse::Ok().json(PersonPage { items, next }))
}

/// Look at a person
#[utoipa::path(
    tag = "people",
    operation_id = "getPerson",
    params(("id" = PersonId, Path, description = "The person")),
    responses(
        (status = 200, description = "The person", body = PersonView,
            headers(("ETag" = String, description = "The version"))),
        (status = 400, description = "Not an id", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such person, or none that you may know of", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
    ),
    security(("bearer" = []))
)]
#[get("/people/{id}")]
async fn one(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<PersonId>,
) -> Result<HttpResponse, Problem> {
    let person = people::one(&app, caller.person_id, id.0).await?;
    Ok(with_etag(HttpResponse::Ok(), &person))
}

/// Add a person
///
/// For administrators, with roles within their own jurisdiction.
#[utoipa::path(
    tag = "people",
    operation_id = "createPerson",
    request_body = CreatePerson,
    responses(
        (status = 201, description = "Added", body = PersonView,
            headers(("ETag" = String, description = "The version"))),
        (status = 200, description = "Added before by the same request", body = PersonView),
        (status = 404, description = "A scope is none that you administer", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The login or the id is taken", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
        BodyProblems,
    ),
    security(("bearer" = []))
)]
#[post("/people")]
async fn create(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<CreatePerson>,
) -> Result<HttpResponse, Problem> {
    let StrictJson(body) = body;
    let request = PersonRequest {
        id: body.id,
        login: body.login,
        name: body.name,
        phone: body.phone,
        password: body.password,
        grants: body
            .grants
            .into_iter()
            .map(|over| (over.role, over.scope))
            .collect(),
    };
    let (person, created) = people::create(&app, caller.person_id, request).await?;
    let answer = if created {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(with_etag(answer, &person))
}

/// Give a person one more role
///
/// For administrators, within their own jurisdiction. The person's devices learn of it.
#[utoipa::path(
    tag = "people",
    operation_id = "createGrant",
    params(("id" = PersonId, Path, description = "The person")),
    request_body = CreateGrant,
    responses(
        (status = 201, description = "Granted", body = Grant),
        (status = 200, description = "Granted before by the same request", body = Grant),
        (status = 404, description = "No such person, or none that you may know of, or the scope is none that you administer", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id is taken, or the account is disabled", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
        BodyProblems,
    ),
    security(("bearer" = []))
)]
#[post("/people/{id}/grants")]
async fn grant(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<PersonId>,
    body: StrictJson<CreateGrant>,
) -> Result<HttpResponse, Problem> {
    let StrictJson(body) = body;
    let new = NewGrant {
        id: body.id,
        role: body.role,
        scope: body.scope,
        valid_from: body.valid_from,
        valid_until: body.valid_until,
    };
    let (granted, created) = people::grant(&app, caller.person_id, id.0, new).await?;
    let mut answer = if created {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(answer.json(granted))
}

/// End a grant now
///
/// For administrators, within their own jurisdiction. One that has ended stays as it is.
#[utoipa::path(
    tag = "people",
    operation_id = "endGrant",
    params(
        ("id" = PersonId, Path, description = "The person"),
        ("grant_id" = GrantId, Path, description = "The grant"),
    ),
    responses(
        (status = 204, description = "Ended, now or before"),
        (status = 400, description = "Not an id", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such grant, or none that you may know of", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
    ),
    security(("bearer" = []))
)]
#[delete("/people/{id}/grants/{grant_id}")]
async fn end_grant(
    app: web::Data<App>,
    caller: Caller,
    ids: StrictPath<(PersonId, GrantId)>,
) -> Result<HttpResponse, Problem> {
    let (person_id, grant_id) = ids.0;
    people::end_grant(&app, caller.person_id, person_id, grant_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Disable an account
///
/// For administrators of all that the person is. Their sessions end.
#[utoipa::path(
    tag = "people",
    operation_id = "disablePerson",
    params(("id" = PersonId, Path, description = "The person")),
    request_body = DisablePerson,
    responses(
        (status = 200, description = "Disabled, now or before", body = PersonView),
        (status = 404, description = "No such person, or none that you may know of", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "One's own account", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
        BodyProblems,
    ),
    security(("bearer" = []))
)]
#[post("/people/{id}/disable")]
async fn disable(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<PersonId>,
    body: StrictJson<DisablePerson>,
) -> Result<HttpResponse, Problem> {
    let person = people::disable(&app, caller.person_id, id.0, &body.0.reason).await?;
    Ok(with_etag(HttpResponse::Ok(), &person))
}

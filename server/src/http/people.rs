//! People over HTTP: list, look, add, disable. What they are is in `grants`.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post, web};
use hazardloop_domain::access::{Certificate, GrantScope, Role};
use hazardloop_domain::ids::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answers::{
    DeviceMayBeRevoked, Hidden, Outdated, RoleNeeded, SignedIn, Unreadable, VersionNeeded,
    WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging::{next_of, page_rows};
use super::problem::Problem;
use super::versions::{SeenVersion, etag, required_version};
use crate::app::App;
use crate::failure::Failure;
use crate::settings::HttpLimits;
use crate::usecases::people::{self, OfWhom, PersonRequest, PersonView, Terms};
use crate::usecases::sign_in::password::Password;

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(list)
        .service(one)
        .service(create)
        .service(disable);
}

/// A role over a scope.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOver {
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
}

impl From<RoleOver> for Terms {
    fn from(over: RoleOver) -> Self {
        Self {
            role: over.role,
            scope: over.scope,
            sectors: over.sectors,
            certificate: over.certificate,
        }
    }
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

/// Why an account is disabled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisablePerson {
    /// For the record.
    #[schema(example = "left the bureau", min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Which people, or whose devices, and which page of them.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleQuery {
    /// Whose: of those who hold a role, or will (`with_role`, where nothing is said); or of those
    /// whose last role has ended (`without_role`), for administrators of where they held it.
    #[param(inline)]
    pub state: Option<RoleState>,
    /// The `next` of the page before; absent: the first page.
    pub after: Option<Uuid>,
    /// Rows at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<usize>,
}

/// Whether somebody holds any role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleState {
    /// They hold one, or will.
    WithRole,
    /// All that they held have ended.
    WithoutRole,
}

impl PeopleQuery {
    /// Of whom, and how many rows.
    ///
    /// # Errors
    /// As [`page_rows`].
    pub fn read(&self, limits: &HttpLimits) -> Result<(OfWhom, usize), Failure> {
        let of_whom = match self.state {
            None | Some(RoleState::WithRole) => OfWhom::HoldsARole,
            Some(RoleState::WithoutRole) => OfWhom::HeldARole,
        };
        Ok((of_whom, page_rows(self.limit, limits)?))
    }
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
    answer.insert_header(etag(person.version)).json(person)
}

/// List people
///
/// Administrators, department reviewers and supervisors see who holds a role in their
/// jurisdiction; principals, who holds one in their enterprise; everybody, themselves. With
/// `state=without_role` administrators see who held their last role in their jurisdiction.
#[utoipa::path(
    tag = "people",
    operation_id = "listPeople",
    params(PeopleQuery),
    responses(
        (status = 200, description = "A page of people", body = PersonPage),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/people")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<PeopleQuery>,
) -> Result<HttpResponse, Problem> {
    let (of_whom, rows) = page.0.read(&app.settings.http)?;
    let after = page.0.after.map(PersonId);
    let items = people::list(&app, caller.person_id, of_whom, after, rows).await?;
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
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable,
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
        (status = 409, description = "The login, the id or the number of a certificate is taken", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Unreadable, WithBody,
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
        grants: body.grants.into_iter().map(Terms::from).collect(),
    };
    let (person, created) = people::create(&app, caller.person_id, request).await?;
    let answer = if created {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(with_etag(answer, &person))
}

/// Disable an account
///
/// For administrators of all that the person is. Their sessions end. An account that is disabled
/// stays so, whatever `If-Match` says.
#[utoipa::path(
    tag = "people",
    operation_id = "disablePerson",
    params(("id" = PersonId, Path, description = "The person"), SeenVersion),
    request_body = DisablePerson,
    responses(
        (status = 200, description = "Disabled, now or before", body = PersonView,
            headers(("ETag" = String, description = "The version"))),
        (status = 409, description = "One's own account", body = Problem, content_type = "application/problem+json"),
        SignedIn, RoleNeeded, Hidden, Outdated, VersionNeeded, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/people/{id}/disable")]
async fn disable(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<PersonId>,
    body: StrictJson<DisablePerson>,
) -> Result<HttpResponse, Problem> {
    let seen = required_version(&http)?;
    let person = people::disable(&app, caller.person_id, id.0, seen, &body.0.reason).await?;
    Ok(with_etag(HttpResponse::Ok(), &person))
}

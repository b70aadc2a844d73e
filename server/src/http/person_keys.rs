//! Keys under a PIN over HTTP: register, list, revoke.

use actix_web::{HttpResponse, delete, get, post, web};
use hazardloop_domain::ids::{InstallId, KeyId, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answers::{
    DeviceMayBeRevoked, Hidden, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging::{next_of, page_rows};
use super::problem::Problem;
use crate::app::App;
use crate::usecases::person_keys::{self, Key, NewKey};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(register)
        // Not the keys of somebody whose id is "me".
        .route("/people/me/keys", web::route().to(super::nothing_here))
        .service(list)
        .service(revoke);
}

/// A key whose private half is on somebody's device, under a PIN.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterKey {
    /// UUIDv7, made by the device; the same id again is the same request again.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f11")]
    pub id: KeyId,
    /// The installation that keeps the private half.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f10")]
    pub host_install: InstallId,
    /// The kind of key: `ed25519`.
    #[schema(example = "ed25519")]
    pub algorithm: String,
    /// The public half, 32 bytes as base64url without padding.
    #[schema(example = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik")]
    pub public_key: String,
    /// Signature (64 bytes, base64url without padding) by the private half over the SHA-256 of
    /// five parts, each preceded by its length in 8 bytes, big-endian: the text
    /// `hazardloop pin key v1`, and the bytes of id, person id, host install and public key.
    pub proof: String,
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
pub struct KeyPage {
    /// The keys, in order of id.
    pub items: Vec<Key>,
    /// Ask for this one with `after`; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyQuery {
    /// The `next` of the page before; absent: the first page.
    pub after: Option<Uuid>,
    /// Rows at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<usize>,
}

/// Why a key is revoked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeKeyQuery {
    /// For the record.
    #[param(example = "forgot the PIN", max_length = 500)]
    pub reason: Option<String>,
}

/// Register a key
///
/// For the person who is signed in, who signs on that device with a PIN when there is no network.
/// The same request again is answered again.
#[utoipa::path(
    tag = "people",
    operation_id = "registerKey",
    request_body = RegisterKey,
    responses(
        (status = 201, description = "Registered", body = Key),
        (status = 200, description = "Registered before by the same request", body = Key),
        (status = 409, description = "The id was used for another key, or the person has too many", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, Hidden, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/people/me/keys")]
async fn register(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<RegisterKey>,
) -> Result<HttpResponse, Problem> {
    let StrictJson(request) = body;
    let new = NewKey {
        id: request.id,
        host_install: request.host_install,
        algorithm: request.algorithm,
        public_key: request.public_key,
        proof: request.proof,
    };
    let (key, created) = person_keys::register(&app, caller.person_id, new).await?;
    let mut answer = match created {
        true => HttpResponse::Created(),
        false => HttpResponse::Ok(),
    };
    Ok(answer.json(key))
}

/// List a person's keys
///
/// For that person, and for administrators of all that the person is.
#[utoipa::path(
    tag = "people",
    operation_id = "listKeys",
    params(("id" = PersonId, Path, description = "Whose"), KeyQuery),
    responses(
        (status = 200, description = "A page of keys", body = KeyPage),
        SignedIn, RoleNeeded, Hidden, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/people/{id}/keys")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<PersonId>,
    query: StrictQuery<KeyQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = page_rows(query.0.limit, &app.settings.http)?;
    let after = query.0.after.map(KeyId);
    let items = person_keys::list(&app, caller.person_id, id.0, after, rows).await?;
    let next = next_of(&items, rows, |key| key.id.0);
    Ok(HttpResponse::Ok().json(KeyPage { items, next }))
}

/// Revoke a key
///
/// For its owner, and for administrators of all that the owner is. What it signs from now on is
/// refused; what it signed before and arrives later waits for a person. It takes no `If-Match`: a
/// key has no versions.
#[utoipa::path(
    tag = "people",
    operation_id = "revokeKey",
    params(
        ("id" = PersonId, Path, description = "Whose"),
        ("key_id" = KeyId, Path, description = "Which"),
        RevokeKeyQuery,
    ),
    responses(
        (status = 204, description = "Revoked, now or before"),
        SignedIn, RoleNeeded, Hidden, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[delete("/people/{id}/keys/{key_id}")]
async fn revoke(
    app: web::Data<App>,
    caller: Caller,
    path: StrictPath<(PersonId, KeyId)>,
    query: StrictQuery<RevokeKeyQuery>,
) -> Result<HttpResponse, Problem> {
    let (id, key_id) = path.0;
    let reason = query.0.reason.unwrap_or_default();
    person_keys::revoke(&app, caller.person_id, id, key_id, &reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

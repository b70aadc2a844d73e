//! Devices over HTTP: enrol, list, revoke.

use actix_web::{HttpResponse, delete, get, post, web};
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answers::{
    DeviceMayBeRevoked, Hidden, RoleNeeded, SignedIn, Unreadable, WithBody, WithParameters,
};
use super::auth::Caller;
use super::body::{StrictJson, StrictPath, StrictQuery};
use super::paging::next_of;
use super::people::PeopleQuery;
use super::problem::Problem;
use super::sessions::NO_STORE;
use crate::app::App;
use crate::usecases::devices::{self, Device, NewDevice, Revocation};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(enrol).service(list).service(revoke);
}

/// A device that enrols.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// Made by the device, new at every installation.
    #[schema(example = "019a8c5e-5f00-7a10-9d31-0a4b7c2e9f10")]
    pub install_id: InstallId,
    /// What its owner calls it.
    #[schema(example = "检查组手机 3", max_length = 100)]
    pub device_name: String,
    /// The kind of key: `ed25519`.
    #[schema(example = "ed25519")]
    pub key_algorithm: String,
    /// The public half, 32 bytes as base64url without padding.
    #[schema(example = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik")]
    pub public_key: String,
    /// Signature (64 bytes, base64url without padding) by the private half over the SHA-256 of
    /// four parts, each preceded by its length in 8 bytes, big-endian: the text
    /// `hazardloop enrolment v1`, and the bytes of install id, person id and public key.
    pub proof: String,
}

/// An enrolled device, and its session.
#[derive(Serialize, ToSchema)]
pub struct EnrolAnswer {
    /// The device.
    pub device: Device,
    /// The session, bound to the device from now on.
    pub session: BoundSession,
}

/// A session that is bound to a device.
#[derive(Serialize, ToSchema)]
pub struct BoundSession {
    /// Which.
    pub session_id: Uuid,
    /// The device.
    pub install_id: InstallId,
    /// A token that names the device; the one before does not. The refresh token stays.
    pub access_token: String,
    /// Until when it is good.
    pub access_expires_at: Timestamp,
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub struct DevicePage {
    /// The devices, in order of id.
    pub items: Vec<Device>,
    /// Ask for this one with `after`; absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// Why a device is revoked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// For the record.
    #[param(example = "lost", max_length = 500)]
    pub reason: Option<String>,
    /// It was lost or stolen: nothing that it has not sent is taken any more. May be said later, and is
    /// not taken back. Otherwise the device may offer what it has, which is kept in quarantine.
    #[param(example = true)]
    pub stolen: Option<bool>,
}

/// Enrol a device
///
/// Registers the device's key for the person who is signed in, and binds the session to it. The
/// same request again is answered again.
#[utoipa::path(
    tag = "devices",
    operation_id = "enrolDevice",
    request_body = EnrolRequest,
    responses(
        (status = 201, description = "Enrolled", body = EnrolAnswer),
        (status = 200, description = "Enrolled before by the same request", body = EnrolAnswer),
        (status = 409, description = "The id was used by another device, or the session is another device's", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithBody,
    ),
    security(("bearer" = []))
)]
#[post("/devices")]
async fn enrol(
    app: web::Data<App>,
    caller: Caller,
    body: StrictJson<EnrolRequest>,
) -> Result<HttpResponse, Problem> {
    let StrictJson(request) = body;
    let new = NewDevice {
        install_id: request.install_id,
        device_name: request.device_name,
        key_algorithm: request.key_algorithm,
        public_key: request.public_key,
        proof: request.proof,
    };
    let enrolled = devices::enrol(&app, caller.bearer(), new).await?;
    let mut answer = match enrolled.created {
        true => HttpResponse::Created(),
        false => HttpResponse::Ok(),
    };
    Ok(answer.insert_header(NO_STORE).json(EnrolAnswer {
        session: BoundSession {
            session_id: caller.session_id,
            install_id: enrolled.device.install_id,
            access_token: enrolled.access_token,
            access_expires_at: enrolled.access_expires_at,
        },
        device: enrolled.device,
    }))
}

/// List devices
///
/// One's own; administrators also see those of the people in their jurisdiction, and with
/// `state=without_role` those of whoever held their last role there.
#[utoipa::path(
    tag = "devices",
    operation_id = "listDevices",
    params(PeopleQuery),
    responses(
        (status = 200, description = "A page of devices", body = DevicePage),
        SignedIn, DeviceMayBeRevoked, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/devices")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    page: StrictQuery<PeopleQuery>,
) -> Result<HttpResponse, Problem> {
    let (of_whom, rows) = page.0.read(&app.settings.http)?;
    let after = page.0.after.map(InstallId);
    let items = devices::list(&app, caller.person_id, of_whom, after, rows).await?;
    let next = next_of(&items, rows, |device| device.install_id.0);
    Ok(HttpResponse::Ok().json(DevicePage { items, next }))
}

/// Revoke a device
///
/// For its owner, and for administrators of all that the owner is. Its sessions end; commands
/// that it pushes from now on are refused with `DEVICE_REVOKED`. For a time it may still offer what it has
/// not sent (`offerCommands`), unless it is said to be stolen. It takes no `If-Match`: a device
/// has no versions, and a lost one is shut out whatever anybody changed about it meanwhile.
#[utoipa::path(
    tag = "devices",
    operation_id = "revokeDevice",
    params(("id" = InstallId, Path, description = "The installation"), RevokeQuery),
    responses(
        (status = 204, description = "Revoked, now or before"),
        SignedIn, RoleNeeded, Hidden, Unreadable, WithParameters,
    ),
    security(("bearer" = []))
)]
#[delete("/devices/{id}")]
async fn revoke(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<InstallId>,
    query: StrictQuery<RevokeQuery>,
) -> Result<HttpResponse, Problem> {
    let revocation = Revocation {
        reason: query.0.reason.unwrap_or_default(),
        stolen: query.0.stolen.unwrap_or_default(),
    };
    devices::revoke(&app, caller.person_id, id.0, revocation).await?;
    Ok(HttpResponse::NoContent().finish())
}

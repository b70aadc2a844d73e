//! The audit chain over REST: what happened, by whom, and where it stands in the chain.

use actix_web::{HttpResponse, get, web};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::answers::{Hidden, RoleNeeded, SignedIn, Unreadable, WithParameters};
use super::auth::Caller;
use super::body::StrictQuery;
use super::paging::{self, Cursor};
use super::problem::Problem;
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::read_audit::{self, AuditEntry};

/// Adds the route of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_audit_chain);
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Of this subject: a hazard, an inspection, an enterprise, a jurisdiction; for whoever answers for
    /// the whole tree also an account, a device, a key, a pack, a calendar, the server.
    subject: Option<Uuid>,
    /// Where the page begins, as `next` of the page before said.
    after: Option<Cursor>,
    /// Events at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One event, and where it stands in the chain over everything.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AuditEvent {
    /// What it happened to: `hazard`, `inspection`, `enterprise`, `jurisdiction`, `person`, `device`,
    /// `person_key`, `pack`, `calendar`, `server`.
    #[schema(example = "hazard")]
    subject_kind: String,
    /// Which one.
    subject_id: Uuid,
    /// Its place in that subject's history, from 1.
    seq: i64,
    /// What happened, by name.
    #[schema(example = "confirmed")]
    kind: String,
    /// Who did it; absent: the server itself, or whoever runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<PersonId>,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_name: Option<String>,
    /// When the server recorded it.
    recorded_at: Timestamp,
    /// The hash over the event's stored bytes and the hash before.
    hash: Digest,
    /// The hash of the subject's event before; zeros for the first.
    previous_hash: Digest,
    /// Its place in the chain over everything, from 1; absent for the moment before it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    /// The chain's hash at that place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    chain_hash: Option<Digest>,
}

impl TryFrom<AuditEntry> for AuditEvent {
    type Error = Failure;

    fn try_from(entry: AuditEntry) -> Result<Self, Failure> {
        let broken = || Failure::Internal("an event with a damaged id or hash".to_owned());
        let event = entry.event;
        let digest = |bytes: &[u8]| Digest::from_slice(bytes).ok_or_else(broken);
        Ok(Self {
            subject_id: Uuid::from_slice(&event.subject_id).map_err(|_| broken())?,
            seq: event.subject_seq,
            actor_id: event.actor_id.as_deref().and_then(PersonId::from_slice),
            actor_name: entry.actor_name,
            recorded_at: Timestamp::from_millis(event.recorded_at),
            hash: digest(&event.hash)?,
            previous_hash: digest(&event.previous_hash)?,
            position: entry.link.map(|(position, _)| position),
            chain_hash: entry.link.map(|(_, hash)| hash),
            subject_kind: event.subject_kind,
            kind: event.kind,
        })
    }
}

/// One page of events, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AuditPage {
    /// The events.
    items: Vec<AuditEvent>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    next: Option<String>,
}

/// Read the audit chain
///
/// For administrators and supervisors: what happened to one subject within their scope, or, for whoever
/// answers for the whole tree, to all. Newest first. What an event says is read with its subject; the
/// hashes here are those of the histories. `hazardloop audit verify` recomputes all of them.
#[utoipa::path(
    tag = "audit",
    operation_id = "readAudit",
    params(AuditQuery),
    responses(
        (status = 200, description = "One page", body = AuditPage),
        SignedIn, Unreadable, RoleNeeded, Hidden, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/audit")]
async fn read_audit_chain(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let wanted = paging::wanted(query.after, query.limit, &app.settings.http)?;
    let page = read_audit::list(&app, caller.person_id, query.subject, wanted).await?;
    let items = page.items.into_iter().map(AuditEvent::try_from);
    Ok(HttpResponse::Ok().json(AuditPage {
        items: items.collect::<Result<_, Failure>>()?,
        next: page.next.map(|key| Cursor(key).to_string()),
    }))
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;

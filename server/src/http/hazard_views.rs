//! Hazards as the API shows them.

use hazardloop_domain::command::{ActionKind, ClockReading, CoSigner, Grade, Origin, Source};
use hazardloop_domain::geography::Position;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent, StatusName};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_domain::time_proof::{ProofLevel, TimeProof};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::Cursor;
use crate::usecases::read::Page;
use crate::usecases::read::hazard::Seen;
use crate::usecases::read::hazards::Count;
use crate::usecases::read::history::{HistoryEntry, StoredEvent};

/// A hazard as a list shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HazardSummary {
    /// Identifier.
    pub id: HazardId,
    /// The number by which people quote it.
    #[schema(example = "HZ-261122-0000007Z")]
    pub number: String,
    /// Counts its events; the ETag.
    pub version: i64,
    /// The enterprise, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<EnterpriseId>,
    /// Who answers for the place.
    pub jurisdiction_id: JurisdictionId,
    /// How it came to be known.
    pub source: Source,
    /// Grade.
    pub grade: Grade,
    /// Where it stands.
    pub status: StatusName,
    /// What is wrong.
    pub description: String,
    /// Place within the site.
    pub place_text: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// When found, as its finder says.
    pub found_at: Timestamp,
    /// When the server received the report.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The last day for its correction, from confirmation on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<LocalDate>,
    /// Whether that day has passed and it is not closed.
    pub overdue: bool,
    /// Photos named.
    pub photos: usize,
    /// Photos named whose bytes have not come.
    pub photos_awaited: usize,
    /// Whether an earlier closure was found to be false.
    pub false_closure: bool,
    /// How often it was opened again after closure.
    pub reopened: u32,
}

impl HazardSummary {
    /// The summary of a hazard at `now`.
    pub fn of(hazard: &Hazard, now: Timestamp) -> Self {
        Self {
            id: hazard.id,
            number: hazard.number.clone(),
            version: hazard.version,
            enterprise_id: hazard.enterprise_id,
            jurisdiction_id: hazard.jurisdiction_id,
            source: hazard.source,
            grade: hazard.grade,
            status: hazard.status_name(),
            description: hazard.description.clone(),
            place_text: hazard.place_text.clone(),
            position: hazard.position,
            found_at: hazard.found_at,
            received_at: hazard.received_at,
            updated_at: hazard.updated_at,
            due_date: hazard.order().map(|order| order.due_date),
            overdue: hazard.is_overdue(now),
            photos: hazard.photos.len(),
            photos_awaited: hazard.photos_awaited(),
            false_closure: hazard.false_closure,
            reopened: hazard.reopened,
        }
    }
}

/// How many records there are, as far as was counted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(example = json!({"count": 10_000, "more": true}))]
pub struct Total {
    /// So many.
    pub count: usize,
    /// Or more: counting stops at 10,000 (a setting), or where it would have to look through too much.
    pub more: bool,
}

/// One page of hazards.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HazardPage {
    /// The hazards. A page may be short, or empty, before the end: what counts is `next`.
    pub items: Vec<HazardSummary>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    pub next: Option<String>,
    /// How many there are on all pages; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
}

impl HazardPage {
    /// The page as it stands at `now`.
    pub fn of(page: &Page<Hazard>, total: Option<Count>, now: Timestamp) -> Self {
        Self {
            items: page
                .items
                .iter()
                .map(|hazard| HazardSummary::of(hazard, now))
                .collect(),
            next: page.next.map(|key| Cursor(key).to_string()),
            total: total.map(|Count { count, more }| Total { count, more }),
        }
    }
}

/// A hazard, and what the caller may do with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HazardView {
    /// The hazard.
    #[serde(flatten)]
    pub hazard: Hazard,
    /// What the caller may do with it now, as far as state and role go.
    pub allowed_actions: Vec<ActionKind>,
    /// Whether its due date has passed and it is not closed.
    pub overdue: bool,
}

impl From<Seen> for HazardView {
    fn from(seen: Seen) -> Self {
        Self {
            hazard: seen.hazard,
            allowed_actions: seen.allowed_actions,
            overdue: seen.overdue,
        }
    }
}

/// By which door a command came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorName {
    /// Over this API, straight to the server.
    Rest,
    /// From a device, signed, perhaps long after it was made.
    Sync,
    /// The server itself.
    Server,
}

/// A time, and what it proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProvenTime {
    /// What it proves.
    pub level: ProofLevel,
    /// The time.
    pub at: Timestamp,
}

/// One event of a history, apart from what it says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventFrame {
    /// Its place in the history, from 1.
    pub seq: i64,
    /// What happened, by name.
    #[schema(example = "confirmed")]
    pub kind: String,
    /// Who did it; absent: the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<PersonId>,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// When the server recorded it.
    pub recorded_at: Timestamp,
    /// By which door.
    pub door: DoorName,
    /// The times that are known, each with what it proves.
    pub times: Vec<ProvenTime>,
    /// When it was done: by when it was there for certain and what proves that, after when it was made for certain,
    /// and what its device claims. It may come to be proven for earlier, never for later.
    pub time_proof: TimeProof,
    /// The device that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_id: Option<InstallId>,
    /// Its place in that device's own sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_seq: Option<i64>,
    /// What the device's clocks said when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClockReading>,
    /// Who else signed the same act, their signatures checked when it came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub co_signers: Vec<CoSigner>,
    /// The hash over the event's stored bytes and the hash before.
    pub hash: Digest,
    /// The hash of the event before; zeros for the first.
    pub previous_hash: Digest,
}

impl EventFrame {
    /// What stands beside an event of any kind of subject.
    pub fn of(
        stored: StoredEvent,
        origin: Origin,
        actor_name: Option<String>,
        time_proof: TimeProof,
    ) -> Self {
        let actor_id = stored.actor_id.as_deref().and_then(PersonId::from_slice);
        let recorded_at = Timestamp::from_millis(stored.recorded_at);
        let door = match (actor_id, origin.install_id) {
            (None, _) => DoorName::Server,
            (Some(_), Some(_)) => DoorName::Sync,
            (Some(_), None) => DoorName::Rest,
        };
        let mut times = vec![ProvenTime {
            level: ProofLevel::Received,
            at: recorded_at,
        }];
        times.extend(time_proof.witnessed_by.as_ref().map(|by| ProvenTime {
            level: ProofLevel::Witnessed,
            at: by.at,
        }));
        times.extend(origin.made.as_ref().map(|made| ProvenTime {
            level: ProofLevel::Claimed,
            at: made.wall,
        }));
        Self {
            seq: stored.subject_seq,
            kind: stored.kind,
            actor_id,
            actor_name,
            recorded_at,
            door,
            times,
            time_proof,
            install_id: origin.install_id,
            device_seq: origin.seq,
            clocks: origin.made,
            co_signers: origin.co_signers,
            // The use case has read the whole chain's bytes; odd lengths were refused there.
            hash: Digest::from_slice(&stored.hash).unwrap_or(Digest::ZERO),
            previous_hash: Digest::from_slice(&stored.previous_hash).unwrap_or(Digest::ZERO),
        }
    }
}

/// One event of a hazard's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HazardEventView {
    /// Who, when and by which door.
    #[serde(flatten)]
    pub frame: EventFrame,
    /// What happened.
    pub event: HazardEvent,
}

impl From<HistoryEntry<EventRecord>> for HazardEventView {
    fn from(entry: HistoryEntry<EventRecord>) -> Self {
        let EventRecord { origin, event, .. } = entry.record;
        Self {
            frame: EventFrame::of(entry.stored, origin, entry.actor_name, entry.time_proof),
            event,
        }
    }
}

/// A part of a hazard's history, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HazardEventPage {
    /// The events.
    pub items: Vec<HazardEventView>,
    /// Send it as `after` for the events that follow; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

//! Inspections as the API shows them.

use hazardloop_domain::command::{ActionKind, Cadence, InspectionKind};
use hazardloop_domain::ids::{EnterpriseId, InspectionId, JurisdictionId};
use hazardloop_domain::inspection::{
    Inspection, InspectionEvent, InspectionEventRecord, InspectionState, InspectionStatus, Window,
};
use hazardloop_domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::hazard_views::EventFrame;
use super::paging::Cursor;
use crate::usecases::read::Page;
use crate::usecases::read::history::HistoryEntry;
use crate::usecases::read::inspection::Seen;

/// An inspection as a list shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionSummary {
    /// Identifier.
    pub id: InspectionId,
    /// The number by which people quote it.
    #[schema(example = "IN-261122-0000007Z")]
    pub number: String,
    /// Counts its events; the ETag.
    pub version: i64,
    /// What kind.
    pub kind: InspectionKind,
    /// Where it stands.
    pub state: InspectionState,
    /// The enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<EnterpriseId>,
    /// Who answers for the place.
    pub jurisdiction_id: JurisdictionId,
    /// How often, for a self-check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cadence: Option<Cadence>,
    /// When it was to take place; absent: it was not planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// When it began, as its author says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the server received the record.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Items that have a result.
    pub items: usize,
    /// Items on which two people differ.
    pub items_disputed: usize,
    /// What it led to.
    pub findings: usize,
    /// 未发现隐患; absent before completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_hazard_found: Option<bool>,
    /// Photos named whose bytes have not come.
    pub photos_awaited: usize,
}

impl From<&Inspection> for InspectionSummary {
    fn from(inspection: &Inspection) -> Self {
        Self {
            id: inspection.id,
            number: inspection.number.clone(),
            version: inspection.version,
            kind: inspection.kind,
            state: inspection.state(),
            enterprise_id: inspection.enterprise_id,
            jurisdiction_id: inspection.jurisdiction_id,
            cadence: inspection.cadence,
            window: inspection.window.clone(),
            started_at: inspection.started.as_ref().map(|start| start.claimed_at),
            received_at: inspection.received_at,
            updated_at: inspection.updated_at,
            items: inspection.items.len(),
            items_disputed: inspection
                .items
                .iter()
                .filter(|item| item.is_disputed())
                .count(),
            findings: inspection.findings.len(),
            no_hazard_found: match inspection.status {
                InspectionStatus::Completed {
                    no_hazard_found, ..
                } => Some(no_hazard_found),
                _ => None,
            },
            photos_awaited: inspection.photos_awaited(),
        }
    }
}

/// One page of inspections, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionPage {
    /// The inspections. A page may be short, or empty, before the end: what counts is `next`.
    pub items: Vec<InspectionSummary>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    pub next: Option<String>,
}

impl From<&Page<Inspection>> for InspectionPage {
    fn from(page: &Page<Inspection>) -> Self {
        Self {
            items: page.items.iter().map(InspectionSummary::from).collect(),
            next: page.next.map(|key| Cursor(key).to_string()),
        }
    }
}

/// An inspection, what the caller may do with it, and what the law on visits asks to look at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionView {
    /// The inspection.
    #[serde(flatten)]
    pub inspection: Inspection,
    /// What the caller may do with it now, as far as state, role and team go.
    pub allowed_actions: Vec<ActionKind>,
    /// How often departments have inspected the enterprise in the year of this inspection; absent
    /// of what no department carries out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visits_in_year: Option<i64>,
    /// Other inspections of the enterprise by departments around the same days (综合查一次), as far
    /// as the caller may see them. How many days is a setting.
    pub nearby: Vec<InspectionSummary>,
}

impl From<Seen> for InspectionView {
    fn from(seen: Seen) -> Self {
        Self {
            nearby: seen.nearby.iter().map(InspectionSummary::from).collect(),
            inspection: seen.inspection,
            allowed_actions: seen.allowed_actions,
            visits_in_year: seen.visits_in_year,
        }
    }
}

/// One event of an inspection's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionEventView {
    /// Who, when and by which door.
    #[serde(flatten)]
    pub frame: EventFrame,
    /// What happened.
    pub event: InspectionEvent,
}

impl From<HistoryEntry<InspectionEventRecord>> for InspectionEventView {
    fn from(entry: HistoryEntry<InspectionEventRecord>) -> Self {
        let InspectionEventRecord { origin, event, .. } = entry.record;
        Self {
            frame: EventFrame::of(entry.stored, origin, entry.actor_name, entry.time_proof),
            event,
        }
    }
}

/// A part of an inspection's history, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionEventPage {
    /// The events.
    pub items: Vec<InspectionEventView>,
    /// Send it as `after` for the events that follow; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

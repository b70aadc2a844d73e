//! The list of inspections that a person may see, filtered.

use hazardloop_domain::command::InspectionKind;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionState};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::RecordKind;
use uuid::Uuid;

use super::{List, Page, Wanted, in_order};
use crate::app::App;
use crate::failure::Failure;
use crate::store::lists::{self, InspectionFilter};
use crate::store::{Conn, ReadTx};
use crate::usecases::reach::{Narrowed, Reach};

/// What the list is narrowed to; everything that is set must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// What kind.
    pub kind: Option<InspectionKind>,
    /// Where it stands.
    pub state: Option<InspectionState>,
    /// Of one enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// Of one jurisdiction and everything below it.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// Held (or planned to begin) at or after this time.
    pub from: Option<Timestamp>,
    /// Held (or planned to begin) before this time.
    pub to: Option<Timestamp>,
}

/// The inspections that `person_id` may see and that pass the filters, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    wanted: Wanted,
) -> Result<Page<Inspection>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| list_in(tx, person_id, &filters, wanted, now))
        .await
}

fn list_in(
    tx: &mut ReadTx<'_>,
    person_id: PersonId,
    filters: &Filters,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Page<Inspection>, Failure> {
    let conn = tx.conn();
    let reach = Reach::of(conn, person_id, now)?;
    let Narrowed { scopes, within } =
        reach.narrowed(conn, filters.enterprise_id, filters.jurisdiction_id)?;
    let list = List {
        scopes: &scopes,
        within: within.as_deref(),
        kind: RecordKind::Inspection,
        wanted,
    };
    let columns = InspectionFilter {
        kind: filters.kind.map(InspectionKind::as_str),
        state: filters.state.map(InspectionState::as_str),
        from: filters.from.map(Timestamp::as_millis),
        to: filters.to.map(Timestamp::as_millis),
    };
    let mut passing =
        |conn: &mut Conn, ids: &[Uuid]| Ok(lists::inspections_matching(conn, ids, &columns)?);
    let filtered = columns != InspectionFilter::default();
    let page = list.walk(conn, filtered, &mut passing)?;
    let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
    let records = lists::inspections(conn, &ids)?;
    Ok(in_order(page, records, |inspection| inspection.id.0))
}

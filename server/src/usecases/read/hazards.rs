//! The list of hazards that a person may see, filtered.

use std::collections::BTreeSet;

use hazardloop_domain::command::Grade;
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::RecordKind;
use uuid::Uuid;

use super::{Area, List, Page, Wanted, in_order};
use crate::app::App;
use crate::failure::Failure;
use crate::store::lists::{self, HazardFilter};
use crate::store::{Conn, ReadTx};
use crate::usecases::reach::{Narrowed, Reach};

/// Hazards that may share one number; more are not looked at.
const SAME_NUMBER: i64 = 50;

/// What the list is narrowed to; everything that is set must be met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Where the hazard stands.
    pub status: Option<StatusName>,
    /// Grade.
    pub grade: Option<Grade>,
    /// Of one enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// Of one jurisdiction and everything below it.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// Whether the due date has passed.
    pub overdue: Option<bool>,
    /// The number by which people quote it.
    pub number: Option<String>,
    /// Where.
    pub area: Option<Area>,
}

impl Filters {
    fn of_columns(&self, now: Timestamp) -> HazardFilter {
        HazardFilter {
            status: self.status.map(StatusName::as_str),
            grade: self.grade.map(Grade::as_str),
            overdue: self.overdue.map(|wanted| (now.as_millis(), wanted)),
        }
    }
}

/// The hazards that `person_id` may see and that pass the filters, as they stand at `now`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Page<Hazard>, Failure> {
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
) -> Result<Page<Hazard>, Failure> {
    let conn = tx.conn();
    let reach = Reach::of(conn, person_id, now)?;
    let Narrowed { scopes, within } =
        reach.narrowed(conn, filters.enterprise_id, filters.jurisdiction_id)?;
    let list = List {
        scopes: &scopes,
        within: within.as_deref(),
        kind: RecordKind::Hazard,
        wanted,
    };
    let columns = filters.of_columns(now);
    let mut passing = |conn: &mut Conn, ids: &[Uuid]| -> Result<BTreeSet<Uuid>, Failure> {
        let passed = lists::hazards_matching(conn, ids, &columns)?;
        Ok(match &filters.area {
            Some(area) => area.only_inside(passed).into_iter().collect(),
            None => passed.iter().map(|placed| placed.id).collect(),
        })
    };
    let candidates = match (&filters.number, &filters.area) {
        (Some(number), _) => Some(lists::hazards_by_number(conn, number, SAME_NUMBER)?),
        (None, Some(area)) => area.candidates(conn, RecordKind::Hazard)?,
        (None, None) => None,
    };
    let page = match candidates {
        Some(candidates) => list.of_candidates(conn, &candidates, &mut passing)?,
        None => {
            let filtered = columns != HazardFilter::default() || filters.area.is_some();
            list.walk(conn, filtered, &mut passing)?
        }
    };
    let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
    let records = lists::hazards(conn, &ids)?;
    Ok(in_order(page, records, |hazard| hazard.id.0))
}

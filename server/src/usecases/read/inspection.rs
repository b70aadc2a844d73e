//! One inspection and its history, for those who may see it.

use hazardloop_domain::access::Actor;
use hazardloop_domain::command::ActionKind;
use hazardloop_domain::ids::{EnterpriseId, InspectionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionEventRecord, policy};
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::history::{self, HistoryEntry};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Conn, inspections};
use crate::usecases::reach::Reach;

/// Neighbouring inspections that are shown at most.
const NEARBY_SHOWN: i64 = 20;
const DAY_MS: i64 = 86_400_000;

/// An inspection as one person meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The inspection.
    pub inspection: Inspection,
    /// What this person may do with it, as far as state, role and team go.
    pub allowed_actions: Vec<ActionKind>,
    /// How often departments have inspected the enterprise in this inspection's year.
    pub visits_in_year: Option<i64>,
    /// Other departments' inspections of the enterprise around the same days, as far as this
    /// person may see them.
    pub nearby: Vec<Inspection>,
}

/// The inspection, and the person as an actor over it.
///
/// # Errors
/// [`Failure::NotFound`] when there is none, or none for this person.
pub fn visible(
    conn: &mut Conn,
    person_id: PersonId,
    id: InspectionId,
    now: Timestamp,
) -> Result<(Inspection, Actor), Failure> {
    let unknown = Failure::NotFound("inspection");
    let Some(inspection) = inspections::load(conn, id)? else {
        return Err(unknown);
    };
    let reach = Reach::of(conn, person_id, now)?;
    match reach.seen_inspection(conn, &inspection)? {
        Some(actor) => Ok((inspection, actor)),
        None => Err(unknown),
    }
}

/// One inspection as `person_id` may see it.
///
/// # Errors
/// As [`visible`].
pub async fn one(app: &App, person_id: PersonId, id: InspectionId) -> Result<Seen, Failure> {
    let now = app.clock.now();
    let apart_ms = app.settings.inspections.nearby_days.saturating_mul(DAY_MS);
    app.db
        .read(move |tx| {
            let conn = tx.conn();
            let (inspection, actor) = visible(conn, person_id, id, now)?;
            let mut seen = Seen {
                allowed_actions: policy::allowed_actions(&inspection, &actor),
                visits_in_year: None,
                nearby: Vec::new(),
                inspection,
            };
            let departments = seen.inspection.kind.is_departments();
            if let (Some(enterprise), true) = (seen.inspection.enterprise_id, departments) {
                seen.visits_in_year = Some(visits(conn, enterprise, held_at(&seen.inspection))?);
                let reach = Reach::of(conn, person_id, now)?;
                seen.nearby = nearby(conn, &reach, &seen.inspection, enterprise, apart_ms)?;
            }
            Ok(seen)
        })
        .await
}

/// When it began; before that, the first day of its plan.
fn held_at(inspection: &Inspection) -> Timestamp {
    let started = inspection.started.as_ref().map(|start| start.claimed_at);
    let planned = inspection.window.as_ref();
    started
        .or(planned.map(|window| window.from.start_of_day()))
        .unwrap_or(inspection.received_at)
}

fn visits(conn: &mut Conn, enterprise: EnterpriseId, at: Timestamp) -> Result<i64, Failure> {
    let year = at.shanghai_date().date().year();
    let first = |year: i16| -> Option<Timestamp> {
        let day: LocalDate = format!("{year:04}-01-01").parse().ok()?;
        Some(day.start_of_day())
    };
    let Some((from, to)) = first(year).zip(first(year.saturating_add(1))) else {
        return Ok(0);
    };
    Ok(inspections::visits_between(conn, enterprise, from, to)?)
}

/// Nobody learns here of an inspection that they could not read.
fn nearby(
    conn: &mut Conn,
    reach: &Reach,
    of: &Inspection,
    enterprise: EnterpriseId,
    apart_ms: i64,
) -> Result<Vec<Inspection>, Failure> {
    let at = held_at(of);
    let (from, to) = (at.plus_millis(-apart_ms), at.plus_millis(apart_ms));
    let mut found = inspections::held_between(conn, enterprise, from, to, NEARBY_SHOWN + 1)?;
    found.retain(|other| other.id != of.id);
    let mut seen = Vec::new();
    for other in found {
        if reach.seen_inspection(conn, &other)?.is_some() {
            seen.push(other);
        }
    }
    Ok(seen)
}

/// The history of an inspection after `after_seq`, oldest first, at most `limit` entries.
///
/// # Errors
/// As [`visible`].
pub async fn history(
    app: &App,
    person_id: PersonId,
    id: InspectionId,
    after_seq: i64,
    limit: usize,
) -> Result<Vec<HistoryEntry<InspectionEventRecord>>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            visible(tx.conn(), person_id, id, now)?;
            history::entries(tx.conn(), id.0, after_seq, limit)
        })
        .await
}

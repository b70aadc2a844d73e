//! What the rules are told of other things that a command names: a sector, the hazard that a report repeats.

use hazardloop_domain::access::{Actor, Place};
use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::hazard::Repeated;
use hazardloop_domain::responsibility::NamedSector;

use super::{Sender, WorkingSet};
use crate::failure::Failure;
use crate::store::Conn;
use crate::usecases::{reach, sector_names};

/// Whether anybody knows the sector that an assignment names, where its hazard is.
pub(super) fn sector(
    set: &WorkingSet<'_>,
    conn: &mut Conn,
    command: &Command,
    place: &Place,
) -> Result<NamedSector, Failure> {
    let Action::AssignSector(assignment) = &command.action else {
        return Ok(NamedSector::NotLookedUp);
    };
    let catalog = set.door().app.catalog.now();
    let way = &place.jurisdictions;
    Ok(sector_names::named(
        conn,
        &catalog,
        way,
        &assignment.sector,
    )?)
}

/// The hazard that a report says it repeats, where its author may see it: one that others may not is, for
/// them, not there.
pub(super) fn repeated(
    set: &mut WorkingSet<'_>,
    conn: &mut Conn,
    command: &Command,
    sender: &Sender,
) -> Result<Repeated, Failure> {
    let (Action::Report(report), Some(person_id)) = (&command.action, sender.person_id) else {
        return Ok(Repeated::NotLookedUp);
    };
    let Some(id) = report.recurrence_of else {
        return Ok(Repeated::NotLookedUp);
    };
    let Some(other) = set.hazard(conn, id)?.cloned() else {
        return Ok(Repeated::Unknown);
    };
    let lineage = set.lineage(conn, other.jurisdiction_id)?;
    let place = other.place(lineage.ancestors.clone());
    let now = set.now();
    let grants = set.grants(conn, person_id)?;
    let actor = Actor::over(person_id, grants, &place, now);
    let own = reach::handed_in_by(&other) == Some(person_id);
    if !reach::sees(&actor) && !own {
        return Ok(Repeated::Unknown);
    }
    Ok(Repeated::Known {
        status: other.status_name(),
        enterprise_id: other.enterprise_id,
    })
}

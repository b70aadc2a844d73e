//! What the rules are told of the sector that a command names.

use hazardloop_domain::access::Place;
use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::responsibility::NamedSector;

use super::WorkingSet;
use crate::failure::Failure;
use crate::store::Conn;
use crate::usecases::sector_names;

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

//! What the catalog holds of the criterion that a command names as a basis.

use hazardloop_domain::command::Command;
use hazardloop_domain::hazard::Cited;

use crate::failure::Failure;
use crate::store::{Conn, packs};

/// Looks it up, where the command names one.
pub(super) fn cited(conn: &mut Conn, command: &Command) -> Result<Cited, Failure> {
    let Some(reference) = command.action.cites() else {
        return Ok(Cited::NotLookedUp);
    };
    let found = packs::criterion(conn, reference)?;
    Ok(found.map_or(Cited::Unknown, |criterion| {
        Cited::Known(Box::new(criterion))
    }))
}

//! A photo's bytes have arrived and match their hash: every hazard that names it is told.

use hazardloop_domain::command::{Action, Command, ReceivePhoto};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::execute::{Door, Sender};
use crate::failure::Failure;
use crate::store::{WriteTx, hazards, people};

/// Tells the hazards in whose records `brought_by` named this photo. Records in which somebody
/// else named the same hash go on waiting for that person's own upload.
///
/// # Errors
/// [`Failure::Store`] when the database does not answer.
pub fn photo_arrived(
    tx: &mut WriteTx<'_>,
    door: &Door,
    sha256: Digest,
    brought_by: PersonId,
    now: Timestamp,
) -> Result<(), Failure> {
    // A report that names the photo may commit at this very moment: whoever comes second to this
    // lock sees what the first has stored.
    people::hold(tx, brought_by)?;
    let mut set = door.open(now);
    for (hazard_id, named_by) in hazards::awaiting_photo(tx.conn(), &sha256)? {
        if named_by == brought_by.as_bytes() {
            let action = Action::ReceivePhoto(ReceivePhoto { sha256 });
            let command = Command::new(hazard_id, action);
            match set.decide(tx, &command, &Sender::SERVER) {
                // The bytes are here whatever one hazard's rules say; the others must learn of it.
                Err(Failure::Refused(refusal)) => {
                    tracing::warn!(%hazard_id, %refusal, "a photo's arrival was refused");
                }
                outcome => drop(outcome?),
            }
        }
    }
    set.store(tx)
}

//! A photo's bytes have arrived and match their hash: every hazard that names it is told.

use hazardloop_domain::command::{Action, Command, ReceivePhoto};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::execute::{Door, Sender};
use crate::failure::Failure;
use crate::store::{WriteTx, hazards, people, photos};

/// Whether stored bytes of the type `stored` are what a record says of them: a picture, a document
/// or a clip. A record that calls a document a picture would have it pass for a photo of the place.
pub(super) fn is_as_said(hazard: &Hazard, sha256: &Digest, stored: &str) -> bool {
    let said = hazard
        .photo(sha256)
        .map_or("", |photo| photo.reference.media_type.as_str());
    let picture = |name| MediaType::from_name(name).is_some_and(MediaType::is_picture);
    said == stored || (picture(said) && picture(stored))
}

/// Tells the hazards in whose records `brought_by` named this photo. Records in which somebody
/// else named the same hash go on waiting for that person's own upload; those that say it is
/// something else than it is go on waiting too.
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
    let Some(stored) = photos::find(tx.conn(), sha256)? else {
        return Ok(());
    };
    let mut set = door.open(now);
    for (hazard_id, named_by) in hazards::awaiting_photo(tx.conn(), &sha256)? {
        if named_by == brought_by.as_bytes() {
            let held = set.hazard(tx.conn(), hazard_id)?;
            if !held.is_some_and(|held| is_as_said(&held.hazard, &sha256, &stored.media_type)) {
                tracing::warn!(%hazard_id, %sha256, "a file is not what the record says it is");
                continue;
            }
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

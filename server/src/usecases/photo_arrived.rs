//! A photo's bytes have arrived and match their hash: every hazard and inspection that names it is told.

use hazardloop_domain::command::{Action, Command, ReceivePhoto, Subject};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Photo;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::execute::{Door, Sender};
use crate::failure::Failure;
use crate::store::{WriteTx, command_photos, hazards, people, photos};

/// Whether stored bytes of the type `stored` are what a record says of them: a picture, a document
/// or a clip. A record that calls a document a picture would have it pass for a photo of the place.
pub(super) fn is_as_said(named: &[Photo], sha256: &Digest, stored: &str) -> bool {
    let said = named
        .iter()
        .find(|photo| photo.reference.sha256 == *sha256)
        .map_or("", |photo| photo.reference.media_type.as_str());
    let picture = |name| MediaType::from_name(name).is_some_and(MediaType::is_picture);
    said == stored || (picture(said) && picture(stored))
}

/// Records that one arrival is told to: nobody names one picture in more, and whoever does must not hold the writer. The
/// others learn of it when the photo is brought again, which its phone does while it is said to be missing.
const TOLD_AT_ONCE: i64 = 200;

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
    command_photos::arrived(tx, sha256, brought_by, now)?;
    let mut set = door.open(now);
    for subject in hazards::awaited_from(tx.conn(), &sha256, brought_by, TOLD_AT_ONCE)? {
        let named = set.photos_of(tx.conn(), subject)?;
        if !is_as_said(&named, &sha256, &stored.media_type) {
            tracing::warn!(?subject, %sha256, "a file is not what the record says it is");
            continue;
        }
        let receipt = ReceivePhoto { sha256 };
        let command = match subject {
            Subject::Hazard(id) => Command::new(id, Action::ReceivePhoto(receipt)),
            Subject::Inspection(id) => Command::new(id, Action::ReceiveInspectionPhoto(receipt)),
        };
        match set.decide(tx, &command, &Sender::SERVER) {
            // The bytes are here whatever one subject's rules say; the others must learn of it.
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(?subject, %refusal, "a photo's arrival was refused");
            }
            outcome => drop(outcome?),
        }
    }
    set.store(tx)
}

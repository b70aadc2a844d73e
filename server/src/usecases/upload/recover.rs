//! Originals whose record a restored database lost: they still lie where they were stored, and the
//! reports that devices offered again name them by their hash.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;

use super::finish::{examine, keep, notify_hazards, photo};
use crate::app::App;
use crate::failure::Failure;
use crate::photos::originals::original_key;
use crate::store::{hazards, photos};

/// References looked at together.
const AT_ONCE: i64 = 200;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Photos that count as brought by those who named them.
    pub photos: u64,
    /// Photos that hazards await and that do not lie here: they are to be sent.
    pub absent: u64,
    /// Files that are not the photo that their name says; they were left alone.
    pub damaged: u64,
}

/// Takes up every original that a hazard awaits, that lies in the object store, and that the
/// database does not know, where only one person names it: who brought it once is not known any
/// more. Safe to repeat.
///
/// # Errors
/// When the database does not answer.
pub async fn recover(app: &App) -> Result<Recovered, Failure> {
    let mut recovered = Recovered::default();
    let mut after = None;
    loop {
        let awaited = app
            .db
            .read(move |tx| photos::awaited_unknown(tx.conn(), after, AT_ONCE))
            .await?;
        let Some(last) = awaited.last() else {
            return Ok(recovered);
        };
        after = Some(*last);
        for (sha256, named_by) in awaited {
            match take_up(app, sha256, named_by).await {
                Ok(true) => recovered.photos += 1,
                Ok(false) => recovered.absent += 1,
                Err(error @ (Failure::Store(_) | Failure::Refused(_))) => return Err(error),
                Err(error) => {
                    tracing::warn!(%sha256, %error, "a stored original cannot be taken up");
                    recovered.damaged += 1;
                }
            }
        }
    }
}

async fn take_up(app: &App, sha256: Digest, named_by: PersonId) -> Result<bool, Failure> {
    let object_key = original_key(sha256);
    let path = app.settings.data_dir.join("objects").join(&object_key);
    let Ok(found) = tokio::fs::metadata(&path).await else {
        return Ok(false);
    };
    let limits = app.settings.photos.clone();
    let (sha256, inspected) = crate::held::blocking(move || examine(&path, Some(sha256), &limits))
        .await
        .unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))?;
    let photo = photo(app, sha256, found.len(), &inspected, object_key)?;
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let awaiting = hazards::awaiting_photo(tx.conn(), &photo.sha256)?;
            let named_by_others = |(_, by): &(_, Vec<u8>)| by.as_slice() != named_by.as_bytes();
            if awaiting.iter().any(named_by_others) {
                // One of them brought it, and nothing says who: each is to send it.
                return Ok(false);
            }
            let now = shared.clock.now();
            keep(tx, &shared, &photo, now)?;
            notify_hazards(tx, &shared, photo.sha256, named_by, now)?;
            Ok(true)
        })
        .await
}

//! Uploads of photos, resumable at the last durable byte: begin, ask, append, finish, give up.
//!
//! The bytes of an unfinished upload lie in `DATA/uploads/ID`; how many of them count is what the
//! database says. Bytes are flushed to disk before the database counts them, and what a crash left
//! beyond the count is cut off by the next append.

mod append;
mod checksum;
mod expire;
mod finish;
mod part_file;
pub mod recover;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod recover_tests;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

pub use append::{Append, Appended, BodyPart, Ending, STEP_BYTES, append};
pub use checksum::{Checksum, ChecksumAlgorithm};
pub use expire::expire;

use crate::app::App;
use crate::failure::{Failure, UploadFailure};
use crate::photos::inspect::MediaType;
use crate::photos::originals;
use crate::store::uploads::Upload;
use crate::store::{StoreError, photos, uploads};
use part_file::PartFile;

/// What somebody wants to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Bytes of the whole file.
    pub length: u64,
    /// What it is said to be. Only its content counts in the end; this is for refusing early.
    pub media_type: Option<MediaType>,
    /// Its hash. Without one, the hash is what the bytes turn out to have.
    pub sha256: Option<Digest>,
    /// `Upload-Metadata` as it came, checked by the door.
    pub metadata: String,
    /// The device, or else the session, that brings it.
    pub by: Uuid,
}

/// An upload that was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// How it stands.
    pub status: UploadStatus,
    /// It was not there before.
    pub is_new: bool,
}

/// How an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// Which.
    pub id: Uuid,
    /// Bytes of the whole file.
    pub length: u64,
    /// Bytes durably received.
    pub offset: u64,
    /// When it will be gone; `None` once the photo is stored.
    pub expires_at: Option<Timestamp>,
}

impl From<&Upload> for UploadStatus {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id,
            length: upload.total_length,
            offset: upload.received,
            expires_at: upload.finished_at.is_none().then_some(upload.expires_at),
        }
    }
}

/// Begins an upload. If its hash is announced and `person` has brought these bytes before, that
/// finished upload is answered again; to everybody else a held photo looks like an unknown one.
/// Seeing a photo is not bringing it: who brought it keeps it for good, and reads its metadata.
/// One of these bytes that the same device (or else session) of `person` has begun is answered too:
/// a phone that died before it had noted its upload goes on with it, and leaves no trail of uploads
/// that nobody ends. Another of their devices is not led to it: it may be in other hands.
///
/// # Errors
/// [`Failure::TooLarge`], [`Failure::Invalid`] for an empty file, [`Failure::Conflict`] when the
/// person has too many unfinished uploads, or somebody is writing the end of a begun one; what
/// finishing a begun one says, whose bytes are all here.
pub async fn create(
    app: &App,
    person: PersonId,
    announced: Announcement,
) -> Result<Begun, Failure> {
    let limits = &app.settings.photos;
    if announced.length == 0 {
        return Err(Failure::invalid(
            "Upload-Length",
            "an empty file shows nothing",
        ));
    }
    let limit = announced.media_type.map_or_else(
        || limits.largest(),
        |media_type| limits.bytes_of(media_type),
    );
    if announced.length > limit {
        let what = announced.media_type.map_or("the file", finish::too_large);
        return Err(Failure::TooLarge { what, limit });
    }
    let now = app.clock.now();
    let upload = Upload {
        id: app.entropy.uuid_v7(now),
        person_id: person,
        total_length: announced.length,
        received: 0,
        sha256: announced.sha256,
        metadata: announced.metadata,
        created_at: now,
        expires_at: now.plus_millis(limits.upload_life_s.saturating_mul(1000)),
        finished_at: None,
        begun_by: Some(announced.by),
    };
    let most = limits.uploads_per_person;
    let (shared, id) = (app.clone(), upload.id);
    let answered = app
        .db
        .write(move |tx| {
            if let Some(sha256) = upload.sha256 {
                if let Some(brought) = uploads::brought(tx.conn(), person, sha256)?
                    && brought.total_length == upload.total_length
                    && photos::find(tx.conn(), sha256)?.is_some()
                {
                    finish::notify_hazards(tx, &shared, sha256, person, now)?;
                    return Ok(brought);
                }
                let alike = (sha256, upload.total_length);
                if let Some(begun) = uploads::begun(tx.conn(), (person, announced.by), alike, now)?
                {
                    return Ok(begun);
                }
            }
            if uploads::unfinished_of(tx.conn(), person, now)? >= most {
                return Err(Failure::Conflict(format!(
                    "{most} uploads are unfinished: finish or delete one first"
                )));
            }
            uploads::insert(tx.conn(), &upload)?;
            Ok::<_, Failure>(upload.clone())
        })
        .await?;
    let mut status = UploadStatus::from(&answered);
    // All bytes came, and a crash cut its end short.
    if answered.finished_at.is_none() && answered.is_complete() {
        status = self::status(app, person, answered.id).await?;
        if status.expires_at.is_some() {
            return Err(busy());
        }
    }
    let is_new = answered.id == id;
    Ok(Begun { status, is_new })
}

/// How an upload stands. One whose bytes are all here and whose end was cut short by a crash is
/// finished first.
///
/// # Errors
/// [`Failure::NotFound`] also for those of others; [`UploadFailure::Gone`] once it has expired;
/// what finishing it says.
pub async fn status(app: &App, person: PersonId, id: Uuid) -> Result<UploadStatus, Failure> {
    let upload = own(app, person, id).await?;
    if upload.finished_at.is_none()
        && upload.is_complete()
        && let Some(file) = PartFile::lock(&folder(app), id).await?
    {
        let upload = own(app, person, id).await?;
        if upload.finished_at.is_none() {
            finish::finish(app, &upload, file).await?;
        }
        return Ok(UploadStatus::from(&own(app, person, id).await?));
    }
    Ok(UploadStatus::from(&upload))
}

/// Gives an unfinished upload up.
///
/// # Errors
/// [`Failure::NotFound`] also for those of others; [`Failure::Conflict`] while somebody writes to
/// it, and for a finished one: a stored photo stays.
pub async fn terminate(app: &App, person: PersonId, id: Uuid) -> Result<(), Failure> {
    let upload = own(app, person, id).await?;
    if upload.finished_at.is_some() {
        return Err(stored());
    }
    let file = PartFile::lock(&folder(app), id).await?.ok_or_else(busy)?;
    let upload = own(app, person, id).await?;
    if upload.finished_at.is_some() {
        file.remove().await?;
        return Err(stored());
    }
    remove(app, id, file).await
}

/// Takes an unfinished upload away, with all that is left of it.
async fn remove(app: &App, id: Uuid, file: PartFile) -> Result<(), Failure> {
    app.db
        .write(move |tx| uploads::remove_unfinished(tx.conn(), id))
        .await
        .map_err(Failure::Store)?;
    file.remove().await?;
    originals::remove_incoming(&app.objects, id)
        .await
        .map_err(|error| Failure::Internal(error.to_string()))
}

/// The upload, if it is `person`'s and has not expired.
async fn own(app: &App, person: PersonId, id: Uuid) -> Result<Upload, Failure> {
    let found = app
        .db
        .read(move |tx| uploads::find(tx.conn(), id))
        .await
        .map_err(Failure::Store)?;
    let upload = found
        .filter(|upload| upload.person_id == person)
        .ok_or(Failure::NotFound("upload"))?;
    if upload.finished_at.is_none() && upload.expires_at <= app.clock.now() {
        return Err(UploadFailure::Gone.into());
    }
    Ok(upload)
}

/// Where the bytes of unfinished uploads lie.
fn folder(app: &App) -> PathBuf {
    app.settings.data_dir.join("uploads")
}

fn busy() -> Failure {
    Failure::Conflict("another request is writing to this upload".to_owned())
}

fn stored() -> Failure {
    Failure::Conflict("the photo is stored, and stays".to_owned())
}

fn stale() -> Failure {
    Failure::Store(StoreError::Stale { what: "upload" })
}

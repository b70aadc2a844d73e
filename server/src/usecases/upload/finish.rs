//! The end of an upload: check what came, store it, and record it in one transaction.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::part_file::PartFile;
use super::{remove, stale};
use crate::app::App;
use crate::failure::{Failure, UploadFailure};
use crate::photos::exif::{self, Metadata};
use crate::photos::inspect::{InspectError, Inspected, MediaType, inspect};
use crate::photos::originals;
use crate::settings::PhotoLimits;
use crate::store::jobs::JobKind;
use crate::store::photos::StoredPhoto;
use crate::store::uploads::Upload;
use crate::store::{WriteTx, photos, uploads};
use crate::usecases::enqueue::enqueue;
use crate::usecases::execute::Door;
use crate::usecases::photo_arrived::photo_arrived;
use crate::usecases::photos::{has_thumbnail, picture_limits, thumbnail_job_key};

/// Finishes an upload whose bytes are all here. The original is durable before the database speaks
/// of it, and every step may be repeated, so a crash anywhere in between costs a repetition.
///
/// # Errors
/// [`UploadFailure::HashMismatch`], [`Failure::UnsupportedMedia`], [`Failure::Invalid`] or
/// [`Failure::TooLarge`] for bytes that can never become a photo here: the upload is then removed.
pub(super) async fn finish(app: &App, upload: &Upload, file: PartFile) -> Result<(), Failure> {
    let limits = app.settings.photos.clone();
    let path = file.path().to_owned();
    let announced = upload.sha256;
    let examined = crate::held::blocking(move || examine(&path, announced, &limits))
        .await
        .unwrap_or_else(|error| Err(Failure::Internal(error.to_string())));
    let (sha256, inspected) = match examined {
        Ok(examined) => examined,
        Err(failure @ (Failure::Internal(_) | Failure::Store(_))) => return Err(failure),
        Err(final_word) => {
            remove(app, upload.id, file).await?;
            return Err(final_word);
        }
    };
    let size = upload.total_length;
    let object_key = originals::store(&app.objects, file.path(), sha256, size, upload.id)
        .await
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let photo = photo(app, sha256, size, &inspected, object_key)?;
    record(app, upload, photo).await?;
    // Only now: until here a crash must find the bytes.
    Ok(file.remove().await?)
}

/// The file's hash, and what it is. Blocks.
pub(super) fn examine(
    path: &Path,
    announced: Option<Digest>,
    limits: &PhotoLimits,
) -> Result<(Digest, Inspected), Failure> {
    let sha256 = hash(path)?;
    if announced.is_some_and(|announced| announced != sha256) {
        return Err(UploadFailure::HashMismatch.into());
    }
    let inspected = inspect(path, picture_limits(limits)).map_err(|error| match error {
        InspectError::NotAPhoto => Failure::UnsupportedMedia(error.to_string()),
        InspectError::Damaged { .. } => Failure::invalid("photo", error.to_string()),
        InspectError::TooManyPixels { limit, .. } => Failure::TooLarge {
            what: "the number of pixels",
            limit,
        },
        InspectError::TooMuchMemory { limit } => Failure::TooLarge {
            what: "the memory to decode the photo",
            limit,
        },
        InspectError::Io(error) => Failure::Internal(error.to_string()),
    })?;
    // Only now is it known what it is: until here it could have been the largest of all.
    let limit = limits.bytes_of(inspected.media_type);
    if std::fs::metadata(path)?.len() > limit {
        return Err(Failure::TooLarge {
            what: too_large(inspected.media_type),
            limit,
        });
    }
    Ok((sha256, inspected))
}

/// What has more bytes than it may have.
pub(super) const fn too_large(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg | MediaType::Png | MediaType::Webp => "the photo",
        MediaType::Pdf => "the document",
        MediaType::Mp4 => "the clip",
    }
}

fn hash(path: &Path) -> Result<Digest, Failure> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Digest(hash.finalize().into()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

/// What is known of a photo that was examined.
pub(super) fn photo(
    app: &App,
    sha256: Digest,
    size: u64,
    inspected: &Inspected,
    object_key: String,
) -> Result<StoredPhoto, Failure> {
    let metadata = exif::read(&inspected.exif);
    Ok(StoredPhoto {
        sha256,
        size,
        media_type: inspected.media_type.as_str().to_owned(),
        width: inspected.width,
        height: inspected.height,
        orientation: metadata.orientation_or_upright(),
        taken_at: metadata.taken_at.as_ref().map(|taken| taken.at),
        wgs84: wgs84(&metadata),
        metadata: serde_json::to_string(&metadata)
            .map_err(|error| Failure::Internal(error.to_string()))?,
        object_key,
        stored_at: app.clock.now(),
        thumbnail_at: None,
    })
}

fn wgs84(metadata: &Metadata) -> Option<(f64, f64)> {
    let position = hazardloop_domain::geography::Position::new(metadata.position?).ok()?;
    let point = position.to_wgs84();
    Some((point.longitude, point.latitude))
}

/// The photo, the end of the upload, what the hazards learn of it and the thumbnail's job: all or
/// nothing.
async fn record(app: &App, upload: &Upload, photo: StoredPhoto) -> Result<(), Failure> {
    let (id, person) = (upload.id, upload.person_id);
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let now = shared.clock.now();
            if !uploads::finish(tx.conn(), id, photo.sha256, now)? {
                return Err(stale());
            }
            keep(tx, &shared, &photo, now)?;
            notify_hazards(tx, &shared, photo.sha256, person, now)
        })
        .await
}

/// Stores what is known of a photo, and has its thumbnail made, unless that was done before.
pub(super) fn keep(
    tx: &mut WriteTx<'_>,
    app: &App,
    photo: &StoredPhoto,
    now: Timestamp,
) -> Result<(), Failure> {
    if photos::insert_if_absent(tx.conn(), photo)? && has_thumbnail(&photo.media_type) {
        let key = thumbnail_job_key(photo.sha256);
        let payload = photo.sha256.to_string();
        enqueue(tx, app, JobKind::Thumbnail, Some(key), payload, now)?;
    }
    Ok(())
}

/// Tells the hazards that await this photo from `brought_by` that it is here.
pub(super) fn notify_hazards(
    tx: &mut WriteTx<'_>,
    app: &App,
    sha256: Digest,
    brought_by: PersonId,
    now: Timestamp,
) -> Result<(), Failure> {
    photo_arrived(tx, &Door::new(app), sha256, brought_by, now)
}

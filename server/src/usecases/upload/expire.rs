//! Clearing away uploads that were never finished.

use std::path::Path;
use std::time::Duration;

use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::part_file::PartFile;
use super::{finish, folder, remove};
use crate::app::App;
use crate::failure::Failure;
use crate::store::uploads::{self, Upload};

/// Uploads taken from the list at once.
const BATCH: i64 = 100;
/// A file without an unfinished upload is left alone for this long after its last change, since
/// its upload may be about to be recorded as finished by another request.
const ORPHAN_AGE: Duration = Duration::from_secs(3600);

/// Removes expired uploads, and files that belong to none. An expired upload whose bytes are all
/// here is finished instead. One that cannot be cleared now is left for the next time, and keeps
/// no other from its turn. Answers how many uploads were cleared.
///
/// # Errors
/// When the database or the disk does not answer; what was cleared stays cleared.
pub async fn expire(app: &App) -> Result<usize, Failure> {
    let now = app.clock.now();
    let mut cleared = 0;
    let mut last: Option<Upload> = None;
    loop {
        let after = last.take();
        let mut batch = app
            .db
            .read(move |tx| uploads::expired(tx.conn(), now, after.as_ref(), BATCH))
            .await
            .map_err(Failure::Store)?;
        for upload in &batch {
            cleared += usize::from(clear(app, upload).await?);
        }
        // Each is looked at once: what stays because the disk fails must not be found again.
        let full = i64::try_from(batch.len()).is_ok_and(|found| found >= BATCH);
        last = batch.pop();
        if !full {
            break;
        }
    }
    orphans(app, now).await?;
    Ok(cleared)
}

/// Clears one upload away; answers whether it is gone or finished.
async fn clear(app: &App, upload: &Upload) -> Result<bool, Failure> {
    let Some(file) = PartFile::lock(&folder(app), upload.id).await? else {
        return Ok(false);
    };
    let id = upload.id;
    let present = app.db.read(move |tx| uploads::find(tx.conn(), id)).await;
    match present.map_err(Failure::Store)? {
        Some(upload) if upload.finished_at.is_some() => {
            file.remove().await?;
            Ok(false)
        }
        Some(upload) if upload.is_complete() && file.length().await? >= upload.total_length => {
            // Its original may be stored already: finishing it leaves nothing that nobody names.
            let Err(failure) = finish::finish(app, &upload, file).await else {
                return Ok(true);
            };
            tracing::warn!(upload = %id, %failure, "an expired upload could not be finished");
            // Bytes that can never become a photo are gone by now; those that the store could not
            // take are still here.
            let left = app.db.read(move |tx| uploads::find(tx.conn(), id)).await;
            Ok(left.map_err(Failure::Store)?.is_none())
        }
        _ => {
            remove(app, id, file).await?;
            Ok(true)
        }
    }
}

/// Removes files that a crash left behind after their upload was recorded or removed.
async fn orphans(app: &App, now: Timestamp) -> Result<(), Failure> {
    let folder = folder(app);
    let mut entries = match tokio::fs::read_dir(&folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| Uuid::parse_str(name).ok()) else {
            continue;
        };
        if !is_old(&entry.path(), now).await? {
            continue;
        }
        let upload = app.db.read(move |tx| uploads::find(tx.conn(), id)).await;
        let unfinished = upload
            .map_err(Failure::Store)?
            .is_some_and(|upload| upload.finished_at.is_none());
        if !unfinished && let Some(file) = PartFile::lock(&folder, id).await? {
            file.remove().await?;
        }
    }
    Ok(())
}

async fn is_old(path: &Path, now: Timestamp) -> Result<bool, Failure> {
    let changed = match tokio::fs::metadata(path).await {
        Ok(metadata) => metadata.modified()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let changed = changed
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    Ok(now.saturating_sub(changed) >= ORPHAN_AGE)
}

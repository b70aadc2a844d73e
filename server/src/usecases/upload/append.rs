//! Appending to an upload: bytes to disk, flushed, then counted; a cut keeps what was counted.

use hazardloop_domain::ids::PersonId;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::checksum::{Checksum, Summing};
use super::part_file::PartFile;
use super::{UploadStatus, busy, finish, folder, own, stale};
use crate::app::App;
use crate::failure::{Failure, UploadFailure};
use crate::store::uploads::{self, Upload};

/// Bytes after which those received so far are flushed and counted, so that a long part that is
/// cut off is not sent again from its beginning.
pub const STEP_BYTES: u64 = 1024 * 1024;

/// A piece of a request's body. A channel that closes without [`BodyPart::End`] was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyPart {
    /// Bytes.
    Bytes(bytes::Bytes),
    /// All of it has come.
    End,
    /// The rest came too slowly to wait for.
    TooSlow,
}

/// One append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where the sender believes the upload to stand.
    pub offset: u64,
    /// How many bytes follow, where the sender says so.
    pub declared: Option<u64>,
    /// What they add up to. With it, the part is kept whole or not at all.
    pub checksum: Option<Checksum>,
}

/// How the body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Complete.
    Complete,
    /// The connection was lost; what had come is kept, unless it was to be checked as a whole.
    Cut,
    /// As [`Self::Cut`], because it came too slowly.
    TooSlow,
}

/// What an append came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// How the upload stands now.
    pub status: UploadStatus,
    /// How the body ended.
    pub ending: Ending,
}

/// Appends what `body` brings. With the last byte the photo is checked, stored and recorded.
///
/// # Errors
/// [`Failure::NotFound`] also for uploads of others; [`Failure::Conflict`] while another request
/// writes; [`UploadFailure`]; [`Failure::TooLarge`] for bytes beyond the end, and for a part with
/// a checksum that is longer than the setting `photos.chunk_bytes`; what finishing says.
pub async fn append(
    app: &App,
    person: PersonId,
    id: Uuid,
    append: Append,
    body: mpsc::Receiver<BodyPart>,
) -> Result<Appended, Failure> {
    let upload = own(app, person, id).await?;
    if upload.finished_at.is_some() {
        check(app, &upload, &append)?;
        return nothing_more(&upload, body).await;
    }
    let mut file = PartFile::lock(&folder(app), id).await?.ok_or_else(busy)?;
    // Whoever had the lock before may have moved it.
    let upload = own(app, person, id).await?;
    if upload.finished_at.is_some() {
        file.remove().await?;
        check(app, &upload, &append)?;
        return nothing_more(&upload, body).await;
    }
    if file.length().await? < upload.received {
        rewind(app, &upload).await?;
        return Err(UploadFailure::OffsetMismatch { offset: 0 }.into());
    }
    check(app, &upload, &append)?;
    file.cut(upload.received).await?;
    let mut receiving = Receiving {
        app,
        upload,
        file,
        written: 0,
        summing: append
            .checksum
            .as_ref()
            .map(|sum| Summing::new(sum.algorithm)),
    };
    let ending = receiving.take(&append, body).await?;
    let Receiving { upload, file, .. } = receiving;
    if upload.is_complete() {
        finish::finish(app, &upload, file).await?;
    } else {
        drop(file);
    }
    let status = UploadStatus::from(&own(app, person, id).await?);
    Ok(Appended { status, ending })
}

/// What can be said before the first byte is read.
fn check(app: &App, upload: &Upload, append: &Append) -> Result<(), Failure> {
    if append.offset != upload.received {
        let offset = upload.received;
        return Err(UploadFailure::OffsetMismatch { offset }.into());
    }
    let declared = append.declared.unwrap_or(0);
    if declared > upload.total_length - upload.received.min(upload.total_length) {
        return Err(beyond(upload));
    }
    let chunk = u64::try_from(app.settings.photos.chunk_bytes).unwrap_or(u64::MAX);
    if append.checksum.is_some() && declared > chunk {
        return Err(Failure::TooLarge {
            what: "a part with a checksum",
            limit: chunk,
        });
    }
    Ok(())
}

fn beyond(upload: &Upload) -> Failure {
    Failure::TooLarge {
        what: "the part and what came before",
        limit: upload.total_length,
    }
}

/// A finished upload takes an empty part, as sent again after a lost answer, and nothing else.
async fn nothing_more(
    upload: &Upload,
    mut body: mpsc::Receiver<BodyPart>,
) -> Result<Appended, Failure> {
    match body.recv().await {
        Some(BodyPart::Bytes(_)) => Err(beyond(upload)),
        _ => Ok(Appended {
            status: UploadStatus::from(upload),
            ending: Ending::Complete,
        }),
    }
}

/// The bytes that were counted are gone (a lost disk): begins again, since nothing else is true.
async fn rewind(app: &App, upload: &Upload) -> Result<(), Failure> {
    tracing::error!(upload = %upload.id, "the received bytes of an upload are gone; it begins again");
    let (id, received) = (upload.id, upload.received);
    let write = app
        .db
        .write(move |tx| uploads::advance(tx.conn(), id, received, 0));
    write.await.map_err(Failure::Store)?;
    Ok(())
}

/// One body on its way into the file.
struct Receiving<'a> {
    app: &'a App,
    upload: Upload,
    file: PartFile,
    /// Bytes written and not counted yet.
    written: u64,
    summing: Option<Summing>,
}

impl Receiving<'_> {
    async fn take(
        &mut self,
        append: &Append,
        mut body: mpsc::Receiver<BodyPart>,
    ) -> Result<Ending, Failure> {
        let mut received = 0_u64;
        let ending = loop {
            match body.recv().await {
                Some(BodyPart::Bytes(bytes)) => {
                    received = received.saturating_add(length(&bytes));
                    self.add(&bytes).await?;
                }
                Some(BodyPart::End) => break Ending::Complete,
                Some(BodyPart::TooSlow) => break Ending::TooSlow,
                None => break Ending::Cut,
            }
        };
        // A body that ends before its declared length was cut, however it looks.
        let short = append.declared.is_some_and(|declared| received < declared);
        let ending = match ending {
            Ending::Complete if short => Ending::Cut,
            other => other,
        };
        let Some((summing, expected)) = self.summing.take().zip(append.checksum.as_ref()) else {
            self.count().await?;
            return Ok(ending);
        };
        if ending != Ending::Complete {
            self.discard().await?;
        } else if summing.is(expected) {
            self.count().await?;
        } else {
            self.discard().await?;
            return Err(UploadFailure::ChecksumMismatch.into());
        }
        Ok(ending)
    }

    async fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let reached = self.upload.received + self.written + length(bytes);
        if reached > self.upload.total_length {
            self.discard().await?;
            return Err(beyond(&self.upload));
        }
        let chunk = u64::try_from(self.app.settings.photos.chunk_bytes).unwrap_or(u64::MAX);
        if self.summing.is_some() && self.written + length(bytes) > chunk {
            self.discard().await?;
            return Err(Failure::TooLarge {
                what: "a part with a checksum",
                limit: chunk,
            });
        }
        self.file.write(bytes).await?;
        self.written += length(bytes);
        match &mut self.summing {
            Some(summing) => summing.update(bytes),
            // The last byte is counted at the end of the body only: more may follow it.
            None if self.written >= STEP_BYTES && reached < self.upload.total_length => {
                self.count().await?;
            }
            None => {}
        }
        Ok(())
    }

    /// Flushes what was written, then counts it.
    async fn count(&mut self) -> Result<(), Failure> {
        if self.written == 0 {
            return Ok(());
        }
        self.file.sync().await?;
        let (id, from) = (self.upload.id, self.upload.received);
        let to = from + self.written;
        let write = self
            .app
            .db
            .write(move |tx| uploads::advance(tx.conn(), id, from, to));
        if !write.await.map_err(Failure::Store)? {
            return Err(stale());
        }
        self.upload.received = to;
        self.written = 0;
        Ok(())
    }

    /// Forgets what was written and not counted.
    async fn discard(&mut self) -> Result<(), Failure> {
        self.written = 0;
        Ok(self.file.cut(self.upload.received).await?)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

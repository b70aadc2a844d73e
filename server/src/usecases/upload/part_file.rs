//! The file that an unfinished upload grows in: one writer at a time, flushed before it counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncSeekExt, AsyncWriteExt, SeekFrom};
use uuid::Uuid;

use crate::failure::Failure;

/// Bytes that are gathered before they are handed to the disk.
const BUFFER_BYTES: usize = 256 * 1024;

/// How long to wait for another writer: one whose line was cut lets go a moment later, and a
/// process that is just being started holds every lock of this one until it has become itself.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// How often to look meanwhile.
const LOCK_STEP: Duration = Duration::from_millis(20);

/// An upload's file, locked. The operating system frees the lock when the last handle closes, also
/// when the process is killed, so no lock can be left behind.
pub(super) struct PartFile {
    file: tokio::fs::File,
    path: PathBuf,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Internal(format!("reading or writing a file: {error}"))
    }
}

impl PartFile {
    /// Opens the upload's file, making it if need be, for this writer alone; `None` when another
    /// one still has it after [`LOCK_PATIENCE`].
    pub(super) async fn lock(folder: &Path, id: Uuid) -> Result<Option<Self>, io::Error> {
        let path = folder.join(id.to_string());
        let mut waited = Duration::ZERO;
        loop {
            let (folder, opened) = (folder.to_owned(), path.clone());
            if let Some(file) = blocking(move || open(&folder, &opened)).await? {
                let mut file = tokio::fs::File::from_std(file);
                file.set_max_buf_size(BUFFER_BYTES);
                return Ok(Some(Self { file, path }));
            }
            if waited >= LOCK_PATIENCE {
                return Ok(None);
            }
            tokio::time::sleep(LOCK_STEP).await;
            waited += LOCK_STEP;
        }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file, whether or not they count.
    pub(super) async fn length(&self) -> Result<u64, io::Error> {
        Ok(self.file.metadata().await?.len())
    }

    /// Cuts off all beyond `length` and writes on from there.
    pub(super) async fn cut(&mut self, length: u64) -> Result<(), io::Error> {
        self.file.flush().await?;
        self.file.set_len(length).await?;
        self.file.seek(SeekFrom::Start(length)).await?;
        Ok(())
    }

    /// Adds bytes; not durable before [`Self::sync`].
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), io::Error> {
        self.file.write_all(bytes).await
    }

    /// Returns when everything written is on disk.
    pub(super) async fn sync(&mut self) -> Result<(), io::Error> {
        self.file.flush().await?;
        self.file.sync_data().await
    }

    /// Removes the file. The database must no longer count its bytes, so that whoever waited for
    /// the lock finds that there is nothing to write to.
    pub(super) async fn remove(self) -> Result<(), io::Error> {
        match tokio::fs::remove_file(&self.path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn open(folder: &Path, path: &Path) -> Result<Option<File>, io::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            options.open(path)?
        }
        other => other?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    if file.metadata()?.len() == 0 {
        // A new file's name must be on disk before any of its bytes count.
        File::open(folder)?.sync_all()?;
    }
    Ok(Some(file))
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, io::Error> + Send + 'static,
) -> Result<T, io::Error> {
    crate::held::blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

//! Where photos lie: originals by their hash, written once, durable before anybody hears of them.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hazardloop_domain::hash::Digest;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

/// Bytes read and written at once; also the least that S3-compatible stores take as a part.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// Why an original could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum OriginalsError {
    /// There is none under this key.
    #[error("the object store has no {key}")]
    Missing {
        /// The key.
        key: String,
    },
    /// What lies there is not what its name says.
    #[error("the stored {key} is damaged")]
    Damaged {
        /// The key.
        key: String,
    },
    /// The object store failed.
    #[error("the object store failed: {0}")]
    Store(String),
    /// The received file could not be read.
    #[error("cannot read the received file: {0}")]
    Io(#[from] std::io::Error),
}

impl From<Error> for OriginalsError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { path, .. } => Self::Missing { key: path },
            other => Self::Store(other.to_string()),
        }
    }
}

/// The key of an original: two levels of folders, so that none grows too long.
pub fn original_key(sha256: Digest) -> String {
    keyed("photos", sha256, "")
}

/// The key of a thumbnail.
pub fn thumbnail_key(sha256: Digest) -> String {
    keyed("thumbnails", sha256, ".jpg")
}

fn keyed(folder: &str, sha256: Digest, ending: &str) -> String {
    let [first, second, ..] = *sha256.as_bytes();
    format!("{folder}/{first:02x}/{second:02x}/{sha256}{ending}")
}

/// Where an original is gathered before it gets its name.
fn incoming_key(upload: Uuid) -> Path {
    Path::from(format!("incoming/{upload}"))
}

/// Stores the file at `from`, which has the hash `sha256` and `size` bytes, durably and under its
/// final key, which is answered. What lies there already is compared and never written over.
///
/// Safe to repeat after a crash at any point: `upload` names the place where it is gathered.
///
/// # Errors
/// [`OriginalsError::Damaged`] when something else lies under the key, or the file changed.
pub async fn store(
    objects: &Arc<dyn ObjectStore>,
    from: &FilePath,
    sha256: Digest,
    size: u64,
    upload: Uuid,
) -> Result<String, OriginalsError> {
    let key = original_key(sha256);
    let path = Path::from(key.as_str());
    if is_there(objects, &path, sha256, size).await? {
        return Ok(key);
    }
    let incoming = incoming_key(upload);
    let mut parts = objects.put_multipart(&incoming).await?;
    let mut file = tokio::fs::File::open(from).await?;
    let mut hash = Sha256::new();
    loop {
        let mut part = Vec::with_capacity(PART_BYTES);
        let limit = u64::try_from(PART_BYTES).unwrap_or(u64::MAX);
        (&mut file).take(limit).read_to_end(&mut part).await?;
        if part.is_empty() {
            break;
        }
        hash.update(&part);
        parts.put_part(PutPayload::from(part)).await?;
    }
    if Digest(hash.finalize().into()) != sha256 {
        parts.abort().await?;
        return Err(OriginalsError::Damaged { key });
    }
    parts.complete().await?;
    match objects.rename_if_not_exists(&incoming, &path).await {
        Ok(()) => Ok(key),
        Err(Error::AlreadyExists { .. }) => {
            // Somebody brought the same photo at the same time.
            remove_incoming(objects, upload).await?;
            match is_there(objects, &path, sha256, size).await? {
                true => Ok(key),
                false => Err(OriginalsError::Damaged { key }),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what an upload that ended early may have left behind.
///
/// # Errors
/// [`OriginalsError::Store`].
pub async fn remove_incoming(
    objects: &Arc<dyn ObjectStore>,
    upload: Uuid,
) -> Result<(), OriginalsError> {
    match objects.delete(&incoming_key(upload)).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the object is there; if so, it is read and must be what its name says.
async fn is_there(
    objects: &Arc<dyn ObjectStore>,
    path: &Path,
    sha256: Digest,
    size: u64,
) -> Result<bool, OriginalsError> {
    let found = match objects.get(path).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mut same = found.meta.size == size;
    let mut hash = Sha256::new();
    let mut bytes = found.into_stream();
    while same && let Some(part) = bytes.next().await {
        hash.update(part?);
    }
    same = same && Digest(hash.finalize().into()) == sha256;
    match same {
        true => Ok(true),
        false => Err(OriginalsError::Damaged {
            key: path.to_string(),
        }),
    }
}

/// A stored object, opened.
pub struct Opened {
    /// Bytes of the whole object.
    pub size: u64,
    /// The part that follows.
    pub range: Range<u64>,
    /// The bytes of that part.
    pub bytes: BoxStream<'static, Result<Bytes, OriginalsError>>,
}

/// Opens an object, or a part of it; a range that ends beyond it ends with it.
///
/// # Errors
/// [`OriginalsError::Missing`].
pub async fn open(
    objects: &Arc<dyn ObjectStore>,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<Opened, OriginalsError> {
    let options = GetOptions::new().with_range(range);
    let found = objects.get_opts(&Path::from(key), options).await?;
    Ok(Opened {
        size: found.meta.size,
        range: found.range.clone(),
        bytes: found
            .into_stream()
            .map(|part| part.map_err(OriginalsError::from))
            .boxed(),
    })
}

/// Reads a whole object that has at most `limit` bytes.
///
/// # Errors
/// [`OriginalsError::Damaged`] when it is larger.
pub async fn read(
    objects: &Arc<dyn ObjectStore>,
    key: &str,
    limit: u64,
) -> Result<Bytes, OriginalsError> {
    let found = objects.get(&Path::from(key)).await?;
    if found.meta.size > limit {
        let key = key.to_owned();
        return Err(OriginalsError::Damaged { key });
    }
    Ok(found.bytes().await?)
}

/// Writes a small derived object; a repeated one replaces it.
///
/// # Errors
/// [`OriginalsError::Store`].
pub async fn write_derived(
    objects: &Arc<dyn ObjectStore>,
    key: &str,
    bytes: Vec<u8>,
) -> Result<(), OriginalsError> {
    objects
        .put(&Path::from(key), PutPayload::from(bytes))
        .await?;
    Ok(())
}

//! Photo files, and other evidence: sealed, under names that say nothing, durable before any
//! command names them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use hazardloop_domain::command::{PhotoKind, PhotoRef};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Limits;
use rand::rngs::StdRng;

use crate::data_key::DataKey;
use crate::home::{HomeError, sync_directory};
use crate::sealed_file::{SealedFile, Title, seal};

/// A photo that is being taken in; what a crash leaves of it is swept.
const INCOMING: &str = "incoming";
/// Bytes that tell a type.
const FIRST_BYTES: u64 = 64;

/// The directory of photos beside one database.
#[derive(Debug)]
pub struct PhotoDir {
    dir: PathBuf,
    key: DataKey,
    rng: RefCell<StdRng>,
}

/// Why a file cannot become a photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// Reading it failed.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than evidence of its type may be.
    #[error("{path}: {size} bytes, at most {most} are taken")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its bytes.
        size: u64,
        /// Bytes allowed.
        most: u64,
    },
    /// None of the accepted types by its first bytes.
    #[error("{path}: neither a JPEG, PNG or WebP image nor a PDF or MP4 file")]
    NotAPhoto {
        /// Which.
        path: PathBuf,
    },
    /// Keeping it failed.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl PhotoDir {
    /// Opens, and where needed creates, the directory.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn open(profile: &Path, key: &DataKey, rng: StdRng) -> Result<Self, HomeError> {
        let dir = profile.join("photos");
        std::fs::create_dir_all(&dir).map_err(io(&dir))?;
        sync_directory(profile)?;
        Ok(Self {
            dir,
            key: key.clone(),
            rng: RefCell::new(rng),
        })
    }

    fn path(&self, sha256: &Digest) -> PathBuf {
        let name = self.key.name(&[b"photo", sha256.as_bytes()]);
        let hex: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(hex)
    }

    /// Copies a file in, durably, and names it for a command. A PDF is a document, whatever it was
    /// taken as: it shows no place.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn take(
        &self,
        path: &Path,
        kind: PhotoKind,
        limits: &Limits,
    ) -> Result<PhotoRef, PhotoError> {
        let unreadable = unreadable(path);
        let within = |size: u64, most: u64| match size > most {
            true => Err(PhotoError::TooLarge {
                path: path.to_owned(),
                size,
                most,
            }),
            false => Ok(()),
        };
        let most = limits.evidence_bytes();
        let mut file = File::open(path).map_err(&unreadable)?;
        within(file.metadata().map_err(&unreadable)?.len(), most)?;
        let mut first = Vec::new();
        let reading = file.by_ref().take(FIRST_BYTES).read_to_end(&mut first);
        reading.map_err(&unreadable)?;
        // Not every file says its length: what has none (a pipe, a device) is bounded all the same.
        let mut content = first.as_slice().chain(file).take(most.saturating_add(1));
        let Some(media_type) = MediaType::of_first_bytes(&first) else {
            let size = std::io::copy(&mut content, &mut std::io::sink());
            within(size.map_err(&unreadable)?, most)?;
            return Err(PhotoError::NotAPhoto {
                path: path.to_owned(),
            });
        };
        let (mut incoming, title) = self.seal_in(path, &mut content)?;
        within(title.size, most)?;
        within(title.size, limits.bytes_of(media_type))?;
        self.keep(&mut incoming, &title)?;
        Ok(PhotoRef {
            sha256: title.sha256,
            size: title.size,
            media_type: media_type.as_str().to_owned(),
            kind: match media_type {
                MediaType::Pdf => PhotoKind::Document,
                _ => kind,
            },
            taken_at: None,
            position: None,
        })
    }

    /// Seals content into the incoming file.
    fn seal_in(&self, from: &Path, content: &mut impl Read) -> Result<(File, Title), PhotoError> {
        let path = self.dir.join(INCOMING);
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut incoming = options.open(&path).map_err(io(&path))?;
        let title = seal(
            &self.key,
            &mut self.rng.borrow_mut(),
            content,
            &mut incoming,
        );
        Ok((incoming, title.map_err(unreadable(from))?))
    }

    /// Gives the incoming file its name, durably.
    fn keep(&self, incoming: &mut File, title: &Title) -> Result<(), HomeError> {
        let (from, to) = (self.dir.join(INCOMING), self.path(&title.sha256));
        incoming.sync_all().map_err(io(&from))?;
        std::fs::rename(&from, &to).map_err(io(&to))?;
        sync_directory(&self.dir)
    }

    fn sealed(&self, sha256: &Digest) -> std::io::Result<SealedFile<'_>> {
        let file = SealedFile::open(&self.key, File::open(self.path(sha256))?)?;
        match file.title.sha256 == *sha256 {
            true => Ok(file),
            false => Err(std::io::Error::other("this is another photo")),
        }
    }

    /// Reads a part of a photo. Its first part only if the whole still has its hash: a damaged
    /// file is noticed before its bytes cost a long upload, and not over and over again.
    ///
    /// # Errors
    /// When the file is missing, shorter, or no longer the same.
    pub fn read(&self, sha256: &Digest, offset: u64, len: u32) -> std::io::Result<Vec<u8>> {
        let mut file = self.sealed(sha256)?;
        if offset == 0 {
            file.check()?;
        }
        file.read(offset, len)
    }

    /// Whether a photo is here whole.
    ///
    /// # Errors
    /// When the file is missing, or no longer the same.
    pub fn check(&self, sha256: &Digest) -> std::io::Result<()> {
        self.sealed(sha256)?.check()
    }

    /// Brings the bytes of a known photo back from a file. `false`: the file holds another photo.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn restore(&self, sha256: &Digest, path: &Path, most: u64) -> Result<bool, PhotoError> {
        let file = File::open(path).map_err(unreadable(path))?;
        let (mut incoming, title) = self.seal_in(path, &mut file.take(most.saturating_add(1)))?;
        let same = title.sha256 == *sha256;
        if same {
            self.keep(&mut incoming, &title)?;
        }
        Ok(same)
    }

    /// Seals what a build from before sealing left here in clear, under its own hash; what it
    /// replaces is removed only with `remove`.
    ///
    /// # Errors
    /// [`PhotoError`]; nothing is lost.
    pub(crate) fn seal_plain(&self, remove: bool) -> Result<(), PhotoError> {
        let entries = std::fs::read_dir(&self.dir).map_err(io(&self.dir))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(sha256) = name.to_str().and_then(|name| name.parse::<Digest>().ok()) else {
                continue;
            };
            let path = entry.path();
            if self.check(&sha256).is_err() {
                // One that is damaged stays that, in its place: a sound copy may be brought back.
                let mut file = File::open(&path).map_err(unreadable(&path))?;
                let (mut incoming, title) = self.seal_in(&path, &mut file)?;
                self.keep(&mut incoming, &Title { sha256, ..title })?;
            }
            if remove {
                crate::vault::remove_file(&path)?;
            }
        }
        Ok(sync_directory(&self.dir)?)
    }

    /// Removes a photo. One that is gone already is no error.
    pub fn remove(&self, sha256: &Digest) {
        // What stays behind after a failure is swept at the next start.
        drop(std::fs::remove_file(self.path(sha256)));
    }

    /// Removes files that no entry names: copied in before a crash or a refusal, or verified.
    pub fn sweep(&self, keep: &BTreeSet<Digest>) {
        let keep: BTreeSet<PathBuf> = keep.iter().map(|sha256| self.path(sha256)).collect();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if !keep.contains(&entry.path()) {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> HomeError + '_ {
    move |source| HomeError::Io {
        path: path.to_owned(),
        source,
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> PhotoError + '_ {
    move |source| PhotoError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use rand::SeedableRng as _;
    use zeroize::Zeroizing;

    fn photos(home: &Path) -> PhotoDir {
        let key = DataKey::new(&Zeroizing::new([1; 32]));
        PhotoDir::open(home, &key, StdRng::seed_from_u64(3)).unwrap()
    }

    fn limits(bytes: u64) -> Limits {
        Limits {
            photo_bytes: bytes,
            document_bytes: bytes,
            clip_bytes: bytes,
            ..Limits::default()
        }
    }

    #[test]
    fn documents_and_clips_are_taken_each_with_its_own_limit() {
        let home = tempfile::tempdir().unwrap();
        let photos = photos(home.path());
        let limits = Limits {
            document_bytes: 20,
            ..limits(40)
        };
        let file = home.path().join("a.jpg");
        let take = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            photos.take(&file, PhotoKind::Scene, &limits)
        };
        let pdf = take(b"%PDF-1.7 minutes").unwrap();
        assert_eq!(pdf.media_type, "application/pdf");
        assert_eq!(pdf.kind, PhotoKind::Document);
        let clip = take(b"\0\0\0\x18ftypmp42 and so on").unwrap();
        assert_eq!(clip.media_type, "video/mp4");
        assert_eq!(clip.kind, PhotoKind::Scene);
        let large = take(b"%PDF-1.7 minutes of a long meeting").unwrap_err();
        assert!(matches!(large, PhotoError::TooLarge { most: 20, .. }));
        let heic = take(b"\0\0\0\x18ftypheic").unwrap_err();
        assert!(matches!(heic, PhotoError::NotAPhoto { .. }));
    }

    #[test]
    fn a_photo_is_kept_by_its_hash_and_swept_when_nothing_names_it() {
        let home = tempfile::tempdir().unwrap();
        let photos = photos(home.path());
        let file = home.path().join("a.png");
        std::fs::write(&file, b"\xff\xd8\xffjpeg with a lying name").unwrap();
        let photo = photos
            .take(&file, PhotoKind::Before, &limits(1_000))
            .unwrap();
        assert_eq!(photo.media_type, "image/jpeg");
        assert_eq!(photos.read(&photo.sha256, 3, 4).unwrap(), b"jpeg");
        assert!(photos.read(&photo.sha256, 3, 4_000).is_err(), "short");
        photos.sweep(&BTreeSet::from([photo.sha256]));
        assert!(photos.read(&photo.sha256, 0, 1).is_ok());
        photos.sweep(&BTreeSet::new());
        assert!(photos.read(&photo.sha256, 0, 1).is_err());
    }

    #[test]
    fn a_file_that_changed_on_the_disk_is_not_sent_and_can_be_brought_back() {
        let home = tempfile::tempdir().unwrap();
        let photos = photos(home.path());
        let file = home.path().join("a.jpg");
        std::fs::write(&file, b"\xff\xd8\xffwhole").unwrap();
        let photo = photos
            .take(&file, PhotoKind::Before, &limits(1_000))
            .unwrap();
        let kept = photos.path(&photo.sha256);
        let mut bytes = std::fs::read(&kept).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"whole"), "sealed");
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&kept, bytes).unwrap();
        assert!(photos.read(&photo.sha256, 0, 3).is_err());
        std::fs::write(home.path().join("b.jpg"), b"\xff\xd8\xffother").unwrap();
        let other = photos.restore(&photo.sha256, &home.path().join("b.jpg"), 1_000);
        assert!(!other.unwrap(), "another photo");
        assert!(photos.restore(&photo.sha256, &file, 1_000).unwrap());
        assert!(photos.read(&photo.sha256, 0, 3).is_ok());
    }

    #[test]
    fn what_has_no_length_is_bounded_all_the_same() {
        let home = tempfile::tempdir().unwrap();
        let photos = photos(home.path());
        let endless = photos.take(Path::new("/dev/zero"), PhotoKind::Before, &limits(1_000));
        assert!(matches!(endless, Err(PhotoError::TooLarge { .. })));
    }

    #[test]
    fn what_is_no_photo_or_too_large_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let photos = photos(home.path());
        let file = home.path().join("a.jpg");
        std::fs::write(&file, b"<html>").unwrap();
        let refused = photos
            .take(&file, PhotoKind::Before, &limits(1_000))
            .unwrap_err();
        assert!(matches!(refused, PhotoError::NotAPhoto { .. }));
        let large = photos
            .take(&file, PhotoKind::Before, &limits(3))
            .unwrap_err();
        assert!(matches!(large, PhotoError::TooLarge { size: 6, .. }));
    }
}

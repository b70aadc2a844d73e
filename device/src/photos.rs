//! Photo files, and other evidence: named by their hash, durable before any command names them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use hazardloop_domain::command::{PhotoKind, PhotoRef};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Limits;

use crate::home::{HomeError, sync_directory, write_durably};

/// The directory of photos beside one database.
#[derive(Debug)]
pub struct PhotoDir(PathBuf);

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
    pub fn open(profile: &Path) -> Result<Self, HomeError> {
        let dir = profile.join("photos");
        std::fs::create_dir_all(&dir).map_err(|source| HomeError::Io {
            path: dir.clone(),
            source,
        })?;
        sync_directory(profile)?;
        Ok(Self(dir))
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
        let unreadable = |source| PhotoError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let within = |size: u64, most: u64| match size > most {
            true => Err(PhotoError::TooLarge {
                path: path.to_owned(),
                size,
                most,
            }),
            false => Ok(()),
        };
        let most = limits.evidence_bytes();
        let mut file = File::open(path).map_err(unreadable)?;
        within(file.metadata().map_err(unreadable)?.len(), most)?;
        let mut bytes = Vec::new();
        // Not every file says its length: what has none (a pipe, a device) is bounded all the same.
        (&mut file)
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let size = bytes.len() as u64;
        within(size, most)?;
        let media_type =
            MediaType::of_first_bytes(&bytes).ok_or_else(|| PhotoError::NotAPhoto {
                path: path.to_owned(),
            })?;
        within(size, limits.bytes_of(media_type))?;
        let sha256 = Digest::sha256(&bytes);
        write_durably(&self.0, &sha256.to_string(), &bytes, 0o600)?;
        Ok(PhotoRef {
            sha256,
            size,
            media_type: media_type.as_str().to_owned(),
            kind: match media_type {
                MediaType::Pdf => PhotoKind::Document,
                _ => kind,
            },
            taken_at: None,
            position: None,
        })
    }

    /// Reads a part of a photo. Its first part only if the whole still has its hash: a damaged
    /// file is noticed before its bytes cost a long upload, and not over and over again.
    ///
    /// # Errors
    /// When the file is missing, shorter, or no longer the same.
    pub fn read(&self, sha256: &Digest, offset: u64, len: u32) -> std::io::Result<Vec<u8>> {
        if offset == 0 {
            self.check(sha256)?;
        }
        let mut file = File::open(self.0.join(sha256.to_string()))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; len as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether a photo is here whole.
    ///
    /// # Errors
    /// When the file is missing, or no longer the same.
    pub fn check(&self, sha256: &Digest) -> std::io::Result<()> {
        match Digest::sha256(&std::fs::read(self.0.join(sha256.to_string()))?) == *sha256 {
            true => Ok(()),
            false => Err(std::io::Error::other("the photo is no longer the same")),
        }
    }

    /// Brings the bytes of a known photo back from a file. `false`: the file holds another photo.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn restore(&self, sha256: &Digest, path: &Path, most: u64) -> Result<bool, PhotoError> {
        let unreadable = |source| PhotoError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let same = Digest::sha256(&bytes) == *sha256;
        if same {
            write_durably(&self.0, &sha256.to_string(), &bytes, 0o600)?;
        }
        Ok(same)
    }

    /// Removes a photo. One that is gone already is no error.
    pub fn remove(&self, sha256: &Digest) {
        // What stays behind after a failure is swept at the next start.
        drop(std::fs::remove_file(self.0.join(sha256.to_string())));
    }

    /// Removes files that no entry names: copied in before a crash or a refusal, or verified.
    pub fn sweep(&self, keep: &BTreeSet<Digest>) {
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let known = name.to_str().and_then(|name| name.parse().ok());
            if !known.is_some_and(|sha256: Digest| keep.contains(&sha256)) {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

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
        let photos = PhotoDir::open(home.path()).unwrap();
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
        let photos = PhotoDir::open(home.path()).unwrap();
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
        let photos = PhotoDir::open(home.path()).unwrap();
        let file = home.path().join("a.jpg");
        std::fs::write(&file, b"\xff\xd8\xffwhole").unwrap();
        let photo = photos
            .take(&file, PhotoKind::Before, &limits(1_000))
            .unwrap();
        let kept = home.path().join("photos").join(photo.sha256.to_string());
        std::fs::write(&kept, b"\xff\xd8\xffwhols").unwrap();
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
        let photos = PhotoDir::open(home.path()).unwrap();
        let endless = photos.take(Path::new("/dev/zero"), PhotoKind::Before, &limits(1_000));
        assert!(matches!(endless, Err(PhotoError::TooLarge { .. })));
    }

    #[test]
    fn what_is_no_photo_or_too_large_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let photos = PhotoDir::open(home.path()).unwrap();
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

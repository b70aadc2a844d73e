//! Photos at the simulated hub: uploads in chunks, what is whole and right, and what the hazards say of it.

use std::collections::BTreeMap;

use hazardloop_domain::access::Actor;
use hazardloop_domain::command::{Action, Command, Origin, ReceivePhoto};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Facts, Hazard, PhotoState};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{Failure, Request, ResponseBody};
use hazardloop_sync_protocol::hub::memory::{Author, Tables, decided};

use crate::variant::Variant;

/// Most photos that one answer asks for.
const ASKED: usize = 8;

#[derive(Clone, Debug)]
struct Upload {
    sha256: Digest,
    size: u64,
    bytes: Vec<u8>,
}

/// Files beside the hub's tables. A restore of the tables does not touch what is whole.
#[derive(Clone, Debug, Default)]
pub struct PhotoLane {
    uploads: BTreeMap<String, Upload>,
    whole: BTreeMap<Digest, Vec<u8>>,
    begun: usize,
}

fn offset_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl PhotoLane {
    /// Whether it holds these bytes, whole and right.
    pub fn holds(&self, sha256: &Digest) -> bool {
        self.whole.contains_key(sha256)
    }

    /// Those that are not what their names say: none.
    pub fn wrong(&self) -> impl Iterator<Item = &Digest> {
        let all = self.whole.iter();
        let wrong = all.filter(|(sha256, bytes)| Digest::sha256(bytes) != **sha256);
        wrong.map(|(sha256, _)| sha256)
    }

    /// How many there are, and how many bytes are on their way.
    pub fn sum(&self) -> (usize, usize) {
        let begun = self.uploads.values().map(|upload| upload.bytes.len());
        (self.whole.len(), begun.sum())
    }

    /// What was begun is known no longer.
    pub fn forget_uploads(&mut self) {
        self.uploads.clear();
    }

    /// Answers a request about a photo.
    pub fn answer(&mut self, request: &Request, variant: Variant) -> Result<ResponseBody, Failure> {
        match request {
            Request::CreateUpload { sha256, size, .. } => {
                self.begun += 1;
                let upload = format!("/photos/{}", self.begun);
                let whole = self.holds(sha256);
                if !whole {
                    let begun = Upload {
                        sha256: *sha256,
                        size: *size,
                        bytes: Vec::new(),
                    };
                    self.uploads.insert(upload.clone(), begun);
                }
                let offset = if whole { *size } else { 0 };
                Ok(ResponseBody::UploadCreated { upload, offset })
            }
            Request::UploadStatus { upload } => {
                let begun = self.uploads.get_mut(upload).ok_or(Failure::UploadGone)?;
                if variant == Variant::ForgetsHowFarPhotosGot {
                    begun.bytes.clear();
                }
                let offset = offset_of(&begun.bytes);
                Ok(ResponseBody::UploadOffset { offset })
            }
            Request::PatchChunk {
                upload,
                offset,
                checksum,
                bytes,
            } => self.patch(upload, *offset, *checksum, bytes, variant),
            Request::Push(_) | Request::Pull(_) => Err(Failure::NotOurs),
        }
    }

    fn patch(
        &mut self,
        upload: &str,
        offset: u64,
        checksum: Digest,
        bytes: &[u8],
        variant: Variant,
    ) -> Result<ResponseBody, Failure> {
        let begun = self.uploads.get_mut(upload).ok_or(Failure::UploadGone)?;
        if offset_of(&begun.bytes) != offset {
            return Err(Failure::OffsetMismatch);
        }
        let trusting = variant == Variant::TakesDamagedPhotos;
        if Digest::sha256(bytes) != checksum && !trusting {
            return Err(Failure::ChecksumMismatch);
        }
        begun.bytes.extend_from_slice(bytes);
        let offset = offset_of(&begun.bytes);
        if offset >= begun.size {
            let whole = begun.bytes.clone();
            let sha256 = begun.sha256;
            self.uploads.remove(upload);
            if Digest::sha256(&whole) != sha256 && !trusting {
                return Err(Failure::PhotoHashMismatch);
            }
            self.whole.insert(sha256, whole);
        }
        Ok(ResponseBody::UploadOffset { offset })
    }

    /// Hazards that name what is here say so.
    pub fn tell(&self, tables: &mut Tables, now: Timestamp) {
        let awaiting = tables.hazards.values().filter(|hazard| {
            let mut awaited = awaited(hazard);
            awaited.any(|sha256| self.holds(&sha256))
        });
        let awaiting: Vec<Hazard> = awaiting.cloned().collect();
        let facts = Facts::at(now, Default::default(), Default::default());
        let by = Author {
            actor: &Actor::System,
            person_id: None,
            origin: &Origin::DIRECT,
            received_at: now,
        };
        for mut hazard in awaiting {
            let arrived: Vec<Digest> = awaited(&hazard).filter(|sha| self.holds(sha)).collect();
            for sha256 in arrived {
                let action = Action::ReceivePhoto(ReceivePhoto { sha256 });
                let command = Command::new(hazard.id, action);
                if let Ok((after, _)) = decided(Some(&hazard), &command, &by, &facts) {
                    hazard = after;
                }
            }
            tables.put_hazard(hazard);
        }
    }

    /// What it lacks of the photos of somebody's reports.
    pub fn lacks(&self, tables: &Tables, of: PersonId) -> Vec<Digest> {
        let own = tables.hazards.values();
        let own = own.filter(|hazard| hazard.reported_by == of);
        let lacking = own.flat_map(awaited).filter(|sha256| !self.holds(sha256));
        lacking.take(ASKED).collect()
    }
}

fn awaited(hazard: &Hazard) -> impl Iterator<Item = Digest> {
    let photos = hazard.photos.iter();
    let awaited = photos.filter(|photo| photo.state != PhotoState::Verified);
    awaited.map(|photo| photo.reference.sha256)
}

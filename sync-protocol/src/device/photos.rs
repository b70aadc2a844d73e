//! The photo lane: originals up in chunks, fairly, after the commands that name them.

use std::collections::BTreeMap;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, Photo, PhotoState};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::time::Timestamp;

use crate::wire::{CommandPayload, Outcome, RecordKind};

use super::engine::Engine;
use super::jobs::Job;
use super::output::{Failure, LaneName, Notice, Output, Request, RequestId, ResponseBody};
use super::retry::{Backoff, Lane};
use super::stride::Stride;
use super::{PhotoStage, Standing, StoreOp, StoredCommand, StoredPhoto};

#[derive(Debug, Default)]
pub(super) struct PhotoLane {
    pub lane: Lane,
    pub(super) progress: BTreeMap<Digest, Progress>,
    turns: u64,
    current: Option<Current>,
    /// A chunk that was read and can go.
    chunk: Option<Output>,
    pub stride: Stride,
}

/// What is known of one upload, in memory only.
#[derive(Debug, Default)]
pub(super) struct Progress {
    backoff: Backoff,
    /// Round robin: the photo served longest ago is next.
    turn: u64,
    /// Bytes the server has; unknown after a start or a failure.
    offset: Option<u64>,
    /// The request whose answer completed it.
    completed_by: u64,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    sha256: Digest,
    /// Where the chunk under way begins.
    offset: u64,
    len: u32,
}

/// Whether our server has said, of the whole photo, that it never takes it: every further try
/// would send all of its bytes in vain.
fn is_final(failure: &Failure, current: Current, photo: Option<&StoredPhoto>) -> bool {
    match failure {
        Failure::PayloadTooLarge { ours } => {
            let end = current.offset.saturating_add(u64::from(current.len));
            // Of a chunk in the middle it says something about the chunk.
            *ours && (current.len == 0 || photo.is_some_and(|photo| end >= photo.size))
        }
        Failure::Refused { code, .. } => {
            matches!(code.as_str(), "UNSUPPORTED_MEDIA_TYPE" | "INVALID_FIELD")
        }
        _ => false,
    }
}

impl Engine {
    /// How the server's row of a photo's hazard holds it; `None`: not at all.
    pub(super) fn named_in_row(&self, photo: &StoredPhoto) -> Option<PhotoState> {
        let (key, row) = self.state.subject_row(photo.subject_id)?;
        if row.holders == 0 {
            return None;
        }
        let state = |named: &Photo| named.state.clone();
        if key.0 == RecordKind::Inspection {
            let inspection: Inspection = minicbor::decode(&row.body).ok()?;
            return inspection.photo(&photo.sha256).map(state);
        }
        let hazard: Hazard = minicbor::decode(&row.body).ok()?;
        hazard.photo(&photo.sha256).map(state)
    }

    /// Whether a photo has still to reach the server, or to be confirmed by it. One that only
    /// commands without effect name has not: it stays here with them, for the person who settles
    /// them, and goes up if the server asks for it.
    pub fn photo_is_awaited(&self, photo: &StoredPhoto) -> bool {
        if photo.given_up.is_some() {
            return false;
        }
        if photo.stage != PhotoStage::Waiting || self.is_uploadable(photo) {
            return true;
        }
        // Of a command that a placeholder replaced the server knows no photo to ask for.
        let own = self
            .state
            .commands
            .get(&photo.seq)
            .filter(|c| !c.is_replaced());
        let receipt = own.and_then(|command| command.receipt.as_ref());
        // The server asks for it while nobody has settled the command.
        let quarantined = receipt.is_some_and(|r| matches!(r.outcome, Outcome::Quarantined { .. }));
        if quarantined && own.is_some_and(|c| self.standing(c) == Standing::NeedsAttention) {
            return true;
        }
        let unsent = |command: &&StoredCommand| command.is_unsent();
        let mut unsent = self.state.commands.values().filter(unsent);
        unsent.any(|command| self.names(command, &photo.sha256))
    }

    /// Whether a photo would be lost with this device: it has still to reach the server, or a command that took no
    /// effect names it, and nobody has settled what is to become of that.
    pub fn photo_is_only_here(&self, photo: &StoredPhoto) -> bool {
        let stays = photo.given_up.is_none() && photo.stage == PhotoStage::Waiting;
        let command = self.state.commands.get(&photo.seq);
        let open = command.is_some_and(|c| self.standing(c) == Standing::NeedsAttention);
        self.photo_is_awaited(photo) || (stays && open)
    }

    fn names(&self, command: &StoredCommand, sha256: &Digest) -> bool {
        let envelope = &command.envelope;
        let depth = self.config.wire.depth;
        let payload = &envelope.payload.0;
        CommandPayload::unpack(&envelope.kind, envelope.version, payload, depth)
            .is_ok_and(|(_, read)| read.action.photos().iter().any(|p| p.sha256 == *sha256))
    }

    /// A photo goes up once the command that names it took effect, when the server's row names
    /// it whatever became of that command, or when the server asks.
    fn is_uploadable(&self, photo: &StoredPhoto) -> bool {
        match photo.stage {
            _ if photo.given_up.is_some() => false,
            PhotoStage::Sent | PhotoStage::Held => false,
            PhotoStage::Asked => true,
            PhotoStage::Waiting => match self.state.commands.get(&photo.seq) {
                None => true,
                Some(command) if command.is_unsent() => false,
                Some(command) => {
                    let outcome = command.receipt.as_ref().map(|receipt| &receipt.outcome);
                    outcome
                        .is_some_and(|o| o.took_effect() || matches!(o, Outcome::Conflict { .. }))
                        || self.named_in_row(photo).is_some()
                }
            },
        }
    }

    fn next_photo(&self, now: Timestamp) -> Option<&StoredPhoto> {
        let progress = &self.photos.progress;
        let turn = |photo: &StoredPhoto| progress.get(&photo.sha256).map_or(0, |p| p.turn);
        let due = |photo: &&StoredPhoto| {
            progress
                .get(&photo.sha256)
                .is_none_or(|p| p.backoff.is_due(now, &self.config))
        };
        let photos = self
            .state
            .photos
            .values()
            .filter(|photo| self.is_uploadable(photo));
        // What is begun goes first, and few are begun at once: a server keeps so many unfinished uploads and no more, and
        // whatever is finished is safe.
        let mut due: Vec<&StoredPhoto> = photos.filter(due).collect();
        due.sort_by_key(|photo| (photo.upload.is_none(), photo.seq));
        let under_way = due.into_iter().take(self.config.photos_at_once.max(1));
        under_way.min_by_key(|photo| (turn(photo), photo.seq))
    }

    pub(super) fn photo_is_ready(&self, now: Timestamp) -> bool {
        self.photos.chunk.is_some()
            || (self.photos.lane.may_start(now, &self.config)
                && !self.push_is_ready(now)
                && self.next_photo(now).is_some())
    }

    pub(super) fn photos_wake(&self) -> Option<Timestamp> {
        let lane = self.photos.lane.wakes_at();
        let photos = self
            .state
            .photos
            .values()
            .filter(|photo| self.is_uploadable(photo));
        let waits = photos.filter_map(|photo| {
            let progress = self.photos.progress.get(&photo.sha256);
            progress.and_then(|p| p.backoff.retry_at()).max(lane)
        });
        waits.min()
    }

    pub(super) fn reset_photo_waits(&mut self) {
        self.photos.lane.backoff.succeed();
        for progress in self.photos.progress.values_mut() {
            progress.backoff.succeed();
        }
    }

    pub(super) fn start_photo(&mut self, now: Timestamp) -> Option<Output> {
        if let Some(chunk) = self.photos.chunk.take() {
            self.photos.stride.sent(now);
            return Some(chunk);
        }
        if !self.photo_is_ready(now) {
            return None;
        }
        let photo = self.next_photo(now)?.clone();
        let id = self.next_number();
        self.photos.turns += 1;
        let turn = self.photos.turns;
        let progress = self.photos.progress.entry(photo.sha256).or_default();
        progress.turn = turn;
        self.photos.lane.busy = Some(id);
        self.photos.lane.rests_until = None;
        let offset = progress.offset;
        let sha256 = photo.sha256;
        self.photos.current = Some(Current {
            sha256,
            offset: offset.unwrap_or(0),
            len: 0,
        });
        let request = match (photo.upload, offset) {
            (None, _) => Request::CreateUpload {
                sha256,
                size: photo.size,
                media_type: photo.media_type,
            },
            (Some(upload), None) => Request::UploadStatus { upload },
            (Some(_), Some(offset)) => {
                let left = photo.size.saturating_sub(offset);
                let len = u32::try_from(left)
                    .unwrap_or(u32::MAX)
                    .min(self.photos.stride.next(&self.config.photo_chunk));
                self.photos.current = Some(Current {
                    sha256,
                    offset,
                    len,
                });
                return Some(Output::ReadPhoto {
                    id,
                    sha256,
                    offset,
                    len,
                });
            }
        };
        Some(Output::Send { id, request })
    }

    /// The bytes that [`Output::ReadPhoto`] asked for.
    pub fn handle_photo_bytes(&mut self, id: RequestId, now: Timestamp, bytes: Vec<u8>) {
        let Some(current) = self
            .photos
            .current
            .filter(|_| self.photos.lane.is_under_way(id))
        else {
            return;
        };
        let photo = self.state.photos.get(&current.sha256);
        let upload = photo.and_then(|photo| photo.upload.clone());
        let (Some(upload), true) = (upload, bytes.len() == current.len as usize) else {
            return self.handle_photo_unreadable(id, now);
        };
        let checksum = Digest::sha256(&bytes);
        let id = self.next_number();
        self.photos.lane.busy = Some(id);
        let request = Request::PatchChunk {
            upload,
            offset: current.offset,
            checksum,
            bytes,
        };
        self.photos.chunk = Some(Output::Send { id, request });
    }

    /// The photo's file is missing or short.
    pub fn handle_photo_unreadable(&mut self, id: RequestId, now: Timestamp) {
        if !self.photos.lane.is_under_way(id) {
            return;
        }
        if let Some(current) = self.photos.current {
            self.delay_photo(current.sha256, now);
            self.notices.push_back(Notice::PhotoUnreadable {
                sha256: current.sha256,
            });
        }
        self.photos.lane.busy = None;
    }

    fn delay_photo(&mut self, sha256: Digest, now: Timestamp) -> Timestamp {
        let progress = self.photos.progress.entry(sha256).or_default();
        progress.offset = None;
        progress
            .backoff
            .fail(now, 0, &self.config, &mut self.jitter)
    }

    pub(super) fn photo_answer(&mut self, now: Timestamp, body: ResponseBody) {
        let (Some(current), Some(id)) = (self.photos.current, self.photos.lane.busy) else {
            return;
        };
        let Some(mut photo) = self.state.photos.get(&current.sha256).cloned() else {
            self.photos.lane.busy = None;
            return;
        };
        let (created, offset) = match body {
            ResponseBody::UploadCreated { upload, offset } => {
                photo.upload = Some(upload);
                (true, offset)
            }
            ResponseBody::UploadOffset { offset } if photo.upload.is_some() => (false, offset),
            _ => return self.photo_failed(now, Failure::NotOurs),
        };
        if current.len > 0 && offset <= current.offset {
            // The chunk was taken, yet the server is no further.
            return self.photo_failed(now, Failure::OffsetMismatch);
        }
        let limits = &self.config.photo_chunk;
        self.photos.stride.arrived(now, current.len, limits);
        self.keep_strides();
        let progress = self.photos.progress.entry(photo.sha256).or_default();
        progress.offset = Some(offset);
        progress.backoff.succeed();
        self.photos.lane.backoff.succeed();
        let complete = offset >= photo.size;
        if complete {
            progress.completed_by = id;
            // The answer to a creation is about the hash; that to a chunk, about a count of bytes.
            photo.stage = if created {
                PhotoStage::Held
            } else {
                PhotoStage::Sent
            };
        }
        if complete || created {
            self.photos.current = None;
            self.inbox.push_back(Job::Photo { photo });
        } else {
            self.photos.lane.busy = None;
        }
    }

    /// Failures of the link make the lane wait, failures of one photo only that photo.
    pub(super) fn photo_failed(&mut self, now: Timestamp, failure: Failure) {
        let Some(current) = self.photos.current else {
            return;
        };
        self.photos.stride.failed(&self.config.photo_chunk);
        self.keep_strides();
        let at = self.delay_photo(current.sha256, now);
        let photo = self.state.photos.get(&current.sha256).cloned();
        match failure {
            Failure::Offline
            | Failure::NotOurs
            | Failure::ServerError
            | Failure::RateLimited { .. } => self.fail_lane(LaneName::Photo, now, failure),
            Failure::UploadGone | Failure::PhotoHashMismatch => {
                self.notices.push_back(Notice::Retrying {
                    lane: LaneName::Photo,
                    failure,
                    at,
                });
                if let Some(photo) = photo {
                    self.photos.current = None;
                    self.inbox.push_back(Job::Photo {
                        photo: StoredPhoto {
                            upload: None,
                            ..photo
                        },
                    });
                } else {
                    self.photos.lane.busy = None;
                }
            }
            failure if is_final(&failure, current, photo.as_ref()) => {
                self.photos.lane.busy = None;
                self.refused_photo(current.sha256, now, &failure);
            }
            failure => {
                self.photos.lane.busy = None;
                self.notices.push_back(Notice::Retrying {
                    lane: LaneName::Photo,
                    failure,
                    at,
                });
            }
        }
    }

    /// The server's list of photos whose bytes it lacks. An answer to a request older than an
    /// upload's end says nothing about that upload.
    pub(super) fn lacks_photos(&self, missing: &[Digest], id: RequestId, ops: &mut Vec<StoreOp>) {
        let known = missing
            .iter()
            .filter_map(|sha256| self.state.photos.get(sha256));
        for photo in known.filter(|photo| photo.given_up.is_none()) {
            let completed = self
                .photos
                .progress
                .get(&photo.sha256)
                .map_or(0, |p| p.completed_by);
            let all_sent = matches!(photo.stage, PhotoStage::Sent | PhotoStage::Held);
            let lost = all_sent && completed < id;
            if lost || (photo.stage == PhotoStage::Waiting && !self.is_uploadable(photo)) {
                let settled = self
                    .state
                    .commands
                    .get(&photo.seq)
                    .is_none_or(|c| !c.is_unsent());
                if lost || settled {
                    let upload = photo.upload.clone().filter(|_| !lost);
                    let again = StoredPhoto {
                        upload,
                        stage: PhotoStage::Asked,
                        ..photo.clone()
                    };
                    ops.push(StoreOp::PutPhoto(again));
                }
            }
        }
    }
}

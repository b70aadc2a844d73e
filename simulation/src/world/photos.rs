//! Photos on a phone: taken, read, spoiled, deleted; and how much of them goes twice.

use std::collections::BTreeMap;

use hazardloop_domain::command::PhotoRef;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::device::{Failure, Oversize, Request, StoreOp, StoredCommand};

use super::World;
use crate::cast;
use crate::device::{CHUNK, Device};
use crate::dice::Dice;
use crate::oracle::{Found, Pictured};
use crate::variant::Variant;

/// What one phone has sent of one photo.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    /// Bytes.
    bytes: u64,
    /// Chunks whose answer was not a good one.
    cuts: u64,
    /// How often the hub knew nothing of it any more.
    begun_anew: u64,
    /// Bytes of the whole.
    size: u64,
}

/// By phone and photo.
pub(super) type Chunks = BTreeMap<(usize, Digest), Sent>;

impl World {
    /// Somebody takes a photo of two to six chunks; its file is durable before the command that names it.
    pub(super) fn take_photo(
        &mut self,
        step: u64,
        number: usize,
        dice: &mut Dice,
    ) -> (PhotoRef, Pictured) {
        let chunk = CHUNK as usize;
        let length = 2 * chunk + dice.below(4 * chunk);
        let mut bytes = step.to_be_bytes().to_vec();
        bytes.resize(length.max(8), 0x5a);
        let reference = cast::photo(&bytes);
        let files = &mut self.devices[number].profile.files;
        files.insert(reference.sha256, bytes);
        let photo = Pictured {
            sha256: reference.sha256,
            undone: false,
        };
        (reference, photo)
    }

    /// A file that changes by itself: that photo never arrives, and all others do.
    pub(super) fn spoil_photo(&mut self, number: usize, dice: &mut Dice) {
        let files = &mut self.devices[number].profile.files;
        let which = dice.below(files.len());
        let Some((sha256, bytes)) = files.iter_mut().nth(which) else {
            return;
        };
        let sha256 = *sha256;
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        self.count("photo spoiled");
        self.photo_undone(sha256);
    }

    /// Nobody has to wait for this photo any more.
    pub(super) fn photo_undone(&mut self, sha256: Digest) {
        let photos = self
            .attempts
            .iter_mut()
            .filter_map(|attempt| attempt.photo.as_mut());
        for photo in photos.filter(|photo| photo.sha256 == sha256) {
            photo.undone = true;
        }
    }

    /// The engine asks for a part of a file.
    pub(super) fn read_photo(&mut self, number: usize, id: u64, part: (Digest, u64, u32)) {
        let (sha256, offset, len) = part;
        let device = &mut self.devices[number];
        let wall = device.wall(self.hub.now);
        let range = usize::try_from(offset)
            .ok()
            .map(|from| from..from.saturating_add(len as usize));
        let file = device.profile.files.get(&sha256);
        let bytes = file.and_then(|file| file.get(range?)).map(<[u8]>::to_vec);
        match bytes {
            Some(bytes) => device.profile.engine.handle_photo_bytes(id, wall, bytes),
            None => device.profile.engine.handle_photo_unreadable(id, wall),
        }
    }

    /// What the host does once a write is durable.
    pub(super) fn after_write(&mut self, number: usize, ops: &[StoreOp]) {
        if let Some(writes) = &mut self.writes {
            let whose = self.devices[number].person_id();
            writes.entry(whose).or_default().push(ops.to_vec());
        }
        for op in ops {
            match op {
                StoreOp::PutPhoto(photo) if photo.given_up.is_some() => {
                    self.count("photo refused");
                    self.photo_undone(photo.sha256);
                }
                StoreOp::PutCommand(command) => self.note_size(command),
                StoreOp::DeletePhoto(sha256) => self.delete_photo(number, *sha256),
                StoreOp::SettleCommand { seq, .. }
                    if self.variant == Variant::DeletesPhotosTooEarly =>
                {
                    let disk = &self.devices[number].profile.disk;
                    let named = disk.photos.values().filter(|photo| photo.seq == *seq);
                    let named: Vec<Digest> = named.map(|photo| photo.sha256).collect();
                    for sha256 in named {
                        self.delete_photo(number, sha256);
                    }
                }
                _ => {}
            }
        }
    }

    /// The hub would not take a command for its size: it is left to a person, and what builds on it may come to nothing.
    fn note_size(&mut self, command: &StoredCommand) {
        match &command.oversize {
            Some(Oversize::Offered) => self.count("put back"),
            Some(_) => self.count("set aside"),
            None => return,
        }
        self.aside.insert(HazardId(command.subject_id.0));
    }

    /// Invariant 17: no file goes before the hub has it.
    fn delete_photo(&mut self, number: usize, sha256: Digest) {
        if !self.hub.photos.holds(&sha256) {
            let what = format!("device {number} deletes {sha256:?}, which the hub does not hold");
            self.hub.find(Found::new(17, what));
        }
        self.devices[number].profile.files.remove(&sha256);
    }

    /// The phone is as it was before some of it.
    pub(super) fn sent_is_forgotten(&mut self, number: usize) {
        for ((phone, _), sent) in &mut self.chunks {
            sent.begun_anew += u64::from(*phone == number);
        }
    }

    /// Counts what is sent of photos.
    pub(super) fn note_chunk(
        &mut self,
        number: usize,
        request: &Request,
        failed: Option<&Failure>,
    ) {
        let (upload, bytes) = match request {
            Request::PatchChunk { upload, bytes, .. } => (upload, bytes.len()),
            Request::UploadStatus { upload } => (upload, 0),
            _ => return,
        };
        let mut photos = self.devices[number].profile.disk.photos.values();
        let Some(photo) = photos.find(|photo| photo.upload.as_ref() == Some(upload)) else {
            return;
        };
        let sent = self.chunks.entry((number, photo.sha256)).or_default();
        sent.size = photo.size;
        sent.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        match failed {
            Some(Failure::UploadGone | Failure::PhotoHashMismatch) => sent.begun_anew += 1,
            Some(_) if bytes > 0 => sent.cuts += 1,
            _ => {}
        }
    }
}

/// Invariant 19: after a cut at most one chunk, or one page, goes again.
pub(super) fn check_resent(world: &World) -> Vec<Found> {
    let mut found = Vec::new();
    for ((number, sha256), sent) in &world.chunks {
        let most = sent.size * (1 + sent.begun_anew) + sent.cuts * u64::from(CHUNK);
        if sent.bytes > most {
            let what = format!("device {number}, {sha256:?}: {sent:?}");
            found.push(Found::new(19, what));
        }
    }
    for device in &world.devices {
        check_pages(world, device, &mut found);
    }
    found
}

fn check_pages(world: &World, device: &Device, found: &mut Vec<Found>) {
    let installs: Vec<_> = device.profiles().map(|own| own.enrolment().0).collect();
    let again = world.hub.given.again.iter();
    let own = again.filter(|((install_id, _), _)| installs.contains(install_id));
    for ((_, scope), again) in own {
        if *again > device.interrupted {
            let (number, cuts) = (device.number, device.interrupted);
            let what = format!("device {number}: {again} pages of {scope} again after {cuts} cuts");
            found.push(Found::new(19, what));
        }
    }
}

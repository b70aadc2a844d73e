//! What a device keeps, and the operations that change it. The same operations change the disk.

use std::collections::BTreeMap;

use hazardloop_domain::command_fate::{Chosen, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::time_proof::KeptAnchor;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, ClosedWindow, Envelope, Outcome, Receipt, Record, RecordKind, Scope,
};

/// Names a record of the replica.
pub type RowKey = (RecordKind, Uuid);

/// What the device knows of its server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The server's epoch at the last contact.
    pub epoch: Option<String>,
    /// Key of the record digests of that epoch.
    pub digest_key: Option<DigestKey>,
    /// The server's time at the last contact.
    pub server_time: Option<Timestamp>,
    /// What shows that this device knew it; absent: an older server.
    pub anchor: Option<KeptAnchor>,
    /// This device's wall clock at the last contact.
    pub contact_at: Option<Timestamp>,
    /// This install's stream is in use elsewhere (restored phone).
    pub must_rekey: bool,
    /// The command that the server would not take for its size, alone in a batch. It is kept,
    /// and those behind it wait, for a stream has no gaps.
    pub too_large: Option<i64>,
    /// How much went at once when the device was last stopped, where its link takes little: without it every start
    /// would lose some time on learning that again. `None`: as much as at first, or more.
    pub photo_chunk: Option<u32>,
    /// The same of the records of a pull.
    pub pull_records: Option<u32>,
    /// The same of the bytes of a push.
    pub push_bytes: Option<u32>,
}

/// A command of the queue, with all that was sealed, kept also after it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCommand {
    /// As it travels.
    pub envelope: Envelope,
    /// What it acts upon.
    pub subject_id: SubjectId,
    /// The device's wall clock when it was queued.
    pub queued_at: Timestamp,
    /// Its receipt; absent: it has not arrived, as far as this device knows.
    pub receipt: Option<Receipt>,
    /// It took effect, but the replica does not show that yet: it is still replayed on top.
    pub awaiting_pull: bool,
    /// The server would not take it for its size.
    pub oversize: Option<Oversize>,
    /// As what the server has it, where it was sent under an earlier install.
    pub earlier: Option<SentCommand>,
    /// It took no effect, and this is what its author chose to do about it.
    pub chosen: Option<Chosen>,
}

/// Where a command stands that the server would not take for its size. See `oversize.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// A small placeholder travels in its place, under its sequence. This is the command.
    Placeholder(Box<Envelope>),
    /// The server has something else at this sequence than the placeholder, which can only be the
    /// command itself, taken earlier: the command is offered again, for its receipt.
    Offered,
    /// The server has a command at this sequence and takes this one no more: there is no receipt
    /// to be had. It is not sent again.
    Unanswered,
}

/// Where a command stands, in the three groups that people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Only on this device.
    OnDevice,
    /// Arrived and took effect.
    Arrived,
    /// Arrived without (full) effect: a person settles it.
    NeedsAttention,
    /// Arrived without (full) effect, and it is settled what is to become of it.
    Settled,
}

impl StoredCommand {
    /// Whether it has still to be sent, as far as this device knows. What was left to a person
    /// under an earlier install (below zero) has not.
    pub fn is_unsent(&self) -> bool {
        let unanswered = self.oversize == Some(Oversize::Unanswered);
        self.receipt.is_none() && !unanswered && self.envelope.seq > 0
    }

    /// Whether a placeholder travels in its place.
    pub fn is_replaced(&self) -> bool {
        matches!(self.oversize, Some(Oversize::Placeholder(_)))
    }

    /// The command as its author made it, also where a placeholder travels in its place.
    pub fn content(&self) -> &Envelope {
        match &self.oversize {
            Some(Oversize::Placeholder(original)) => original,
            _ => &self.envelope,
        }
    }

    /// Where it stands by its receipt and what its author chose; see [`State::standing`] for one that cannot be
    /// sent.
    pub fn standing(&self) -> Standing {
        // It took effect after all, at a server that was restored and had not judged it yet: that goes before what its
        // author chose when it had not.
        let effect = self
            .receipt
            .as_ref()
            .map(|receipt| receipt.outcome.took_effect());
        if effect == Some(true) && !self.is_replaced() {
            return Standing::Arrived;
        }
        // A server that was restored may have to be sent it anew.
        if self.chosen.is_some() && !self.is_unsent() {
            return Standing::Settled;
        }
        if self.is_replaced() {
            // Chosen already: its placeholder has yet to go.
            return match self.chosen {
                Some(_) => Standing::OnDevice,
                None => Standing::NeedsAttention,
            };
        }
        match &self.receipt {
            None if self.oversize == Some(Oversize::Unanswered) => Standing::NeedsAttention,
            None => Standing::OnDevice,
            Some(receipt) if receipt.outcome.took_effect() => Standing::Arrived,
            Some(_) => Standing::NeedsAttention,
        }
    }

    /// The record version that its receipt gave it, where it took effect.
    pub fn effect_version(&self) -> Option<i64> {
        match self.receipt.as_ref()?.outcome {
            Outcome::Applied { version } | Outcome::Merged { version } => Some(version),
            _ => None,
        }
    }
}

/// How far a scope got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeState {
    /// The server's mark; absent: from the beginning.
    pub cursor: Option<Bytes>,
    /// What the shown rows count and sum up to.
    pub held: Option<Checkpoint>,
    /// Whether the cursor is that of the shown rows (otherwise staged pages lie between).
    pub complete: bool,
    /// The staged pages replace the scope.
    pub staging_reset: bool,
    /// When this scope was last fetched anew for a differing digest.
    pub last_mismatch: Option<Timestamp>,
    /// Which records that came to their end it still holds, as the server last said.
    pub window: Option<ClosedWindow>,
    /// Rows of the whole scope, while it is read for the first time.
    pub first_rows: Option<u64>,
}

/// A row's membership in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The version that this scope delivered; another scope may have brought a newer one.
    pub version: i64,
    /// The record digest of that version.
    pub digest: u64,
}

/// A server row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its version.
    pub version: i64,
    /// Its CBOR.
    pub body: Vec<u8>,
    /// Scopes that hold it. Zero: revoked, hidden until the commands on it are settled.
    pub holders: usize,
}

/// How far a photo got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoStage {
    /// Bytes to send, once the command that names it took effect.
    Waiting,
    /// Bytes to send: the server has asked for them, whatever became of the command.
    Asked,
    /// The server has all bytes and has not yet said that they are right.
    Sent,
    /// The server has said that it holds the photo with this hash; its record does not show it.
    Held,
}

/// A person's decision to deliver a photo from this device no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Why.
    pub reason: String,
    /// The device's wall clock then.
    pub at: Timestamp,
}

/// A photo that the device keeps until the server has verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPhoto {
    /// Which.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
    /// The first command that names it.
    pub seq: i64,
    /// What it belongs to: the subject of that command.
    pub subject_id: SubjectId,
    /// The server's name for its upload.
    pub upload: Option<String>,
    /// How far it got.
    pub stage: PhotoStage,
    /// It is not tried any more; the bytes stay.
    pub given_up: Option<GivenUp>,
}

/// All that a device keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Of the server.
    pub meta: Meta,
    /// The queue, by sequence.
    pub commands: BTreeMap<i64, StoredCommand>,
    /// The scopes.
    pub scopes: BTreeMap<Scope, ScopeState>,
    /// The server rows.
    pub rows: BTreeMap<RowKey, Row>,
    /// Which rows each scope holds.
    pub members: BTreeMap<Scope, BTreeMap<RowKey, Member>>,
    /// Changes not yet shown.
    pub staged: BTreeMap<Scope, BTreeMap<RowKey, Option<Record>>>,
    /// Photos to deliver.
    pub photos: BTreeMap<Digest, StoredPhoto>,
}

/// The kinds of record that commands act upon. No two records of any kind share an id.
pub(super) const SUBJECTS: &[RecordKind] = &[RecordKind::Hazard, RecordKind::Inspection];

impl State {
    /// The highest sequence of the queue; 0 when it is empty.
    pub fn highest_seq(&self) -> i64 {
        self.commands.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Where a command stands by what is kept of it, a command that the server finds too large included; see
    /// [`super::Engine::standing`] for what the server has told of it since.
    pub fn standing(&self, command: &StoredCommand) -> Standing {
        let standing = command.standing();
        // A placeholder that does not get through either leaves nothing to choose that was not chosen.
        let told = command.is_replaced() && command.chosen.is_some();
        let held_up = self.meta.too_large == Some(command.envelope.seq) && !told;
        if standing == Standing::OnDevice && held_up {
            return Standing::NeedsAttention;
        }
        standing
    }

    /// The highest sequence up to which nothing has to be sent.
    pub fn receipted_to(&self) -> i64 {
        let pending = self.commands.values().find(|command| command.is_unsent());
        pending.map_or_else(|| self.highest_seq(), |command| command.envelope.seq - 1)
    }

    /// How far scopes are that are read for the first time: which, rows that have come, rows of the whole.
    pub fn first_reads(&self) -> Vec<(Scope, u64, u64)> {
        let under_way = self.scopes.iter().filter_map(|(scope, state)| {
            let whole = state.first_rows?;
            let staged = self.staged.get(scope).map_or(0, BTreeMap::len);
            Some((*scope, u64::try_from(staged).unwrap_or(whole), whole))
        });
        under_way.collect()
    }

    /// Sums up what each scope holds from the rows themselves, as a store does at start: a row
    /// that changed on the disk by itself then shows as a difference at the next pull.
    pub fn recompute_held(&mut self) {
        let Some(digest_key) = self.meta.digest_key else {
            return;
        };
        for (scope, state) in &mut self.scopes {
            let Some(held) = &mut state.held else {
                continue;
            };
            let members = self.members.get(scope).into_iter().flatten();
            *held = members.fold(Checkpoint::EMPTY, |sum, (key, member)| {
                match self.rows.get(key) {
                    // Another scope brought a newer version: this one's is taken on trust.
                    Some(row) if row.version != member.version => sum.with(member.digest),
                    Some(row) => {
                        sum.with(digest_key.of_record(key.0, &key.1, row.version, &row.body))
                    }
                    None => sum,
                }
            });
        }
    }

    /// The server's row of what a command acts upon, hidden or not.
    pub fn subject_row(&self, id: SubjectId) -> Option<(RowKey, &Row)> {
        SUBJECTS.iter().find_map(|kind| {
            let key = (*kind, id.0);
            self.rows.get(&key).map(|row| (key, row))
        })
    }

    /// Whether a command on this subject has no receipt yet.
    pub fn has_unreceipted(&self, subject_id: SubjectId) -> bool {
        self.commands
            .values()
            .any(|c| c.is_unsent() && c.subject_id == subject_id)
    }
}

//! The pull lane: pages staged, shown at the checkpoint, held against the server's digest.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::PhotoState;
use hazardloop_domain::time::Timestamp;

use crate::digest::DigestKey;
use crate::wire::{Bytes, PullRequest, PullResponse, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate};

use super::contact::Contact;
use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::output::{LaneName, Notice, Output, Request};
use super::retry::Lane;
use super::stride::Stride;
use super::{PhotoStage, ScopeState, StoreOp, StoredPhoto};

#[derive(Debug, Default)]
pub(super) struct PullLane {
    pub lane: Lane,
    pub wanted: bool,
    sent: Option<PullSent>,
    pub stride: Stride,
    /// Whether the answer under work has changed anything.
    progress: bool,
}

#[derive(Clone, Debug)]
pub(super) struct PullSent {
    cursors: BTreeMap<Scope, Option<Bytes>>,
    receipted_to: i64,
    id: u64,
}

/// A part of an answer: each part is one write, so that a page and its cursor are stored as one.
pub(super) enum PullJob {
    Head {
        now: Timestamp,
        head: Box<PullResponse>,
        sent: PullSent,
    },
    Answer {
        now: Timestamp,
        answer: Box<ScopeAnswer>,
        sent_cursor: Option<Bytes>,
    },
    Tail(PullTail),
}

pub(super) struct PullTail {
    now: Timestamp,
    server_time: Timestamp,
    more: bool,
    missing: Vec<Digest>,
    id: u64,
    answered: BTreeSet<Scope>,
}

/// What counts towards the most that was asked for.
fn records_in(response: &PullResponse) -> u32 {
    let of_page = |answer: &ScopeAnswer| match &answer.update {
        ScopeUpdate::Page(page) => page.records.len() + page.removals.len(),
        ScopeUpdate::Drop { .. } => 0,
    };
    u32::try_from(response.answers.iter().map(of_page).sum::<usize>()).unwrap_or(u32::MAX)
}

impl PullLane {
    pub(super) fn finish(&mut self) {
        self.lane.busy = None;
        self.lane.backoff.succeed();
    }
}

impl Engine {
    pub(super) fn pull_is_ready(&self, now: Timestamp) -> bool {
        self.pull.wanted && self.pull.lane.may_start(now, &self.config)
    }

    pub(super) fn start_pull(&mut self, now: Timestamp) -> Option<Output> {
        if !self.pull_is_ready(now) {
            return None;
        }
        self.end_pull_rest();
        let scopes: Vec<ScopeCursor> = self
            .state
            .scopes
            .iter()
            .take(self.config.wire.scopes)
            .map(|(scope, state)| self.scope_cursor(now, *scope, state))
            .collect();
        let id = self.next_number();
        let cursors = scopes
            .iter()
            .map(|held| (held.scope, held.cursor.clone()))
            .collect();
        let receipted_to = self.state.receipted_to();
        self.pull.sent = Some(PullSent {
            cursors,
            receipted_to,
            id,
        });
        self.pull.lane.busy = Some(id);
        self.pull.stride.sent(now);
        self.pull.wanted = false;
        let meta = &self.state.meta;
        let request = PullRequest {
            protocol: self.speaking,
            install_id: self.identity.install_id,
            // Without its digest key an epoch is as good as unknown.
            epoch: meta.epoch.clone().filter(|_| meta.digest_key.is_some()),
            scopes,
            max_records: Some(self.pull.stride.next(&self.config.pull_records)),
        };
        Some(Output::Send {
            id,
            request: Request::Pull(request),
        })
    }

    fn scope_cursor(&self, now: Timestamp, scope: Scope, state: &ScopeState) -> ScopeCursor {
        let staged = self
            .state
            .staged
            .get(&scope)
            .is_some_and(|staged| !staged.is_empty());
        let differs = !state.complete && !staged && !state.staging_reset;
        let again = differs && state.last_mismatch.is_some() && !self.differed_recently(now, state);
        ScopeCursor {
            scope,
            cursor: state.cursor.clone().filter(|_| !again),
            checkpoint: state
                .held
                .filter(|_| state.complete && state.cursor.is_some()),
        }
    }

    pub(super) fn take_pull(&mut self, now: Timestamp, mut response: PullResponse) {
        let Some(sent) = self.pull.sent.take() else {
            return;
        };
        let records = records_in(&response);
        let limits = &self.config.pull_records;
        self.pull.stride.arrived(now, records, limits);
        self.keep_strides();
        let answers = std::mem::take(&mut response.answers);
        let missing = std::mem::take(&mut response.missing_photos);
        let (server_time, more, id) = (response.server_time, response.more, sent.id);
        let cursors = sent.cursors.clone();
        let answered = answers.iter().map(|answer| answer.scope).collect();
        let head = Box::new(response);
        self.pull.progress = false;
        self.inbox
            .push_back(Job::Pull(PullJob::Head { now, head, sent }));
        for answer in answers {
            let sent_cursor = cursors.get(&answer.scope).cloned().flatten();
            self.inbox.push_back(Job::Pull(PullJob::Answer {
                now,
                answer: Box::new(answer),
                sent_cursor,
            }));
        }
        let tail = PullJob::Tail(PullTail {
            now,
            server_time,
            more,
            missing,
            id,
            answered,
        });
        self.inbox.push_back(Job::Pull(tail));
    }

    pub(super) fn pull_job(&mut self, job: PullJob) -> Writing {
        let mut writing = Writing {
            lane: Some(LaneName::Pull),
            ..Writing::default()
        };
        match job {
            PullJob::Head { now, head, sent } => {
                let (offered, gone) =
                    self.offer_again((head.last, &head.epoch), sent.receipted_to, &mut writing);
                let key = head.digest_key.as_ref();
                let contact = Contact {
                    now,
                    server_time: head.server_time,
                    anchor: head.anchor.as_ref(),
                    epoch: &head.epoch,
                    last: head.last,
                    reused: false,
                    settled: &[],
                    offered,
                    gone,
                    digest_key: key.and_then(|bytes| DigestKey::from_slice(&bytes.0)),
                };
                self.note_contact(&contact, &mut writing);
            }
            PullJob::Answer {
                now,
                answer,
                sent_cursor,
            } => {
                let mut stands = false;
                match answer.update {
                    ScopeUpdate::Drop { reason } => {
                        self.drop_scope(answer.scope, &mut writing);
                        let scope = answer.scope;
                        writing.notices.push(Notice::ScopeDropped { scope, reason });
                    }
                    ScopeUpdate::Page(page) => {
                        let empty = page.records.is_empty() && page.removals.is_empty();
                        // An empty page that shows nothing is a change in flight at the server.
                        stands = empty && page.checkpoint.is_none();
                        self.take_page(now, answer.scope, page, sent_cursor, &mut writing);
                    }
                }
                self.pull.progress |= !writing.ops.is_empty() && !stands;
            }
            PullJob::Tail(tail) => self.finish_pull(&tail, &mut writing),
        }
        writing
    }

    fn finish_pull(&mut self, tail: &PullTail, writing: &mut Writing) {
        self.drop_overlays(tail.server_time, tail.more, writing);
        self.delete_verified_photos(writing);
        self.delete_photos_out_of_sight(tail, writing);
        self.lacks_photos(&tail.missing, tail.id, &mut writing.ops);
        let stuck = self.begin_stuck_scopes_anew(tail, writing);
        let unfetched = stuck
            || self
                .state
                .scopes
                .values()
                .any(|scope| scope.cursor.is_none());
        self.pull.wanted |= tail.more || unfetched;
        writing.stalled = (tail.more || unfetched) && !self.pull.progress;
        writing.now = tail.now;
        writing.finishes = Some(LaneName::Pull);
    }

    /// A scope whose staged pages got no checkpoint, and of which the server says nothing more,
    /// would stay unshown: it is fetched anew.
    fn begin_stuck_scopes_anew(&self, tail: &PullTail, writing: &mut Writing) -> bool {
        let mut any = false;
        for (scope, state) in &self.state.scopes {
            let waits = state.complete || state.cursor.is_none() || tail.answered.contains(scope);
            if tail.more || waits || self.differed_recently(tail.now, state) {
                continue;
            }
            let begun = ScopeState {
                cursor: None,
                staging_reset: false,
                ..state.clone()
            };
            writing.ops.push(StoreOp::ClearStaged(*scope));
            writing.ops.push(StoreOp::PutScope(*scope, begun));
            any = true;
        }
        any
    }

    pub(super) fn differed_recently(&self, now: Timestamp, state: &ScopeState) -> bool {
        state.last_mismatch.is_some_and(|at| {
            now.as_millis().abs_diff(at.as_millis())
                < self.config.scope_reset_interval_ms.unsigned_abs()
        })
    }

    /// Accepted commands stop being replayed once the rows show them, or once a whole answer
    /// that is clearly younger than the receipt does not.
    fn drop_overlays(&self, server_time: Timestamp, more: bool, writing: &mut Writing) {
        for command in self
            .state
            .commands
            .values()
            .filter(|command| command.awaiting_pull)
        {
            let (Some(receipt), Some(version)) = (&command.receipt, command.effect_version())
            else {
                continue;
            };
            let row = self.state.subject_row(command.subject_id);
            let shown = row.is_some_and(|(_, row)| row.holders > 0 && row.version >= version);
            let grace = receipt
                .received_at
                .plus_millis(self.config.overlay_grace_ms);
            if shown || (!more && server_time > grace) {
                writing.ops.push(StoreOp::SettleCommand {
                    // Not the receipt's: under an earlier install it had another number.
                    seq: command.envelope.seq,
                    receipt: Some(receipt.clone()),
                    awaiting_pull: false,
                });
            }
        }
    }

    /// A photo whose hazard left this device's scopes, or that only a command without effect names, is never seen verified: once the server has
    /// acknowledged all bytes it is asked whether it holds the photo with this hash, and only
    /// when it says so the copy here goes. Judged only when every scope is complete, and nothing
    /// on the hazard is under way: otherwise its row may be on its way.
    fn delete_photos_out_of_sight(&self, tail: &PullTail, writing: &mut Writing) {
        let complete = self.state.scopes.values().all(|scope| scope.complete);
        if tail.more || !complete {
            return;
        }
        for photo in self.state.photos.values() {
            let id = photo.subject_id;
            let mut on_it = self.state.commands.values().filter(|c| c.subject_id == id);
            let under_way = on_it.any(|c| c.is_unsent() || c.awaiting_pull);
            let in_sight = self.named_in_row(photo).is_some();
            let asked = tail.missing.contains(&photo.sha256);
            if in_sight || under_way || asked {
                continue;
            }
            match photo.stage {
                PhotoStage::Held => {
                    let sha256 = photo.sha256;
                    writing.ops.push(StoreOp::DeletePhoto(sha256));
                    writing.notices.push(Notice::PhotoVerified { sha256 });
                }
                // Creating an upload of a photo that the server holds is answered so.
                PhotoStage::Sent => writing.ops.push(StoreOp::PutPhoto(StoredPhoto {
                    upload: None,
                    stage: PhotoStage::Asked,
                    ..photo.clone()
                })),
                PhotoStage::Waiting | PhotoStage::Asked => {}
            }
        }
    }

    /// The device's copy of a photo goes when the record says that the server verified it.
    fn delete_verified_photos(&self, writing: &mut Writing) {
        for photo in self.state.photos.values() {
            let named = self.named_in_row(photo);
            if named == Some(PhotoState::Verified) {
                let sha256 = photo.sha256;
                writing.ops.push(StoreOp::DeletePhoto(sha256));
                writing.notices.push(Notice::PhotoVerified { sha256 });
            }
        }
    }
}

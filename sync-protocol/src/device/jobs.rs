//! Jobs and writes: what leads to a write waits its turn, what was written becomes the state.

use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;

use crate::wire::PushResponse;

use super::choices::About;
use super::commands::Sealing;
use super::engine::Engine;
use super::output::{Failure, LaneName, Notice, WriteId};
use super::photo_decisions::PhotoDecision;
use super::pull::PullJob;
use super::push::PushSent;
use super::{Meta, StoreOp, StoredCommand, StoredPhoto, Ticket};

/// Input that waits for its turn, because it leads to a write.
#[allow(clippy::large_enum_variant, reason = "few wait at once")]
pub(super) enum Job {
    Seal {
        ticket: Ticket,
        now: Timestamp,
        sealing: Sealing,
    },
    Note {
        ticket: Ticket,
        about: About,
    },
    Push {
        now: Timestamp,
        response: PushResponse,
        sent: PushSent,
    },
    Pull(PullJob),
    TooLarge {
        seq: i64,
    },
    SetAside {
        seq: i64,
        now: Timestamp,
    },
    /// A person will not have it sent as it is; the choice of this ticket comes next.
    LeaveOut {
        ticket: Ticket,
        command: Box<StoredCommand>,
        now: Timestamp,
    },
    /// A person has what does not get through tried again.
    TryAgain {
        ticket: Ticket,
        seq: i64,
    },
    Photo {
        photo: StoredPhoto,
    },
    Decide(PhotoDecision),
    Compact,
    /// What was learnt of the link.
    Strides,
    Rekey {
        install_id: InstallId,
        key: SigningKey,
    },
}

impl Job {
    /// Whose choice or command it is.
    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Seal { ticket, .. } | Self::Note { ticket, .. } => Some(*ticket),
            Self::LeaveOut { ticket, .. } | Self::TryAgain { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }
}

/// The write that is outstanding, and what follows it.
#[derive(Default)]
pub(super) struct Writing {
    pub id: WriteId,
    pub emitted: bool,
    pub ops: Vec<StoreOp>,
    pub notices: Vec<Notice>,
    pub ticket: Option<Ticket>,
    /// The lane whose answer this stores, if it is the last part of the answer.
    pub finishes: Option<LaneName>,
    /// On failure this lane tries again.
    pub lane: Option<LaneName>,
    /// Now, as the job knew it.
    pub now: Timestamp,
    /// The answer brought nothing forward: wait before asking again.
    pub stalled: bool,
    pub rekey: Option<(InstallId, SigningKey)>,
    /// Of a push's answer: see [`super::push::PushLane`].
    pub asked_to: Option<i64>,
}

impl Writing {
    pub(super) fn of(ops: Vec<StoreOp>) -> Self {
        Self {
            ops,
            ..Self::default()
        }
    }
}

impl Engine {
    /// Runs a job. A job without operations ends at once; the others wait for the store.
    pub(super) fn begin(&mut self, job: Job) {
        let mut writing = match job {
            Job::Seal {
                ticket,
                now,
                sealing,
            } => self.seal_job(ticket, now, sealing),
            Job::Note { ticket, about } => self.note_job(ticket, &about),
            Job::Push {
                now,
                response,
                sent,
            } => self.push_job(now, &response, &sent),
            Job::Pull(job) => self.pull_job(job),
            Job::TooLarge { seq } => self.too_large_job(seq),
            Job::SetAside { seq, now } => self.set_aside_job(now, seq),
            Job::LeaveOut {
                ticket,
                command,
                now,
            } => self.leave_out_job(ticket, now, &command),
            Job::TryAgain { ticket, seq } => self.try_again_job(ticket, seq),
            Job::Photo { photo } => {
                // Verified meanwhile: its entry must not come back. Given up meanwhile: it stays so.
                let known = self.state.photos.get(&photo.sha256);
                let ops = known.map(|known| {
                    StoreOp::PutPhoto(StoredPhoto {
                        given_up: known.given_up.clone(),
                        // Its command may have been sealed anew meanwhile.
                        seq: known.seq,
                        ..photo
                    })
                });
                let mut writing = Writing::of(ops.into_iter().collect());
                writing.lane = Some(LaneName::Photo);
                writing.finishes = Some(LaneName::Photo);
                writing
            }
            Job::Decide(decision) => self.decide_job(&decision),
            Job::Compact => self.compact_job(),
            Job::Strides => self.strides_job(),
            Job::Rekey { install_id, key } => self.rekey_job(install_id, key),
        };
        if writing.ops.is_empty() {
            self.conclude(writing);
            return;
        }
        writing.id = self.next_number();
        self.writing = Some(writing);
    }

    /// Has what was learnt of the link stored, where that is not what is stored already.
    pub(super) fn keep_strides(&mut self) {
        let meta = self.with_strides();
        if meta != self.state.meta && !self.inbox.iter().any(|job| matches!(job, Job::Strides)) {
            self.inbox.push_back(Job::Strides);
        }
    }

    fn with_strides(&self) -> Meta {
        Meta {
            photo_chunk: self.photos.stride.kept(&self.config.photo_chunk),
            pull_records: self.pull.stride.kept(&self.config.pull_records),
            push_bytes: self.push.stride.kept(&self.config.push_bytes),
            ..self.state.meta.clone()
        }
    }

    fn strides_job(&self) -> Writing {
        let meta = self.with_strides();
        let changed = (meta != self.state.meta).then_some(StoreOp::PutMeta(meta));
        Writing::of(changed.into_iter().collect())
    }

    fn conclude(&mut self, writing: Writing) {
        self.notices.extend(writing.notices);
        if let Some((install_id, key)) = writing.rekey {
            self.identity.install_id = install_id;
            self.key = key;
            self.forget_old_stream();
        }
        // After every exchange the store is tidied: what the answer settled may go in its time.
        self.compact |= matches!(
            writing.finishes,
            Some(LaneName::Push | LaneName::Pull) if !writing.stalled
        );
        match writing.finishes {
            Some(name) if writing.stalled => self.fail_lane(name, writing.now, Failure::NothingNew),
            Some(LaneName::Push) => {
                self.push.asked_to = writing.asked_to;
                self.push.finish(&self.config);
            }
            Some(LaneName::Pull) => self.pull.finish(),
            Some(LaneName::Photo) => self.photos.lane.busy = None,
            None => {}
        }
    }

    /// What was asked under the old install, and what came of it meanwhile, speaks of commands that are
    /// numbered anew by now: taken for theirs, it would settle what nobody has.
    fn forget_old_stream(&mut self) {
        self.push.sent = None;
        self.push.asked_to = None;
        self.push.lane.busy = None;
        // A pull that was under way is asked for again.
        self.pull.wanted |= self.pull.lane.busy.take().is_some();
        self.inbox.retain(|job| {
            !matches!(
                job,
                Job::Push { .. }
                    | Job::Pull(_)
                    | Job::TooLarge { .. }
                    | Job::SetAside { .. }
                    | Job::TryAgain { .. }
            )
        });
    }

    /// The write is durable.
    pub fn handle_stored(&mut self, id: WriteId) {
        if let Some(writing) = self.writing.take_if(|writing| writing.id == id) {
            self.state.apply(&writing.ops);
            self.conclude(writing);
        }
    }

    /// The write did not happen (full disk, closed store): nothing of it is true.
    pub fn handle_store_failed(&mut self, id: WriteId, now: Timestamp) {
        let Some(writing) = self.writing.take_if(|writing| writing.id == id) else {
            return;
        };
        self.compact = false;
        if let Some(ticket) = writing.ticket {
            self.notices.push_back(Notice::NotKept { ticket });
            // A choice of two parts is made whole or not at all.
            self.inbox.retain(|job| job.ticket() != Some(ticket));
        }
        if let Some(lane) = writing.lane {
            // What follows of the same answer builds on what was not stored.
            self.inbox
                .retain(|job| !matches!((job, lane), (Job::Pull(_), LaneName::Pull)));
            self.fail_lane(lane, now, Failure::ServerError);
        }
    }
}

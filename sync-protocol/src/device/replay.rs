//! Replays commands that the server's row does not reflect yet, by the rules themselves.

use hazardloop_domain::access::{Actor, PersonRecord};
use hazardloop_domain::command::{Action, ClockReading, CoSigner, Command, Origin, SubjectKind};
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent, decide};
use hazardloop_domain::ids::{HazardId, JurisdictionId};
use hazardloop_domain::inspection::Knew;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use crate::wire::{CommandPayload, Opened, RecordKind};

use super::view::{Reader, is_about_place, taken_on_trust};
use super::{Identity, StoredCommand};

/// When a command was made, and what its author could know then of what it is about.
#[derive(Clone, Copy)]
pub(super) struct Making {
    pub at: Timestamp,
    pub knew: Knew,
}

/// A kind of record that commands act upon.
pub(super) trait Replayed: Sized + for<'b> minicbor::Decode<'b, ()> {
    /// What the rules make of a command.
    type Event;
    /// As which kind of record the server sends it.
    const KIND: RecordKind;
    /// What its commands act upon.
    const SUBJECT: SubjectKind;

    /// Its version.
    fn version(&self) -> i64;

    /// What the rules say of a command, and whether this device knows for certain where the
    /// subject stands.
    fn judge(
        reader: &Reader<'_>,
        current: Option<&Self>,
        command: &Command,
        person: &PersonRecord,
        making: Making,
        seconds: Vec<Actor>,
    ) -> (Result<Vec<Self::Event>, Refusal>, bool);

    /// What begins the record all the same, where this device no longer knows the place.
    fn blindly(command: Command) -> Option<Self::Event>;

    /// The record after an event; absent: the event begins none.
    fn after(current: Option<Self>, event: Self::Event, by: &Author<'_>) -> Option<Self>;
}

/// Who makes a queued command happen on this device, and when.
pub(super) struct Author<'a> {
    pub identity: &'a Identity,
    pub signed: &'a Signed<'a>,
}

impl Author<'_> {
    /// By which door: none yet, but this one is meant.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            install_id: Some(self.identity.install_id),
            seq: Some(self.signed.stored.envelope.seq),
            made: Some(self.signed.made.clone()),
            co_signers: self.signed.co_signers.clone(),
        }
    }
}

/// A record with the commands that it does not reflect.
pub(super) struct Replay<'a, T> {
    pub reader: &'a Reader<'a>,
    pub record: Option<T>,
    pub pending: Vec<i64>,
    pub arrived: Vec<i64>,
    pub doubtful: Vec<(i64, Refusal)>,
}

/// A stored command, and what its payload says beside the act.
pub(super) struct Signed<'a> {
    pub stored: &'a StoredCommand,
    pub made: ClockReading,
    pub co_signers: Vec<CoSigner>,
}

impl<T: Replayed> Replay<'_, T> {
    pub(super) fn command(&mut self, stored: &StoredCommand) {
        let envelope = &stored.envelope;
        let depth = self.reader.config.wire.depth;
        let opened =
            CommandPayload::open(&envelope.kind, envelope.version, &envelope.payload.0, depth);
        // A command that a newer build queued: it is sent, but this build cannot show it.
        let Ok(Opened {
            made,
            command,
            statement,
            co_signatures,
            ..
        }) = opened
        else {
            return;
        };
        if command.action.kind().subject() != T::SUBJECT {
            return;
        }
        let co_signers = co_signatures.iter().map(|by| statement.record_of(by));
        let signed = Signed {
            stored,
            made,
            co_signers: co_signers.collect(),
        };
        let Some(person) = self.reader.person() else {
            return self.begin_blindly(&signed, command);
        };
        let seconds = taken_on_trust(&co_signatures);
        let current = self.record.as_ref();
        // What has come since it was queued is no reason to judge it otherwise than the server will.
        let making = Making {
            at: signed.made.made_at(),
            knew: Knew::AsOf(signed.made.server_anchor),
        };
        match T::judge(self.reader, current, &command, &person, making, seconds).0 {
            Ok(events) => {
                for event in events {
                    self.event(&signed, event);
                }
                self.shows(stored);
            }
            Err(refusal) => {
                if stored.receipt.is_none() && !is_about_place(&refusal) {
                    self.doubtful.push((envelope.seq, refusal));
                }
                self.begin_blindly(&signed, command);
            }
        }
    }

    fn shows(&mut self, stored: &StoredCommand) {
        match stored.receipt {
            None => self.pending.push(stored.envelope.seq),
            Some(_) => self.arrived.push(stored.envelope.seq),
        }
    }

    /// A person's own queued record stays in sight even where this device no longer knows the
    /// place it belongs to.
    fn begin_blindly(&mut self, signed: &Signed<'_>, command: Command) {
        if self.record.is_none()
            && let Some(event) = T::blindly(command)
        {
            self.event(signed, event);
            self.shows(signed.stored);
        }
    }

    fn event(&mut self, signed: &Signed<'_>, event: T::Event) {
        let author = Author {
            identity: self.reader.identity,
            signed,
        };
        self.record = T::after(self.record.take(), event, &author);
    }
}

impl Replayed for Hazard {
    type Event = HazardEvent;
    const KIND: RecordKind = RecordKind::Hazard;
    const SUBJECT: SubjectKind = SubjectKind::Hazard;

    fn version(&self) -> i64 {
        self.version
    }

    fn judge(
        reader: &Reader<'_>,
        current: Option<&Self>,
        command: &Command,
        person: &PersonRecord,
        making: Making,
        seconds: Vec<Actor>,
    ) -> (Result<Vec<HazardEvent>, Refusal>, bool) {
        let (actor, mut facts, certain) = reader.circumstances(current, command, person, making.at);
        facts.seconds = seconds;
        let decided = decide(current, command, &actor, &facts);
        (decided.map(|decision| decision.events), certain)
    }

    fn blindly(command: Command) -> Option<HazardEvent> {
        let Action::Report(report) = command.action else {
            return None;
        };
        Some(HazardEvent::Reported {
            claim_unfounded: false,
            report,
            jurisdiction_id: JurisdictionId(Uuid::nil()),
            sector: None,
        })
    }

    fn after(current: Option<Self>, event: HazardEvent, by: &Author<'_>) -> Option<Self> {
        let version = current.as_ref().map_or(0, |hazard| hazard.version);
        let record = EventRecord {
            hazard_id: HazardId(by.signed.stored.subject_id.0),
            seq: version.saturating_add(1),
            actor_id: Some(by.identity.person_id),
            recorded_at: by.signed.stored.queued_at,
            origin: by.origin(),
            event,
        };
        match current {
            Some(mut hazard) => {
                hazard.apply(&record);
                Some(hazard)
            }
            None => Self::begin(&record),
        }
    }
}

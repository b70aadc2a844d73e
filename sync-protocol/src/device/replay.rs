//! Replays commands that the server's row does not reflect yet, by the rules themselves.

use hazardloop_domain::command::{Action, ClockReading, CoSigner, Command, Origin};
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent, decide};
use hazardloop_domain::ids::{HazardId, JurisdictionId};
use hazardloop_domain::refusal::Refusal;
use uuid::Uuid;

use crate::wire::{CommandPayload, Opened};

use super::StoredCommand;
use super::view::{Reader, is_about_place, taken_on_trust};

pub(super) struct Replay<'a> {
    pub reader: &'a Reader<'a>,
    pub hazard: Option<Hazard>,
    pub pending: Vec<i64>,
    pub arrived: Vec<i64>,
    pub doubtful: Vec<(i64, Refusal)>,
}

/// A stored command, and what its payload says beside the act.
struct Signed<'a> {
    stored: &'a StoredCommand,
    made: ClockReading,
    co_signers: Vec<CoSigner>,
}

impl Replay<'_> {
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
        }) = opened
        else {
            return;
        };
        let co_signers = co_signatures.iter().map(|by| statement.record_of(by));
        let signed = Signed {
            stored,
            made,
            co_signers: co_signers.collect(),
        };
        let Some(person) = self.reader.person() else {
            return self.report_blindly(&signed, command);
        };
        let (actor, mut facts, _) =
            self.reader
                .circumstances(self.hazard.as_ref(), &command, &person, signed.made.wall);
        facts.seconds = taken_on_trust(&co_signatures);
        match decide(self.hazard.as_ref(), &command, &actor, &facts) {
            Ok(decision) => {
                for event in decision.events {
                    self.event(&signed, event);
                }
                self.shows(stored);
            }
            Err(refusal) => {
                if stored.receipt.is_none() && !is_about_place(&refusal) {
                    self.doubtful.push((envelope.seq, refusal));
                }
                self.report_blindly(&signed, command);
            }
        }
    }

    fn shows(&mut self, stored: &StoredCommand) {
        match stored.receipt {
            None => self.pending.push(stored.envelope.seq),
            Some(_) => self.arrived.push(stored.envelope.seq),
        }
    }

    /// A person's own queued report stays in sight even where this device no longer knows the
    /// place it belongs to.
    fn report_blindly(&mut self, signed: &Signed<'_>, command: Command) {
        if let (None, Action::Report(report)) = (&self.hazard, command.action) {
            let jurisdiction_id = JurisdictionId(Uuid::nil());
            self.event(
                signed,
                HazardEvent::Reported {
                    report,
                    jurisdiction_id,
                    sector: None,
                },
            );
            self.shows(signed.stored);
        }
    }

    fn event(&mut self, signed: &Signed<'_>, event: HazardEvent) {
        let (identity, stored) = (self.reader.identity, signed.stored);
        let record = EventRecord {
            hazard_id: HazardId(stored.subject_id.0),
            seq: self
                .hazard
                .as_ref()
                .map_or(1, |hazard| hazard.version.saturating_add(1)),
            actor_id: Some(identity.person_id),
            recorded_at: stored.queued_at,
            origin: Origin {
                install_id: Some(identity.install_id),
                seq: Some(stored.envelope.seq),
                made: Some(signed.made.clone()),
                co_signers: signed.co_signers.clone(),
            },
            event,
        };
        match &mut self.hazard {
            Some(hazard) => hazard.apply(&record),
            None => self.hazard = Hazard::begin(&record),
        }
    }
}

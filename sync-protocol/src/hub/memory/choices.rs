//! What became of commands that took no effect, as the hub in memory keeps and tells it.

use std::convert::Infallible;

use hazardloop_domain::command_fate::{Choice, Chosen, CommandFate, SentCommand};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::tables::{Tables, record_of};
use crate::hub::choices::{Became, Known, what_became};
use crate::wire::{RecordKind, Scope};

impl Tables {
    /// What became of a command of this author, by whichever of their installs, or of what was sent in its place.
    pub fn what_became(&self, author: PersonId, about: SentCommand) -> Option<Became> {
        let known = |about| Ok::<_, Infallible>(self.known(author, about));
        match what_became(about, known) {
            Ok(became) => became,
        }
    }

    /// A command of this author by itself, by whichever of their installs.
    pub fn known(&self, author: PersonId, about: SentCommand) -> Option<Known> {
        let install = self.installs.get(&about.install_id)?;
        let own = Some(install).filter(|install| install.person_id == author)?;
        let stored = own.receipts.get(&about.seq)?;
        let fate = self.fates.get(&about);
        Some(Known {
            outcome: stored.receipt.outcome.clone(),
            subject: own.subjects.get(&about.seq).copied(),
            chosen: fate.and_then(|fate| fate.chosen.clone()),
        })
    }

    /// Notes what an author chose, and tells their devices.
    pub(super) fn note(
        &mut self,
        author: PersonId,
        choice: &Choice,
        by: SentCommand,
        now: Timestamp,
    ) {
        let about = choice.about;
        let Some(install) = self.installs.get(&about.install_id) else {
            return;
        };
        let Some(stored) = install.receipts.get(&about.seq) else {
            return;
        };
        let (kind, subject_id) = install
            .without_effect
            .get(&about.seq)
            .cloned()
            .unwrap_or_default();
        let before = self.fates.get(&about).map_or(0, |fate| fate.version);
        let fate = CommandFate {
            command: about,
            version: before.saturating_add(1),
            kind,
            subject_id,
            received_at: stored.receipt.received_at,
            chosen: Some(Chosen {
                how: choice.how,
                reason: choice.reason.clone(),
                by: Some(by),
                at: now,
            }),
            settled: None,
        };
        let id = about.fate_id();
        if let Some(record) = record_of(RecordKind::CommandFate, id, fate.version, &fate) {
            self.put(Scope::Person(author), record);
        }
        self.fates.insert(about, fate);
    }
}

//! The ways in which the simulated hub is broken in what people choose to do about commands of theirs.

use std::collections::BTreeMap;

use hazardloop_domain::command_fate::{ChoiceKind, Chosen, CommandFate, SentCommand};
use hazardloop_domain::ids::PersonId;
use hazardloop_sync_protocol::hub::Decision;
use hazardloop_sync_protocol::hub::memory::{Rules as _, Sender, record_of};
use hazardloop_sync_protocol::wire::{
    Opened, PLACEHOLDER_KIND, PushRequest, PushResponse, PushResult, RecordKind, Scope,
};

use crate::hub::{Hub, open};
use crate::variant::Variant;

/// [`Variant::CarriesOutWhatWasGivenUp`]: commands that took no effect, with whose they are.
pub type Refused = BTreeMap<SentCommand, (Sender, Opened)>;

impl Hub {
    /// Breaks what a push has left of choices.
    pub(crate) fn break_choices(
        &mut self,
        by: PersonId,
        request: &PushRequest,
        answer: &PushResponse,
        before: &BTreeMap<SentCommand, CommandFate>,
    ) {
        match self.variant() {
            Variant::ForgetsChoices => {
                for about in self.chosen_since(before) {
                    self.tell_nobody(by, about);
                    self.memory.tables.fates.remove(&about);
                }
            }
            Variant::TellsNobodyOfChoices => {
                for about in self.chosen_since(before) {
                    self.tell_nobody(by, about);
                }
            }
            Variant::ForgetsChoicesAboutPlaceholders => {
                for about in self.chosen_since(before) {
                    let fate = self.memory.tables.fates.get(&about);
                    if fate.is_some_and(|fate| fate.kind == PLACEHOLDER_KIND) {
                        self.tell_nobody(by, about);
                        self.memory.tables.fates.remove(&about);
                    }
                }
            }
            Variant::SettlesByItself => self.settle_by_itself(by, request, answer),
            Variant::CarriesOutWhatWasGivenUp => self.carry_out(by, request, answer),
            _ => {}
        }
    }

    fn chosen_since(&self, before: &BTreeMap<SentCommand, CommandFate>) -> Vec<SentCommand> {
        let now = self.memory.tables.fates.iter();
        let new = now.filter(|(about, fate)| before.get(about) != Some(fate));
        new.map(|(about, _)| *about).collect()
    }

    fn tell_nobody(&mut self, by: PersonId, about: SentCommand) {
        let (scope, kind) = (Scope::Person(by), RecordKind::CommandFate);
        self.memory.tables.remove(scope, kind, about.fate_id());
    }

    fn settle_by_itself(&mut self, by: PersonId, request: &PushRequest, answer: &PushResponse) {
        for (about, kind, received_at) in refused(request, answer) {
            let tables = &mut self.memory.tables;
            if tables.fates.contains_key(&about) {
                continue;
            }
            let fate = CommandFate {
                command: about,
                version: 1,
                kind,
                subject_id: None,
                received_at,
                chosen: Some(Chosen {
                    how: ChoiceKind::GivenUp,
                    reason: None,
                    by: None,
                    at: self.now,
                }),
                settled: None,
            };
            let (kind, id) = (RecordKind::CommandFate, about.fate_id());
            if let Some(record) = record_of(kind, id, 1, &fate) {
                tables.put(Scope::Person(by), record);
            }
            tables.fates.insert(about, fate);
        }
    }

    fn carry_out(&mut self, by: PersonId, request: &PushRequest, answer: &PushResponse) {
        for (about, ..) in refused(request, answer) {
            let mut commands = request.commands.iter();
            let envelope = commands.find(|envelope| envelope.seq == about.seq);
            if let Some(opened) = envelope.and_then(open) {
                let sender = self.sender(by, about.install_id, about.seq);
                self.refused.insert(about, (sender, opened));
            }
        }
        let fates = self.memory.tables.fates.iter();
        let given_up = fates.filter(|(_, fate)| {
            let chosen = fate.chosen.as_ref();
            chosen.is_some_and(|chosen| chosen.how == ChoiceKind::GivenUp)
        });
        let given_up: Vec<SentCommand> = given_up.map(|(about, _)| *about).collect();
        for about in given_up {
            let Some((sender, opened)) = self.refused.get(&about) else {
                continue;
            };
            let sender = Sender {
                now: self.now,
                ..*sender
            };
            let rules = &mut self.memory.rules;
            let decision = rules.decide(&mut self.memory.tables, &sender, opened);
            if matches!(decision, Decision::TookEffect { .. }) {
                self.refused.remove(&about);
            }
        }
    }
}

/// The commands of a push that took no effect: which, their kinds, and when they were received.
fn refused(
    request: &PushRequest,
    answer: &PushResponse,
) -> Vec<(SentCommand, String, hazardloop_domain::time::Timestamp)> {
    let results = request.commands.iter().zip(&answer.results);
    let refused = results.filter_map(|(envelope, result)| match result {
        PushResult::Receipt(receipt) if !receipt.outcome.took_effect() => {
            let about = SentCommand {
                install_id: request.install_id,
                seq: envelope.seq,
            };
            Some((about, envelope.kind.clone(), receipt.received_at))
        }
        _ => None,
    });
    refused.collect()
}

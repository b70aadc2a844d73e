//! The real rules of the domain as the simulated hub asks them: watched, and broken where a variant says so.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::command::Action;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hazard::Outcome as Effect;
use hazardloop_domain::ids::{HazardId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::memory::{DomainRules, Rules, Sender, Tables, record_of};
use hazardloop_sync_protocol::hub::{Became, Decision};
use hazardloop_sync_protocol::wire::{Bytes, Opened, RecordKind, Scope};

use crate::builds::with_unknown_field;
use crate::cast;
use crate::oracle::Found;
use crate::variant::Variant;

/// See the top of this file.
#[derive(Clone, Debug)]
pub struct WatchedRules {
    /// What is broken in the hub.
    pub variant: Variant,
    /// What took effect, in order: whose, and its marker.
    pub effects: Vec<(PersonId, String)>,
    /// What was found wrong.
    pub found: Vec<Found>,
    /// By install, the highest sequence that took effect.
    pub last_effect: BTreeMap<InstallId, i64>,
    /// Decisions that were taken before their turn.
    pub early: BTreeMap<(InstallId, i64), Decision>,
    /// [`Variant::CarriesOutOffers`]: what this install offers is taken as if it were not revoked.
    pub carries_out: Option<InstallId>,
    /// Its build is a newer one: its records say more than devices know.
    pub newer: bool,
}

impl Rules for WatchedRules {
    fn decide(&mut self, tables: &mut Tables, sender: &Sender, opened: &Opened) -> Decision {
        let key = (sender.install_id, sender.seq);
        if let Some(decision) = self.early.remove(&key) {
            return decision;
        }
        let believed = match self.variant {
            Variant::BelievesClocks => opened.made.wall,
            _ => sender.now,
        };
        let decision = DomainRules::decide_at(tables, sender, opened, believed);
        if let Decision::TookEffect { effect, .. } = &decision {
            let install = tables.installs.get(&sender.install_id);
            let revoked = install.is_some_and(|install| install.revoked);
            if revoked || self.carries_out == Some(sender.install_id) {
                let what = format!("{sender:?} was revoked, and it took effect");
                self.found.push(Found::new(23, what));
            }
            self.watch(sender, opened, effect);
            if self.newer {
                say_more(tables, HazardId(opened.command.subject_id.0));
            }
            if self.variant == Variant::LeaksToTheOtherTown {
                let id = HazardId(opened.command.subject_id.0);
                let here = tables.hazards.get(&id).map(|hazard| hazard.jurisdiction_id);
                if let Some(here) = here {
                    let other = Scope::Jurisdiction(cast::other_town(here));
                    self.leak(tables, id, other);
                }
            }
        }
        decision
    }

    fn granted(&self, tables: &Tables, person_id: PersonId, now: Timestamp) -> BTreeSet<Scope> {
        let mut granted = tables.granted(person_id, now);
        if self.variant == Variant::GivesAfterTheEnd {
            let before = now.plus_millis(-24 * 3_600_000);
            granted.extend(tables.granted(person_id, before));
        }
        granted
    }

    fn what_became(
        &self,
        tables: &Tables,
        person_id: PersonId,
        about: SentCommand,
    ) -> Option<Became> {
        match self.variant {
            Variant::JudgesRetriesAnew => {
                let own = tables.known(person_id, about);
                let own = own.filter(|own| !own.outcome.took_effect());
                own.map(|own| Became::by_itself(own.outcome, own.subject))
            }
            _ => tables.what_became(person_id, about),
        }
    }
}

impl WatchedRules {
    pub(crate) const fn new(variant: Variant) -> Self {
        Self {
            variant,
            effects: Vec::new(),
            found: Vec::new(),
            last_effect: BTreeMap::new(),
            early: BTreeMap::new(),
            carries_out: None,
            newer: false,
        }
    }

    /// Invariant 4, and what took effect.
    fn watch(&mut self, sender: &Sender, opened: &Opened, effect: &Effect) {
        if matches!(effect, Effect::Disputed(_)) {
            return;
        }
        let last = self.last_effect.entry(sender.install_id).or_default();
        let (before, seq) = (*last, sender.seq);
        *last = seq;
        if seq <= before && self.variant != Variant::ExecutesReplays {
            let install_id = sender.install_id;
            let what = format!("{install_id:?}: {seq} took effect after {before}");
            self.found.push(Found::new(4, what));
        }
        if let Some(marker) = marker_of(&opened.command.action) {
            self.effects.push((sender.person_id, marker.to_owned()));
        }
    }

    /// A scope is told of a hazard that is not in it.
    pub(crate) fn leak(&self, tables: &mut Tables, id: HazardId, scope: Scope) {
        let hazard = tables.hazards.get(&id);
        let record = hazard.and_then(|h| record_of(RecordKind::Hazard, id.0, h.version, h));
        if let Some(record) = record {
            tables.put(scope, record);
        }
    }
}

/// What the scopes hold of a hazard gets a field that no device knows.
fn say_more(tables: &mut Tables, id: HazardId) {
    let Some(hazard) = tables.hazards.get(&id) else {
        return;
    };
    for scope in tables.holding(hazard) {
        let rows = tables.scopes.get(&scope);
        let row = rows.and_then(|rows| rows.rows.get(&(RecordKind::Hazard, id.0)));
        if let Some(mut record) = row.and_then(|row| row.record.clone()) {
            record.body = Bytes(with_unknown_field(&record.body.0));
            tables.put(scope, record);
        }
    }
}

/// The words by which a command is found again.
pub fn marker_of(action: &Action) -> Option<&str> {
    match action {
        Action::Report(report) => Some(&report.description),
        Action::Note(note) => Some(&note.text),
        _ => None,
    }
}

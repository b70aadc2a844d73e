//! What the simulated hub answers to a pull, what must hold of every page of it, and the ways in which it is broken.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::ids::{HazardId, InstallId, PersonId};
use hazardloop_sync_protocol::hub::memory::Place;
use hazardloop_sync_protocol::hub::{FirstPlace, has_passed};
use hazardloop_sync_protocol::wire::{
    Page, PullRequest, PullResponse, Record, RecordKind, Scope, ScopeUpdate,
};

use crate::dice::Dice;
use crate::hub::Hub;
use crate::oracle::Found;
use crate::variant::Variant;

/// Which pages were given to whom, by where they begin, for invariant 19: what arrived is not sent again.
#[derive(Debug, Default)]
pub struct PagesGiven {
    begun: BTreeSet<(InstallId, Scope, Option<Vec<u8>>)>,
    /// How many pages of a scope were given again.
    pub again: BTreeMap<(InstallId, Scope), usize>,
}

impl PagesGiven {
    fn give(&mut self, to: InstallId, scope: Scope, from: Option<&[u8]>, page: &Page) {
        let holds = !page.records.is_empty() || !page.removals.is_empty();
        if holds && !self.begun.insert((to, scope, from.map(<[u8]>::to_vec))) {
            *self.again.entry((to, scope)).or_default() += 1;
        }
    }

    /// A scope is begun anew, for reasons.
    pub fn forget(&mut self, of: InstallId, scope: Scope) {
        self.begun
            .retain(|(to, begun, _)| (*to, *begun) != (of, scope));
    }

    /// Everything is.
    pub fn forget_all(&mut self) {
        self.begun.clear();
    }

    /// All that one install holds is as it was some time ago.
    pub fn forget_install(&mut self, of: InstallId) {
        self.begun.retain(|(to, ..)| *to != of);
    }
}

impl Hub {
    /// Answers a pull by who is signed in where it comes from.
    pub fn pull(
        &mut self,
        person: PersonId,
        request: &PullRequest,
        dice: &mut Dice,
    ) -> Option<PullResponse> {
        let install_id = request.install_id;
        let revoked = self.is_revoked(install_id);
        if self.variant() == Variant::GivesToRevoked {
            self.set_revoked(install_id, false);
        }
        let answer = self.memory.pull(person, request, self.now);
        self.set_revoked(install_id, revoked);
        let mut answer = answer.ok()?;
        if revoked {
            let what = format!("{install_id:?} is revoked, and reads");
            self.find(Found::new(23, what));
        }
        answer.missing_photos = self.photos.lacks(&self.memory.tables, person);
        for answer in &mut answer.answers {
            let ScopeUpdate::Page(page) = &mut answer.update else {
                self.given.forget(install_id, answer.scope);
                continue;
            };
            self.break_page(answer.scope, page, dice);
            let mut held = request.scopes.iter();
            let held = held.find(|held| held.scope == answer.scope);
            let cursor = held.and_then(|held| held.cursor.as_ref());
            if cursor.is_some() && page.reset.is_some() {
                self.given.forget(install_id, answer.scope);
            }
            let cursor = cursor.filter(|_| page.reset.is_none());
            let from = cursor.map(|cursor| cursor.0.as_slice());
            self.given.give(install_id, answer.scope, from, page);
            self.check_page(answer.scope, from, page);
            self.check_visible(person, page);
        }
        Some(answer)
    }

    fn break_page(&self, scope: Scope, page: &mut Page, dice: &mut Dice) {
        match self.variant() {
            Variant::CursorPassesAChange => {
                let some = !page.records.is_empty() || !page.removals.is_empty();
                if some && dice.one_in(4) && page.records.pop().is_none() {
                    page.removals.pop();
                }
            }
            Variant::Resurrects if dice.one_in(4) => {
                page.records.extend(self.gone_from(scope));
            }
            Variant::SumsWrongly if dice.one_in(4) => {
                page.checkpoint = page.checkpoint.map(|sum| sum.with(1));
            }
            _ => {}
        }
    }

    /// [`Variant::Resurrects`]: something that left the scope, as another scope holds it.
    fn gone_from(&self, scope: Scope) -> Option<Record> {
        let scopes = &self.memory.tables.scopes;
        let mut rows = scopes.get(&scope)?.rows.iter();
        let gone =
            rows.find(|((kind, _), row)| row.record.is_none() && *kind == RecordKind::Hazard);
        let (key, _) = gone?;
        let mut elsewhere = scopes.values().filter_map(|rows| rows.rows.get(key));
        elsewhere.find_map(|row| row.record.clone())
    }

    /// Invariants 10, 12, 13 and 14 of one page, which goes from one cursor to the next.
    fn check_page(&mut self, scope: Scope, from: Option<&[u8]>, page: &Page) {
        let to = Some(page.cursor.0.as_slice());
        let mut wrong = Vec::new();
        let rows = self.memory.tables.scopes.get(&scope);
        for ((kind, id), row) in rows.into_iter().flat_map(|rows| &rows.rows) {
            let given = row.given();
            let place = FirstPlace {
                settled_at: row.settled_at,
                position: row.at,
            };
            let passed = |cursor| has_passed::<Place>(cursor, place, given.is_some());
            let due = !passed(from) && passed(to);
            let named = |record: &Record| record.kind == *kind && record.id == *id;
            let sent = page.records.iter().find(|record| named(record));
            let removed = page
                .removals
                .iter()
                .any(|key| key.kind == *kind && key.id == *id);
            match given {
                Some(record) if due && sent != Some(record) => wrong.push((10, *id)),
                // Whoever begins anew holds nothing that could be removed.
                None if due && !removed && from.is_some() => wrong.push((10, *id)),
                None if sent.is_some() => wrong.push((14, *id)),
                _ => {}
            }
        }
        for ((of, kind, id), at) in &self.forgotten {
            let place = FirstPlace {
                settled_at: None,
                position: *at,
            };
            let passed = |cursor| has_passed::<Place>(cursor, place, false);
            let back = rows.is_some_and(|rows| rows.rows.contains_key(&(*kind, *id)));
            // Whoever begins anew has nothing that could be missed.
            if *of == scope && !back && from.is_some() && !passed(from) && passed(to) {
                wrong.push((12, *id));
            }
        }
        let sums = page
            .checkpoint
            .is_none_or(|sum| sum == self.checkpoint(scope));
        if !sums {
            self.find(Found::new(13, format!("the sum of {scope}")));
        }
        for (invariant, id) in wrong {
            let what = format!("{id} in {scope} between {from:02x?} and {to:02x?}");
            self.find(Found::new(invariant, what));
        }
    }

    /// Invariant 8: nothing comes that its reader may not see now.
    fn check_visible(&mut self, person: PersonId, page: &Page) {
        let granted = self.granted(person);
        let mut leaked = Vec::new();
        for record in &page.records {
            let seen = match record.kind {
                RecordKind::Hazard => {
                    let hazard = self.memory.tables.hazards.get(&HazardId(record.id));
                    hazard.is_some_and(|hazard| {
                        let way = self.memory.tables.way_to(hazard.jurisdiction_id);
                        let mut way = way.into_iter().map(Scope::Jurisdiction);
                        let firm = hazard.enterprise_id.map(Scope::Enterprise);
                        way.any(|town| granted.contains(&town))
                            || firm.is_some_and(|firm| granted.contains(&firm))
                    })
                }
                _ => true,
            };
            if !seen {
                leaked.push(record.id);
            }
        }
        for id in leaked {
            let what = format!("{id} to {person:?}");
            self.find(Found::new(8, what));
        }
    }
}

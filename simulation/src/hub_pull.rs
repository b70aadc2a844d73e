//! The hub's half of a pull, and what must hold of every page of it.

use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, DropReason, PROTOCOL_MAX, Page, PullRequest, PullResponse, Record,
    RecordKey, RecordKind, ResetReason, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate,
};

use crate::dice::Dice;
use crate::hub::{Hub, ScopeRows};
use crate::oracle::Found;
use crate::variant::Variant;

/// Most records of one page, so that schedules have many.
const PAGE: usize = 4;

impl Hub {
    /// Takes a pull by its install.
    pub fn pull(&mut self, request: &PullRequest, dice: &mut Dice) -> Option<PullResponse> {
        let install = self.tables.installs.get(&request.install_id)?;
        let (person, last) = (install.person_id, install.stream.last_seq);
        let known = request.epoch.as_deref() == Some(&self.epoch_name());
        let granted = self.granted(person);
        let mut answers = Vec::new();
        let mut more = false;
        for scope in &granted {
            let held = request.scopes.iter().find(|held| held.scope == *scope);
            let page = self.page(*scope, held, known, dice);
            self.check_visible(person, &page);
            more |= page.checkpoint.is_none();
            let quiet = page.reset.is_none() && page.records.is_empty() && page.removals.is_empty();
            if quiet
                && page.checkpoint.is_some()
                && held.is_some_and(|held| held.checkpoint.is_some())
            {
                continue;
            }
            answers.push(ScopeAnswer {
                scope: *scope,
                update: ScopeUpdate::Page(page),
            });
        }
        let lost = request.scopes.iter().map(|held| held.scope);
        for scope in lost.filter(|scope| !granted.contains(scope)) {
            let reason = DropReason::NoLongerYours;
            answers.push(ScopeAnswer {
                scope,
                update: ScopeUpdate::Drop { reason },
            });
        }
        Some(PullResponse {
            protocol: PROTOCOL_MAX,
            epoch: self.epoch_name(),
            digest_key: (!known).then(|| Bytes(self.digest_key().0.to_vec())),
            server_time: self.now,
            last,
            answers,
            more,
            missing_photos: Vec::new(),
        })
    }

    /// What a scope holds and sums up to, counted anew.
    pub fn checkpoint(&self, scope: Scope) -> Checkpoint {
        let rows = self.tables.scopes.get(&scope);
        let rows = rows.into_iter().flat_map(|scope| scope.rows.values());
        let records = rows.filter_map(|(_, record)| record.as_ref());
        records.fold(Checkpoint::EMPTY, |sum, record| {
            sum.with(self.digest_of(record))
        })
    }

    fn digest_of(&self, record: &Record) -> u64 {
        let key = self.digest_key();
        key.of_record(record.kind, &record.id, record.version, &record.body.0)
    }

    fn page(
        &mut self,
        scope: Scope,
        held: Option<&ScopeCursor>,
        known: bool,
        dice: &mut Dice,
    ) -> Page {
        let rows = self.tables.scopes.get(&scope).cloned().unwrap_or_default();
        let cursor = held.and_then(|held| held.cursor.as_ref()).filter(|_| known);
        let cursor = cursor.and_then(|bytes| <[u8; 8]>::try_from(bytes.0.as_slice()).ok());
        let cursor = cursor
            .map(u64::from_be_bytes)
            .filter(|at| *at <= rows.position);
        let mut reset = match (held, cursor) {
            (None, _) => Some(ResetReason::First),
            (Some(_), None) => Some(ResetReason::CursorUnknown),
            _ => None,
        };
        let mut from = cursor.unwrap_or(0);
        let sum = self.checkpoint(scope);
        let differs = held.and_then(|held| held.checkpoint);
        if from == rows.position && differs.is_some_and(|own| own != sum) && reset.is_none() {
            (from, reset) = (0, Some(ResetReason::DigestMismatch));
        }
        let mut changes: Vec<_> = rows.rows.iter().filter(|(_, (at, _))| *at > from).collect();
        changes.sort_by_key(|(_, (at, _))| *at);
        let whole = changes.len() <= PAGE;
        changes.truncate(PAGE);
        let to = match whole {
            true => rows.position,
            false => changes.last().map_or(rows.position, |(_, (at, _))| *at),
        };
        if self.variant == Variant::CursorPassesAChange && !changes.is_empty() && dice.one_in(4) {
            changes.pop();
        }
        let (mut records, mut removals) = (Vec::new(), Vec::new());
        for ((kind, id), (_, record)) in changes {
            match record {
                Some(record) => records.push(record.clone()),
                None if reset.is_none() => removals.push(RecordKey {
                    kind: *kind,
                    id: *id,
                }),
                None => {}
            }
        }
        if self.variant == Variant::Resurrects && dice.one_in(4) {
            self.resurrect(scope, &rows, &mut records);
        }
        let mut checkpoint = whole.then_some(sum);
        if self.variant == Variant::SumsWrongly && dice.one_in(4) {
            checkpoint = checkpoint.map(|sum| sum.with(1));
        }
        let page = Page {
            reset,
            records,
            removals,
            cursor: Bytes(to.to_be_bytes().to_vec()),
            checkpoint,
        };
        self.check_page(scope, &rows, (from, to), &page);
        page
    }

    /// [`Variant::Resurrects`]: something that left the scope comes with a page again.
    fn resurrect(&self, scope: Scope, rows: &ScopeRows, records: &mut Vec<Record>) {
        let gone = rows.rows.iter().find(|(_, (_, record))| record.is_none());
        let Some(((RecordKind::Hazard, id), _)) = gone else {
            return;
        };
        let elsewhere = self
            .tables
            .scopes
            .iter()
            .filter(|(other, _)| **other != scope);
        let mut elsewhere = elsewhere.filter_map(|(_, rows)| {
            let (_, record) = rows.rows.get(&(RecordKind::Hazard, *id))?;
            record.clone()
        });
        records.extend(elsewhere.next());
    }

    /// Invariants 10, 13 and 14 of one page.
    fn check_page(&mut self, scope: Scope, rows: &ScopeRows, (from, to): (u64, u64), page: &Page) {
        let mut wrong = Vec::new();
        for ((kind, id), (at, record)) in &rows.rows {
            let due = *at > from && *at <= to;
            let named = |record: &Record| record.kind == *kind && record.id == *id;
            let sent = page.records.iter().find(|record| named(record));
            let removed = page
                .removals
                .iter()
                .any(|key| key.kind == *kind && key.id == *id);
            match record {
                Some(record) if due && sent != Some(record) => wrong.push((10, *id)),
                None if due && !removed && page.reset.is_none() => wrong.push((10, *id)),
                None if sent.is_some() => wrong.push((14, *id)),
                _ => {}
            }
        }
        let sums = page
            .checkpoint
            .is_none_or(|sum| sum == self.checkpoint(scope));
        if !sums {
            self.found
                .push(Found::new(13, format!("the sum of {scope}")));
        }
        for (invariant, id) in wrong {
            let what = format!("{id} in {scope} between {from} and {to}");
            self.found.push(Found::new(invariant, what));
        }
    }

    /// Invariant 8: nothing comes that its reader may not see now.
    fn check_visible(&mut self, person: PersonId, page: &Page) {
        let granted = self.granted(person);
        let mut leaked = Vec::new();
        for record in &page.records {
            let seen = match record.kind {
                RecordKind::Hazard => {
                    let hazard = self.tables.hazards.get(&HazardId(record.id));
                    hazard.is_some_and(|hazard| {
                        let town = Scope::Jurisdiction(hazard.jurisdiction_id);
                        let firm = hazard.enterprise_id.map(Scope::Enterprise);
                        granted.contains(&town) || firm.is_some_and(|firm| granted.contains(&firm))
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
            self.found.push(Found::new(8, what));
        }
    }
}

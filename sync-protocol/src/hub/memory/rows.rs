//! The rows of a hub's scopes in memory: what each gives out, in which order, and what its window leaves out.

use std::collections::BTreeMap;

use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::tables::{Place, Tables};
use crate::digest::DigestKey;
use crate::hub::pull_steps::{Change, FeedPosition as _, FirstPlace};
use crate::wire::{Checkpoint, ClosedWindow, Record, RecordKind, Scope};

/// One row of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Where it last changed.
    pub at: Place,
    /// What the scope holds; `None`: it holds the record no longer.
    pub record: Option<Record>,
    /// When the record came to its end.
    pub settled_at: Option<Timestamp>,
    /// The window leaves it out: to devices it is as if the scope did not hold it.
    pub aside: bool,
}

impl FeedRow {
    /// What devices are given.
    pub fn given(&self) -> Option<&Record> {
        self.record.as_ref().filter(|_| !self.aside)
    }

    fn change(&self, (kind, id): (RecordKind, Uuid)) -> Change<Place> {
        Change {
            kind,
            id,
            present: self.given().is_some(),
            version: self.record.as_ref().map_or(0, |record| record.version),
            position: self.at,
            settled_at: self.settled_at,
        }
    }
}

/// The rows of one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRows {
    /// By kind and id.
    pub rows: BTreeMap<(RecordKind, Uuid), FeedRow>,
    /// Removals up to here are forgotten.
    pub floor: Place,
}

/// Which of the records that came to their end a scope gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// For how many days.
    pub closed_days: u32,
    /// Bytes of their bodies at most; the newest are those that stay.
    pub closed_bytes: u64,
}

impl Window {
    fn begins(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(-i64::from(self.closed_days).saturating_mul(86_400_000))
    }
}

/// Kind, id, and the row.
type Named<'a> = (&'a (RecordKind, Uuid), &'a FeedRow);

impl Tables {
    /// Brings every scope to what its window says at `now`.
    pub fn keep_windows(&mut self, now: Timestamp) {
        let Some(window) = self.window else { return };
        let scopes: Vec<Scope> = self.scopes.keys().copied().collect();
        for scope in scopes {
            for key in self.to_turn(scope, window, now) {
                self.last.0 += 1;
                let rows = self.scopes.get_mut(&scope);
                if let Some(row) = rows.and_then(|rows| rows.rows.get_mut(&key)) {
                    row.at = self.last;
                    row.aside = !row.aside;
                }
            }
        }
    }

    /// The rows that are given out and should not be, or the reverse.
    fn to_turn(&self, scope: Scope, window: Window, now: Timestamp) -> Vec<(RecordKind, Uuid)> {
        let rows = self.scopes.get(&scope).into_iter();
        let ended = |(_, row): &Named<'_>| row.record.is_some() && row.settled_at.is_some();
        let mut ended: Vec<Named<'_>> = rows.flat_map(|rows| &rows.rows).filter(ended).collect();
        ended.sort_by_key(|(key, row)| std::cmp::Reverse((row.settled_at, **key)));
        let (begins, mut bytes, mut full) = (window.begins(now), 0_u64, false);
        let mut turned = Vec::new();
        for (key, row) in ended {
            let body = row.record.as_ref().map_or(0, |record| record.body.0.len());
            let with_it = bytes.saturating_add(u64::try_from(body).unwrap_or(u64::MAX));
            full |= with_it > window.closed_bytes || row.settled_at < Some(begins);
            if !full {
                bytes = with_it;
            }
            if row.aside != full {
                turned.push(*key);
            }
        }
        turned
    }

    /// What devices are told of a scope's window.
    pub(super) fn window_of(&self, scope: Scope) -> Option<ClosedWindow> {
        let window = self.window?;
        let rows = self.scopes.get(&scope).into_iter();
        let aside = rows
            .flat_map(|rows| rows.rows.values())
            .filter(|row| row.record.is_some() && row.aside);
        Some(ClosedWindow {
            closed_days: window.closed_days,
            closed_bytes: window.closed_bytes,
            complete_after: aside.filter_map(|row| row.settled_at).max(),
        })
    }

    /// What a scope gives out and adds up to.
    pub fn sum(&self, key: &DigestKey, scope: Scope) -> Checkpoint {
        let rows = self.scopes.get(&scope).into_iter();
        let records = rows.flat_map(|rows| rows.rows.values().filter_map(FeedRow::given));
        records.fold(Checkpoint::EMPTY, |sum, record| {
            let Record {
                kind,
                id,
                version,
                body,
            } = record;
            sum.with(key.of_record(*kind, id, *version, &body.0))
        })
    }

    /// The rows of a first read: see [`crate::hub::PullStep::First`].
    pub(super) fn first(
        &self,
        scope: Scope,
        upto: Place,
        after: Option<FirstPlace<Place>>,
        most: usize,
    ) -> Vec<Change<Place>> {
        let rows = self.scopes.get(&scope).into_iter();
        let given = rows.flat_map(|rows| &rows.rows);
        let given = given.filter(|(_, row)| row.given().is_some() && row.at <= upto);
        let all = given.map(|(key, row)| row.change(*key));
        let mut found: Vec<_> = all
            .filter(|row| after.is_none_or(|after| row.place() > after))
            .collect();
        found.sort_unstable_by_key(Change::place);
        found.truncate(most);
        found
    }

    pub(super) fn changes(
        &self,
        scope: Scope,
        after: Place,
        most: usize,
    ) -> (Place, Vec<Change<Place>>) {
        let Some(rows) = self.scopes.get(&scope) else {
            return (Place::START, Vec::new());
        };
        let behind = rows.rows.iter().filter(|(_, row)| row.at > after);
        let mut changes: Vec<_> = behind.map(|(key, row)| row.change(*key)).collect();
        changes.sort_unstable_by_key(|change| change.position);
        changes.truncate(most);
        (rows.floor, changes)
    }
}

//! What a hub in memory stores, and what its machines ask of it.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{self, PersonRecord};
use hazardloop_domain::command::Subject;
use hazardloop_domain::command_fate::{CommandFate, SentCommand};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{
    EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId, SubjectId,
};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::Anchored;
use uuid::Uuid;

use super::rows::{FeedRow, ScopeRows, Window};
use crate::hub::anchors::ClockFacts;
use crate::hub::outcome::{Responsibility, was_responsible_by_grants};
use crate::hub::pull_steps::{Bodies, Change, FeedPosition};
use crate::hub::push_steps::{Kept, StoredReceipt};
use crate::hub::scopes::{handed_in_by, scopes_granted, scopes_of_grant};
use crate::hub::stream::StreamState;
use crate::hub::witnesses::Statement;
use crate::wire::{Bytes, Outcome, Record, RecordKind, Scope, SectorName};

/// A place in the order of changes: how many there have been, over all scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u64);

impl FeedPosition for Place {
    const START: Self = Self(0);

    fn to_cursor(self) -> Bytes {
        Bytes(self.0.to_be_bytes().to_vec())
    }

    fn from_cursor(cursor: &[u8]) -> Option<Self> {
        cursor.try_into().ok().map(u64::from_be_bytes).map(Self)
    }
}

/// One install.
#[derive(Clone, Debug)]
pub struct Install {
    /// Whose.
    pub person_id: PersonId,
    /// How far its stream has come.
    pub stream: StreamState,
    /// Nothing is taken from it and nothing given to it any more.
    pub revoked: bool,
    /// How many commands it has offered since, and this keeps.
    pub offered: usize,
    /// Its receipts, by sequence.
    pub receipts: BTreeMap<i64, StoredReceipt>,
    /// The earliest command that would have begun a subject and did not take effect.
    pub failed_beginnings: BTreeMap<SubjectId, i64>,
    /// What each of its commands acts upon, where that can be read.
    pub subjects: BTreeMap<i64, SubjectId>,
    /// Kind and subject of its commands that took no full effect.
    pub without_effect: BTreeMap<i64, (String, Option<SubjectId>)>,
    /// The newest anchor of the hub in its chain.
    pub anchored: Option<Anchored>,
    /// What the clocks of its commands are worth.
    pub clocks: BTreeMap<i64, ClockFacts>,
}

impl Install {
    /// Keeps a command's receipt.
    pub(super) fn keep(&mut self, kept: &Kept<'_>) {
        let seq = kept.envelope.seq;
        if let Some(subject) = kept.subject
            && kept.begins
            && !matches!(kept.receipt.outcome, Outcome::Applied { .. })
        {
            self.failed_beginnings.entry(subject).or_insert(seq);
        }
        if let Some(subject) = kept.subject {
            self.subjects.insert(seq, subject);
        }
        if !kept.receipt.outcome.took_effect() {
            let said = (kept.envelope.kind.clone(), kept.subject);
            self.without_effect.insert(seq, said);
        }
        let stored = StoredReceipt {
            link_hash: kept.link_hash,
            content: Some(crate::hub::content_of(
                &kept.envelope.kind,
                kept.envelope.version,
                &kept.envelope.payload.0,
            )),
            receipt: kept.receipt.clone(),
        };
        self.receipts.insert(seq, stored);
    }
}

/// All that a hub stores; a copy of it is a backup.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By id.
    pub installs: BTreeMap<InstallId, Install>,
    /// By id.
    pub people: BTreeMap<PersonId, PersonRecord>,
    /// By id.
    pub enterprises: BTreeMap<EnterpriseId, Enterprise>,
    /// What lies directly below what. What is not named here lies below nothing.
    pub above: BTreeMap<JurisdictionId, JurisdictionId>,
    /// By id.
    pub hazards: BTreeMap<HazardId, Hazard>,
    /// By scope.
    pub scopes: BTreeMap<Scope, ScopeRows>,
    /// What became of commands that took no full effect.
    pub fates: BTreeMap<SentCommand, CommandFate>,
    /// How far devices have said that others' chains were, by the command that says it.
    pub statements: BTreeMap<SentCommand, Statement>,
    /// How many changes there have been.
    pub last: Place,
    /// Which of the records that came to their end a scope still gives out; `None`: all.
    pub window: Option<Window>,
    /// When each record came to its end.
    settled: BTreeMap<(RecordKind, Uuid), Timestamp>,
    left: BTreeSet<(Scope, RecordKind, Uuid)>,
}

impl Tables {
    /// Registers an install; nothing was received from it.
    pub fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
        let stream = StreamState {
            install_id,
            public_key,
            last_seq: 0,
            last_hash: Digest::ZERO,
        };
        self.installs.insert(
            install_id,
            Install {
                person_id,
                stream,
                revoked: false,
                offered: 0,
                receipts: BTreeMap::new(),
                failed_beginnings: BTreeMap::new(),
                subjects: BTreeMap::new(),
                without_effect: BTreeMap::new(),
                anchored: None,
                clocks: BTreeMap::new(),
            },
        );
    }

    /// A record came to its end, unless it had done so before. To be said before scopes hold it.
    pub fn settle(&mut self, kind: RecordKind, id: Uuid, at: Timestamp) {
        self.settled.entry((kind, id)).or_insert(at);
    }

    /// Has a scope hold a record, in this version.
    pub fn put(&mut self, scope: Scope, record: Record) {
        let key = (record.kind, record.id);
        self.change(scope, key, Some(record));
    }

    /// Has a scope hold a record no longer. It is remembered that it did, if it did.
    pub fn remove(&mut self, scope: Scope, kind: RecordKind, id: Uuid) {
        let rows = self.scopes.get(&scope);
        let held = rows.and_then(|rows| rows.rows.get(&(kind, id)));
        if held.is_some_and(|row| row.record.is_some()) {
            self.change(scope, (kind, id), None);
            self.left.insert((scope, kind, id));
        }
    }

    fn change(&mut self, scope: Scope, key: (RecordKind, Uuid), record: Option<Record>) {
        self.last.0 += 1;
        let settled_at = self.settled.get(&key).copied().filter(|_| record.is_some());
        let rows = &mut self.scopes.entry(scope).or_default().rows;
        let before = rows.get(&key);
        let was_aside = before.is_some_and(|row| row.aside && row.record.is_some());
        // What was left out stays out, whatever changes on it, until it is open again.
        let aside = settled_at.is_some() && was_aside;
        let at = match before {
            Some(before) if aside => before.at,
            _ => self.last,
        };
        let row = FeedRow {
            at,
            record,
            settled_at,
            aside,
        };
        rows.insert(key, row);
    }

    /// Forgets what a scope holds no longer. Devices that had not heard of it fetch the scope anew.
    pub fn forget_removals(&mut self, scope: Scope) {
        let Some(rows) = self.scopes.get_mut(&scope) else {
            return;
        };
        let gone = rows.rows.values().filter(|row| row.record.is_none());
        let newest = gone.map(|row| row.at).max().unwrap_or(Place::START);
        rows.floor = rows.floor.max(newest);
        rows.rows.retain(|_, row| row.record.is_some());
    }

    /// A person, new or changed.
    pub fn put_person(&mut self, person: PersonRecord) {
        let (id, version) = (person.id, person.version);
        if let Some(record) = record_of(RecordKind::Person, id.0, version, &person) {
            self.put(Scope::Person(id), record);
        }
        self.people.insert(id, person);
    }

    /// An enterprise, new or changed; it leaves the scopes that it was in and is in no longer.
    pub fn put_enterprise(&mut self, firm: Enterprise) {
        let (id, version) = (firm.id, firm.version);
        let scopes = |tables: &Self, firm: &Enterprise| {
            let own = BTreeSet::from([Scope::Enterprise(firm.id)]);
            tables.with_places(own, firm.jurisdiction_id, Some(&firm.sector))
        };
        let before = self.enterprises.get(&id).map(|firm| scopes(self, firm));
        let now = scopes(self, &firm);
        if let Some(record) = record_of(RecordKind::Enterprise, id.0, version, &firm) {
            self.announce(before.unwrap_or_default(), &now, &record);
        }
        self.enterprises.insert(id, firm);
    }

    /// A hazard, new or changed; it leaves the scopes that it was in and is in no longer.
    pub fn put_hazard(&mut self, hazard: Hazard) {
        let before = self.hazards.get(&hazard.id);
        let before = before.map(|hazard| self.holding(hazard));
        let now = self.holding(&hazard);
        let (id, version) = (hazard.id, hazard.version);
        if hazard.is_settled() {
            self.settle(RecordKind::Hazard, id.0, hazard.updated_at);
        } else {
            self.settled.remove(&(RecordKind::Hazard, id.0));
        }
        if let Some(record) = record_of(RecordKind::Hazard, id.0, version, &hazard) {
            self.announce(before.unwrap_or_default(), &now, &record);
        }
        self.hazards.insert(id, hazard);
    }

    fn announce(&mut self, before: BTreeSet<Scope>, now: &BTreeSet<Scope>, record: &Record) {
        for scope in before.difference(now) {
            self.remove(*scope, record.kind, record.id);
        }
        for scope in now {
            self.put(*scope, record.clone());
        }
    }

    /// The scopes that hold a hazard: of its enterprise, of who answers for it and all above, of who handed
    /// it in, and while it is being handed over, of who hands it over.
    pub fn holding(&self, hazard: &Hazard) -> BTreeSet<Scope> {
        let own = hazard.enterprise_id.map(Scope::Enterprise);
        let handed_in = handed_in_by(hazard).map(Scope::OwnReports);
        let own: BTreeSet<Scope> = own.into_iter().chain(handed_in).collect();
        let sector = hazard.sector.as_deref();
        let here = self.with_places(own, hazard.jurisdiction_id, sector);
        match hazard.handed_over_by() {
            Some(from) => self.with_places(here, from, sector),
            None => here,
        }
    }

    fn with_places(
        &self,
        mut scopes: BTreeSet<Scope>,
        jurisdiction: JurisdictionId,
        sector: Option<&str>,
    ) -> BTreeSet<Scope> {
        let sector = sector.and_then(|name| SectorName::new(name).ok());
        for id in self.way_to(jurisdiction) {
            scopes.insert(Scope::Jurisdiction(id));
            scopes.extend(sector.map(|sector| Scope::JurisdictionSector(id, sector)));
        }
        scopes
    }

    /// A jurisdiction and all above it, root first.
    pub fn way_to(&self, jurisdiction: JurisdictionId) -> Vec<JurisdictionId> {
        let mut way = vec![jurisdiction];
        let mut here = jurisdiction;
        while let Some(above) = self.above.get(&here).filter(|above| !way.contains(above)) {
            way.push(*above);
            here = *above;
        }
        way.reverse();
        way
    }

    /// Where a hazard stands.
    pub fn place_of(&self, hazard: &Hazard) -> access::Place {
        hazard.place(self.way_to(hazard.jurisdiction_id))
    }

    /// The scopes that a person's roles open now.
    pub fn granted(&self, person_id: PersonId, now: Timestamp) -> BTreeSet<Scope> {
        let person = self.people.get(&person_id);
        let grants = person.map_or(&[][..], |person| &person.grants);
        scopes_granted(person_id, grants, now)
    }

    /// Whether a person was responsible for a subject once: a scope of theirs held it and holds it no longer, or
    /// their roles were others.
    pub fn was_responsible(&self, asked: &Responsibility, now: Timestamp) -> bool {
        let Subject::Hazard(id) = asked.subject else {
            return false;
        };
        let Some(person) = self.people.get(&asked.person_id) else {
            return false;
        };
        let mut scopes = person.grants.iter().flat_map(scopes_of_grant);
        if scopes.any(|scope| self.has_left(scope, id)) {
            return true;
        }
        let place = match (self.hazards.get(&id), &asked.beginning) {
            (Some(hazard), _) => self.place_of(hazard),
            (None, Some(beginning)) => {
                let mut scopes = person.grants.iter().flat_map(scopes_of_grant);
                let kind = RecordKind::Enterprise;
                let moved = beginning.enterprise_id.is_some_and(|firm| {
                    scopes.any(|scope| self.left.contains(&(scope, kind, firm.0)))
                });
                if moved {
                    return true;
                }
                self.place_of_new(beginning.enterprise_id).0
            }
            (None, None) => return false,
        };
        was_responsible_by_grants(person.id, &person.grants, &place, now, &asked.times)
    }

    /// Where a hazard of an enterprise will stand, and who will answer for it.
    pub(super) fn place_of_new(
        &self,
        enterprise_id: Option<EnterpriseId>,
    ) -> (access::Place, Option<JurisdictionId>) {
        let firm = enterprise_id.and_then(|id| self.enterprises.get(&id));
        let resolved = firm.map(|firm| firm.jurisdiction_id);
        let place = access::Place {
            enterprise_id,
            jurisdictions: resolved.map_or_else(Vec::new, |id| self.way_to(id)),
            sector: firm.map(|firm| firm.sector.clone()),
        };
        (place, resolved)
    }

    /// Whether a scope held a hazard once and holds it no longer.
    pub fn has_left(&self, scope: Scope, id: HazardId) -> bool {
        let rows = self.scopes.get(&scope);
        let row = rows.and_then(|rows| rows.rows.get(&(RecordKind::Hazard, id.0)));
        let there = row.is_some_and(|row| row.record.is_some());
        !there && self.left.contains(&(scope, RecordKind::Hazard, id.0))
    }

    /// The version of a subject.
    pub fn version(&self, subject: Subject) -> Option<i64> {
        match subject {
            Subject::Hazard(id) => self.hazards.get(&id).map(|hazard| hazard.version),
            Subject::Inspection(_) => None,
        }
    }

    pub(super) fn unreached(&self) -> Place {
        Place(self.last.0.saturating_add(1))
    }

    pub(super) fn receipts(&self, id: InstallId, first: i64, last: i64) -> Vec<StoredReceipt> {
        let install = self.installs.get(&id).into_iter();
        let stored = install.flat_map(|install| install.receipts.iter());
        let wanted = stored.filter(|(seq, _)| (first..=last).contains(*seq));
        wanted.map(|(_, stored)| stored.clone()).collect()
    }

    pub(super) fn failed_beginning(&self, id: InstallId, subject: SubjectId) -> Option<i64> {
        let install = self.installs.get(&id)?;
        install.failed_beginnings.get(&subject).copied()
    }

    pub(super) fn bodies(&self, scope: Scope, changes: &[Change<Place>]) -> Bodies {
        let Some(rows) = self.scopes.get(&scope) else {
            return Bodies::new();
        };
        let found = changes.iter().filter_map(|change| {
            let key = (change.kind, change.id);
            let record = rows.rows.get(&key)?.record.as_ref()?;
            Some((key, (record.version, record.body.0.clone())))
        });
        found.collect()
    }
}

/// A record as it travels; `None` where its body cannot be encoded, which no record of the domain's is.
pub fn record_of<T: minicbor::Encode<()>>(
    kind: RecordKind,
    id: Uuid,
    version: i64,
    body: &T,
) -> Option<Record> {
    let body = minicbor::to_vec(body).ok().map(Bytes)?;
    Some(Record {
        kind,
        id,
        version,
        body,
    })
}

//! The hub in memory: the real stream rules and the real rules of the domain over maps instead of tables.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{Actor, GrantScope, PersonRecord, Role};
use hazardloop_domain::command::{Action, Command, FollowEnterprise};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::{Judgement, StreamState, give_up, judge};
use hazardloop_sync_protocol::wire::{
    Bytes, CommandPayload, Envelope, Opened, Outcome, PROTOCOL_MAX, PushRequest, PushResponse,
    PushResult, Receipt, Record, RecordKind, Scope, WireLimits,
};
use uuid::Uuid;

use crate::cast;
use crate::hub_rules::{marker_of, scope_of};
use crate::oracle::Found;
use crate::variant::Variant;

/// A row of a scope: where in the scope's order it last changed, and what it is now.
pub type Change = (u64, Option<Record>);

/// One install's stream.
#[derive(Clone, Debug)]
pub struct Install {
    /// Whose.
    pub person_id: PersonId,
    /// How far it has come.
    pub stream: StreamState,
    /// Its receipts.
    pub receipts: BTreeMap<i64, (Digest, Receipt)>,
    /// The highest sequence that took effect.
    pub last_effect: i64,
}

/// A scope: the newest change of each of its rows, as the server's tables hold it.
#[derive(Clone, Debug, Default)]
pub struct ScopeRows {
    /// How many changes there have been.
    pub position: u64,
    /// By row.
    pub rows: BTreeMap<(RecordKind, Uuid), Change>,
}

/// All that a backup of the hub holds.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By install.
    pub installs: BTreeMap<InstallId, Install>,
    /// By person.
    pub people: BTreeMap<PersonId, PersonRecord>,
    /// By enterprise.
    pub firms: BTreeMap<EnterpriseId, Enterprise>,
    /// By hazard.
    pub hazards: BTreeMap<HazardId, Hazard>,
    /// By scope.
    pub scopes: BTreeMap<Scope, ScopeRows>,
    /// Reports that did not take effect.
    pub failed_reports: BTreeMap<(InstallId, HazardId), i64>,
    /// Which hazards have left which scopes.
    pub left: BTreeSet<(Scope, HazardId)>,
}

/// The hub.
#[derive(Debug)]
pub struct Hub {
    /// The true time.
    pub now: Timestamp,
    /// Counts its restores.
    pub epoch: u64,
    /// What it holds.
    pub tables: Tables,
    /// Its last backup.
    pub backup: Option<Box<Tables>>,
    /// What is broken in it.
    pub variant: Variant,
    /// What took effect, in order: whose, and its marker.
    pub effects: Vec<(PersonId, String)>,
    /// What was found wrong.
    pub found: Vec<Found>,
    said: BTreeMap<(u64, InstallId, i64, Digest), Receipt>,
}

impl Hub {
    /// The hub with the whole cast.
    pub fn new(variant: Variant) -> Self {
        let mut hub = Self {
            now: cast::BEGIN,
            epoch: 1,
            tables: Tables::default(),
            backup: None,
            variant,
            effects: Vec::new(),
            found: Vec::new(),
            said: BTreeMap::new(),
        };
        for person in cast::people() {
            hub.put_person(person);
        }
        for firm in cast::firms() {
            hub.put_firm(firm);
        }
        hub
    }

    /// The epoch as it travels.
    pub fn epoch_name(&self) -> String {
        format!("epoch-{}", self.epoch)
    }

    /// The key of this epoch's record digests.
    pub fn digest_key(&self) -> DigestKey {
        let mut key = [0x5a; 16];
        key[..8].copy_from_slice(&self.epoch.to_be_bytes());
        DigestKey(key)
    }

    /// A device is enrolled.
    pub fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
        let stream = StreamState {
            install_id,
            public_key,
            last_seq: 0,
            last_hash: Digest::ZERO,
        };
        self.tables.installs.insert(
            install_id,
            Install {
                person_id,
                stream,
                receipts: BTreeMap::new(),
                last_effect: 0,
            },
        );
    }

    /// Notes what its tables hold.
    pub fn back_up(&mut self) {
        self.backup = Some(Box::new(self.tables.clone()));
    }

    /// Goes back to the last backup under a new epoch. Devices enrolled since are enrolled again: their owners
    /// would do that.
    pub fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        let before = std::mem::replace(&mut self.tables, backup.as_ref().clone());
        self.epoch += 1;
        for (id, install) in before.installs {
            if !self.tables.installs.contains_key(&id) {
                self.enrol(id, install.person_id, install.stream.public_key);
            }
        }
    }

    fn put(&mut self, scope: Scope, kind: RecordKind, id: Uuid, record: Option<Record>) {
        let rows = self.tables.scopes.entry(scope).or_default();
        if record.is_none() && !rows.rows.contains_key(&(kind, id)) {
            return;
        }
        rows.position += 1;
        rows.rows.insert((kind, id), (rows.position, record));
    }

    fn put_person(&mut self, person: PersonRecord) {
        let scope = Scope::Person(person.id);
        let record = record_of(RecordKind::Person, person.id.0, person.version, &person);
        self.put(scope, RecordKind::Person, person.id.0, record);
        self.tables.people.insert(person.id, person);
    }

    fn put_firm(&mut self, firm: Enterprise) {
        let id = firm.id.0;
        let record = record_of(RecordKind::Enterprise, id, firm.version, &firm);
        for scope in [
            Scope::Enterprise(firm.id),
            Scope::Jurisdiction(firm.jurisdiction_id),
        ] {
            self.put(scope, RecordKind::Enterprise, id, record.clone());
        }
        self.tables.firms.insert(firm.id, firm);
    }

    pub(crate) fn put_hazard(&mut self, hazard: Hazard) {
        let id = hazard.id.0;
        let record = record_of(RecordKind::Hazard, id, hazard.version, &hazard);
        let before = self.tables.hazards.get(&hazard.id);
        let moved = before.is_some_and(|h| h.jurisdiction_id != hazard.jurisdiction_id);
        let mut scopes = vec![Scope::Jurisdiction(hazard.jurisdiction_id)];
        if moved && self.variant == Variant::ForgetsArrivals {
            scopes.clear();
        }
        scopes.extend(hazard.enterprise_id.map(Scope::Enterprise));
        if self.variant == Variant::LeaksToTheOtherTown {
            let other = cast::other_town(hazard.jurisdiction_id);
            scopes.push(Scope::Jurisdiction(other));
        }
        for scope in scopes {
            self.put(scope, RecordKind::Hazard, id, record.clone());
        }
        self.tables.hazards.insert(hazard.id, hazard);
    }

    /// An enterprise moves to the other town, and its hazards with it.
    pub fn move_firm(&mut self, firm: EnterpriseId) {
        let Some(mut moved) = self.tables.firms.get(&firm).cloned() else {
            return;
        };
        let from = Scope::Jurisdiction(moved.jurisdiction_id);
        let to = cast::other_town(moved.jurisdiction_id);
        moved.jurisdiction_id = to;
        moved.version += 1;
        self.put(from, RecordKind::Enterprise, firm.0, None);
        self.put_firm(moved);
        let all = self.tables.hazards.values();
        let concerned = all.filter(|hazard| hazard.enterprise_id == Some(firm));
        let concerned: Vec<HazardId> = concerned.map(|hazard| hazard.id).collect();
        for id in concerned {
            let follow = Action::FollowEnterprise(FollowEnterprise {
                jurisdiction_id: to,
            });
            drop(self.carry_out(&Command::new(id, follow), &Actor::System, None, self.now));
            if self.variant != Variant::ForgetsRemovals {
                self.put(from, RecordKind::Hazard, id.0, None);
            }
            self.tables.left.insert((from, id));
        }
    }

    /// An inspector is moved to the other town.
    pub fn move_inspector(&mut self, person: PersonId, number: usize) {
        let Some(mut record) = self.tables.people.get(&person).cloned() else {
            return;
        };
        let now = self.now;
        let mut town = None;
        for grant in &mut record.grants {
            if let (GrantScope::Jurisdiction(here), true) = (grant.scope, grant.holds_at(now)) {
                grant.valid_until = Some(now);
                town = Some(here);
            }
        }
        let Some(town) = town else { return };
        let there = GrantScope::Jurisdiction(cast::other_town(town));
        let number = 100 + number;
        record
            .grants
            .push(cast::grant(number, Role::Inspector, there, now));
        record.version += 1;
        self.put_person(record);
    }

    /// The scopes that a person holds now.
    pub fn granted(&self, person: PersonId) -> BTreeSet<Scope> {
        let mut scopes = BTreeSet::from([Scope::Person(person)]);
        let record = self.tables.people.get(&person);
        let grants = record.into_iter().flat_map(|record| &record.grants);
        for grant in grants.filter(|grant| grant.holds_at(self.now)) {
            scopes.insert(scope_of(grant.scope));
        }
        scopes
    }

    /// Takes a push by its install.
    pub fn push(&mut self, request: &PushRequest) -> Option<PushResponse> {
        let install_id = request.install_id;
        let (mut results, mut expected) = (Vec::new(), None);
        let mut early = self.backwards(request)?;
        for envelope in &request.commands {
            let stream = self.tables.installs.get(&install_id)?.stream.clone();
            let outcome = match judge(&stream, envelope, &WireLimits::default()) {
                Judgement::Gap(next) => {
                    expected = Some(next);
                    break;
                }
                Judgement::Replay(hash) => {
                    results.push(self.replayed(install_id, envelope, hash)?);
                    continue;
                }
                Judgement::Quarantine(reason, detail) => Outcome::Quarantined { reason, detail },
                Judgement::GiveUp(read) => {
                    let receipts = &self.tables.installs.get(&install_id)?.receipts;
                    let about = receipts.get(&read.choice.about.seq);
                    give_up(&read.choice, about.map(|(_, receipt)| &receipt.outcome))
                }
                Judgement::Execute(read) => match early.remove(&envelope.seq) {
                    Some(outcome) => outcome,
                    None => self.execute(install_id, envelope.seq, &read)?,
                },
            };
            if self.variant == Variant::StuckOnRefusals
                && matches!(outcome, Outcome::Rejected { .. })
            {
                expected = Some(envelope.seq);
                break;
            }
            let receipt = Receipt {
                seq: envelope.seq,
                received_at: self.now,
                outcome,
            };
            let install = self.tables.installs.get_mut(&install_id)?;
            install.stream.advance(envelope);
            let hash = install.stream.last_hash;
            install
                .receipts
                .insert(envelope.seq, (hash, receipt.clone()));
            self.say(install_id, hash, &receipt);
            results.push(PushResult::Receipt(receipt));
        }
        Some(PushResponse {
            protocol: PROTOCOL_MAX,
            epoch: self.epoch_name(),
            server_time: self.now,
            last: self.tables.installs.get(&install_id)?.stream.last_seq,
            results,
            expected,
            missing_photos: Vec::new(),
        })
    }

    /// [`Variant::TakesBatchesBackwards`]: what the rules say of the commands, from the last to the first.
    fn backwards(&mut self, request: &PushRequest) -> Option<BTreeMap<i64, Outcome>> {
        let mut outcomes = BTreeMap::new();
        if self.variant != Variant::TakesBatchesBackwards {
            return Some(outcomes);
        }
        let last = self.tables.installs.get(&request.install_id)?;
        let last = last.stream.last_seq;
        for envelope in request.commands.iter().rev().filter(|e| e.seq > last) {
            let depth = WireLimits::default().depth;
            let payload = &envelope.payload.0;
            let read = CommandPayload::open(&envelope.kind, envelope.version, payload, depth);
            let outcome = self.execute(request.install_id, envelope.seq, &read.ok()?)?;
            outcomes.insert(envelope.seq, outcome);
        }
        Some(outcomes)
    }

    fn replayed(
        &mut self,
        install_id: InstallId,
        envelope: &Envelope,
        hash: Digest,
    ) -> Option<PushResult> {
        let receipts = &self.tables.installs.get(&install_id)?.receipts;
        let known = receipts.get(&envelope.seq).cloned();
        let Some((_, mut receipt)) = known.filter(|(known, _)| *known == hash) else {
            return Some(PushResult::IdReused { seq: envelope.seq });
        };
        if self.variant == Variant::ExecutesReplays {
            let depth = WireLimits::default().depth;
            let payload = &envelope.payload.0;
            let read = CommandPayload::open(&envelope.kind, envelope.version, payload, depth);
            drop(self.execute(install_id, envelope.seq, &read.ok()?));
        }
        if self.variant == Variant::NewReceiptForReplays {
            receipt.received_at = self.now;
        }
        self.say(install_id, hash, &receipt);
        Some(PushResult::Receipt(receipt))
    }

    /// Invariant 3: one command, one receipt.
    fn say(&mut self, install_id: InstallId, hash: Digest, receipt: &Receipt) {
        let key = (self.epoch, install_id, receipt.seq, hash);
        let first = self.said.entry(key).or_insert_with(|| receipt.clone());
        if first != receipt {
            let what = format!(
                "{install_id:?} {}: {first:?} became {receipt:?}",
                receipt.seq
            );
            self.found.push(Found::new(3, what));
        }
    }

    fn execute(&mut self, install_id: InstallId, seq: i64, read: &Opened) -> Option<Outcome> {
        let install = self.tables.installs.get(&install_id)?;
        let (person, last_effect) = (install.person_id, install.last_effect);
        let believed = match self.variant {
            Variant::BelievesClocks => read.made.wall,
            _ => self.now,
        };
        let command = &read.command;
        let actor = self.actor(person, command, believed);
        let made = read.made.made_at();
        let outcome = match self.carry_out(command, &actor, Some((made, person)), believed) {
            Ok(outcome) => outcome,
            Err(refusal) => self.refused(install_id, person, command, refusal)?,
        };
        if !outcome.took_effect() && matches!(command.action, Action::Report(_)) {
            let id = HazardId(command.subject_id.0);
            let failed = self.tables.failed_reports.entry((install_id, id));
            failed.or_insert(seq);
        }
        if outcome.took_effect() {
            if seq <= last_effect && self.variant != Variant::ExecutesReplays {
                let what = format!("{install_id:?}: {seq} took effect after {last_effect}");
                self.found.push(Found::new(4, what));
            }
            self.tables.installs.get_mut(&install_id)?.last_effect = seq;
            if let Some(marker) = marker_of(&command.action) {
                self.effects.push((person, marker.to_owned()));
            }
        }
        Some(outcome)
    }
}

fn record_of<T: minicbor::Encode<()>>(
    kind: RecordKind,
    id: Uuid,
    version: i64,
    body: &T,
) -> Option<Record> {
    let body = minicbor::to_vec(body).ok()?;
    Some(Record {
        kind,
        id,
        version,
        body: Bytes(body),
    })
}

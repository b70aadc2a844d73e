//! The hub of the simulator: the hub in memory of the protocol, driven by the real machines, with what must hold
//! checked at every answer and each known way of being broken put in from outside.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::device::{Failure, Request, ResponseBody};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::memory::{MemoryHub, Place, Rules as _, Sender, Tables, Window};
use hazardloop_sync_protocol::hub::witnesses::Standing;
use hazardloop_sync_protocol::wire::{
    Checkpoint, CommandPayload, Envelope, Opened, Outcome, PushRequest, PushResponse, PushResult,
    Receipt, RecordKind, Scope, WireLimits,
};

use uuid::Uuid;

use crate::builds;
use crate::cast;
use crate::catalog::Catalog;
use crate::dice::Dice;
use crate::hub_choices::Refused;
use crate::hub_mergers::Merger;
use crate::hub_pull::PagesGiven;
use crate::hub_rules::WatchedRules;
use crate::oracle::Found;
use crate::photo_lane::PhotoLane;
use crate::trace::{Event, Trace};
use crate::variant::Variant;

/// Most records of one answer, so that schedules have many.
const PAGE: usize = 4;

/// Most commands that it keeps of a revoked phone: few, so that some have more.
pub const OFFERED: usize = 3;

/// What it still gives out of what came to its end: little, so that schedules go beyond it both ways.
pub const WINDOW: Window = Window {
    closed_days: 1,
    closed_bytes: 1_200,
};

/// What a backup of the hub holds.
#[derive(Debug)]
struct Backup {
    tables: Tables,
    last_effect: BTreeMap<InstallId, i64>,
    catalog: Catalog,
    merger: Option<Merger>,
}

/// The hub.
#[derive(Debug)]
pub struct Hub {
    /// The true time.
    pub now: Timestamp,
    /// The hub itself.
    pub memory: MemoryHub<WatchedRules>,
    /// When it last left out what is outside of its window.
    pub kept_at: Timestamp,
    /// Counts its restores.
    epoch: u64,
    backup: Option<Box<Backup>>,
    /// What was forgotten of which scope, and where in the order of changes it left.
    pub(crate) forgotten: BTreeMap<(Scope, RecordKind, Uuid), Place>,
    said: BTreeMap<(u64, InstallId, i64, Digest), Receipt>,
    /// The criteria that there are.
    pub catalog: Catalog,
    /// The photos, beside the tables.
    pub photos: PhotoLane,
    /// What it has by way of offers.
    pub(crate) offered: BTreeSet<SentCommand>,
    /// Installs that were said to be stolen.
    pub(crate) stolen: BTreeSet<InstallId>,
    /// One town that is merged into the other.
    pub(crate) merger: Option<Merger>,
    /// What commands said that it has received, for what comes packed after it; a restored hub has lost it.
    pub(crate) payloads: BTreeMap<(InstallId, i64), Vec<u8>>,
    /// See [`Refused`].
    pub(crate) refused: Refused,
    /// Which pages were given out.
    pub(crate) given: PagesGiven,
    /// What it hears, where that is recorded.
    pub(crate) trace: Option<Trace>,
}

fn epoch_name(epoch: u64) -> String {
    format!("epoch-{epoch}")
}

fn digest_key(epoch: u64) -> DigestKey {
    let mut key = [0x5a; 16];
    key[..8].copy_from_slice(&epoch.to_be_bytes());
    DigestKey(key)
}

impl Hub {
    /// The hub with the whole cast.
    pub fn new(variant: Variant) -> Self {
        let rules = WatchedRules::new(variant);
        let mut memory = MemoryHub::new(&epoch_name(1), digest_key(1), rules);
        memory.limits.records = PAGE;
        memory.offered_commands = OFFERED;
        memory.tables.window = Some(WINDOW);
        for person in cast::people() {
            memory.tables.put_person(person);
        }
        for firm in cast::firms() {
            memory.tables.put_enterprise(firm);
        }
        Self {
            now: cast::BEGIN,
            memory,
            kept_at: cast::BEGIN,
            epoch: 1,
            backup: None,
            forgotten: BTreeMap::new(),
            said: BTreeMap::new(),
            catalog: Catalog::default(),
            photos: PhotoLane::default(),
            offered: BTreeSet::new(),
            stolen: BTreeSet::new(),
            merger: None,
            payloads: BTreeMap::new(),
            refused: Refused::new(),
            given: PagesGiven::default(),
            trace: None,
        }
    }

    pub(crate) fn variant(&self) -> Variant {
        self.memory.rules.variant
    }

    /// Notes something that does not hold.
    pub fn find(&mut self, found: Found) {
        self.memory.rules.found.push(found);
    }

    /// All that was found, once.
    pub fn take_found(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.memory.rules.found)
    }

    /// Leaves out what came to its end too long ago, or is too much.
    pub fn keep_windows(&mut self) {
        self.note(|| Event::WindowsKept);
        self.kept_at = self.now;
        if self.variant() != Variant::NeverClosesTheWindow {
            self.memory.tables.keep_windows(self.now);
        }
    }

    /// Forgets what its scopes held once and hold no longer.
    pub fn forget_removals(&mut self) {
        self.note(|| Event::RemovalsForgotten);
        let silently = self.variant() == Variant::ForgetsSilently;
        let tables = &mut self.memory.tables;
        let scopes: Vec<Scope> = tables.scopes.keys().copied().collect();
        for scope in scopes {
            let Some(rows) = tables.scopes.get(&scope) else {
                continue;
            };
            let floor = rows.floor;
            let gone = rows.rows.iter().filter(|(_, row)| row.record.is_none());
            let gone = gone.map(|((kind, id), row)| ((scope, *kind, *id), row.at));
            self.forgotten.extend(gone);
            tables.forget_removals(scope);
            if let Some(rows) = tables.scopes.get_mut(&scope).filter(|_| silently) {
                rows.floor = floor;
            }
        }
    }

    /// A device is enrolled; one that is goes on where it was.
    pub fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
        if self.memory.tables.installs.contains_key(&install_id) {
            return;
        }
        self.note(|| Event::Enrolled {
            install_id,
            person_id,
            public_key: public_key.clone(),
        });
        let tables = &mut self.memory.tables;
        tables.enrol(install_id, person_id, public_key);
    }

    /// Notes what its tables hold.
    pub fn back_up(&mut self) {
        self.backup = Some(Box::new(Backup {
            tables: self.memory.tables.clone(),
            last_effect: self.memory.rules.last_effect.clone(),
            catalog: self.catalog.clone(),
            merger: self.merger,
        }));
    }

    /// Whether there is anything to go back to.
    pub fn has_backup(&self) -> bool {
        self.backup.is_some()
    }

    /// Goes back to the last backup under a new epoch. Devices enrolled since are enrolled again: their owners
    /// would do that.
    pub fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        let before = std::mem::replace(&mut self.memory.tables, backup.tables.clone());
        self.memory.rules.last_effect = backup.last_effect.clone();
        self.catalog = backup.catalog.clone();
        self.merger = backup.merger;
        self.forgotten.clear();
        self.offered.retain(|command| {
            let install = self.memory.tables.installs.get(&command.install_id);
            install.is_some_and(|install| install.receipts.contains_key(&command.seq))
        });
        self.photos.forget_uploads();
        self.payloads.clear();
        self.given.forget_all();
        self.epoch += 1;
        self.memory.epoch = epoch_name(self.epoch);
        self.memory.key = digest_key(self.epoch);
        for (id, install) in before.installs {
            if !self.memory.tables.installs.contains_key(&id) {
                self.enrol(id, install.person_id, install.stream.public_key);
            }
        }
    }

    /// Criteria are added, changed and withdrawn.
    pub fn change_catalog(&mut self, dice: &mut Dice) {
        let variant = self.variant();
        self.catalog.change(&mut self.memory.tables, variant, dice);
    }

    /// An enterprise moves to the other town, and its hazards with it.
    pub fn move_firm(&mut self, firm: EnterpriseId) {
        let Some(here) = self.memory.tables.enterprises.get(&firm) else {
            return;
        };
        let (from, to) = (here.jurisdiction_id, cast::other_town(here.jurisdiction_id));
        if self.is_dissolved(to) {
            return;
        }
        let tables = &mut self.memory.tables;
        tables.move_enterprise(firm, to, self.now);
        self.note(|| Event::EnterpriseMoved { id: firm, to });
        let tables = &self.memory.tables;
        let all = tables.hazards.values();
        let moved = all.filter(|hazard| hazard.enterprise_id == Some(firm));
        let moved: Vec<HazardId> = moved.map(|hazard| hazard.id).collect();
        let (left, reached) = (Scope::Jurisdiction(from), Scope::Jurisdiction(to));
        for id in moved {
            match self.variant() {
                Variant::ForgetsRemovals => {
                    self.memory.rules.leak(&mut self.memory.tables, id, left)
                }
                Variant::ForgetsArrivals => {
                    let tables = &mut self.memory.tables;
                    tables.remove(reached, RecordKind::Hazard, id.0);
                }
                Variant::LeaksToTheOtherTown => {
                    self.memory.rules.leak(&mut self.memory.tables, id, left);
                }
                _ => {}
            }
        }
    }

    /// The scopes that a person holds now.
    pub fn granted(&self, person: PersonId) -> BTreeSet<Scope> {
        self.memory.tables.granted(person, self.now)
    }

    /// What a scope holds and sums up to, counted anew.
    pub fn checkpoint(&self, scope: Scope) -> Checkpoint {
        self.memory.sum(scope)
    }

    /// Takes a push by who is signed in where it comes from.
    pub fn push(&mut self, bearer: PersonId, request: &PushRequest) -> Option<PushResponse> {
        let request = match self.variant() {
            Variant::DropsUnknownFields => &builds::understood(request),
            Variant::HoldsTheLast => &without_the_last(request),
            Variant::JudgesWhatWasSettled => &PushRequest {
                settled: Vec::new(),
                ..request.clone()
            },
            _ => request,
        };
        let install_id = request.install_id;
        let install = self.memory.tables.installs.get_mut(&install_id)?;
        if self.memory.rules.variant == Variant::TakesTheBearersWord {
            install.person_id = bearer;
        }
        let stuck = self.variant() == Variant::StuckOnRefusals;
        let before = stuck.then(|| self.memory.clone());
        self.decide_backwards(bearer, request);
        self.decide_again(bearer, request);
        let chosen = self.memory.tables.fates.clone();
        let mut answer = self.memory.push(bearer, request, self.now).ok()?;
        self.break_choices(bearer, request, &answer, &chosen);
        self.prove_more();
        if let (Some(before), Some(refused)) = (before, first_refused(&answer)) {
            self.memory = before;
            let mut shorter = request.clone();
            shorter.commands.truncate(refused);
            answer = self.memory.push(bearer, &shorter, self.now).ok()?;
            answer.expected = request.commands.get(refused).map(|envelope| envelope.seq);
        }
        for (envelope, result) in request.commands.iter().zip(&mut answer.results) {
            if let PushResult::Receipt(receipt) = result {
                if self.variant() == Variant::NewReceiptForReplays {
                    receipt.received_at = self.now;
                }
                self.say(install_id, link_hash(install_id, envelope), receipt);
                if let Some(what) = builds::misunderstood(envelope, receipt) {
                    self.find(Found::new(18, format!("{install_id:?}: {what}")));
                }
            }
        }
        self.keep_payloads(request);
        self.photos.tell(&mut self.memory.tables, self.now);
        answer.missing_photos = self.photos.lacks(&self.memory.tables, bearer);
        Some(answer)
    }

    /// Answers a request about a photo.
    pub fn photo(&mut self, request: &Request) -> Result<ResponseBody, Failure> {
        let variant = self.variant();
        let answer = self.photos.answer(request, variant);
        self.photos.tell(&mut self.memory.tables, self.now);
        answer
    }

    /// [`Variant::TakesBatchesBackwards`]: the rules are asked about new commands from the last to the first.
    fn decide_backwards(&mut self, person: PersonId, request: &PushRequest) {
        if self.variant() != Variant::TakesBatchesBackwards {
            return;
        }
        let install = self.memory.tables.installs.get(&request.install_id);
        let last = install.map_or(0, |install| install.stream.last_seq);
        for envelope in request.commands.iter().rev().filter(|e| e.seq > last) {
            let Some(opened) = open(envelope) else {
                continue;
            };
            let sender = self.sender(person, request.install_id, envelope.seq);
            let rules = &mut self.memory.rules;
            let decision = rules.decide(&mut self.memory.tables, &sender, &opened);
            rules
                .early
                .insert((request.install_id, envelope.seq), decision);
        }
    }

    /// [`Variant::ExecutesReplays`]: what was pushed before is carried out once more.
    fn decide_again(&mut self, person: PersonId, request: &PushRequest) {
        if self.variant() != Variant::ExecutesReplays {
            return;
        }
        for envelope in &request.commands {
            let install = self.memory.tables.installs.get(&request.install_id);
            let known = install.and_then(|install| install.receipts.get(&envelope.seq));
            let same = known
                .is_some_and(|known| known.link_hash == link_hash(request.install_id, envelope));
            if let (true, Some(opened)) = (same, open(envelope)) {
                let sender = self.sender(person, request.install_id, envelope.seq);
                let rules = &mut self.memory.rules;
                rules.decide(&mut self.memory.tables, &sender, &opened);
            }
        }
    }

    /// [`Variant::ProvesMoreThanWasSeen`].
    fn prove_more(&mut self) {
        if self.variant() != Variant::ProvesMoreThanWasSeen {
            return;
        }
        for statement in self.memory.tables.statements.values_mut() {
            if statement.standing == Standing::Leads {
                statement.about.seq = i64::MAX;
            }
        }
    }

    pub(crate) fn sender(&self, person_id: PersonId, install_id: InstallId, seq: i64) -> Sender {
        Sender {
            person_id,
            install_id,
            seq,
            now: self.now,
        }
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
            self.find(Found::new(3, what));
        }
    }
}

/// [`Variant::HoldsTheLast`].
fn without_the_last(request: &PushRequest) -> PushRequest {
    let mut shorter = request.clone();
    shorter.commands.pop();
    shorter
}

/// [`Variant::StuckOnRefusals`]: the first command of the batch that the rules refuse.
fn first_refused(answer: &PushResponse) -> Option<usize> {
    let refused = |result: &PushResult| match result {
        PushResult::Receipt(receipt) => matches!(receipt.outcome, Outcome::Rejected { .. }),
        PushResult::IdReused { .. } => false,
    };
    answer.results.iter().position(refused)
}

pub(crate) fn open(envelope: &Envelope) -> Option<Opened> {
    let depth = WireLimits::default().depth;
    let payload = &envelope.payload.0;
    CommandPayload::open(&envelope.kind, envelope.version, payload, depth).ok()
}

//! One phone: for each of its people the real device half and a disk that survives what a disk survives, and a clock.

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::command::ClockReading;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::seal;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Identity, Offering, Request, State, StrideLimits, Ticket, successor,
};
use hazardloop_sync_protocol::wire::{Envelope, OfferRequest, PROTOCOL_MAX};
use uuid::Uuid;

use crate::network::{LateAnswer, NetFault, Straggler};

/// One person on a phone: what the phone keeps for them, apart from whoever else uses it.
pub struct Profile {
    /// Whose.
    pub person: PersonRecord,
    /// What is durable.
    pub disk: State,
    /// The device half.
    pub engine: Engine,
    /// The files of photos.
    pub files: BTreeMap<Digest, Vec<u8>>,
    /// Answers that the app has given up waiting for.
    pub late: Vec<LateAnswer>,
    /// Which attempt a ticket belongs to.
    pub tickets: BTreeMap<Ticket, usize>,
    /// Which choice a ticket belongs to.
    pub choices: BTreeMap<Ticket, usize>,
    /// The hub has said that this install is revoked.
    pub told_revoked: bool,
    /// Which of the people of its phone.
    place: usize,
    key: SigningKey,
    install_id: InstallId,
    installs: u8,
}

/// What a copy of a phone holds of one person.
#[derive(Clone, Debug)]
struct Copied {
    place: usize,
    disk: State,
    files: BTreeMap<Digest, Vec<u8>>,
    install_id: InstallId,
    key: SigningKey,
}

/// What was lost from view with a phone's last backup.
#[derive(Clone, Debug)]
pub struct PhoneBackup {
    profiles: Vec<Copied>,
    /// How many attempts and choices there were then.
    pub made: (usize, usize),
}

/// One phone.
pub struct Device {
    /// Which.
    pub number: usize,
    /// Who is signed in.
    pub profile: Profile,
    /// Who else uses it.
    pub others: Vec<Profile>,
    /// How far its clock is beside the true time, milliseconds.
    pub skew_ms: i64,
    /// What befalls its next requests.
    pub faults: VecDeque<NetFault>,
    /// What befalls the chunk of a photo of this number from now.
    pub chunk_fault: Option<(usize, NetFault)>,
    /// It dies at the write of this number from now: after it is durable, or before.
    pub crash: Option<(usize, bool)>,
    /// So many writes find the disk full.
    pub disk_full: usize,
    /// So many of its next requests with something to keep are too large for the hub.
    pub too_large: usize,
    /// Something on the way lets so many of its next pushes not through, for their size.
    pub held_up: usize,
    /// And its next offer.
    pub offer_held_up: bool,
    /// The next photo that it begins to send is too large for the hub.
    pub photo_too_large: bool,
    /// Requests that it has given up waiting for, and that are still on their way.
    pub stragglers: Vec<Straggler>,
    /// Its last backup.
    pub backup: Option<PhoneBackup>,
    /// Its build is newer than the hub's: it says more than that knows.
    pub newer: bool,
    /// How often a page was on its way to it, or to its disk, and was not kept.
    pub interrupted: usize,
}

/// Bytes of a chunk: few, so that every photo has several.
pub const CHUNK: u32 = 8;

fn config() -> EngineConfig {
    EngineConfig {
        // Small, so that batches and pages come in parts.
        push_commands: 3,
        pull_records: StrideLimits::always(8),
        photo_chunk: StrideLimits::always(CHUNK),
        ..EngineConfig::default()
    }
}

impl Profile {
    fn new(number: usize, place: usize, person: PersonRecord) -> Self {
        let (install_id, key) = identity(number, place, 0);
        let disk = State::default();
        let engine = engine(&person, install_id, &key, disk.clone());
        Self {
            person,
            disk,
            engine,
            files: BTreeMap::new(),
            late: Vec::new(),
            tickets: BTreeMap::new(),
            choices: BTreeMap::new(),
            told_revoked: false,
            place,
            key,
            install_id,
            installs: 1,
        }
    }

    /// Its install and public key, as they are registered.
    pub fn enrolment(&self) -> (InstallId, Vec<u8>) {
        let public = self.key.verifying_key().to_bytes().to_vec();
        (self.install_id, public)
    }

    /// Signs as this install.
    pub fn seal(&self, seq: i64, kind: &str, previous: Digest, payload: Vec<u8>) -> Envelope {
        seal(&self.key, self.install_id, seq, kind, 1, previous, payload)
    }

    /// The app begins anew from the disk.
    pub fn restart(&mut self) {
        self.tickets.clear();
        self.choices.clear();
        self.late.clear();
        let mut state = self.disk.clone();
        state.recompute_held();
        self.disk = state.clone();
        self.engine = engine(&self.person, self.install_id, &self.key, state);
    }

    /// The install and key that take over, kept before the queue is sealed anew under them.
    fn rekey(&mut self, number: usize, revoked: impl Fn(InstallId) -> bool) {
        let next = successor(self.engine.state(), self.install_id, &self.key);
        let next = next.filter(|(install_id, _)| !revoked(*install_id));
        let (install_id, key) = next.unwrap_or_else(|| {
            self.installs += 1;
            identity(number, self.place, self.installs - 1)
        });
        (self.install_id, self.key) = (install_id, key.clone());
        self.engine.handle_rekeyed(install_id, key);
    }

    /// Nothing of its person is left; they enrol it anew.
    fn wipe(&mut self, number: usize) {
        self.installs += 1;
        (self.install_id, self.key) = identity(number, self.place, self.installs - 1);
        self.disk = State::default();
        self.files.clear();
        self.told_revoked = false;
        self.restart();
    }

    /// What was read goes.
    pub fn drop_replica(&mut self) {
        self.disk.scopes.clear();
        self.disk.members.clear();
        self.disk.staged.clear();
        self.disk.rows.clear();
        self.restart();
    }

    /// The offers of one contact, of what this phone holds.
    pub fn offering(&self) -> Offering {
        let photos = self.disk.photos.keys().copied().collect();
        Offering::new(self.install_id, self.key.clone(), photos)
    }

    /// An offer of these commands, signed.
    pub fn offer(&self, commands: Vec<Envelope>, photos: Vec<Digest>) -> OfferRequest {
        OfferRequest::sign(&self.key, PROTOCOL_MAX, self.install_id, commands, photos)
    }

    fn copied(&self) -> Copied {
        Copied {
            place: self.place,
            disk: self.disk.clone(),
            files: self.files.clone(),
            install_id: self.install_id,
            key: self.key.clone(),
        }
    }

    fn put_back(&mut self, copied: &Copied) {
        self.disk = copied.disk.clone();
        self.files = copied.files.clone();
        self.install_id = copied.install_id;
        self.key = copied.key.clone();
        self.told_revoked = false;
        self.restart();
    }
}

impl Device {
    /// A new phone in the hands of the first of `people`.
    pub fn new(number: usize, people: Vec<PersonRecord>) -> Option<Self> {
        let profiles = people.into_iter().enumerate();
        let mut profiles = profiles.map(|(place, person)| Profile::new(number, place, person));
        Some(Self {
            number,
            profile: profiles.next()?,
            others: profiles.collect(),
            skew_ms: 0,
            faults: VecDeque::new(),
            chunk_fault: None,
            crash: None,
            disk_full: 0,
            too_large: 0,
            held_up: 0,
            offer_held_up: false,
            photo_too_large: false,
            stragglers: Vec::new(),
            backup: None,
            newer: false,
            interrupted: 0,
        })
    }

    /// All whom it keeps something for; who is signed in comes first.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        std::iter::once(&self.profile).chain(&self.others)
    }

    /// Who is signed in.
    pub fn person_id(&self) -> PersonId {
        self.profile.person.id
    }

    /// The next of its people signs in: the app begins anew, with what is theirs.
    pub fn sign_in_next(&mut self) {
        if self.others.is_empty() {
            return;
        }
        let next = self.others.remove(0);
        let before = std::mem::replace(&mut self.profile, next);
        self.others.push(before);
        self.crash = None;
        self.profile.restart();
    }

    /// What befalls the request that it is about to send.
    pub fn next_fault(&mut self, request: &Request) -> Option<NetFault> {
        let chunk = matches!(request, Request::PatchChunk { .. });
        match self.chunk_fault {
            Some((1, fault)) if chunk => {
                self.chunk_fault = None;
                Some(fault)
            }
            Some((chunks, fault)) if chunk => {
                self.chunk_fault = Some((chunks - 1, fault));
                self.faults.pop_front()
            }
            _ => self.faults.pop_front(),
        }
    }

    /// Whether the hub finds the request that it is about to send too large.
    pub fn is_too_large(&mut self, request: &Request) -> bool {
        let begins = matches!(request, Request::CreateUpload { .. });
        if begins && std::mem::take(&mut self.photo_too_large) {
            return true;
        }
        let keeps = begins || matches!(request, Request::Push(_) | Request::PatchChunk { .. });
        let is = keeps && self.too_large > 0;
        self.too_large -= usize::from(is);
        is
    }

    /// Whether something on the way finds the request that it is about to send too large.
    pub fn is_held_up(&mut self, request: &Request) -> bool {
        let is = matches!(request, Request::Push(_)) && self.held_up > 0;
        self.held_up -= usize::from(is);
        is
    }

    /// What its clock says.
    pub fn wall(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(self.skew_ms)
    }

    /// The clocks that a command carries.
    pub fn clocks(&self, now: Timestamp) -> ClockReading {
        ClockReading {
            wall: self.wall(now),
            monotonic_ms: None,
            boot_id: None,
            server_anchor: None,
            anchor_monotonic_ms: None,
            anchor_token: None,
        }
    }

    /// The app is killed, and begins anew from the disk.
    pub fn restart(&mut self) {
        self.crash = None;
        self.profile.restart();
    }

    /// See [`Profile::rekey`].
    pub fn rekey(&mut self, revoked: impl Fn(InstallId) -> bool) {
        self.profile.rekey(self.number, revoked);
    }

    /// See [`Profile::wipe`].
    pub fn wipe(&mut self) -> (InstallId, Vec<u8>) {
        self.crash = None;
        self.profile.wipe(self.number);
        self.profile.enrolment()
    }

    /// The whole phone is copied.
    pub fn back_up(&mut self, made: (usize, usize)) {
        self.backup = Some(PhoneBackup {
            profiles: self.profiles().map(Profile::copied).collect(),
            made,
        });
    }

    /// The whole phone is as it was at its last backup; says how many attempts and choices there were then.
    pub fn restore(&mut self) -> Option<(usize, usize)> {
        let backup = self.backup.clone()?;
        let profiles = std::iter::once(&mut self.profile).chain(&mut self.others);
        for profile in profiles {
            let mut copied = backup.profiles.iter();
            if let Some(copied) = copied.find(|copied| copied.place == profile.place) {
                profile.put_back(copied);
            }
        }
        self.crash = None;
        Some(backup.made)
    }
}

fn identity(number: usize, place: usize, install: u8) -> (InstallId, SigningKey) {
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    let mut secret = [7; 32];
    secret[..3].copy_from_slice(&[byte(number), byte(place), install]);
    let id = (u128::from(byte(number)) << 16) + (u128::from(byte(place)) << 8);
    let id = Uuid::from_u128(0x100_0000 + id + u128::from(install));
    (InstallId(id), SigningKey::from_bytes(&secret))
}

fn engine(person: &PersonRecord, install_id: InstallId, key: &SigningKey, disk: State) -> Engine {
    let identity = Identity {
        install_id,
        person_id: person.id,
        person: Some(person.clone()),
    };
    let seed = u64::try_from(install_id.0.as_u128() & 0xffff).unwrap_or(0);
    Engine::new(identity, key.clone(), config(), disk, seed)
}

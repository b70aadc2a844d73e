//! One phone: the real device half, a disk that survives what a disk survives, a clock, and its person.

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::command::ClockReading;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Identity, State, StrideLimits, Ticket, successor,
};
use uuid::Uuid;

use crate::network::NetFault;

/// What was lost from view with a phone's last backup.
#[derive(Clone, Debug)]
pub struct PhoneBackup {
    disk: State,
    install_id: InstallId,
    key: SigningKey,
    /// How many attempts there were then.
    pub attempts: usize,
}

/// A request that the device has given up waiting for, and that is still on its way.
#[derive(Clone, Debug)]
pub struct Straggler {
    /// Whether it is a push.
    pub push: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One phone.
pub struct Device {
    /// Which.
    pub number: usize,
    /// Whose.
    pub person: PersonRecord,
    /// What is durable.
    pub disk: State,
    /// The device half.
    pub engine: Engine,
    /// How far its clock is beside the true time, milliseconds.
    pub skew_ms: i64,
    /// What befalls its next requests.
    pub faults: VecDeque<NetFault>,
    /// It dies at the write of this number from now: after it is durable, or before.
    pub crash: Option<(usize, bool)>,
    /// So many writes find the disk full.
    pub disk_full: usize,
    /// Requests that arrive later.
    pub stragglers: Vec<Straggler>,
    /// Which attempt a ticket belongs to.
    pub tickets: BTreeMap<Ticket, usize>,
    /// Its last backup.
    pub backup: Option<PhoneBackup>,
    key: SigningKey,
    install_id: InstallId,
    installs: u8,
}

fn config() -> EngineConfig {
    EngineConfig {
        // Small, so that batches and pages come in parts.
        push_commands: 3,
        pull_records: StrideLimits::always(8),
        ..EngineConfig::default()
    }
}

impl Device {
    /// A new phone in the hands of `person`.
    pub fn new(number: usize, person: PersonRecord) -> Self {
        let (install_id, key) = identity(number, 0);
        let disk = State::default();
        let engine = engine(&person, install_id, &key, disk.clone());
        Self {
            number,
            person,
            disk,
            engine,
            skew_ms: 0,
            faults: VecDeque::new(),
            crash: None,
            disk_full: 0,
            stragglers: Vec::new(),
            tickets: BTreeMap::new(),
            backup: None,
            key,
            install_id,
            installs: 1,
        }
    }

    /// Whose phone it is.
    pub fn person_id(&self) -> PersonId {
        self.person.id
    }

    /// Its install and public key, as they are registered.
    pub fn enrolment(&self) -> (InstallId, Vec<u8>) {
        let public = self.key.verifying_key().to_bytes().to_vec();
        (self.install_id, public)
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
        self.tickets.clear();
        let mut state = self.disk.clone();
        state.recompute_held();
        self.disk = state.clone();
        self.engine = engine(&self.person, self.install_id, &self.key, state);
    }

    /// The install and key that take over, kept before the queue is sealed anew under them.
    pub fn rekey(&mut self) {
        let next = successor(self.engine.state(), self.install_id, &self.key);
        let (install_id, key) = next.unwrap_or_else(|| {
            self.installs += 1;
            identity(self.number, self.installs - 1)
        });
        (self.install_id, self.key) = (install_id, key.clone());
        self.engine.handle_rekeyed(install_id, key);
    }

    /// The whole phone is copied.
    pub fn back_up(&mut self, attempts: usize) {
        self.backup = Some(PhoneBackup {
            disk: self.disk.clone(),
            install_id: self.install_id,
            key: self.key.clone(),
            attempts,
        });
    }

    /// The whole phone is as it was at its last backup; says how many attempts there were then.
    pub fn restore(&mut self) -> Option<usize> {
        let backup = self.backup.clone()?;
        self.disk = backup.disk;
        self.install_id = backup.install_id;
        self.key = backup.key;
        self.restart();
        Some(backup.attempts)
    }
}

fn identity(number: usize, install: u8) -> (InstallId, SigningKey) {
    let number = u8::try_from(number).unwrap_or(u8::MAX);
    let id = Uuid::from_u128(0x1000 + (u128::from(number) << 8) + u128::from(install));
    let key = SigningKey::from_bytes(&[number.wrapping_mul(16).wrapping_add(install); 32]);
    (InstallId(id), key)
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

//! The device half against a small hub: every fault that a field day brings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod choice_tests;
mod compact_tests;
mod cosign_tests;
mod held_up_tests;
mod hub;
mod lapsed_tests;
mod oversize_tests;
mod photo_decision_tests;
mod photo_tests;
mod pull_tests;
mod push_tests;
mod rekey_tests;
mod time_proof_tests;
mod told_late_tests;
mod versions_tests;
mod windows_tests;

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::{Grant, GrantScope, PersonRecord, Role};
use hazardloop_domain::command::{
    Action, ClockReading, Command, Grade, Note, PhotoKind, PhotoRef, Report, Source,
};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::PhotoState;
use hazardloop_domain::ids::{
    EnterpriseId, GrantId, HazardId, InstallId, JurisdictionId, PersonId,
};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::wire::*;
use hub::Hub;

/// 2026-11-22T00:00:00Z.
const DAY: i64 = 1_795_305_600_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(DAY + ms)
}
fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}
fn install() -> InstallId {
    InstallId(Uuid::from_u128(1))
}
fn me() -> PersonId {
    PersonId(Uuid::from_u128(2))
}
fn town() -> JurisdictionId {
    JurisdictionId(Uuid::from_u128(3))
}
fn firm_id() -> EnterpriseId {
    EnterpriseId(Uuid::from_u128(4))
}
fn firm_scope() -> Scope {
    Scope::Enterprise(firm_id())
}
fn town_scope() -> Scope {
    Scope::Jurisdiction(town())
}
fn hazard_id(n: u128) -> HazardId {
    HazardId(Uuid::from_u128(
        0x019a_b000_0000_7000_8000_0000_0000_0000 + n,
    ))
}

fn enterprise() -> Enterprise {
    Enterprise {
        id: firm_id(),
        name: "东河建材厂".into(),
        credit_code: None,
        jurisdiction_id: town(),
        sector: "industry".into(),
        address: None,
        position: None,
        version: 1,
        profile: hazardloop_domain::enterprise::EnterpriseProfile::default(),
    }
}

fn person_record() -> PersonRecord {
    let grant = Grant {
        id: GrantId(Uuid::from_u128(9)),
        role: Role::Principal,
        scope: GrantScope::Enterprise(firm_id()),
        valid_from: Timestamp::from_millis(0),
        valid_until: None,
        sectors: Vec::new(),
        certificate: None,
        temporary_reason: None,
    };
    PersonRecord {
        id: me(),
        login: "li".into(),
        name: "李".into(),
        grants: vec![grant],
        version: 1,
    }
}

fn photo(bytes: &[u8]) -> PhotoRef {
    PhotoRef {
        sha256: Digest::sha256(bytes),
        size: bytes.len() as u64,
        media_type: "image/jpeg".into(),
        kind: PhotoKind::Before,
        taken_at: None,
        position: None,
    }
}

fn report(photos: Vec<PhotoRef>) -> Action {
    let no_photo_reason = photos.is_empty().then(|| "dark".to_owned());
    Action::Report(Report {
        source: Source::EnterpriseSelfCheck,
        grade: Grade::General,
        enterprise_id: Some(firm_id()),
        description: "配电箱无门".into(),
        place_text: "一号车间".into(),
        position: None,
        found_at: at(0),
        photos,
        no_photo_reason,
        criterion: None,
        immediate_measure: None,
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    })
}

fn note(text: &str) -> Action {
    Action::Note(Note { text: text.into() })
}

fn clock() -> ClockReading {
    ClockReading {
        wall: at(0),
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

/// What happens to the next requests.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The server does it, the answer is lost.
    LoseAnswer,
    /// The answer comes twice.
    Twice,
    /// Nothing reaches the server.
    Fail(Failure),
    /// The device gives up waiting; the request reaches the server later.
    Late,
}

/// One device, its store, its hub, and what goes wrong between them.
struct World {
    hub: Hub,
    store: State,
    engine: Engine,
    now: Timestamp,
    faults: VecDeque<Fault>,
    notices: Vec<Notice>,
    sent: Vec<Request>,
    files: BTreeMap<Digest, Vec<u8>>,
    /// Requests that are still on their way.
    late: Vec<Request>,
    /// Crash at the write of this number: `true` after it is durable, `false` before.
    crash_at: Option<(usize, bool)>,
    writes: usize,
    /// Bytes of a push that pass before the link is cut.
    cut_after: Option<usize>,
}

fn engine(state: State, config: EngineConfig) -> Engine {
    let identity = Identity {
        install_id: install(),
        person_id: me(),
        person: Some(person_record()),
    };
    Engine::new(identity, key(), config, state, 42)
}

impl World {
    fn new() -> Self {
        Self::with(EngineConfig::default())
    }

    fn with(config: EngineConfig) -> Self {
        Self {
            hub: Hub::new(),
            store: State::default(),
            engine: engine(State::default(), config),
            now: at(1_000),
            faults: VecDeque::new(),
            notices: vec![],
            sent: vec![],
            files: BTreeMap::new(),
            late: vec![],
            crash_at: None,
            writes: 0,
            cut_after: None,
        }
    }

    fn reload(&mut self) {
        let install_id = self.engine.identity().install_id;
        self.engine = engine(self.store.clone(), self.engine.config.clone());
        self.engine.identity.install_id = install_id;
    }

    /// `false`: it crashed, and was started again from the store.
    fn pump(&mut self) -> bool {
        for _ in 0..10_000 {
            let Some(output) = self.engine.poll_output(self.now) else {
                return true;
            };
            match output {
                Output::Write { id, ops } => {
                    self.writes += 1;
                    let crash = self.crash_at.filter(|(at, _)| *at == self.writes);
                    if crash.is_none_or(|(_, durable)| durable) {
                        self.store.apply(&ops);
                    }
                    if crash.is_some() {
                        self.reload();
                        return false;
                    }
                    self.engine.handle_stored(id);
                    assert_eq!(self.engine.state(), &self.store, "memory and store agree");
                }
                Output::Notice(notice) => self.notices.push(notice),
                Output::Send { id, request } => self.carry(id, request),
                Output::ReadPhoto {
                    id,
                    sha256,
                    offset,
                    len,
                } => match self.files.get(&sha256) {
                    Some(bytes) => {
                        let from = offset as usize;
                        let part = bytes[from..from + len as usize].to_vec();
                        self.engine.handle_photo_bytes(id, self.now, part);
                    }
                    None => self.engine.handle_photo_unreadable(id, self.now),
                },
            }
        }
        panic!(
            "the engine does not come to rest: {:?}",
            self.notices.iter().rev().take(5).collect::<Vec<_>>()
        );
    }

    fn carry(&mut self, id: RequestId, request: Request) {
        self.sent.push(request.clone());
        if let (Request::Push(push), Some(most)) = (&request, self.cut_after)
            && crate::codec::encode(push).len() > most
        {
            return self.engine.handle_failure(id, self.now, Failure::Offline);
        }
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        if let Fault::Fail(failure) = fault {
            return self.engine.handle_failure(id, self.now, failure);
        }
        if fault == Fault::Late {
            self.late.push(request);
            return self.engine.handle_failure(id, self.now, Failure::Offline);
        }
        self.hub.now = self.now;
        match self.hub.answer(&request) {
            Ok(_) if fault == Fault::LoseAnswer => {
                self.engine.handle_failure(id, self.now, Failure::Offline);
            }
            Ok(body) => {
                if fault == Fault::Twice {
                    self.engine.handle_response(id, self.now, body.clone());
                }
                self.engine.handle_response(id, self.now, body);
            }
            Err(failure) => self.engine.handle_failure(id, self.now, failure),
        }
    }

    /// Runs until nothing is left to do, waiting out every backoff.
    fn settle(&mut self) {
        for _ in 0..200 {
            if !self.pump() {
                continue;
            }
            match self.engine.next_wake() {
                Some(wake) => self.now = self.now.max(wake),
                None => return,
            }
        }
        panic!(
            "never settles: {:?}",
            self.notices.iter().rev().take(5).collect::<Vec<_>>()
        );
    }

    fn pull(&mut self) {
        self.engine.handle_pull_wanted();
        self.settle();
    }

    fn queue(&mut self, id: HazardId, action: Action) -> bool {
        let ticket = self
            .engine
            .handle_command(self.now, clock(), id, action)
            .unwrap();
        // Without network: only the store answers.
        loop {
            match self.engine.poll_output(self.now) {
                Some(Output::Write { id, ops }) => self.keep(id, &ops),
                Some(Output::Notice(notice)) => {
                    let done = matches!(notice, Notice::Queued { ticket: t, .. } if t == ticket);
                    self.notices.push(notice);
                    if done {
                        return true;
                    }
                }
                Some(Output::Send { id, request }) => self.carry(id, request),
                _ => return false,
            }
        }
    }

    /// A write that neither fails nor is cut off.
    fn keep(&mut self, id: u64, ops: &[StoreOp]) {
        self.store.apply(ops);
        self.engine.handle_stored(id);
    }

    fn standing(&self, seq: i64) -> Standing {
        self.engine.state().commands[&seq].standing()
    }
}

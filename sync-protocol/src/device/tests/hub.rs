//! A small hub in memory, with the real stream rules, for the device's tests.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::digest::DigestKey;
use crate::hub::{Judgement, StreamState, give_up, judge};
use hazardloop_domain::access::{Actor, Role};
use hazardloop_domain::command::Origin;
use hazardloop_domain::hazard::{EventRecord, Facts, Hazard, decide};

pub struct Hub {
    pub epoch: String,
    pub key: DigestKey,
    pub stream: StreamState,
    pub receipts: BTreeMap<i64, (Digest, Receipt)>,
    pub hazards: BTreeMap<Uuid, Hazard>,
    pub applied: Vec<i64>,
    /// Per scope a log of changes; a cursor is a length of it.
    pub scopes: BTreeMap<Scope, Vec<(RowKey, Option<Record>)>>,
    pub dropped: BTreeSet<Scope>,
    /// Where a hazard's row goes.
    pub hazard_scopes: Vec<Scope>,
    pub page: usize,
    pub max_commands: usize,
    /// A command with a longer payload is answered with a typed 413.
    pub payload_limit: usize,
    pub pushed_batches: Vec<usize>,
    pub uploads: BTreeMap<String, (Digest, u64, Vec<u8>)>,
    pub bad_photo: Option<Digest>,
    /// What is said to the last chunk of a bad photo, or to every one.
    pub bad_answer: Failure,
    pub bad_at_once: bool,
    /// Photos that it asks for.
    pub missing: Vec<Digest>,
    pub now: Timestamp,
    pub wrong_digest: bool,
    /// As a hub with a change in flight: so many pulls go without a checkpoint, and without an
    /// answer where nothing changed.
    pub forgets_checkpoints: usize,
    /// Streams of installs that are not the present one.
    pub others: BTreeMap<InstallId, Stream>,
}

/// A stream and its receipts.
pub type Stream = (StreamState, BTreeMap<i64, (Digest, Receipt)>);

impl Hub {
    pub fn new() -> Self {
        let stream = StreamState {
            install_id: install(),
            public_key: key().verifying_key().to_bytes().to_vec(),
            last_seq: 0,
            last_hash: Digest::ZERO,
        };
        let mut hub = Self {
            epoch: "one".into(),
            key: DigestKey([5; 16]),
            stream,
            receipts: BTreeMap::new(),
            hazards: BTreeMap::new(),
            applied: vec![],
            scopes: BTreeMap::new(),
            dropped: BTreeSet::new(),
            hazard_scopes: vec![firm_scope()],
            page: 100,
            max_commands: 1000,
            payload_limit: usize::MAX,
            pushed_batches: vec![],
            uploads: BTreeMap::new(),
            bad_photo: None,
            bad_at_once: true,
            missing: vec![],
            bad_answer: Failure::Refused {
                code: "NO".into(),
                detail: String::new(),
            },
            now: at(1_000),
            wrong_digest: false,
            forgets_checkpoints: 0,
            others: BTreeMap::new(),
        };
        let person = person_record();
        hub.put(
            Scope::Person(me()),
            RecordKind::Person,
            person.id.0,
            1,
            minicbor::to_vec(&person).unwrap(),
        );
        let firm = enterprise();
        hub.put(
            firm_scope(),
            RecordKind::Enterprise,
            firm.id.0,
            1,
            minicbor::to_vec(&firm).unwrap(),
        );
        hub
    }

    pub fn put(&mut self, scope: Scope, kind: RecordKind, id: Uuid, version: i64, body: Vec<u8>) {
        let record = Record {
            kind,
            id,
            version,
            body: Bytes(body),
        };
        self.scopes
            .entry(scope)
            .or_default()
            .push(((kind, id), Some(record)));
    }

    pub fn remove(&mut self, scope: Scope, kind: RecordKind, id: Uuid) {
        self.scopes
            .entry(scope)
            .or_default()
            .push(((kind, id), None));
    }

    pub fn put_hazard(&mut self, hazard: &Hazard) {
        self.hazards.insert(hazard.id.0, hazard.clone());
        for scope in self.hazard_scopes.clone() {
            let body = minicbor::to_vec(hazard).unwrap();
            self.put(scope, RecordKind::Hazard, hazard.id.0, hazard.version, body);
        }
    }

    pub fn answer(&mut self, request: &Request) -> Result<ResponseBody, Failure> {
        match request {
            Request::Push(push) => self.push(push).map(ResponseBody::Push),
            Request::Pull(pull) => Ok(ResponseBody::Pull(self.pull(pull))),
            Request::CreateUpload { sha256, size, .. } => {
                let complete = |(_, (known, size, bytes)): &(&String, &(Digest, u64, Vec<u8>))| {
                    known == sha256 && bytes.len() as u64 == *size
                };
                if let Some((upload, _)) = self.uploads.iter().find(complete) {
                    return Ok(ResponseBody::UploadCreated {
                        upload: upload.clone(),
                        offset: *size,
                    });
                }
                let upload = format!("/photos/{}", self.uploads.len());
                self.uploads
                    .insert(upload.clone(), (*sha256, *size, vec![]));
                Ok(ResponseBody::UploadCreated { upload, offset: 0 })
            }
            Request::UploadStatus { upload } => match self.uploads.get(upload) {
                Some((.., bytes)) => Ok(ResponseBody::UploadOffset {
                    offset: bytes.len() as u64,
                }),
                None => Err(Failure::UploadGone),
            },
            Request::PatchChunk {
                upload,
                offset,
                checksum,
                bytes,
            } => self.patch(upload, *offset, *checksum, bytes),
        }
    }

    fn patch(
        &mut self,
        upload: &str,
        offset: u64,
        sum: Digest,
        bytes: &[u8],
    ) -> Result<ResponseBody, Failure> {
        let Some((sha256, size, held)) = self.uploads.get_mut(upload) else {
            return Err(Failure::UploadGone);
        };
        let whole = offset + bytes.len() as u64 == *size;
        if Some(*sha256) == self.bad_photo && (whole || self.bad_at_once) {
            return Err(self.bad_answer.clone());
        }
        if held.len() as u64 != offset {
            return Err(Failure::OffsetMismatch);
        }
        assert_eq!(sum, Digest::sha256(bytes));
        held.extend_from_slice(bytes);
        if held.len() as u64 == *size {
            assert_eq!(Digest::sha256(held), *sha256);
        }
        Ok(ResponseBody::UploadOffset {
            offset: held.len() as u64,
        })
    }

    /// The server noticed that a photo is complete: the record says so.
    pub fn verify(&mut self, hazard: HazardId, sha256: Digest) {
        let mut hazard = self.hazards[&hazard.0].clone();
        for photo in &mut hazard.photos {
            if photo.reference.sha256 == sha256 {
                photo.state = PhotoState::Verified;
            }
        }
        hazard.version += 1;
        self.put_hazard(&hazard);
    }

    /// Goes on with the stream of this install, if it has one here.
    pub fn turn_to(&mut self, install_id: InstallId) {
        if let Some((stream, receipts)) = self.others.remove(&install_id) {
            let before = std::mem::replace(&mut self.stream, stream);
            let receipts = std::mem::replace(&mut self.receipts, receipts);
            self.others.insert(before.install_id, (before, receipts));
        }
    }

    fn push(&mut self, push: &PushRequest) -> Result<PushResponse, Failure> {
        self.pushed_batches.push(push.commands.len());
        self.turn_to(push.install_id);
        let most = self.payload_limit;
        let long = |envelope: &Envelope| envelope.payload.0.len() > most;
        if push.commands.len() > self.max_commands || push.commands.iter().any(long) {
            return Err(Failure::PayloadTooLarge { ours: true });
        }
        let (mut results, mut expected) = (vec![], None);
        for envelope in &push.commands {
            match judge(&self.stream, envelope, &WireLimits::default()) {
                Judgement::Gap(next) => {
                    expected = Some(next);
                    break;
                }
                Judgement::Replay(hash) => results.push(match self.receipts.get(&envelope.seq) {
                    Some((known, receipt)) if *known == hash => {
                        PushResult::Receipt(receipt.clone())
                    }
                    _ => PushResult::IdReused { seq: envelope.seq },
                }),
                Judgement::Quarantine(reason, detail) => {
                    results.push(self.receipt(envelope, Outcome::Quarantined { reason, detail }));
                }
                Judgement::GiveUp(read) => {
                    let about = self.receipts.get(&read.choice.about.seq);
                    let outcome = give_up(&read.choice, about.map(|(_, receipt)| &receipt.outcome));
                    results.push(self.receipt(envelope, outcome));
                }
                Judgement::Execute(read) => {
                    let outcome = self.execute(&read.command);
                    self.applied.push(envelope.seq);
                    results.push(self.receipt(envelope, outcome));
                }
            }
        }
        Ok(PushResponse {
            protocol: 1,
            epoch: self.epoch.clone(),
            server_time: self.now,
            last: self.stream.last_seq,
            results,
            expected,
            missing_photos: self.missing.clone(),
        })
    }

    fn receipt(&mut self, envelope: &Envelope, outcome: Outcome) -> PushResult {
        self.stream.advance(envelope);
        let receipt = Receipt {
            seq: envelope.seq,
            received_at: self.now,
            outcome,
        };
        self.receipts
            .insert(envelope.seq, (self.stream.last_hash, receipt.clone()));
        PushResult::Receipt(receipt)
    }

    fn execute(&mut self, command: &Command) -> Outcome {
        let current = self.hazards.get(&command.subject_id.0).cloned();
        let actor = Actor::Person {
            person_id: me(),
            roles: vec![Role::Employee, Role::Principal],
            certified: true,
        };
        let facts = Facts {
            jurisdiction_id: Some(town()),
            ..Facts::at(self.now, Default::default(), Default::default())
        };
        let decision = match decide(current.as_ref(), command, &actor, &facts) {
            Ok(decision) => decision,
            Err(refusal) => return Outcome::Rejected { refusal },
        };
        let mut hazard = current;
        for event in decision.events {
            let record = EventRecord {
                hazard_id: HazardId(command.subject_id.0),
                seq: hazard.as_ref().map_or(1, |h| h.version + 1),
                actor_id: Some(me()),
                recorded_at: self.now,
                origin: Origin::DIRECT,
                event,
            };
            match &mut hazard {
                Some(hazard) => hazard.apply(&record),
                None => hazard = Hazard::begin(&record),
            }
        }
        let hazard = hazard.unwrap();
        self.put_hazard(&hazard);
        Outcome::Applied {
            version: hazard.version,
        }
    }

    fn pull(&mut self, pull: &PullRequest) -> PullResponse {
        let mut answers = vec![];
        let mut more = false;
        let known = pull.epoch.as_ref() == Some(&self.epoch);
        let mut scopes: BTreeSet<Scope> = self.scopes.keys().copied().collect();
        scopes.extend(pull.scopes.iter().map(|held| held.scope));
        for scope in scopes {
            let held = pull.scopes.iter().find(|held| held.scope == scope);
            if self.dropped.contains(&scope) {
                if held.is_some() {
                    let update = ScopeUpdate::Drop {
                        reason: DropReason::NoLongerYours,
                    };
                    answers.push(ScopeAnswer { scope, update });
                }
                continue;
            }
            let mut page = self.page_of(scope, held, known);
            if self.forgets_checkpoints > 0 {
                page.checkpoint = None;
                if page.records.is_empty() && page.reset.is_none() {
                    continue;
                }
            }
            more |= page.checkpoint.is_none();
            answers.push(ScopeAnswer {
                scope,
                update: ScopeUpdate::Page(page),
            });
        }
        self.forgets_checkpoints = self.forgets_checkpoints.saturating_sub(1);
        PullResponse {
            protocol: 1,
            epoch: self.epoch.clone(),
            digest_key: (!known).then(|| Bytes(self.key.0.to_vec())),
            server_time: self.now,
            last: self.stream.last_seq,
            answers,
            more,
            missing_photos: self.missing.clone(),
        }
    }

    fn checkpoint(&self, log: &[(RowKey, Option<Record>)]) -> Checkpoint {
        let mut rows = BTreeMap::new();
        for (key, change) in log {
            rows.insert(*key, change.clone());
        }
        let mut sum = Checkpoint::EMPTY;
        for record in rows.into_values().flatten() {
            sum = sum.with(self.key.of_record(
                record.kind,
                &record.id,
                record.version,
                &record.body.0,
            ));
        }
        sum
    }

    fn page_of(&self, scope: Scope, held: Option<&ScopeCursor>, known: bool) -> Page {
        let log = &self.scopes[&scope];
        let cursor = held.and_then(|held| held.cursor.as_ref()).filter(|_| known);
        let mut from = cursor.map_or(0, |c| {
            u64::from_be_bytes(c.0.clone().try_into().unwrap()) as usize
        });
        let mut reset = match (held, cursor) {
            (None, _) => Some(ResetReason::First),
            (Some(_), None) => Some(ResetReason::CursorUnknown),
            _ => None,
        };
        if held
            .and_then(|held| held.checkpoint)
            .is_some_and(|c| c != self.checkpoint(&log[..from]))
        {
            (from, reset) = (0, Some(ResetReason::DigestMismatch));
        }
        let to = (from + self.page).min(log.len());
        let (mut records, mut removals) = (vec![], vec![]);
        let changes: BTreeMap<RowKey, Option<Record>> = log[from..to].iter().cloned().collect();
        for ((kind, id), change) in changes {
            match change {
                Some(record) => records.push(record),
                None => removals.push(RecordKey { kind, id }),
            }
        }
        let mut checkpoint = (to == log.len()).then(|| self.checkpoint(log));
        if self.wrong_digest {
            checkpoint = checkpoint.map(|c| Checkpoint {
                digest: c.digest ^ 1,
                ..c
            });
        }
        Page {
            reset,
            records,
            removals,
            cursor: Bytes((to as u64).to_be_bytes().to_vec()),
            checkpoint,
        }
    }
}

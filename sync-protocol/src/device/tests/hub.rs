//! The hub of the device's tests: the hub in memory, with a photo lane and with faults that tests turn on.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::digest::DigestKey;
use crate::hub::memory::{
    Author, MemoryHub, NotAnswered, Rules, Sender, Tables, decided, record_of,
};
use crate::hub::{Decision, RequestRefused};
use hazardloop_domain::access::{Actor, Role};
use hazardloop_domain::command::Origin;
use hazardloop_domain::hazard::{Facts, Hazard};

pub struct Hub {
    pub memory: MemoryHub<OfOne>,
    /// Most records of one pull.
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
}

/// A world of one person, who may do whatever an employee and a principal may, and holds every scope that there is.
pub struct OfOne {
    pub applied: Vec<i64>,
    pub dropped: BTreeSet<Scope>,
    /// Where a hazard's row goes.
    pub hazard_scopes: Vec<Scope>,
}

impl OfOne {
    pub fn put_hazard(&self, tables: &mut Tables, hazard: &Hazard) {
        let record = record_of(RecordKind::Hazard, hazard.id.0, hazard.version, hazard).unwrap();
        for scope in &self.hazard_scopes {
            tables.put(*scope, record.clone());
        }
        tables.hazards.insert(hazard.id, hazard.clone());
    }
}

impl Rules for OfOne {
    fn decide(&mut self, tables: &mut Tables, sender: &Sender, opened: &Opened) -> Decision {
        self.applied.push(sender.seq);
        let command = &opened.command;
        let current = tables.hazards.get(&HazardId(command.subject_id.0));
        let actor = Actor::Person {
            person_id: me(),
            roles: vec![Role::Employee, Role::Principal],
            certified: true,
        };
        let facts = Facts {
            jurisdiction_id: Some(town()),
            ..Facts::at(sender.now, Default::default(), Default::default())
        };
        let by = Author {
            actor: &actor,
            person_id: Some(me()),
            origin: &Origin::DIRECT,
            received_at: sender.now,
        };
        match decided(current, command, &by, &facts) {
            Ok((hazard, effect)) => {
                self.put_hazard(tables, &hazard);
                let version = hazard.version;
                Decision::TookEffect { version, effect }
            }
            Err(refusal) => Decision::Refused(refusal),
        }
    }

    fn granted(&self, tables: &Tables, _: PersonId, _: Timestamp) -> BTreeSet<Scope> {
        let all = tables.scopes.keys().copied();
        all.filter(|scope| !self.dropped.contains(scope)).collect()
    }
}

impl Hub {
    pub fn new() -> Self {
        let rules = OfOne {
            applied: vec![],
            dropped: BTreeSet::new(),
            hazard_scopes: vec![firm_scope()],
        };
        let mut hub = Self {
            memory: MemoryHub::new("one", DigestKey([5; 16]), rules),
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
        };
        hub.enrol(install());
        let (person, firm) = (person_record(), enterprise());
        let tables = &mut hub.memory.tables;
        let record = record_of(RecordKind::Person, person.id.0, 1, &person);
        tables.put(Scope::Person(me()), record.unwrap());
        let record = record_of(RecordKind::Enterprise, firm.id.0, 1, &firm);
        tables.put(firm_scope(), record.unwrap());
        hub
    }

    /// A fresh stream for an install.
    pub fn enrol(&mut self, install_id: InstallId) {
        let public = key().verifying_key().to_bytes().to_vec();
        self.memory.tables.enrol(install_id, me(), public);
    }

    /// As a server does it: the same install with the same key goes on where it was.
    pub fn enrol_again(&mut self, install_id: InstallId, key: &SigningKey) {
        let public = key.verifying_key().to_bytes().to_vec();
        let known = self.memory.tables.installs.get(&install_id);
        if known.is_none_or(|known| known.stream.public_key != public) {
            self.memory.tables.enrol(install_id, me(), public);
        }
    }

    pub fn hazard(&self, id: HazardId) -> &Hazard {
        &self.memory.tables.hazards[&id]
    }

    pub fn applied(&self) -> &[i64] {
        &self.memory.rules.applied
    }

    /// Goes back to a copy of its tables, under another epoch.
    pub fn restore(&mut self, backup: &Tables, epoch: &str) {
        self.memory.tables = backup.clone();
        self.memory.epoch = epoch.to_owned();
    }

    pub fn put_hazard(&mut self, hazard: &Hazard) {
        self.memory
            .rules
            .put_hazard(&mut self.memory.tables, hazard);
    }

    pub fn answer(&mut self, request: &Request) -> Result<ResponseBody, Failure> {
        match request {
            Request::Push(push) => self.push(push).map(ResponseBody::Push),
            Request::Pull(pull) => self.pull(pull).map(ResponseBody::Pull),
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
        let mut hazard = self.hazard(hazard).clone();
        for photo in &mut hazard.photos {
            if photo.reference.sha256 == sha256 {
                photo.state = PhotoState::Verified;
            }
        }
        hazard.version += 1;
        self.put_hazard(&hazard);
    }

    fn push(&mut self, push: &PushRequest) -> Result<PushResponse, Failure> {
        self.pushed_batches.push(push.commands.len());
        let usual = WireLimits::default();
        self.memory.limits.commands = self.max_commands;
        self.memory.limits.payload_bytes = self.payload_limit.min(usual.payload_bytes);
        let answer = self.memory.push(me(), push, self.now);
        let mut answer = answer.map_err(failure)?;
        answer.missing_photos = self.missing.clone();
        Ok(answer)
    }

    fn pull(&mut self, pull: &PullRequest) -> Result<PullResponse, Failure> {
        self.memory.limits.records = self.page;
        let answer = self.memory.pull(me(), pull, self.now);
        let mut answer = answer.map_err(failure)?;
        answer.missing_photos = self.missing.clone();
        if self.forgets_checkpoints > 0 {
            self.forgets_checkpoints -= 1;
            forget_checkpoints(&mut answer);
        }
        if self.wrong_digest {
            for page in pages(&mut answer) {
                page.checkpoint = page.checkpoint.map(|sum| Checkpoint {
                    digest: sum.digest ^ 1,
                    ..sum
                });
            }
        }
        Ok(answer)
    }
}

fn pages(answer: &mut PullResponse) -> impl Iterator<Item = &mut Page> {
    let answers = answer.answers.iter_mut();
    answers.filter_map(|answer| match &mut answer.update {
        ScopeUpdate::Page(page) => Some(page),
        ScopeUpdate::Drop { .. } => None,
    })
}

fn forget_checkpoints(answer: &mut PullResponse) {
    let incomplete = pages(answer).map(|page| page.checkpoint = None).count() > 0;
    answer.more |= incomplete;
    answer.answers.retain(|answer| match &answer.update {
        ScopeUpdate::Page(page) => !page.records.is_empty() || page.reset.is_some(),
        ScopeUpdate::Drop { .. } => true,
    });
}

fn failure(refused: NotAnswered) -> Failure {
    match refused {
        NotAnswered::Refused(RequestRefused::TooLarge { .. }) => {
            Failure::PayloadTooLarge { ours: true }
        }
        other => Failure::Refused {
            code: "NOT_ANSWERED".into(),
            detail: other.to_string(),
        },
    }
}

//! The engine: inputs to jobs, jobs to writes, writes to state, state to requests.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::calendar::WorkdayCalendar;
use hazardloop_domain::command::BootId;
use hazardloop_domain::ids::{HazardId, InspectionId, SubjectId};
use hazardloop_domain::rule_limits::RuleLimits;
use hazardloop_domain::time::{EARLIEST, Timestamp};

use crate::wire::{RecordKind, Scope};

use super::jobs::{Job, Writing};
use super::output::{LaneName, Notice, Output};
use super::photos::PhotoLane;
use super::pull::PullLane;
use super::push::PushLane;
use super::retry::Jitter;
use super::stride::Stride;
use super::view::{HazardView, InspectionView, Reader};
use super::{EngineConfig, Identity, RowKey, State, StoredCommand};

/// The device half. See the module's contract.
pub struct Engine {
    pub(super) identity: Identity,
    pub(super) key: SigningKey,
    pub(super) config: EngineConfig,
    pub(super) state: State,
    pub(super) inbox: VecDeque<Job>,
    pub(super) writing: Option<Writing>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) push: PushLane,
    pub(super) pull: PullLane,
    pub(super) photos: PhotoLane,
    pub(super) jitter: Jitter,
    /// The host's monotonic clock at some time.
    pub(super) monotonic: Option<(Timestamp, BootId, i64)>,
    /// Everything waits for new credentials.
    pub(super) held: bool,
    pub(super) revoked: bool,
    /// Something settled may be old enough to go.
    pub(super) compact: bool,
    /// The version of the protocol in which it pulls.
    pub(super) speaking: u16,
    numbers: u64,
}

impl Engine {
    /// An engine that goes on from what the store holds. `seed` spreads retries.
    pub fn new(
        identity: Identity,
        key: SigningKey,
        config: EngineConfig,
        state: State,
        seed: u64,
    ) -> Self {
        let mut push = PushLane::new(&config);
        let (mut pull, mut photos) = (PullLane::default(), PhotoLane::default());
        pull.stride = Stride::from_kept(state.meta.pull_records);
        push.stride = Stride::from_kept(state.meta.push_bytes);
        photos.stride = Stride::from_kept(state.meta.photo_chunk);
        let speaking = config.speaks.newest;
        Self {
            identity,
            key,
            config,
            state,
            speaking,
            inbox: VecDeque::new(),
            writing: None,
            notices: VecDeque::new(),
            push,
            pull,
            photos,
            jitter: Jitter(seed),
            monotonic: None,
            held: false,
            revoked: false,
            compact: false,
            numbers: 0,
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn reader(&self, now: Timestamp) -> Reader<'_> {
        let meta = &self.state.meta;
        let ahead = match (meta.server_time, meta.contact_at) {
            (Some(server), Some(own)) => server.as_millis().saturating_sub(own.as_millis()),
            _ => 0,
        };
        Reader {
            state: &self.state,
            identity: &self.identity,
            config: &self.config,
            // It cannot be earlier than the server has said: a phone that lost its time still has its roles.
            now: meta.server_time.map_or(now.plus_millis(ahead), |told| {
                now.plus_millis(ahead).max(told)
            }),
            lapsed: OnceCell::new(),
            without: None,
        }
    }

    /// All that is kept.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The working days by which this device counts: those of its build, and what was pulled.
    pub fn calendar(&self, now: Timestamp) -> Arc<WorkdayCalendar> {
        self.reader(now).calendar()
    }

    /// The limits of the rules, as the server told them or this build has them.
    pub fn limits(&self) -> RuleLimits {
        // They hold at any time.
        self.reader(EARLIEST).limits()
    }

    /// Whose device this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The person's record: the replica's, or else what enrolment told.
    pub fn person(&self, now: Timestamp) -> Option<PersonRecord> {
        self.reader(now).person()
    }

    /// One hazard as a person sees it.
    pub fn hazard(&self, now: Timestamp, id: HazardId) -> Option<HazardView> {
        self.reader(now).hazard(id)
    }

    /// All hazards as a person sees them, by id.
    pub fn hazards(&self, now: Timestamp) -> Vec<HazardView> {
        let rows = self
            .state
            .rows
            .keys()
            .filter(|(kind, _)| *kind == RecordKind::Hazard);
        let reader = self.reader(now);
        self.commands_by_subject(rows)
            .iter()
            .filter(|(id, _)| reader.is_shown((RecordKind::Hazard, id.0)))
            .filter_map(|(id, commands)| reader.view(*id, commands).map(HazardView::from))
            .collect()
    }

    /// One inspection as a person sees it.
    pub fn inspection(&self, now: Timestamp, id: InspectionId) -> Option<InspectionView> {
        self.reader(now).inspection(id)
    }

    /// All inspections as a person sees them, by id.
    pub fn inspections(&self, now: Timestamp) -> Vec<InspectionView> {
        let rows = self
            .state
            .rows
            .keys()
            .filter(|(kind, _)| *kind == RecordKind::Inspection);
        let reader = self.reader(now);
        self.commands_by_subject(rows)
            .iter()
            .filter(|(id, _)| reader.is_shown((RecordKind::Inspection, id.0)))
            .filter_map(|(id, commands)| reader.view(*id, commands).map(InspectionView::from))
            .collect()
    }

    /// The bodies of the rows of one kind that are for people to see at `now`: those that some scope holds, and not
    /// only scopes of roles whose known end has come ([`Engine::lapsed_scopes`]).
    pub fn bodies(&self, now: Timestamp, kind: RecordKind) -> Vec<&[u8]> {
        let reader = self.reader(now);
        let of_kind = self.state.rows.iter().filter(|((of, _), _)| *of == kind);
        let held = of_kind.filter(|(key, row)| row.holders > 0 && reader.is_shown(**key));
        held.map(|(_, row)| row.body.as_slice()).collect()
    }

    /// Scopes on this device whose roles have ended by `now`, as this device and its server's last word tell the time.
    /// What they alone hold is not shown; it is deleted when the server drops them, for the clock may be wrong.
    pub fn lapsed_scopes(&self, now: Timestamp) -> Vec<Scope> {
        self.reader(now).lapsed_scopes()
    }

    /// The commands on each of these rows, and on every other subject that has some.
    fn commands_by_subject<'a>(
        &'a self,
        rows: impl Iterator<Item = &'a RowKey>,
    ) -> BTreeMap<SubjectId, Vec<&'a StoredCommand>> {
        let mut commands: BTreeMap<SubjectId, Vec<&StoredCommand>> =
            rows.map(|(_, id)| (SubjectId(*id), Vec::new())).collect();
        for command in self.state.commands.values() {
            commands
                .entry(command.subject_id)
                .or_default()
                .push(command);
        }
        commands
    }

    /// Whether new credentials are awaited.
    pub fn awaits_credentials(&self) -> bool {
        self.held
    }

    /// Whether nothing is under way and nothing could go now.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.is_idle() && !self.has_ready_work(now)
    }

    fn is_idle(&self) -> bool {
        let lanes = [&self.push.lane, &self.pull.lane, &self.photos.lane];
        self.writing.is_none()
            && self.inbox.is_empty()
            && !self.compact
            && self.notices.is_empty()
            && lanes.iter().all(|lane| lane.busy.is_none())
    }

    fn has_ready_work(&self, now: Timestamp) -> bool {
        !self.is_barred()
            && (self.push_is_ready(now) || self.pull_is_ready(now) || self.photo_is_ready(now))
    }

    pub(super) fn is_barred(&self) -> bool {
        self.held || self.revoked
    }

    /// When to poll again although no input came; `None`: nothing waits for time.
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.is_barred() {
            return None;
        }
        let push = self.push.lane.wakes_at().filter(|_| self.push_has_work());
        let pull = self.pull.lane.wakes_at().filter(|_| self.pull.wanted);
        [push, pull, self.photos_wake()].into_iter().flatten().min()
    }

    /// The next thing to do, in the order that the contract states.
    pub fn poll_output(&mut self, now: Timestamp) -> Option<Output> {
        self.poll_output_of(now, LaneName::ALL)
    }

    /// As [`Engine::poll_output`], but starts requests of these lanes only (none: work offline).
    pub fn poll_output_of(&mut self, now: Timestamp, lanes: &[LaneName]) -> Option<Output> {
        loop {
            if let Some(writing) = self.writing.as_mut() {
                if !writing.emitted {
                    writing.emitted = true;
                    return Some(Output::Write {
                        id: writing.id,
                        ops: writing.ops.clone(),
                    });
                }
                break;
            }
            // What is told can still be looked at: tidying comes after.
            let tidy = (self.compact && self.notices.is_empty()).then_some(Job::Compact);
            let Some(job) = self.inbox.pop_front().or(tidy) else {
                break;
            };
            self.begin(job);
        }
        if let Some(notice) = self.notices.pop_front() {
            return Some(Output::Notice(notice));
        }
        if self.is_barred() {
            return None;
        }
        LaneName::ALL
            .iter()
            .copied()
            .filter(|lane| lanes.contains(lane))
            .find_map(|lane| match lane {
                LaneName::Push => self.start_push(now),
                LaneName::Pull => self.start_pull(now),
                LaneName::Photo => self.start_photo(now),
            })
    }

    /// Bring the scopes up to date.
    pub fn handle_pull_wanted(&mut self) {
        self.pull.wanted = true;
    }
}

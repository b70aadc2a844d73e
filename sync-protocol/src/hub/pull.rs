//! One pull, sans-I/O: what changed in the scopes that a device may hold, one answer a scope.
//!
//! # Contract
//! A hub's feed has, per scope, one row a record: what the scope holds now, or that it holds the record no longer,
//! and where in the order of changes that came about. A change moves its row to the end, so that a cursor which has
//! passed the old place meets it again. The order is the store's own ([`FeedPosition`]); devices carry it as opaque
//! bytes.
//!
//! [`Pull::begin`] is told what the person may hold and which positions the store can have given out. Then the
//! driver asks [`Pull::step`] and answers, until it is told [`PullStep::Done`]; a step that was not answered is
//! stated again. Scopes are served in the order in which the device named them, then those that it does not hold
//! yet, most personal first. What it may no longer hold is dropped at its place. For each of the others:
//!
//! 1. [`PullStep::Changes`]: what lies behind the cursor; from the beginning where there is no cursor, or none that
//!    counts here: of another epoch, not of this store, beyond what it has given out, or below the floor under
//!    which the scope's removals are forgotten.
//! 2. [`PullStep::Sum`] where nothing changed: what the device holds against what the scope holds. The same:
//!    no answer for this scope. Different: [`PullStep::Changes`] from the beginning.
//! 3. [`PullStep::Bodies`] of the records among the changes.
//! 4. [`PullStep::Sum`] where the page is the last one: its checkpoint. None while a change is in flight, that is
//!    visible and not yet safe to deliver: the device shows nothing new, and asks again.
//!
//! The budget of records and bytes is one for the whole answer. A scope that finds it used up is left for the next
//! pull, and `more` says so; a record that is larger than what is left travels alone.

use std::collections::{BTreeSet, VecDeque};

use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;

use super::pull_steps::{Bodies, Change, FeedPosition, PullStep, Reader};
use super::refused::OutOfStep;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, DropReason, PROTOCOL_MAX, Page, PullRequest, PullResponse, Record,
    RecordKey, ResetReason, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate,
};

/// Bytes that a record or removal takes beside its body, about.
const BESIDE_BODY: usize = 40;

#[derive(Debug)]
enum Stage<P> {
    /// Looking for the next scope.
    Idle,
    /// Waiting for changes.
    Reading,
    /// Nothing changed: is it the same?
    Comparing,
    /// Waiting for bodies.
    Loading(Vec<Change<P>>),
    /// Waiting for the checkpoint of a page.
    Summing(Page),
}

impl<P> Stage<P> {
    const fn asks_for(&self) -> &'static str {
        match self {
            Self::Idle => "nothing more",
            Self::Reading => "changes",
            Self::Loading(_) => "bodies",
            Self::Comparing | Self::Summing(_) => "a sum",
        }
    }
}

/// The scope that is being served.
#[derive(Debug)]
struct Serving<P> {
    held: ScopeCursor,
    after: P,
    reset: Option<ResetReason>,
}

/// One pull under way. See the module's contract.
#[derive(Debug)]
pub struct Pull<P> {
    granted: BTreeSet<Scope>,
    epoch: String,
    same_epoch: bool,
    unreached: P,
    waiting: VecDeque<ScopeCursor>,
    serving: Option<Serving<P>>,
    stage: Stage<P>,
    records_left: usize,
    bytes_left: usize,
    more: bool,
    ahead: Vec<P>,
    answers: Vec<ScopeAnswer>,
}

impl<P: FeedPosition> Pull<P> {
    /// A request that [`super::check_pull`] lets pass.
    pub fn begin(request: &PullRequest, by: Reader<'_, P>) -> Self {
        let most = by.limits.records;
        let asked = request.max_records.map_or(most, |most| most as usize);
        let mut waiting: VecDeque<ScopeCursor> = request.scopes.iter().cloned().collect();
        for scope in &by.granted {
            if !request.scopes.iter().any(|held| held.scope == *scope) {
                waiting.push_back(ScopeCursor {
                    scope: *scope,
                    cursor: None,
                    checkpoint: None,
                });
            }
        }
        let mut pull = Self {
            granted: by.granted,
            same_epoch: request.epoch.as_deref() == Some(by.epoch),
            epoch: by.epoch.to_owned(),
            unreached: by.unreached,
            waiting,
            serving: None,
            stage: Stage::Idle,
            records_left: asked.clamp(1, most.max(1)),
            bytes_left: by.limits.body_bytes / 2,
            more: false,
            ahead: Vec::new(),
            answers: Vec::new(),
        };
        pull.next_scope();
        pull
    }

    /// What to do next.
    pub fn step(&self) -> PullStep<'_, P> {
        let Some(serving) = &self.serving else {
            return PullStep::Done;
        };
        match &self.stage {
            Stage::Idle => PullStep::Done,
            Stage::Reading => PullStep::Changes {
                scope: serving.held.scope,
                after: serving.after,
                most: self.records_left.saturating_add(1),
            },
            Stage::Comparing | Stage::Summing(_) => PullStep::Sum(serving.held.scope),
            Stage::Loading(changes) => PullStep::Bodies {
                scope: serving.held.scope,
                changes,
            },
        }
    }

    /// Answers [`PullStep::Changes`], with the position below which the scope's removals are forgotten (a store that
    /// keeps them all: [`FeedPosition::START`]).
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_changes(&mut self, floor: P, changes: Vec<Change<P>>) -> Result<(), OutOfStep> {
        let (Stage::Reading, Some(serving)) = (&self.stage, &mut self.serving) else {
            return self.out_of_step("changes");
        };
        if serving.reset.is_none() && serving.after < floor {
            // What was removed in between is no longer known: only the whole scope is right.
            serving.reset = Some(ResetReason::CursorUnknown);
            serving.after = P::START;
            return Ok(());
        }
        if changes.is_empty() && serving.reset.is_none() {
            self.stage = Stage::Comparing;
        } else {
            self.load(changes);
        }
        Ok(())
    }

    /// Answers [`PullStep::Bodies`]. A record that is not among them is gone since, and counts as removed.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_bodies(&mut self, bodies: Bodies) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Loading(changes) => {
                self.fill(changes, bodies);
                Ok(())
            }
            other => self.put_back(other, "bodies"),
        }
    }

    /// Answers [`PullStep::Sum`]; `None`: something is in flight.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_sum(&mut self, sum: Option<Checkpoint>) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Comparing => {
                self.compare(sum);
                Ok(())
            }
            Stage::Summing(page) => {
                self.deliver(page, sum);
                Ok(())
            }
            other => self.put_back(other, "a sum"),
        }
    }

    /// Cursors of this epoch that this store has not given out. Where there are any, its data is a copy from before
    /// they were given out, and nobody began a new epoch.
    pub fn cursors_ahead(&self) -> &[P] {
        &self.ahead
    }

    /// The answer to the device, once [`PullStep::Done`] was stated.
    pub fn response(
        self,
        key: &DigestKey,
        now: Timestamp,
        last: i64,
        missing_photos: Vec<Digest>,
    ) -> PullResponse {
        PullResponse {
            protocol: PROTOCOL_MAX,
            epoch: self.epoch,
            digest_key: (!self.same_epoch).then(|| Bytes(key.0.to_vec())),
            server_time: now,
            last,
            answers: self.answers,
            more: self.more,
            missing_photos,
            anchor: None,
        }
    }

    fn next_scope(&mut self) {
        self.serving = None;
        self.stage = Stage::Idle;
        while let Some(held) = self.waiting.pop_front() {
            if !self.granted.contains(&held.scope) {
                self.answer(
                    held.scope,
                    ScopeUpdate::Drop {
                        reason: DropReason::NoLongerYours,
                    },
                );
            } else if self.records_left == 0 || self.bytes_left == 0 {
                self.more = true;
            } else {
                let (after, reset) = self.starting_point(&held);
                self.serving = Some(Serving { held, after, reset });
                self.stage = Stage::Reading;
                return;
            }
        }
    }

    fn starting_point(&mut self, held: &ScopeCursor) -> (P, Option<ResetReason>) {
        let Some(cursor) = &held.cursor else {
            return (P::START, Some(ResetReason::First));
        };
        match P::from_cursor(&cursor.0).filter(|_| self.same_epoch) {
            Some(position) if position < self.unreached => (position, None),
            position => {
                self.ahead.extend(position);
                (P::START, Some(ResetReason::CursorUnknown))
            }
        }
    }

    fn compare(&mut self, sum: Option<Checkpoint>) {
        let Some(serving) = &mut self.serving else {
            return;
        };
        match (serving.held.checkpoint, sum) {
            (Some(theirs), Some(ours)) if theirs != ours => {
                serving.reset = Some(ResetReason::DigestMismatch);
                serving.after = P::START;
                self.stage = Stage::Reading;
            }
            (Some(_), _) => self.next_scope(),
            // It has every page, but not yet the word that this was all.
            (None, sum) => {
                let page = self.empty_page();
                self.deliver(page, sum);
            }
        }
    }

    fn load(&mut self, changes: Vec<Change<P>>) {
        if changes.iter().any(|change| change.present) {
            self.stage = Stage::Loading(changes);
        } else {
            self.fill(changes, Bodies::new());
        }
    }

    fn empty_page(&self) -> Page {
        let (after, reset) = match &self.serving {
            Some(serving) => (serving.after, serving.reset),
            None => (P::START, None),
        };
        Page {
            reset,
            records: Vec::new(),
            removals: Vec::new(),
            cursor: after.to_cursor(),
            checkpoint: None,
        }
    }

    fn fill(&mut self, changes: Vec<Change<P>>, mut bodies: Bodies) {
        let mut page = self.empty_page();
        let mut complete = true;
        for Change {
            kind,
            id,
            present,
            position,
            ..
        } in changes
        {
            let body = match present {
                true => bodies.remove(&(kind, id)),
                false => None,
            };
            let size = body.as_ref().map_or(0, |(_, body)| body.len()) + BESIDE_BODY;
            let first = page.records.is_empty() && page.removals.is_empty();
            if self.records_left == 0 || (size > self.bytes_left && !first) {
                complete = false;
                break;
            }
            self.records_left = self.records_left.saturating_sub(1);
            self.bytes_left = self.bytes_left.saturating_sub(size);
            page.cursor = position.to_cursor();
            match body {
                Some((version, body)) => page.records.push(Record {
                    kind,
                    id,
                    version,
                    body: Bytes(body),
                }),
                // What begins anew has nothing to remove.
                None if page.reset.is_some() => {}
                None => page.removals.push(RecordKey { kind, id }),
            }
        }
        if complete {
            self.stage = Stage::Summing(page);
        } else {
            self.deliver(page, None);
        }
    }

    fn deliver(&mut self, mut page: Page, sum: Option<Checkpoint>) {
        // Without a checkpoint nothing is shown yet: ask again at once.
        self.more |= sum.is_none();
        page.checkpoint = sum;
        if let Some(serving) = &self.serving {
            let scope = serving.held.scope;
            self.answer(scope, ScopeUpdate::Page(page));
        }
        self.next_scope();
    }

    fn answer(&mut self, scope: Scope, update: ScopeUpdate) {
        self.answers.push(ScopeAnswer { scope, update });
    }

    fn out_of_step(&self, given: &'static str) -> Result<(), OutOfStep> {
        let asked = self.stage.asks_for();
        Err(OutOfStep { asked, given })
    }

    fn put_back(&mut self, stage: Stage<P>, given: &'static str) -> Result<(), OutOfStep> {
        self.stage = stage;
        self.out_of_step(given)
    }
}

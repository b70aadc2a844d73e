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
//! yet, most personal first. What it may no longer hold is dropped with the last answer, after all that may come in its
//! place: a device that loses its network in between shows the one or the other, and not neither. For each of the
//! others:
//!
//! 1. [`PullStep::First`] where there is no cursor, or none that counts here: of another epoch, not of this store,
//!    beyond what it has given out, or below the floor under which the scope's removals are forgotten. It goes on in
//!    the next pull where a page is too small for it (`first_read.rs`); the rows are counted then, once, so that a
//!    person can be told how far it is.
//! 2. [`PullStep::Changes`]: what lies behind the cursor, or has changed since the first read began.
//! 3. [`PullStep::Sum`] where nothing changed: what the device holds against what the scope holds. The same:
//!    no answer for this scope. Different: [`PullStep::First`].
//! 4. [`PullStep::Bodies`] of the records among the rows.
//! 5. [`PullStep::Sum`] where the page is the last one: its checkpoint. None while a change is in flight, that is
//!    visible and not yet safe to deliver: the device shows nothing new, and asks again.
//!
//! The budget of records and bytes is one for the whole answer. A scope that finds it used up is left for the next
//! pull, and `more` says so; a record that is larger than what is left travels alone.

use std::collections::{BTreeSet, VecDeque};

use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;

use super::first_read::FirstRead;
use super::pull_steps::{Bodies, Change, FeedPosition, PullStep, Reader};
use super::refused::OutOfStep;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, ClosedWindow, DropReason, Extent, PROTOCOL_MAX, Page, PullRequest,
    PullResponse, Record, RecordKey, ResetReason, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate,
};

/// Bytes that a record or removal takes beside its body, about.
const BESIDE_BODY: usize = 40;

#[derive(Debug)]
enum Stage<P> {
    /// Looking for the next scope.
    Idle,
    /// Waiting for rows: of a first read, or changes.
    Reading,
    /// Nothing changed: is it the same?
    Comparing,
    /// Waiting for bodies.
    Loading(Vec<Change<P>>),
    /// A first read does not fit into this page: of how many rows is it?
    Counting,
    /// Waiting for the checkpoint of the page.
    Summing,
}

/// How a scope is read.
#[derive(Clone, Copy, Debug)]
enum Way<P> {
    /// From the beginning.
    First {
        read: FirstRead<P>,
        /// It begins in this very pull: nothing can have changed since.
        fresh: bool,
    },
    /// Behind a position.
    Changes { after: P },
}

/// The scope that is being served.
#[derive(Debug)]
struct Serving<P> {
    held: ScopeCursor,
    way: Way<P>,
    reset: Option<ResetReason>,
    window: Option<ClosedWindow>,
    records: Vec<Record>,
    removals: Vec<RecordKey>,
}

impl<P: FeedPosition> Serving<P> {
    const fn new(held: ScopeCursor, way: Way<P>, reset: Option<ResetReason>) -> Self {
        Self {
            held,
            way,
            reset,
            window: None,
            records: Vec::new(),
            removals: Vec::new(),
        }
    }

    const fn is_empty(&self) -> bool {
        self.records.is_empty() && self.removals.is_empty()
    }

    /// What is said of the scope's size: how far a first read is while it lasts, and in the end what is left out.
    fn extent(&self, is_last: bool) -> Option<Extent> {
        let (mut rows, window) = (None, self.window.filter(|_| is_last));
        if let Way::First { read, .. } = self.way {
            rows = Some(read.rows).filter(|rows| *rows > 0);
        }
        (rows.is_some() || window.is_some()).then_some(Extent { rows, window })
    }

    fn page(self, checkpoint: Option<Checkpoint>) -> Page {
        Page {
            extent: self.extent(checkpoint.is_some()),
            reset: self.reset,
            cursor: match self.way {
                Way::First { read, .. } => read.to_cursor(),
                Way::Changes { after } => after.to_cursor(),
            },
            records: self.records,
            removals: self.removals,
            checkpoint,
        }
    }
}

/// One pull under way. See the module's contract.
#[derive(Debug)]
pub struct Pull<P> {
    granted: BTreeSet<Scope>,
    epoch: String,
    same_epoch: bool,
    reached: P,
    unreached: P,
    waiting: VecDeque<ScopeCursor>,
    serving: Option<Serving<P>>,
    stage: Stage<P>,
    records_left: usize,
    bytes_left: usize,
    more: bool,
    ahead: Vec<P>,
    answers: Vec<ScopeAnswer>,
    dropped: Vec<Scope>,
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
            reached: by.reached,
            unreached: by.unreached,
            waiting,
            serving: None,
            stage: Stage::Idle,
            records_left: asked.clamp(1, most.max(1)),
            bytes_left: by.limits.body_bytes / 2,
            more: false,
            ahead: Vec::new(),
            answers: Vec::new(),
            dropped: Vec::new(),
        };
        pull.next_scope();
        pull
    }

    /// What to do next.
    pub fn step(&self) -> PullStep<'_, P> {
        let Some(serving) = &self.serving else {
            return PullStep::Done;
        };
        let scope = serving.held.scope;
        // One more than may be sent, so that the end is known.
        let most = self.records_left.saturating_add(1);
        match (&self.stage, serving.way) {
            (Stage::Idle, _) => PullStep::Done,
            (Stage::Reading, Way::Changes { after }) => PullStep::Changes { scope, after, most },
            (Stage::Reading, Way::First { read, .. }) => PullStep::First {
                scope,
                upto: read.upto,
                after: read.after,
                most,
            },
            (Stage::Comparing | Stage::Counting | Stage::Summing, _) => PullStep::Sum(scope),
            (Stage::Loading(changes), _) => PullStep::Bodies { scope, changes },
        }
    }

    fn asked(&self) -> &'static str {
        match self.step() {
            PullStep::Changes { .. } => "changes",
            PullStep::First { .. } => "rows of a first read",
            PullStep::Bodies { .. } => "bodies",
            PullStep::Sum(_) => "a sum",
            PullStep::Done => "nothing more",
        }
    }

    /// Answers [`PullStep::First`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_first(&mut self, rows: Vec<Change<P>>) -> Result<(), OutOfStep> {
        match self.step() {
            PullStep::First { .. } => {
                self.load(rows);
                Ok(())
            }
            _ => self.out_of_step("rows of a first read"),
        }
    }

    /// Answers [`PullStep::Changes`], with the position below which the scope's removals are forgotten (a store that
    /// keeps them all: [`FeedPosition::START`]).
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_changes(&mut self, floor: P, changes: Vec<Change<P>>) -> Result<(), OutOfStep> {
        let PullStep::Changes { after, .. } = self.step() else {
            return self.out_of_step("changes");
        };
        if after < floor {
            // What was removed in between is no longer known: only the whole scope is right.
            self.begin_anew(ResetReason::CursorUnknown);
            return Ok(());
        }
        let serving = self.serving.as_ref();
        let compared = serving.is_some_and(|of| of.is_empty() && of.held.checkpoint.is_some());
        if changes.is_empty() && compared {
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
            other => {
                self.stage = other;
                self.out_of_step("bodies")
            }
        }
    }

    /// Tells which of the closed records the scope still holds, before [`Self::handle_sum`].
    ///
    /// # Errors
    /// [`OutOfStep`] where no sum was asked for.
    pub fn handle_window(&mut self, window: ClosedWindow) -> Result<(), OutOfStep> {
        if !matches!(self.step(), PullStep::Sum(_)) {
            return self.out_of_step("a window");
        }
        if let Some(serving) = &mut self.serving {
            serving.window = Some(window);
        }
        Ok(())
    }

    /// Answers [`PullStep::Sum`]; `None`: something is in flight.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_sum(&mut self, sum: Option<Checkpoint>) -> Result<(), OutOfStep> {
        match (&self.stage, &mut self.serving) {
            (Stage::Comparing, Some(_)) => self.compare(sum),
            (Stage::Summing, Some(_)) => self.deliver(sum),
            (Stage::Counting, Some(serving)) => {
                if let (Way::First { read, .. }, Some(sum)) = (&mut serving.way, sum) {
                    read.rows = sum.count;
                }
                self.deliver(None);
            }
            _ => return self.out_of_step("a sum"),
        }
        Ok(())
    }

    /// Cursors of this epoch that this store has not given out. Where there are any, its data is a copy from before
    /// they were given out, and nobody began a new epoch.
    pub fn cursors_ahead(&self) -> &[P] {
        &self.ahead
    }

    /// The answer to the device, once [`PullStep::Done`] was stated.
    pub fn response(
        mut self,
        key: &DigestKey,
        now: Timestamp,
        last: i64,
        missing_photos: Vec<Digest>,
    ) -> PullResponse {
        if !self.more {
            for scope in std::mem::take(&mut self.dropped) {
                let reason = DropReason::NoLongerYours;
                self.answer(scope, ScopeUpdate::Drop { reason });
            }
        }
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
                self.dropped.push(held.scope);
            } else if self.records_left == 0 || self.bytes_left == 0 {
                self.more = true;
            } else {
                let (way, reset) = self.starting_point(&held);
                self.serving = Some(Serving::new(held, way, reset));
                self.stage = Stage::Reading;
                return;
            }
        }
    }

    const fn whole(&self) -> Way<P> {
        let read = FirstRead {
            upto: self.reached,
            rows: 0,
            after: None,
        };
        Way::First { read, fresh: true }
    }

    fn starting_point(&mut self, held: &ScopeCursor) -> (Way<P>, Option<ResetReason>) {
        let anew = self.whole();
        let Some(cursor) = &held.cursor else {
            return (anew, Some(ResetReason::First));
        };
        let way = P::from_cursor(&cursor.0).map_or_else(
            || {
                let mut read: FirstRead<P> = FirstRead::from_cursor(&cursor.0)?;
                let begun = read.upto;
                // Whatever a device says: what is not safe to deliver yet comes as a change.
                read.upto = begun.min(self.reached);
                Some((begun, Way::First { read, fresh: false }))
            },
            |after| Some((after, Way::Changes { after })),
        );
        match way.filter(|_| self.same_epoch) {
            Some((position, way)) if position < self.unreached => (way, None),
            way => {
                self.ahead.extend(way.map(|(position, _)| position));
                (anew, Some(ResetReason::CursorUnknown))
            }
        }
    }

    fn begin_anew(&mut self, reason: ResetReason) {
        let anew = self.whole();
        if let Some(serving) = self.serving.take() {
            self.serving = Some(Serving::new(serving.held, anew, Some(reason)));
            self.stage = Stage::Reading;
        }
    }

    fn compare(&mut self, sum: Option<Checkpoint>) {
        let held = self.serving.as_ref().and_then(|of| of.held.checkpoint);
        match sum {
            Some(ours) if held != Some(ours) => self.begin_anew(ResetReason::DigestMismatch),
            _ => self.next_scope(),
        }
    }

    fn load(&mut self, rows: Vec<Change<P>>) {
        if rows.iter().any(|row| row.present) {
            self.stage = Stage::Loading(rows);
        } else {
            self.fill(rows, Bodies::new());
        }
    }

    /// Puts into the page what fits.
    fn fill(&mut self, rows: Vec<Change<P>>, mut bodies: Bodies) {
        let Some(serving) = &mut self.serving else {
            return;
        };
        let mut complete = true;
        for row in rows {
            let (kind, id) = (row.kind, row.id);
            let body = match row.present {
                true => bodies.remove(&(kind, id)),
                false => None,
            };
            let size = body.as_ref().map_or(0, |(_, body)| body.len()) + BESIDE_BODY;
            if self.records_left == 0 || (size > self.bytes_left && !serving.is_empty()) {
                complete = false;
                break;
            }
            self.records_left = self.records_left.saturating_sub(1);
            self.bytes_left = self.bytes_left.saturating_sub(size);
            let first = match &mut serving.way {
                Way::Changes { after } => {
                    *after = row.position;
                    false
                }
                Way::First { read, .. } => {
                    read.after = Some(row.place());
                    true
                }
            };
            match body {
                Some((version, body)) => serving.records.push(Record {
                    kind,
                    id,
                    version,
                    body: Bytes(body),
                }),
                // What begins anew has nothing to remove.
                None if first => {}
                None => serving.removals.push(RecordKey { kind, id }),
            }
        }
        self.go_on(complete);
    }

    /// What follows once a page is full, or all rows that were asked for are in it.
    fn go_on(&mut self, complete: bool) {
        let Some(serving) = &mut self.serving else {
            return;
        };
        match (serving.way, complete) {
            (Way::First { fresh: true, .. }, false) => self.stage = Stage::Counting,
            (_, false) => self.deliver(None),
            (Way::Changes { .. }, true) => self.stage = Stage::Summing,
            (Way::First { read, fresh }, true) => {
                serving.way = Way::Changes { after: read.upto };
                self.stage = match fresh {
                    true => Stage::Summing,
                    false => Stage::Reading,
                };
            }
        }
    }

    fn deliver(&mut self, sum: Option<Checkpoint>) {
        // Without a checkpoint nothing is shown yet: ask again at once.
        self.more |= sum.is_none();
        if let Some(serving) = self.serving.take() {
            let scope = serving.held.scope;
            self.answer(scope, ScopeUpdate::Page(serving.page(sum)));
        }
        self.next_scope();
    }

    fn answer(&mut self, scope: Scope, update: ScopeUpdate) {
        self.answers.push(ScopeAnswer { scope, update });
    }

    fn out_of_step(&self, given: &'static str) -> Result<(), OutOfStep> {
        let asked = self.asked();
        Err(OutOfStep { asked, given })
    }
}

//! What waits to be written, and how it is shared out among the threads that write.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StoreError;
use super::pool::closing;
use super::writer::Job;

/// A bounded queue that several threads take groups from.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    /// Waiting tasks queue here, in order, instead of each holding a thread.
    places: Arc<Semaphore>,
    /// Requests that may be run alone at once: they may wait for a lock.
    most_alone: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Threads that wait for something to do.
    idle: usize,
    /// Requests that are being run alone.
    alone: usize,
    closed: bool,
}

/// A request in the queue, holding its place there.
struct Waiting {
    job: Box<dyn Job>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Queue {
    /// For at most `length` requests at once, of which `most_alone` may be run alone at once.
    pub(super) fn new(length: usize, most_alone: usize) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            places: Arc::new(Semaphore::new(length.max(1))),
            most_alone,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more request. Cancelling the wait gives it up.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_closed| closing())
    }

    /// Puts a request in.
    pub(super) fn put(
        &self,
        place: OwnedSemaphorePermit,
        job: Box<dyn Job>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.closed {
            return Err(closing());
        }
        let place = Some(place);
        state.waiting.push_back(Waiting { job, _place: place });
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Puts requests back that must be run again, before those that have not been run at all. They
    /// are taken on also while the queue is closing: they were accepted.
    pub(super) fn put_back(&self, jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        let mut state = self.state();
        for job in jobs.into_iter().rev() {
            state.waiting.push_front(Waiting { job, _place: None });
        }
        drop(state);
        self.arrived.notify_all();
    }

    /// The next requests to write together, at least one and at most `limit`; `None` when there
    /// will be no more. Waits for them. Where other threads are idle too, each takes its share;
    /// whatever has to be run alone comes alone, and [`Self::done`] is told when it has been.
    pub(super) fn next_group(&self, limit: usize) -> Option<Vec<Box<dyn Job>>> {
        let mut state = self.state();
        loop {
            let share = state.waiting.len().div_ceil(state.idle + 1);
            let group = state.take(share.clamp(1, limit.max(1)), self.most_alone);
            if !group.is_empty() {
                return Some(group);
            }
            if state.closed && state.waiting.is_empty() {
                return None;
            }
            state.idle += 1;
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// A group has been run and its requests are answered or put back.
    pub(super) fn done(&self, alone: bool) {
        if !alone {
            return;
        }
        let mut state = self.state();
        state.alone = state.alone.saturating_sub(1);
        drop(state);
        self.arrived.notify_all();
    }

    /// One more request for a group that is being run, if one waits that may join it.
    pub(super) fn joining(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state();
        if state.waiting.front()?.job.runs_alone() {
            return None;
        }
        state.waiting.pop_front().map(|waiting| waiting.job)
    }

    /// Accepts nothing more; what was accepted is still handed out.
    pub(super) fn close(&self) {
        self.places.close();
        self.state().closed = true;
        self.arrived.notify_all();
    }
}

impl State {
    fn take(&mut self, most: usize, most_alone: usize) -> Vec<Box<dyn Job>> {
        let runs_alone = |waiting: &Waiting| waiting.job.runs_alone();
        // Those who must be run alone stand first, but not more of them than may be.
        let first = match self.waiting.front() {
            Some(front) if runs_alone(front) && self.alone >= most_alone => {
                self.waiting.iter().position(|waiting| !runs_alone(waiting))
            }
            front => front.map(|_| 0),
        };
        let mut group: Vec<Box<dyn Job>> = Vec::new();
        let Some(first) = first else {
            return group;
        };
        while group.len() < most {
            match self.waiting.get(first).map(runs_alone) {
                Some(true) if group.is_empty() => {
                    self.alone += 1;
                    group.extend(self.waiting.remove(first).map(|waiting| waiting.job));
                    break;
                }
                Some(false) => group.extend(self.waiting.remove(first).map(|waiting| waiting.job)),
                Some(true) | None => break,
            }
        }
        group
    }
}

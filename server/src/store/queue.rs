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
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Threads that wait for something to do.
    idle: usize,
    closed: bool,
}

/// A request in the queue, holding its place there.
struct Waiting {
    job: Box<dyn Job>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Queue {
    /// For at most `length` requests at once.
    pub(super) fn new(length: usize) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            places: Arc::new(Semaphore::new(length.max(1))),
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
    /// whatever has to be run alone comes alone.
    pub(super) fn next_group(&self, limit: usize) -> Option<Vec<Box<dyn Job>>> {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        let share = state.waiting.len().div_ceil(state.idle + 1);
        Some(state.take(share.clamp(1, limit.max(1))))
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
    fn take(&mut self, most: usize) -> Vec<Box<dyn Job>> {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(most);
        while group.len() < most {
            let next = self.waiting.front();
            let alone = next.is_some_and(|waiting| waiting.job.runs_alone());
            if next.is_none() || (alone && !group.is_empty()) {
                break;
            }
            group.extend(self.waiting.pop_front().map(|waiting| waiting.job));
            if alone {
                break;
            }
        }
        group
    }
}

//! Writers: threads with a connection each, and many requests in one commit.
//!
//! A durable commit costs a flush of the disk, whatever it holds. Requests that wait while all
//! threads are busy form the next group of whichever comes free first; each but the first has its
//! own savepoint, so one that errs is undone alone. SQLite has one such thread, its single writer;
//! PostgreSQL has several, which run side by side.
//!
//! Nobody waits long for a lock, since all behind would wait too: who would leaves the group and is
//! run again alone, with patience, in one of the threads but never in all of them. So is whoever
//! was not fast enough for a version guard, or was sent back by the database; a bounded number of
//! times.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::conn::{self, Conn, LockWait, Purpose};
use super::db::DbOptions;
use super::error::{StoreError, StoreFailure};
use super::pool::closing;
use super::queue::Queue;
use super::tx::{self, Ended, Isolation, TxState, WriteTx};
use super::url::DatabaseUrl;
use crate::held::{self, Held};

/// How the last run of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// Its changes stand if the commit succeeds.
    Changes,
    /// It erred and is undone, and that is its answer.
    Erred,
    /// It erred and is undone; somebody was faster, and it should be run again.
    InVain,
    /// It erred and is undone: a wait took too long.
    TimedOut,
    /// It has not been run, or the transaction was lost under it.
    Not,
}

/// One request for the writers.
pub(super) trait Job: Send {
    /// Does the work. `Break` when the whole transaction is lost.
    fn run(
        &mut self,
        conn: &mut Conn,
        state: &mut TxState,
        isolation: Isolation,
    ) -> ControlFlow<StoreError>;
    /// How the last run ended.
    fn ran(&self) -> Ran;
    /// Whether it may be run once more, of `most` times in all. When it may not, and was in vain,
    /// its answer says that it gave way.
    fn once_more(&mut self, most: u32) -> bool;
    /// Whether it has been run before and shares a transaction with nobody.
    fn runs_alone(&self) -> bool;
    /// Tells the requester, after the commit or its failure.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Request<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    runs: u32,
    reply: oneshot::Sender<Result<T, E>>,
    /// Of whoever asks, until this is over.
    held: Option<Held>,
}

impl<F, T, E> Job for Request<F, T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: StoreFailure,
{
    fn run(
        &mut self,
        conn: &mut Conn,
        state: &mut TxState,
        isolation: Isolation,
    ) -> ControlFlow<StoreError> {
        self.result = None;
        match tx::run(conn, state, isolation, |tx| (self.work)(tx)) {
            Ended::Done(value) => self.result = Some(Ok(value)),
            Ended::Undone(error) => self.result = Some(Err(error)),
            Ended::Lost(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn ran(&self) -> Ran {
        match &self.result {
            None => Ran::Not,
            Some(Ok(_)) => Ran::Changes,
            Some(Err(error)) => match error.store_error() {
                Some(error) if error.wants_another_attempt() => Ran::InVain,
                Some(StoreError::Timeout { .. }) => Ran::TimedOut,
                _ => Ran::Erred,
            },
        }
    }

    fn once_more(&mut self, most: u32) -> bool {
        self.runs = self.runs.saturating_add(1);
        if self.runs < most {
            return true;
        }
        if self.ran() == Ran::InVain {
            let attempts = self.runs;
            self.result = Some(Err(StoreError::Conflict { attempts }.into()));
        }
        false
    }

    fn runs_alone(&self) -> bool {
        self.runs > 0
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(closing().into()),
            // These say nothing of what a neighbour did. Any other error may, and that is undone.
            (Err(_), Some(Err(error))) if error.store_error().is_some_and(of_its_own) => Err(error),
            (Err(error), _) => Err(error.clone().into()),
        };
        // Whoever hears of it may ask again at once.
        drop((self.work, self.held));
        // A requester that has gone away no longer wants to know.
        let _gone = self.reply.send(answer);
    }
}

/// Whether a request's error has nothing to do with the others in its transaction.
fn of_its_own(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Conflict { .. } | StoreError::Timeout { .. } | StoreError::Panicked
    )
}

/// A request and where its answer will come.
pub(super) fn request<F, T, E>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: StoreFailure,
{
    let (reply, answer) = oneshot::channel();
    let request = Request {
        work,
        result: None,
        runs: 0,
        reply,
        held: held::current(),
    };
    (Box::new(request), answer)
}

/// The threads that write, and the queue before them.
pub(super) struct Writer {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the first connection, so that a wrong address fails here, and starts the threads. The
    /// other connections are opened when they are needed.
    pub(super) fn start(url: &DatabaseUrl, options: &DbOptions) -> Result<Self, StoreError> {
        let mut first = Some(conn::open(url, Purpose::Write, options)?);
        let (threads, attempts) = if url.is_postgres() {
            (options.writers.max(1), options.attempts.max(1))
        } else {
            // Nobody writes beside the single writer: what was stale once stays so.
            (1, 1)
        };
        // One thread is always there for those who do not wait for a lock.
        let most_alone = usize::try_from(threads).unwrap_or(1).saturating_sub(1);
        let queue = Arc::new(Queue::new(options.queue_length, most_alone.max(1)));
        let writer = Self {
            queue: Arc::clone(&queue),
            threads: Mutex::default(),
        };
        for number in 1..=threads {
            let lane = Lane {
                queue: Arc::clone(&queue),
                conn: first.take(),
                grows: !url.is_postgres(),
                attempts,
                url: url.clone(),
                options: options.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || lane.work())
                .map_err(|error| StoreError::Unavailable {
                    what: format!("no writer thread: {error}"),
                })?;
            writer.threads().push(thread);
        }
        Ok(writer)
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue. Waiting for a place in it is left to the caller, who knows whether there are
    /// timers.
    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Accepts nothing more and hands out the threads, which end when the queue is empty.
    pub(super) fn close(&self) -> Vec<JoinHandle<()>> {
        self.queue.close();
        std::mem::take(&mut *self.threads())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// One thread.
struct Lane {
    queue: Arc<Queue>,
    /// `None` until it is needed, and after the connection was lost.
    conn: Option<Conn>,
    /// Whatever arrives meanwhile may join the group: SQLite has no other writer, so it would have
    /// to wait for this one anyway.
    grows: bool,
    /// Runs before a request gives way.
    attempts: u32,
    url: DatabaseUrl,
    options: DbOptions,
}

/// How a group ended.
enum GroupEnd {
    /// The commit succeeded or failed.
    Tried(Result<(), StoreError>),
    /// The transaction was lost before its commit was tried.
    LostBefore(StoreError),
}

impl Lane {
    fn work(mut self) {
        while let Some(mut group) = self.queue.next_group(self.options.group_limit) {
            let alone = group.iter().any(|job| job.runs_alone());
            let end = self.write(&mut group, alone);
            let grouped = group.len() > 1;
            let (committed, lost) = match end {
                GroupEnd::Tried(committed) => (committed, false),
                GroupEnd::LostBefore(error) => (Err(error), true),
            };
            if let Err(error) = &committed {
                tracing::warn!(requests = group.len(), %error, "a group of writes was not stored");
            }
            let mut again = Vec::new();
            for mut job in group {
                let wanted = match job.ran() {
                    Ran::InVain => true,
                    // The wait was cut short for the others' sake.
                    Ran::TimedOut => !alone,
                    // Nothing was committed, and it may be another's doing. What erred may have
                    // erred because of what a neighbour did, and that is undone.
                    Ran::Changes | Ran::Not | Ran::Erred => lost && grouped,
                };
                if wanted && job.once_more(self.attempts) {
                    again.push(job);
                } else {
                    job.answer(&committed);
                }
            }
            self.queue.put_back(again);
            self.queue.done(alone);
        }
    }

    /// A connection with a transaction begun in it. One that died since its last use is replaced:
    /// nothing has been done yet.
    fn begin(&mut self, wait: LockWait) -> Result<Conn, StoreError> {
        if let Some(mut conn) = self.conn.take() {
            match conn::begin_write(&mut conn, wait) {
                Ok(()) => return Ok(conn),
                Err(error) if !conn::is_broken(&mut conn) => {
                    self.conn = Some(conn);
                    return Err(error);
                }
                Err(_died) => {}
            }
        }
        let mut conn = conn::open(&self.url, Purpose::Write, &self.options)?;
        conn::begin_write(&mut conn, wait)?;
        Ok(conn)
    }

    /// Runs `group`, which may grow, in one transaction.
    fn write(&mut self, group: &mut Vec<Box<dyn Job>>, alone: bool) -> GroupEnd {
        let wait = if alone {
            LockWait::Patient(self.options.lock_timeout)
        } else {
            LockWait::Session
        };
        let mut conn = match self.begin(wait) {
            Ok(conn) => conn,
            Err(error) => return GroupEnd::Tried(Err(error)),
        };
        let mut state = TxState::default();
        let end = match self.requests(&mut conn, &mut state, group, wait) {
            Err(error) => GroupEnd::LostBefore(error),
            // Every request erred: the last one's rollback has ended the transaction.
            Ok(()) if conn::depth(&mut conn) == Some(0) => GroupEnd::Tried(Ok(())),
            Ok(()) => {
                let sealed = state.seal(&mut conn);
                GroupEnd::Tried(sealed.and_then(|()| conn::commit(&mut conn)))
            }
        };
        if matches!(end, GroupEnd::Tried(Ok(()))) {
            state.committed();
        }
        // A connection whose state is in doubt is closed, which rolls back.
        if conn::rollback_to(&mut conn, 0) && !conn::is_broken(&mut conn) {
            self.conn = Some(conn);
        }
        end
    }

    fn requests(
        &mut self,
        conn: &mut Conn,
        state: &mut TxState,
        group: &mut Vec<Box<dyn Job>>,
        wait: LockWait,
    ) -> Result<(), StoreError> {
        let mut ran = 0;
        // Until there are changes, there is nothing that a rollback of everything would undo.
        let mut isolation = Isolation::Whole;
        while let Some(job) = group.get_mut(ran) {
            if conn::depth(conn) == Some(0) {
                *state = TxState::default();
                conn::begin_write(conn, wait)?;
            }
            if let ControlFlow::Break(error) = job.run(conn, state, isolation) {
                return Err(error);
            }
            if job.ran() == Ran::Changes {
                isolation = Isolation::Savepoint;
            }
            ran += 1;
            if self.grows && group.len() < self.options.group_limit {
                group.extend(self.queue.joining());
            }
        }
        Ok(())
    }
}

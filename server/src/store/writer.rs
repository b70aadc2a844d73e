//! SQLite's single writer: one thread, one connection, many requests in one commit.
//!
//! A durable commit costs a flush of the disk, whatever it holds. Requests that wait while one
//! group is flushed form the next group; each has its own savepoint, so one that errs is undone
//! alone.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::conn::{self, Conn, Purpose};
use super::db::DbOptions;
use super::error::{StoreError, StoreFailure};
use super::pool::closing;
use super::tx::{self, Ended, TxState, WriteTx};
use super::url::DatabaseUrl;

/// One request for the writer thread.
pub(super) trait Job: Send {
    /// Does the work in a savepoint. `Break` when the whole transaction is lost.
    fn run(&mut self, conn: &mut Conn, state: &mut TxState) -> ControlFlow<StoreError>;
    /// Tells the requester, after the commit or its failure.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Request<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Request<F, T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: StoreFailure,
{
    fn run(&mut self, conn: &mut Conn, state: &mut TxState) -> ControlFlow<StoreError> {
        match tx::isolated(conn, state, |tx| (self.work)(tx)) {
            Ended::Done(value) => self.result = Some(Ok(value)),
            Ended::Undone(error) => self.result = Some(Err(once_only(error))),
            Ended::Lost(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            // What erred is undone whether or not the others' commit succeeded.
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(error.clone().into()),
            (Ok(()), None) => Err(closing().into()),
        };
        // A requester that has gone away no longer wants to know.
        let _gone = self.reply.send(answer);
    }
}

/// Nobody writes beside the single writer, so what was stale once stays so: no second attempt.
fn once_only<E: StoreFailure>(error: E) -> E {
    match error.store_error() {
        Some(store) if store.wants_another_attempt() => StoreError::Conflict { attempts: 1 }.into(),
        _ => error,
    }
}

/// The queue to the writer thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the connection and starts the thread.
    pub(super) fn start(url: &DatabaseUrl, options: &DbOptions) -> Result<Self, StoreError> {
        let conn = conn::open(url, Purpose::Write, options)?;
        let (sender, receiver) = mpsc::channel(options.queue_length.max(1));
        let work = Loop {
            receiver,
            conn: Some(conn),
            url: url.clone(),
            options: options.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work.run())
            .map_err(|error| StoreError::Unavailable {
                what: format!("no writer thread: {error}"),
            })?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The queue, until it is closed. Waiting for a place in it is left to the caller, who knows
    /// whether there are timers.
    pub(super) fn queue(&self) -> Result<mpsc::Sender<Box<dyn Job>>, StoreError> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        queue.clone().ok_or_else(closing)
    }

    /// Accepts nothing more and hands out the thread, which ends when the queue is empty.
    pub(super) fn close(&self) -> Option<JoinHandle<()>> {
        let mut queue = self
            .queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(queue.take());
        let mut thread = self
            .thread
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        thread.take()
    }
}

/// A request and where its answer will come.
pub(super) fn request<F, T, E>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: StoreFailure,
{
    let (reply, answer) = oneshot::channel();
    (
        Box::new(Request {
            work,
            result: None,
            reply,
        }),
        answer,
    )
}

struct Loop {
    receiver: mpsc::Receiver<Box<dyn Job>>,
    /// `None` after the connection was lost, until the next group.
    conn: Option<Conn>,
    url: DatabaseUrl,
    options: DbOptions,
}

impl Loop {
    fn run(mut self) {
        while let Some(first) = self.receiver.blocking_recv() {
            let mut group = vec![first];
            let committed = self.group(&mut group);
            if let Err(error) = &committed {
                tracing::warn!(requests = group.len(), %error, "a group of writes was not stored");
            }
            for job in group {
                job.answer(&committed);
            }
        }
    }

    /// Runs `group`, which grows while there are requests waiting, in one transaction.
    fn group(&mut self, group: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => conn::open(&self.url, Purpose::Write, &self.options)?,
        };
        let mut state = TxState::default();
        let stored = conn::begin_write(&mut conn)
            .and_then(|()| self.requests(&mut conn, &mut state, group))
            .and_then(|()| state.seal(&mut conn))
            .and_then(|()| conn::commit(&mut conn));
        if stored.is_ok() {
            state.committed();
        }
        // A connection whose state is in doubt is closed, which rolls back.
        if conn::rollback_to(&mut conn, 0) {
            self.conn = Some(conn);
        }
        stored
    }

    fn requests(
        &mut self,
        conn: &mut Conn,
        state: &mut TxState,
        group: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let mut ran = 0;
        while let Some(job) = group.get_mut(ran) {
            if let ControlFlow::Break(error) = job.run(conn, state) {
                return Err(error);
            }
            ran += 1;
            if ran < self.options.group_limit {
                group.extend(self.receiver.try_recv());
            }
        }
        Ok(())
    }
}

//! The one way in: read and write transactions on whichever database the URL names.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::conn::{self, Purpose};
use super::error::{StoreError, StoreFailure};
use super::pool::{self, Pool};
use super::tx::{ReadTx, WriteTx};
use super::url::DatabaseUrl;
use super::writer::{self, Writer};
use crate::held;

/// How the store behaves; every field has a documented default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbOptions {
    /// Connections that read. Default 4.
    pub readers: u32,
    /// PostgreSQL: connections that write. Default 8. SQLite has one.
    pub writers: u32,
    /// Write requests that may wait; more wait for a place. Default 1024.
    pub queue_length: usize,
    /// Most requests in one commit. Default 64.
    pub group_limit: usize,
    /// PostgreSQL: runs before a write gives way with `Conflict`. Default 8.
    pub attempts: u32,
    /// Longest wait for a connection or a place in the queue. Default 5 s.
    pub acquire_timeout: Duration,
    /// SQLite: longest wait for a lock that another process holds. Default 5 s.
    pub busy_timeout: Duration,
    /// PostgreSQL: longest statement. Default 30 s.
    pub statement_timeout: Duration,
    /// PostgreSQL: longest wait for a lock. Default 5 s.
    pub lock_timeout: Duration,
    /// PostgreSQL: longest wait for a lock while others wait behind; whoever would wait longer is
    /// run again alone. Default 20 ms.
    pub group_lock_timeout: Duration,
    /// PostgreSQL: longest pause inside a transaction; one that hangs holds back every device's
    /// feed. Default 10 s.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            writers: 8,
            queue_length: 1024,
            group_limit: 64,
            attempts: 8,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            group_lock_timeout: Duration::from_millis(20),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}

/// A database, open. Cheap to clone; all clones are one database.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    readers: Pool,
    writer: Writer,
    acquire_timeout: Duration,
}

impl Inner {
    fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
        E: StoreFailure,
    {
        let mut conn = self.readers.begin(conn::begin_read)?;
        let answer = catch_unwind(AssertUnwindSafe(|| work(&mut ReadTx::new(&mut conn))));
        conn::rollback_to(&mut conn, 0);
        answer.unwrap_or_else(|_panic| Err(StoreError::Panicked.into()))
    }
}

impl Db {
    /// Opens the database. Does not migrate it: see [`super::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached or opened.
    pub fn open(url: &DatabaseUrl, options: DbOptions) -> Result<Self, StoreError> {
        // The writer first: it creates SQLite's file.
        let writer = Writer::start(url, &options)?;
        let readers = Pool::open(url, Purpose::Read, options.readers, &options)?;
        Ok(Self(Arc::new(Inner {
            readers,
            writer,
            acquire_timeout: options.acquire_timeout,
        })))
    }

    /// Runs `work` in a read transaction on the blocking pool.
    ///
    /// # Errors
    /// What `work` answers; [`StoreError`] when the database does not.
    pub async fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: StoreFailure,
    {
        let place = self.0.readers.place().await?;
        let db = self.clone();
        blocking(move || {
            let _place = place;
            db.0.read(work)
        })
        .await
    }

    /// [`Self::read`] on this thread.
    ///
    /// # Errors
    /// What `work` answers; [`StoreError`] when the database does not.
    pub fn read_blocking<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
        E: StoreFailure,
    {
        self.0.readers.accepting()?;
        self.0.read(work)
    }

    /// Runs `work` in a write transaction. When it answers `Ok`, everything it did is stored
    /// durably; when it answers `Err`, or panics, nothing is.
    ///
    /// `work` may be run more than once, and so must load inside what it decides on. It may share
    /// its commit with other requests; on PostgreSQL several transactions run side by side.
    /// Everybody's writes (SQLite) or feed (PostgreSQL) wait for it, so what takes long, such as
    /// hashing a password, is done before.
    ///
    /// # Errors
    /// What `work` answers; [`StoreError::Conflict`] when others were faster every time; other
    /// [`StoreError`]s when the database does not answer. After [`StoreError::Unavailable`] it
    /// may be unknown whether the commit happened: commands are idempotent, so ask again.
    pub async fn write<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: StoreFailure,
    {
        let queue = self.0.writer.queue();
        let place = match tokio::time::timeout(self.0.acquire_timeout, queue.place()).await {
            Ok(place) => place?,
            Err(_elapsed) => {
                let what = "too many writes are waiting".to_owned();
                return Err(StoreError::Timeout { what }.into());
            }
        };
        let (job, answer) = writer::request(work);
        queue.put(place, job)?;
        answer
            .await
            .unwrap_or_else(|_gone| Err(pool::closing().into()))
    }

    /// [`Self::write`], waiting on this thread. Not for tasks of the async runtime, whose worker
    /// it would hold.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_blocking<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: StoreFailure,
    {
        let queue = self.0.writer.queue();
        let place = wait(queue.place())?;
        let (job, answer) = writer::request(work);
        queue.put(place, job)?;
        wait(answer).unwrap_or_else(|_gone| Err(pool::closing().into()))
    }

    /// Accepts nothing more, and returns when what was accepted is stored and answered. Clones
    /// then answer [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.0.readers.close();
        let threads = self.0.writer.close();
        let joined = held::blocking(move || {
            let ended = threads.into_iter().map(std::thread::JoinHandle::join);
            ended.filter(Result::is_err).count()
        });
        if !matches!(joined.await, Ok(0)) {
            tracing::error!("a writer thread did not end well");
        }
        self.0.readers.drained().await;
    }
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: StoreFailure,
{
    held::blocking(work)
        .await
        .unwrap_or_else(|_cancelled| Err(pool::closing().into()))
}

/// Waits for a future that needs no runtime (a channel's), on this thread, whatever it is.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    // On a thread of a runtime whose task has used up its share, a channel answers "later, ask again at once" until
    // the task yields; this one does not, and would ask for ever.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

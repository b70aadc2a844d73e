//! What code inside a transaction holds: the connection, and for writers their place in the
//! commit order and what shall happen once the commit has succeeded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::prelude::*;

use super::conn::{self, Conn};
use super::error::{StoreError, StoreFailure};
use super::order;
use super::prepared::{Bind, Prepared};
use super::schema::commit_order;

/// Something to do after the commit, such as waking those who wait for changes.
pub type AfterCommit = Box<dyn FnOnce() + Send>;

/// A read transaction: every query in it sees the same state of the database.
pub struct ReadTx<'a> {
    conn: &'a mut Conn,
}

impl<'a> ReadTx<'a> {
    pub(super) fn new(conn: &'a mut Conn) -> Self {
        Self { conn }
    }

    /// The connection, for queries.
    pub fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// Changes below this transaction number are all visible to this transaction; see
    /// [`order::horizon`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn horizon(&mut self) -> Result<i64, StoreError> {
        order::horizon(self.conn)
    }
}

/// What all requests of one database transaction share.
#[derive(Default)]
pub(super) struct TxState {
    /// The number, once somebody has asked for it.
    number: Option<i64>,
    ordinals_used: i32,
    hooks: Vec<AfterCommit>,
}

impl TxState {
    /// Stores the number that was used, as the last statement before the commit: outside of all
    /// savepoints, so that no rollback of a single request can undo it.
    pub(super) fn seal(&self, conn: &mut Conn) -> Result<(), StoreError> {
        if let (Some(number), Conn::Sqlite(_)) = (self.number, &*conn) {
            let sql = "UPDATE commit_order SET last = ?";
            Prepared::new(sql, vec![Bind::Big(number)]).execute(conn)?;
        }
        Ok(())
    }

    /// Runs what waits for the commit. One that panics does not keep the others from running.
    pub(super) fn committed(self) {
        for hook in self.hooks {
            if catch_unwind(AssertUnwindSafe(hook)).is_err() {
                tracing::error!("what was to follow a commit failed unexpectedly");
            }
        }
    }
}

/// A write transaction, or one request's share of it.
pub struct WriteTx<'a> {
    conn: &'a mut Conn,
    state: &'a mut TxState,
}

impl<'a> WriteTx<'a> {
    pub(super) fn new(conn: &'a mut Conn, state: &'a mut TxState) -> Self {
        Self { conn, state }
    }

    /// The connection, for queries and statements.
    pub fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// The number of this transaction in the commit order: greater than that of every
    /// transaction that ended before this one began. Requests that share a commit share it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn number(&mut self) -> Result<i64, StoreError> {
        if let Some(number) = self.state.number {
            return Ok(number);
        }
        let number = match self.conn {
            Conn::Postgres(_) => order::postgres_transaction(self.conn)?,
            // The single writer holds the write lock, so nobody else can take the same number;
            // `seal` stores it.
            Conn::Sqlite(_) => {
                commit_order::table
                    .select(commit_order::last)
                    .first::<i64>(self.conn)?
                    + 1
            }
        };
        self.state.number = Some(number);
        Ok(number)
    }

    /// The next ordinal within [`Self::number`], from 1 and never given twice; one that belonged
    /// to undone work leaves a gap.
    pub fn next_ordinal(&mut self) -> i32 {
        // Two billion changes in one transaction would collide in the primary key, as an error.
        self.state.ordinals_used = self.state.ordinals_used.saturating_add(1);
        self.state.ordinals_used
    }

    /// The place in the commit order for one more row.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn next_position(&mut self) -> Result<order::Position, StoreError> {
        Ok(order::Position {
            tx: self.number()?,
            ordinal: self.next_ordinal(),
        })
    }

    /// Runs `hook` once the outermost commit has succeeded; never when this work is undone. It
    /// runs before the requester is answered, on the writer's thread: it may wake, not work.
    pub fn after_commit(&mut self, hook: AfterCommit) {
        self.state.hooks.push(hook);
    }

    /// Runs `work` in a savepoint: when it errs, its changes and hooks alone are undone and the
    /// transaction goes on.
    ///
    /// # Errors
    /// What `work` answered, or the store's failure to open or close the savepoint.
    pub fn savepoint<T, E: StoreFailure>(
        &mut self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let level = conn::depth(self.conn).ok_or_else(transaction_lost)?;
        let hooks = self.state.hooks.len();
        conn::begin_savepoint(self.conn)?;
        let answer = work(&mut WriteTx::new(self.conn, self.state));
        match answer {
            Ok(value) => {
                conn::release_savepoint(self.conn)?;
                Ok(value)
            }
            Err(error) => {
                self.state.hooks.truncate(hooks);
                if conn::rollback_to(self.conn, level) {
                    Err(error)
                } else {
                    Err(transaction_lost().into())
                }
            }
        }
    }
}

/// How one request's work inside a transaction ended.
pub(super) enum Ended<T, E> {
    /// It stands, if the commit succeeds.
    Done(T),
    /// It erred or panicked, and is undone.
    Undone(E),
    /// The database has ended the whole transaction under it.
    Lost(StoreError),
}

/// How one request's work is kept apart from the rest of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    /// By a savepoint.
    Savepoint,
    /// It is all that the transaction holds: when it errs, the transaction is rolled back.
    Whole,
}

/// Runs `work`, surviving its panics. When it errs, what it did is undone; with
/// [`Isolation::Whole`] no transaction is open then.
pub(super) fn run<T, E: StoreFailure>(
    conn: &mut Conn,
    state: &mut TxState,
    isolation: Isolation,
    work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>,
) -> Ended<T, E> {
    let Some(level) = conn::depth(conn) else {
        return Ended::Lost(transaction_lost());
    };
    let hooks = state.hooks.len();
    let savepoint = isolation == Isolation::Savepoint;
    if savepoint && let Err(error) = conn::begin_savepoint(conn) {
        return Ended::Lost(error);
    }
    let inside = level + u32::from(savepoint);
    let answer = catch_unwind(AssertUnwindSafe(|| work(&mut WriteTx::new(conn, state))));
    let error = match answer {
        Ok(Ok(value)) => {
            // A savepoint that is gone means that SQLite has rolled the transaction back, as it
            // may when the disk is full or broken.
            if conn::depth(conn) != Some(inside) {
                return Ended::Lost(transaction_lost());
            }
            if savepoint && let Err(error) = conn::release_savepoint(conn) {
                return Ended::Lost(error);
            }
            return Ended::Done(value);
        }
        Ok(Err(error)) => error,
        Err(_panic) => E::from(StoreError::Panicked),
    };
    state.hooks.truncate(hooks);
    let outside = if savepoint { level } else { 0 };
    if conn::rollback_to(conn, outside) {
        Ended::Undone(error)
    } else {
        Ended::Lost(transaction_lost())
    }
}

fn transaction_lost() -> StoreError {
    StoreError::Unavailable {
        what: "the database has ended the transaction".to_owned(),
    }
}

//! A pool of connections of one purpose, with a fair queue in front of it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::r2d2::{self, ManageConnection, R2D2Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::{self, Conn, Purpose};
use super::db::DbOptions;
use super::error::StoreError;
use super::url::DatabaseUrl;

/// How often closing looks whether the last transactions have ended.
const DRAIN_POLL: Duration = Duration::from_millis(5);

/// Opens connections by the URL's scheme. (The pool manager that comes with the library would
/// try one kind of database after the other.)
pub(super) struct Manager {
    url: DatabaseUrl,
    purpose: Purpose,
    options: DbOptions,
    /// Why no session will ever come: the address leads to another database.
    refused: Arc<OnceLock<StoreError>>,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = StoreError;

    fn connect(&self) -> Result<Conn, StoreError> {
        let opened = conn::open(&self.url, self.purpose, &self.options);
        if let Err(refusal @ StoreError::Restored { .. }) = &opened {
            // The pool goes on trying and would say only that it took too long.
            let _known = self.refused.set(refusal.clone());
        }
        opened
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), StoreError> {
        Ok(conn.ping()?)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        conn.is_broken()
    }
}

/// Says nothing: the failure reaches whoever waits for the connection, as an error.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<StoreError> for Quiet {
    fn handle_error(&self, _error: StoreError) {}
}

/// Connections of one purpose.
#[derive(Clone)]
pub(super) struct Pool {
    connections: r2d2::Pool<Manager>,
    /// Waiting tasks queue here, in order, instead of each holding a thread.
    places: Arc<Semaphore>,
    acquire_timeout: Duration,
    refused: Arc<OnceLock<StoreError>>,
}

impl Pool {
    /// Opens one connection at once, so that a wrong address fails here, with its own reason.
    pub(super) fn open(
        url: &DatabaseUrl,
        purpose: Purpose,
        size: u32,
        options: &DbOptions,
    ) -> Result<Self, StoreError> {
        let size = size.max(1);
        let refused = Arc::default();
        let manager = Manager {
            url: url.clone(),
            purpose,
            options: options.clone(),
            refused: Arc::clone(&refused),
        };
        drop(manager.connect()?);
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(options.acquire_timeout)
            // A ping before every transaction would double its round trips.
            .test_on_check_out(false)
            .error_handler(Box::new(Quiet))
            .build_unchecked(manager);
        let places = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Ok(Self {
            connections,
            places,
            acquire_timeout: options.acquire_timeout,
            refused,
        })
    }

    /// How many connections there may be.
    pub(super) fn size(&self) -> u32 {
        self.connections.max_size()
    }

    /// A place in the pool for a task; held for as long as the connection is used.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let waiting = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.acquire_timeout, waiting).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(closing()),
            Err(_elapsed) => Err(StoreError::Timeout {
                what: "no free connection".to_owned(),
            }),
        }
    }

    /// Whether new work is still taken on.
    pub(super) fn accepting(&self) -> Result<(), StoreError> {
        if self.places.is_closed() {
            Err(closing())
        } else {
            Ok(())
        }
    }

    /// A connection in which `begin` has begun a transaction. A pooled session may have died
    /// since its last use; nothing has been done yet, so the next one is taken.
    pub(super) fn begin(
        &self,
        begin: fn(&mut Conn) -> Result<(), StoreError>,
    ) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        let mut dead = 0;
        loop {
            let mut conn = self
                .connections
                .get()
                .map_err(|error| match self.refused.get() {
                    Some(refusal) => refusal.clone(),
                    None => StoreError::Unavailable {
                        what: format!("no connection: {error}"),
                    },
                })?;
            match begin(&mut conn) {
                Ok(()) => return Ok(conn),
                Err(_) if conn.is_broken() && dead < self.size() => dead += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands out nothing more.
    pub(super) fn close(&self) {
        self.places.close();
    }

    /// Waits until all places are given back, for at most the time to acquire one.
    pub(super) async fn drained(&self) {
        let size = usize::try_from(self.size()).unwrap_or(1);
        let idle = async {
            while self.places.available_permits() < size {
                tokio::time::sleep(DRAIN_POLL).await;
            }
        };
        // What is still running keeps its connection until it ends; closing does not wait longer.
        let _elapsed = tokio::time::timeout(self.acquire_timeout, idle).await;
    }
}

/// The answer to whoever comes after `close`.
pub(super) fn closing() -> StoreError {
    StoreError::Unavailable {
        what: "the server is stopping".to_owned(),
    }
}

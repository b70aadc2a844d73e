//! What every part of a running server shares.

use std::sync::Arc;

use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::AnchorKey;
use object_store::ObjectStore;

use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::store::Db;
use crate::store::order::Settled;
use crate::turns::Turns;
use crate::usecases::boundaries::Boundaries;
use crate::usecases::catalog::Catalog;

/// The server's shared parts. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Random bytes and new ids.
    pub entropy: Entropy,
    /// Settings.
    pub settings: Settings,
    /// Where originals and thumbnails lie.
    pub objects: Arc<dyn ObjectStore>,
    /// The published working days.
    pub calendar: crate::usecases::calendar::Calendar,
    /// Boundaries of jurisdictions, in memory.
    pub boundaries: Boundaries,
    /// Packs, criteria and checklists, in memory.
    pub catalog: Catalog,
    /// This database's epoch: new after every restore.
    pub epoch: String,
    /// Key of the record digests.
    pub digest_key: DigestKey,
    /// Key of the anchors that this database gives out. It stays for ever: what was anchored stays proven.
    pub anchor_key: AnchorKey,
    /// Wakes the job runner.
    pub jobs_wake: tokio::sync::Notify,
    /// Wakes whoever extends the audit chain.
    pub events_wake: tokio::sync::Notify,
    /// What each scope held at its newest position.
    pub checkpoints: Checkpoints,
    /// How far everything is known to be over.
    pub settled: Settled,
    /// Counters.
    pub metrics: Metrics,
    /// How many requests of one person are worked on at a time.
    pub turns: Turns,
    /// Sign-in: keys, limits on attempts.
    pub sign_in: crate::usecases::sign_in::SignInState,
}

impl App {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

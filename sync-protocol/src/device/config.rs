//! Settings of the device half, and whose device it is.

use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::calendar::WorkdayCalendar;
use hazardloop_domain::hazard::Limits;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::inspection::InspectionLimits;

use super::stride::StrideLimits;
use crate::wire::{SpokenVersions, WireLimits};
use std::sync::Arc;

/// Limits and times. Configuration; [`EngineConfig::default`] gives the defaults.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Bytes of commands in one push, as they are before they are packed.
    pub push_bytes: StrideLimits,
    /// Most commands in one push.
    pub push_commands: usize,
    /// Records asked for in one pull.
    pub pull_records: StrideLimits,
    /// Bytes of one photo chunk.
    pub photo_chunk: StrideLimits,
    /// Photos under way at once, which take turns; whichever has to wait leaves its place to the next.
    pub photos_at_once: usize,
    /// First wait after a failure, milliseconds.
    pub retry_base_ms: i64,
    /// Longest wait after failures, milliseconds.
    pub retry_cap_ms: i64,
    /// Longest time until a server that speaks no version of this build is asked again, milliseconds: either side may
    /// be renewed meanwhile, or a proxy taken out of the way.
    pub version_retry_ms: i64,
    /// Least time between two resets of one scope for a differing digest, milliseconds.
    pub scope_reset_interval_ms: i64,
    /// How long an accepted command is shown on top of a replica that does not have it yet,
    /// measured in the server's time, milliseconds. Covers a feed that lags behind commits.
    pub overlay_grace_ms: i64,
    /// How long commands that took effect are kept after their receipt, measured in the server's
    /// time, milliseconds: a server restored from a backup no older than this gets back what it
    /// lost.
    pub keep_settled_ms: i64,
    /// Most commands that took effect are kept, however young.
    pub keep_settled: usize,
    /// Most things removed in one write when the store is tidied.
    pub compact_step: usize,
    /// Most free pages that a store gives back in such a write.
    pub release_pages: u32,
    /// The rules' limits, for deciding before anything is queued.
    pub rules: Limits,
    /// Those of inspections, likewise.
    pub inspections: InspectionLimits,
    /// The working days that this build knows; those that the server publishes come on top.
    pub calendar: Arc<WorkdayCalendar>,
    /// Limits of the messages.
    pub wire: WireLimits,
    /// The versions of the protocol that it speaks.
    pub speaks: SpokenVersions,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            push_bytes: StrideLimits {
                first: 16 * 1024,
                least: 1024,
                most: 256 * 1024,
                quick_ms: 5_000,
                slow_ms: 20_000,
            },
            push_commands: 100,
            pull_records: StrideLimits {
                first: 50,
                least: 10,
                most: 500,
                quick_ms: 5_000,
                slow_ms: 20_000,
            },
            photo_chunk: StrideLimits {
                first: 8 * 1024,
                least: 2 * 1024,
                most: 256 * 1024,
                quick_ms: 5_000,
                slow_ms: 20_000,
            },
            photos_at_once: 4,
            retry_base_ms: 2_000,
            retry_cap_ms: 300_000,
            version_retry_ms: 3_600_000,
            scope_reset_interval_ms: 600_000,
            overlay_grace_ms: 600_000,
            keep_settled_ms: 30 * 24 * 3_600_000,
            keep_settled: 2_000,
            compact_step: 200,
            release_pages: 4_096,
            rules: Limits::default(),
            inspections: InspectionLimits::default(),
            calendar: Arc::default(),
            wire: WireLimits::default(),
            speaks: SpokenVersions::OURS,
        }
    }
}

/// Whose device this is. The signing key travels apart, see [`super::Engine::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// This installation.
    pub install_id: InstallId,
    /// The only person whose commands it queues.
    pub person_id: PersonId,
    /// What enrolment told of this person; the replica's own record replaces it.
    pub person: Option<PersonRecord>,
}

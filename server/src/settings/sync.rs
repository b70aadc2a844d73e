//! What devices are given and may send: limits of messages, and which closed records they still hold.

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::WireLimits;
use serde::{Deserialize, Serialize};

use crate::store::windows::WindowKind;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What [`SyncLimits::removals_kept_days`] is at least: what a device is away for by itself (holidays, a repair) must not
/// have it, and all others like it at once, fetch everything anew.
pub const REMOVALS_KEPT_DAYS_MIN: u32 = 30;

/// Limits on sync messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncLimits {
    /// Bytes of one message.
    pub body_bytes: usize,
    /// Commands in one push.
    pub commands: usize,
    /// Records in one pull answer.
    pub records: usize,
    /// Co-signatures of one command.
    pub co_signatures: usize,
    /// Days after its revocation in which a device may still offer what it has not sent.
    pub offer_days: i64,
    /// Commands that are kept of one revoked device.
    pub offered_commands: usize,
    /// Days for which devices are told that a scope holds a record no longer; whoever was away for longer fetches the
    /// scope anew. At least [`REMOVALS_KEPT_DAYS_MIN`].
    pub removals_kept_days: u32,
    /// Days after which a pushed command that waits for nobody is kept in a shorter form, with its receipt.
    pub receipts_plain_days: u32,
    /// Pushes and pulls of one device that are worked on at a time; the others wait for their turn.
    pub syncs_at_once: usize,
    /// Which records that came to their end devices still hold.
    pub windows: Windows,
}

impl Default for SyncLimits {
    fn default() -> Self {
        let limits = WireLimits::default();
        Self {
            body_bytes: limits.body_bytes,
            commands: limits.commands,
            records: limits.records,
            co_signatures: limits.co_signatures,
            offer_days: 90,
            offered_commands: 1_000,
            removals_kept_days: 400,
            receipts_plain_days: 30,
            syncs_at_once: 2,
            windows: Windows::default(),
        }
    }
}

/// Which of the records that came to their end (closed, rejected, withdrawn, merged, handed over for good; completed
/// and cancelled inspections) the devices of a scope still hold: a window for each kind of scope, and for
/// jurisdictions for each level. What is open is always there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// What somebody handed in from outside of an enterprise.
    pub reports: WindowSettings,
    /// An enterprise.
    pub enterprise: WindowSettings,
    /// A city (市).
    pub city: WindowSettings,
    /// A district (区县).
    pub district: WindowSettings,
    /// A town (镇街).
    pub town: WindowSettings,
    /// A village (村、社区).
    pub village: WindowSettings,
    /// A grid (网格).
    pub grid: WindowSettings,
}

/// One window: the newest of what came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSettings {
    /// Days for which it stays; 0: open work only.
    pub closed_days: u32,
    /// Bytes of records, as they travel, at most.
    pub closed_bytes: u64,
}

impl Default for Windows {
    fn default() -> Self {
        let window = |closed_days, mib: u64| WindowSettings {
            closed_days,
            closed_bytes: mib * 1024 * 1024,
        };
        Self {
            reports: window(365, 1),
            enterprise: window(365, 4),
            city: window(14, 8),
            district: window(30, 8),
            town: window(90, 8),
            village: window(180, 4),
            grid: window(180, 4),
        }
    }
}

impl Windows {
    /// The same window for every scope.
    pub const fn alike(window: WindowSettings) -> Self {
        Self {
            reports: window,
            enterprise: window,
            city: window,
            district: window,
            town: window,
            village: window,
            grid: window,
        }
    }

    /// The window of one kind.
    pub const fn of(&self, kind: WindowKind) -> WindowSettings {
        match kind {
            WindowKind::Reports => self.reports,
            WindowKind::Enterprise => self.enterprise,
            WindowKind::City => self.city,
            WindowKind::District => self.district,
            WindowKind::Town => self.town,
            WindowKind::Village => self.village,
            WindowKind::Grid => self.grid,
        }
    }
}

impl WindowSettings {
    /// What came to its end before this is no longer there at `now`.
    pub fn begins(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(-i64::from(self.closed_days).saturating_mul(DAY_MS))
    }
}

//! Limits on what devices say of each other.

use hazardloop_sync_protocol::hub::witnesses::WEIGHED_AT_ONCE;
use serde::{Deserialize, Serialize};

/// Limits on witness statements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WitnessLimits {
    /// Statements of one device that count within 24 hours; what is beyond is refused to its author. 0: none count.
    pub statements_a_day: usize,
    /// Statements that one push has weighed, its own and what follows from them; a job weighs the others.
    pub weighed_at_once: usize,
}

impl Default for WitnessLimits {
    fn default() -> Self {
        Self {
            statements_a_day: 200,
            weighed_at_once: WEIGHED_AT_ONCE,
        }
    }
}

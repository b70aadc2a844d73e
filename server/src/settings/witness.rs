//! Limits on what devices say of each other.

use serde::{Deserialize, Serialize};

/// Limits on witness statements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WitnessLimits {
    /// Statements of one device that count within 24 hours; what is beyond is refused to its author. 0: none count.
    pub statements_a_day: usize,
}

impl Default for WitnessLimits {
    fn default() -> Self {
        Self {
            statements_a_day: 200,
        }
    }
}

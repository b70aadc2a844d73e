//! The limits that a server's rules work with, as it tells them to devices: so that both judge alike. Devices of a
//! server that says nothing use the defaults.

use minicbor::{Decode, Encode};
use uuid::Uuid;

use crate::hazard::Limits;
use crate::inspection::InspectionLimits;

/// The record that every device holds, once a server's settings differ from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RuleLimits {
    /// Counts changes, from 1.
    #[n(0)]
    pub version: i64,
    /// Of hazards.
    #[n(1)]
    pub hazards: Limits,
    /// Of inspections.
    #[n(2)]
    pub inspections: InspectionLimits,
}

impl RuleLimits {
    /// Its identifier: there is one.
    pub const ID: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_000a);

    /// Whether both say the same, in whatever version.
    pub fn same_as(&self, other: &Self) -> bool {
        (&self.hazards, &self.inspections) == (&other.hazards, &other.inspections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_travel_whole() {
        let said = RuleLimits {
            version: 3,
            hazards: Limits {
                due_days: 90,
                ..Limits::default()
            },
            inspections: InspectionLimits {
                team: 4,
                ..InspectionLimits::default()
            },
        };
        let bytes = minicbor::to_vec(&said).unwrap();
        assert_eq!(minicbor::decode::<RuleLimits>(&bytes).unwrap(), said);
        assert!(!said.same_as(&RuleLimits::default()));
        let later = RuleLimits {
            version: 4,
            ..said.clone()
        };
        assert!(later.same_as(&said));
    }
}

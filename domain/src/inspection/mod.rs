//! One inspection or self-check: its state, the events that make it, and the rules that decide.

mod apply;
mod checklists;
mod checks;
mod decide;
mod event;
mod limits;
pub mod policy;
mod read;
mod setup;
mod signing;
mod state;
#[cfg(test)]
mod tests;

pub use checklists::{Checklists, Listed, checklists_named};
pub use decide::{Decision, Facts, Knew, NamedHazards, begins, decide, hazards_named, setup_of};
pub use event::{InspectionEvent, InspectionEventRecord, SecondSignature};
pub use limits::InspectionLimits;
pub use policy::acts_on_team;
pub use signing::CERTIFICATE_RAN_OUT;
pub use state::{
    Conversion, Finding, Inspection, InspectionState, InspectionStatus, ItemRecord, PersonResult,
    Present, Signature, SignatureRefused, Started, Window,
};

use crate::ids::InspectionId;

/// The number by which people quote an inspection: `IN-` and the rest as a hazard's.
pub fn inspection_number(id: InspectionId) -> String {
    crate::number::number("IN", id.as_bytes())
}

//! One hazard: its state, the events that make it, and the rules that decide on commands.

mod amend;
mod apply;
mod apply_beside;
mod apply_order;
mod checks;
mod decide;
mod event;
mod grading;
mod number;
mod overlays;
mod report;
mod state;
mod steps;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Facts, Limits, MergeTarget, Outcome, decide};
pub use event::{EVENT_HASH_DOMAIN, EventHeader, EventRecord, HazardEvent, event_hash};
pub use number::hazard_number;
pub use overlays::{
    Authority, Deadline, Delisting, Extension, ExtensionDecision, Listing, Mark, Penalty, Plan,
    PlanDecision, Proposal, Proposed, ResumptionDecision, ResumptionRequest, Suspension,
    TransferReceipt, TransferRecord,
};
pub use state::{
    Disputed, FieldName, FieldVersions, Hazard, NoteEntry, Order, Photo, PhotoState, Status,
    StatusName, Submission,
};

//! One hazard: its state, the events that make it, and the rules that decide on commands.

#[macro_use]
mod macros;
mod amend;
mod apply;
mod apply_beside;
mod apply_order;
mod checks;
mod decide;
mod entries;
mod event;
mod grading;
mod limits;
mod measures;
mod number;
mod order_document;
mod overlays;
mod plan;
mod queries;
mod recurrence;
mod reinspection;
mod report;
mod spot_check;
mod state;
mod steps;
#[cfg(test)]
mod tests;

pub use decide::{Cited, Decision, Facts, ListingSeat, MergeTarget, Outcome, decide};
pub use entries::{Disputed, FieldName, FieldVersions, NoteEntry, Photo, PhotoState};
pub use event::{EVENT_HASH_DOMAIN, EventHeader, EventRecord, HazardEvent, event_hash};
pub use limits::Limits;
pub use number::hazard_number;
pub use order_document::{
    Addressee, LegalBasis, Named, OrderDocument, OrderSummary, Signatory, certificate_at,
};
pub use overlays::{
    Authority, Deadline, Delisting, Extension, ExtensionDecision, Listing, Mark, Penalty, Plan,
    PlanDecision, Proposal, Proposed, ResumptionDecision, ResumptionRequest, SpotCheckRecord,
    Suspension, TransferReceipt, TransferRecord,
};
pub use recurrence::{Likeness, Repeated};
pub use state::{Hazard, Order, Status, StatusName, Submission};

//! One hazard: its state, the events that make it, and the rules that decide on commands.

mod amend;
mod apply;
mod checks;
mod decide;
mod event;
mod number;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Facts, Limits, Outcome, decide};
pub use event::{EVENT_HASH_DOMAIN, EventHeader, EventRecord, HazardEvent, event_hash};
pub use number::hazard_number;
pub use state::{
    Disputed, FieldName, FieldVersions, Hazard, NoteEntry, Order, Photo, PhotoState, Status,
    StatusName, Submission,
};

//! The hub half, sans-I/O: what a hub says to a push and to a pull, whatever it stores in.
//!
//! [`Push`] and [`Pull`] are state machines with a stated order of steps; a driver plugs in a store, its
//! transactions and the rules of the domain. They hold no record longer than one request.

mod anchors;
mod choices;
mod first_read;
#[cfg(test)]
mod first_read_tests;
#[cfg(test)]
mod fork_tests;
pub mod memory;
mod outcome;
mod pull;
mod pull_steps;
#[cfg(test)]
mod pull_tests;
mod push;
mod push_batch;
mod push_choices;
mod push_steps;
#[cfg(test)]
mod push_tests;
mod push_witness;
mod refused;
#[cfg(test)]
mod refused_tests;
mod scopes;
mod stream;
#[cfg(test)]
mod stream_tests;
pub mod witnesses;
#[cfg(test)]
mod witnesses_tests;

pub use anchors::{AnchorKey, ClockFacts, breaks_chain, follow_clocks, not_before};
pub use choices::{Became, Known, give_up, is_noted, what_became};
pub use first_read::has_passed;
pub use outcome::{
    Beginning, Decision, Responsibility, required_predecessor, was_responsible_by_grants,
};
pub use pull::Pull;
pub use pull_steps::{Bodies, Change, FeedPosition, FirstPlace, PullStep, Reader};
pub use push::Push;
pub use push_steps::{Kept, PushStep, Stated, StoredReceipt, Writes, content_of};
pub use push_witness::Witnessing;
pub use refused::{KIND_BYTES, OutOfStep, RequestRefused, check_commands, check_pull, check_push};
pub use scopes::{
    handed_in_by, hands_in, scopes_given, scopes_granted, scopes_of_grant, scopes_seen, shows,
    tasks_of_grant,
};
pub use stream::{Judgement, StreamState, judge, judge_in_run};

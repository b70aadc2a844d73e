//! The hub half: what to do with each pushed command, before and beside the rules.

mod choices;
mod stream;
#[cfg(test)]
mod stream_tests;

pub use choices::{give_up, is_noted};
pub use stream::{Judgement, StreamState, judge, required_predecessor};

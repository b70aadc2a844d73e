//! The hub half: what to do with each pushed command, before and beside the rules.

mod stream;
#[cfg(test)]
mod stream_tests;

pub use stream::{Judgement, StreamState, judge, judge_in_run, required_predecessor};

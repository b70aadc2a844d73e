//! When messages go in few bytes: in the packed or the lean form, and coded. Nothing depends on it: whatever the server, or
//! something on the way, does not take in this way goes in full and plain, and is tried again later.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::device::Failure;
use hazardloop_sync_protocol::wire::{CODING_UNKNOWN, SAY_IN_FULL};

/// After a failure that may come of the form or the coding, so many messages go in full and plain.
pub const PLAIN_MESSAGES: u32 = 20;

/// Codes by which a server says that it cannot read a form or a coding.
const NOT_READ: [&str; 2] = ["UNSUPPORTED_MEDIA_TYPE", "MALFORMED"];

/// What an answer to a packed message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterPacked {
    /// It is the answer.
    Answered,
    /// The server does not read this form: it is to come in the lean one.
    SayLean,
    /// It is to come in full.
    SayInFull,
}

/// What this process has learnt of one server and the way to it.
#[derive(Debug, Default)]
pub(crate) struct Thrift {
    /// The server does not read the packed form.
    no_packed: AtomicBool,
    /// The server does not read the lean forms.
    no_lean: AtomicBool,
    /// The server does not read the coding.
    no_coding: AtomicBool,
    /// Messages left that go in full and plain.
    plain_left: AtomicU32,
    /// Something was sent since the last pull in full: there will be something new.
    something_new: AtomicBool,
}

impl Thrift {
    fn is_plain(&self) -> bool {
        self.plain_left.load(Ordering::Relaxed) > 0
    }

    /// Whether a push may go in the lean form.
    pub(crate) fn says_lean(&self) -> bool {
        !self.is_plain() && !self.no_lean.load(Ordering::Relaxed)
    }

    /// Whether what may go in the lean form may go packed.
    pub(crate) fn packs(&self) -> bool {
        !self.no_packed.load(Ordering::Relaxed)
    }

    /// What an answer to a packed message means.
    pub(crate) fn after_packed<T>(&self, answer: &Result<T, Failure>) -> AfterPacked {
        let Err(failure) = answer else {
            return AfterPacked::Answered;
        };
        self.note(failure);
        match failure {
            Failure::Refused { code, .. } if NOT_READ.contains(&code.as_str()) => {
                self.no_packed.store(true, Ordering::Relaxed);
                AfterPacked::SayLean
            }
            Failure::Refused { code, .. } if code == SAY_IN_FULL => AfterPacked::SayInFull,
            _ => AfterPacked::Answered,
        }
    }

    /// Whether a pull may: where something is new for sure, the question would be one too many.
    pub(crate) fn asks_lean(&self) -> bool {
        self.says_lean() && !self.something_new.load(Ordering::Relaxed)
    }

    /// Something is being sent.
    pub(crate) fn pushed(&self) {
        self.something_new.store(true, Ordering::Relaxed);
    }

    /// A pull in full was answered, or not.
    pub(crate) fn pulled(&self, answered: bool) {
        if answered {
            self.something_new.store(false, Ordering::Relaxed);
        }
    }

    /// What `Accept-Encoding` says.
    pub(crate) fn accepted(&self) -> Option<&'static str> {
        (!self.is_plain()).then_some(Coding::ACCEPTED)
    }

    /// The coding's name and the coded body, where that may be and pays.
    pub(crate) fn coded(&self, body: &[u8]) -> Option<(&'static str, Vec<u8>)> {
        if self.is_plain() || self.no_coding.load(Ordering::Relaxed) {
            return None;
        }
        let coding = Coding::ReportsZh2;
        compress::encode(coding, body).map(|coded| (coding.name(), coded))
    }

    /// Whether an answer to a lean message means that it is to come in full, at once.
    pub(crate) fn wants_it_in_full<T>(&self, answer: &Result<T, Failure>) -> bool {
        let Err(failure) = answer else { return false };
        self.note(failure);
        let Failure::Refused { code, .. } = failure else {
            return false;
        };
        if NOT_READ.contains(&code.as_str()) {
            self.no_lean.store(true, Ordering::Relaxed);
            return true;
        }
        code == SAY_IN_FULL
    }

    /// Whether an answer to a coded message means that it is to come uncoded, at once.
    pub(crate) fn wants_it_plain<T>(&self, answer: &Result<T, Failure>) -> bool {
        let Err(failure) = answer else { return false };
        self.note(failure);
        let Failure::Refused { code, .. } = failure else {
            return false;
        };
        if code == CODING_UNKNOWN {
            self.no_coding.store(true, Ordering::Relaxed);
            return true;
        }
        NOT_READ.contains(&code.as_str())
    }

    /// A message went uncoded.
    pub(crate) fn went_plain<T>(&self, answer: &Result<T, Failure>) {
        let left = self.plain_left.load(Ordering::Relaxed);
        self.plain_left
            .store(left.saturating_sub(1), Ordering::Relaxed);
        if let Err(failure) = answer {
            self.note(failure);
        }
    }

    /// What answers otherwise than our server does may be a proxy that does not let such bodies through, and
    /// a server that fails may fail over them: the next messages go as everybody sends them.
    fn note(&self, failure: &Failure) {
        if matches!(failure, Failure::NotOurs | Failure::ServerError) {
            self.plain_left.store(PLAIN_MESSAGES, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Result<(), Failure> {
        Err(Failure::Refused {
            code: code.to_owned(),
            detail: String::new(),
        })
    }

    fn body() -> Vec<u8> {
        "除尘器未装泄爆片".repeat(20).into_bytes()
    }

    #[test]
    fn who_does_not_know_the_coding_gets_everything_uncoded_from_then_on() {
        let thrift = Thrift::default();
        assert!(thrift.coded(&body()).is_some());
        assert!(thrift.wants_it_plain(&refused(CODING_UNKNOWN)));
        assert!(thrift.coded(&body()).is_none());
        assert!(thrift.says_lean());
    }

    #[test]
    fn who_cannot_read_the_lean_form_gets_the_full_one_from_then_on() {
        let thrift = Thrift::default();
        assert!(thrift.wants_it_in_full(&refused("UNSUPPORTED_MEDIA_TYPE")));
        assert!(!thrift.says_lean() && !thrift.asks_lean());
        assert!(thrift.coded(&body()).is_some());
    }

    #[test]
    fn who_cannot_read_the_packed_form_gets_the_lean_one_from_then_on() {
        let thrift = Thrift::default();
        let answer = refused("UNSUPPORTED_MEDIA_TYPE");
        assert!(thrift.packs());
        assert_eq!(thrift.after_packed(&answer), AfterPacked::SayLean);
        assert!(!thrift.packs() && thrift.says_lean());
    }

    #[test]
    fn what_is_packed_and_does_not_fit_is_said_in_full_once() {
        let thrift = Thrift::default();
        let answer = refused(SAY_IN_FULL);
        assert_eq!(thrift.after_packed(&answer), AfterPacked::SayInFull);
        for other in [Ok(()), refused("INVALID_FIELD"), Err(Failure::Offline)] {
            assert_eq!(thrift.after_packed(&other), AfterPacked::Answered);
        }
        assert!(thrift.packs() && thrift.says_lean());
    }

    #[test]
    fn what_does_not_fit_once_is_said_in_full_once() {
        let thrift = Thrift::default();
        assert!(thrift.wants_it_in_full(&refused(SAY_IN_FULL)));
        assert!(thrift.says_lean());
        for other in [Ok(()), refused("INVALID_FIELD"), Err(Failure::Offline)] {
            assert!(!thrift.wants_it_in_full(&other) && !thrift.wants_it_plain(&other));
        }
        assert!(thrift.says_lean());
    }

    #[test]
    fn what_something_on_the_way_does_not_let_through_goes_as_everybody_sends_it() {
        for failure in [Failure::NotOurs, Failure::ServerError] {
            let thrift = Thrift::default();
            let answer: Result<(), Failure> = Err(failure);
            assert!(
                !thrift.wants_it_plain(&answer),
                "the engine says when again"
            );
            assert!(!thrift.says_lean());
            assert_eq!(thrift.accepted(), None);
            assert!(thrift.coded(&body()).is_none());
            for _ in 0..PLAIN_MESSAGES {
                assert!(!thrift.says_lean());
                thrift.went_plain(&Ok::<(), Failure>(()));
            }
            assert!(thrift.says_lean() && thrift.coded(&body()).is_some());
        }
    }

    #[test]
    fn after_a_push_nobody_asks_whether_anything_is_new() {
        let thrift = Thrift::default();
        assert!(thrift.asks_lean());
        thrift.pushed();
        assert!(!thrift.asks_lean() && thrift.says_lean());
        thrift.pulled(false);
        assert!(!thrift.asks_lean());
        thrift.pulled(true);
        assert!(thrift.asks_lean());
    }
}

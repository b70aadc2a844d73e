//! Requests that are not taken as a whole, found before anything is read or decided.

use crate::wire::{Envelope, PullRequest, PushRequest, SpokenVersions, WireLimits};

/// Bytes of an envelope's kind, as far as one is kept.
pub const KIND_BYTES: usize = 64;

/// Why a push or pull is not taken as a whole. A bad command inside a push never is a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// More than a stated limit.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It is not what the protocol says a request is.
    #[error("{field}: {why}")]
    Invalid {
        /// Where.
        field: &'static str,
        /// Why.
        why: &'static str,
    },
    /// Its protocol version is none of this build's.
    #[error("this hub speaks the versions {spoken} of the protocol")]
    UpgradeRequired {
        /// Those of this build.
        spoken: SpokenVersions,
    },
}

/// Whether a push may be taken. Its protocol version is no reason against it: whatever an old release sealed is
/// taken.
///
/// # Errors
/// [`RequestRefused::TooLarge`] or [`RequestRefused::Invalid`].
pub fn check_push(request: &PushRequest, limits: &WireLimits) -> Result<(), RequestRefused> {
    if request.settled.len() > limits.commands {
        return Err(RequestRefused::TooLarge {
            what: "the number of settled commands",
            limit: limits.commands,
        });
    }
    check_commands(&request.commands, limits)
}

/// Whether these commands may be looked at as a part of one stream.
///
/// # Errors
/// As [`check_push`].
pub fn check_commands(commands: &[Envelope], limits: &WireLimits) -> Result<(), RequestRefused> {
    let too_large = |what, limit| Err(RequestRefused::TooLarge { what, limit });
    let invalid = |why| {
        let field = "commands";
        Err(RequestRefused::Invalid { field, why })
    };
    if commands.len() > limits.commands {
        return too_large("the number of commands", limits.commands);
    }
    // Of these a device tells by itself which command it was, and lets those behind it go on: whatever is kept of a
    // command is bounded, and none is kept in part. What a signature is like is for the judgement to say.
    for envelope in commands {
        if envelope.payload.0.len() > limits.payload_bytes {
            return too_large("a command's payload", limits.payload_bytes);
        }
        if envelope.signature.0.len() > limits.payload_bytes {
            return too_large("a command's signature", limits.payload_bytes);
        }
        if envelope.kind.len() > KIND_BYTES {
            return too_large("the name of a command's kind", KIND_BYTES);
        }
    }
    let mut previous = None;
    for envelope in commands {
        let gap = |seq: i64| seq.checked_add(1) != Some(envelope.seq);
        if envelope.seq < 1 || previous.is_some_and(gap) {
            return invalid("seq must ascend from 1 without gaps");
        }
        previous = Some(envelope.seq);
    }
    Ok(())
}

/// Whether a pull may be answered.
///
/// # Errors
/// [`RequestRefused::TooLarge`] or [`RequestRefused::UpgradeRequired`].
pub fn check_pull(request: &PullRequest, limits: &WireLimits) -> Result<(), RequestRefused> {
    if request.scopes.len() > limits.scopes {
        return Err(RequestRefused::TooLarge {
            what: "the number of scopes",
            limit: limits.scopes,
        });
    }
    let spoken = SpokenVersions::OURS;
    if !spoken.contains(request.protocol) {
        return Err(RequestRefused::UpgradeRequired { spoken });
    }
    Ok(())
}

/// A driver answered what was not asked: a fault of the driver, not of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} was given where {asked} was asked for")]
pub struct OutOfStep {
    /// What the machine waits for.
    pub asked: &'static str,
    /// What it was given.
    pub given: &'static str,
}

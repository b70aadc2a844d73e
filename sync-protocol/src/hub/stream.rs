//! One install's push stream: contiguous, chained, signed, and never stuck on a bad command.

use std::collections::BTreeSet;

use hazardloop_domain::command::Command;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;

use crate::chain::{link_hash, signature_fits};
use crate::wire::{
    CommandPayload, Envelope, GIVE_UP_KIND, GiveUp, Opened, PayloadError, QuarantineReason,
    SIGNED_BY_RUN, WITNESS_KIND, WireLimits, Witness,
};

/// How far an install's stream has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Whose stream.
    pub install_id: InstallId,
    /// Public key registered at enrolment (Ed25519, 32 bytes).
    pub public_key: Vec<u8>,
    /// Highest sequence that has a receipt.
    pub last_seq: i64,
    /// Link hash of that command; zeros before the first.
    pub last_hash: Digest,
}

impl StreamState {
    /// The stream after `envelope`, whatever became of it.
    pub fn advance(&mut self, envelope: &Envelope) {
        self.last_hash = link_hash(self.install_id, envelope);
        self.last_seq = envelope.seq;
    }
}

/// What to do with one pushed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Seen before: answer with the stored receipt if its link hash is this, else `IdReused`.
    Replay(Digest),
    /// Too early: the stream expects this sequence next.
    Gap(i64),
    /// Keep it, give a receipt, let the next one through.
    Quarantine(QuarantineReason, String),
    /// Let the rules decide, once the co-signatures are checked.
    Execute(Box<Opened>),
    /// Its author gives up an earlier command: no rule of any record has a say, the store looks whether that
    /// command is theirs and took no effect.
    GiveUp(Box<GiveUp>),
    /// It says how far it has seen the chain of another install to be.
    Witness(Box<Witness>),
}

/// Judges one command against its stream. Forged commands (bad signature) are quarantined like
/// any other that cannot be judged: the bearer token has already said whose stream this is.
pub fn judge(stream: &StreamState, envelope: &Envelope, limits: &WireLimits) -> Judgement {
    judge_in_run(stream, envelope, &BTreeSet::new(), limits)
}

/// Whether a command continues not the stream's newest, but another one of the same number (by its link hash): the
/// stream is in use elsewhere. The other one's result tells its device so; this one, and all behind it, come again
/// under another install, and nobody is to settle here what arrives there.
pub fn forks(stream: &StreamState, before: Digest, envelope: &Envelope) -> bool {
    let next = envelope.seq.checked_sub(1) == Some(stream.last_seq);
    next && before != stream.last_hash && envelope.previous == before
}

/// As [`judge`], where these places of the batch are signed by a later command of theirs
/// ([`crate::chain::signed_by_run`]).
pub fn judge_in_run(
    stream: &StreamState,
    envelope: &Envelope,
    signed_by_run: &BTreeSet<i64>,
    limits: &WireLimits,
) -> Judgement {
    if envelope.seq <= stream.last_seq {
        return Judgement::Replay(link_hash(stream.install_id, envelope));
    }
    let expected = stream.last_seq.saturating_add(1);
    if envelope.seq != expected {
        return Judgement::Gap(expected);
    }
    let quarantine = |reason, detail: &str| Judgement::Quarantine(reason, detail.to_owned());
    if envelope.previous != stream.last_hash {
        let detail = "the previous hash is not that of the last receipted command";
        return quarantine(QuarantineReason::BrokenChain, detail);
    }
    let signed = if envelope.signature_algorithm == SIGNED_BY_RUN {
        signed_by_run.contains(&envelope.seq)
    } else {
        signature_fits(&stream.public_key, stream.install_id, envelope)
    };
    if !signed {
        let detail = "the signature does not fit the key registered for this install";
        return quarantine(QuarantineReason::BadSignature, detail);
    }
    let (size, most) = (envelope.payload.0.len(), limits.payload_bytes);
    if size > most {
        let detail = format!("the payload has {size} bytes, more than {most}");
        return quarantine(QuarantineReason::MalformedPayload, &detail);
    }
    if envelope.kind == GIVE_UP_KIND {
        return match GiveUp::open(envelope.version, &envelope.payload.0, limits.depth) {
            Ok(read) => Judgement::GiveUp(Box::new(read)),
            Err(error) => unreadable(&error),
        };
    }
    if envelope.kind == WITNESS_KIND {
        return match Witness::open(envelope.version, &envelope.payload.0, limits.depth) {
            Ok(read) => Judgement::Witness(Box::new(read)),
            Err(error) => unreadable(&error),
        };
    }
    let opened = CommandPayload::open(
        &envelope.kind,
        envelope.version,
        &envelope.payload.0,
        limits.depth,
    );
    match opened {
        Ok(read) if servers_own(&read.command) => quarantine(
            QuarantineReason::UnknownKind,
            "this kind is the server's own",
        ),
        Ok(read) => Judgement::Execute(Box::new(read)),
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &PayloadError) -> Judgement {
    let reason = match error {
        PayloadError::UnknownKind(_) => QuarantineReason::UnknownKind,
        PayloadError::UnknownVersion { .. } => QuarantineReason::UnknownVersion,
        PayloadError::Malformed(_) => QuarantineReason::MalformedPayload,
    };
    Judgement::Quarantine(reason, error.to_string())
}

fn servers_own(command: &Command) -> bool {
    command.action.kind().is_servers_own()
}

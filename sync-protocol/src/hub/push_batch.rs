//! What a batch holds, before anything of it is decided on.

use std::collections::BTreeSet;

use hazardloop_domain::command::Subject;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;

use super::outcome::required_predecessor;
use super::stream::Judgement;
use crate::wire::{Envelope, Opened};

/// A command of the batch, and what the stream makes of it.
#[derive(Debug)]
pub(super) struct Judged<'r> {
    pub envelope: &'r Envelope,
    /// Its own link hash.
    pub link_hash: Digest,
    pub judgement: Judgement,
}

/// What a command speaks of, and whether it begins that.
pub(super) fn spoken_of(opened: &Opened) -> (SubjectId, bool) {
    let begins = required_predecessor(&opened.command).is_none();
    (opened.command.subject_id, begins)
}

/// What the commands to be decided on name, each once.
pub(super) fn subjects_of(judged: &[Judged<'_>]) -> Vec<Subject> {
    let named = judged.iter().filter_map(|judged| match &judged.judgement {
        Judgement::Execute(opened) => Some(opened.command.subject()),
        _ => None,
    });
    let named: BTreeSet<Subject> = named.collect();
    named.into_iter().collect()
}

/// The lowest and the highest sequence that was pushed before.
pub(super) fn replays_of(judged: &[Judged<'_>]) -> Option<(i64, i64)> {
    let replays = judged
        .iter()
        .filter(|judged| matches!(judged.judgement, Judgement::Replay(_)));
    let seqs = replays.map(|judged| judged.envelope.seq);
    seqs.clone().min().zip(seqs.max())
}

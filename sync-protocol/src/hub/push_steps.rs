//! What a push asks of its driver, step by step, and what it has stored.

use hazardloop_domain::command::Subject;
use hazardloop_domain::command_fate::{Choice, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, SubjectId};

use super::outcome::Responsibility;
use super::stream::StreamState;
use crate::wire::{Envelope, Opened, PushResult, Receipt, Witness, WitnessedHead};

/// A receipt as a hub stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// Link hash of the command that it belongs to.
    pub link_hash: Digest,
    /// What that command says, wherever it stands; `None`: not what was sent now, where its link does not say so either.
    pub content: Option<Digest>,
    /// The receipt.
    pub receipt: Receipt,
}

impl StoredReceipt {
    /// Whether it is that of this command, whose sequence it has. A phone that was restored may send what has been
    /// sealed again behind another command since: the same content under another link is the same command.
    pub(super) fn is_of(&self, envelope: &Envelope, link_hash: Digest) -> bool {
        let Envelope {
            kind,
            version,
            payload,
            ..
        } = envelope;
        self.link_hash == link_hash || self.content == Some(content_of(kind, *version, &payload.0))
    }
}

/// What the driver is to do next.
#[derive(Clone, Copy, Debug)]
pub enum PushStep<'m> {
    /// These are about to be decided on. Answer with [`super::Push::handle_expected`].
    Expect(&'m [Subject]),
    /// Load the receipts of this install from `first` to `last`, as far as there are any. Answer with
    /// [`super::Push::handle_receipts`].
    Receipts {
        /// The lowest sequence.
        first: i64,
        /// The highest.
        last: i64,
    },
    /// Tell what became ([`super::what_became`]) of this earlier command of the author, by whichever of their installs,
    /// as far as it is stored.
    /// Answer with [`super::Push::handle_recalled`].
    Recall(SentCommand),
    /// Say whether this statement about the chain of another install is to be weighed: see
    /// [`super::Witnessing`]. Answer with [`super::Push::handle_witness`].
    Witness(&'m Witness),
    /// Check the co-signatures and let the rules decide, on what the commands before have left. Answer with
    /// [`super::Push::handle_decision`].
    Decide {
        /// The command's place in its stream.
        seq: i64,
        /// All that it says.
        opened: &'m Opened,
        /// The commands of this push before it: what they have shown of their device's clock holds for it too.
        before: Writes<'m>,
    },
    /// Find the earliest stored command of this install that would have begun this subject and did not take
    /// effect. Answer with [`super::Push::handle_failed_beginning`].
    FailedBeginning(SubjectId),
    /// Tell the subject's version by now. Answer with [`super::Push::handle_version`].
    Version(Subject),
    /// Find out whether this person was responsible for this subject once: because a scope of theirs held it and
    /// holds it no longer, or by [`super::was_responsible_by_grants`]. Answer with
    /// [`super::Push::handle_was_responsible`].
    WasResponsible(&'m Responsibility),
    /// Store what was decided, and these. Answer with [`super::Push::handle_stored`].
    Store(Writes<'m>),
    /// All is stored: see [`super::Push::response`].
    Done,
}

/// A command with its receipt, to be kept for good.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'m> {
    /// As it came.
    pub envelope: &'m Envelope,
    /// Its link hash.
    pub link_hash: Digest,
    /// What it speaks of, where that could be read.
    pub subject: Option<SubjectId>,
    /// Whether it begins that.
    pub begins: bool,
    /// Its receipt.
    pub receipt: &'m Receipt,
}

/// What a push has to store beside the effects of its commands.
#[derive(Clone, Copy, Debug)]
pub struct Writes<'m> {
    pub(super) kept: &'m [New<'m>],
    pub(super) results: &'m [PushResult],
    /// What the author chose to do about earlier commands, each with the sequence that says so.
    pub choices: &'m [(Choice, i64)],
    /// How far others' chains were. To be weighed ([`super::witnesses::weigh`]) once the commands are stored, also
    /// where there are none: others may have said something of this chain.
    pub stated: &'m [Stated],
    /// How far the stream was when the batch began: nobody else may have moved it since.
    pub before: i64,
    /// Where it is now.
    pub stream: &'m StreamState,
}

impl<'m> Writes<'m> {
    /// The commands, in the order of the stream.
    pub fn commands(&self) -> impl Iterator<Item = Kept<'m>> + use<'m> {
        let results = self.results;
        self.kept.iter().filter_map(move |new| {
            let PushResult::Receipt(receipt) = results.get(new.result)? else {
                return None;
            };
            Some(Kept {
                envelope: new.envelope,
                link_hash: new.link_hash,
                subject: new.subject,
                begins: new.begins,
                receipt,
            })
        })
    }

    /// Whether the stream has moved.
    pub fn advances(&self) -> bool {
        self.stream.last_seq > self.before
    }
}

/// A statement about the chain of another install, and the command that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The command's place in its own chain.
    pub seq: i64,
    /// Whose chain it is about.
    pub install_id: InstallId,
    /// How far that was.
    pub head: WitnessedHead,
}

/// A new command, about to be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'r> {
    pub(super) envelope: &'r Envelope,
    pub(super) link_hash: Digest,
    pub(super) subject: Option<SubjectId>,
    pub(super) begins: bool,
    /// Where its receipt is among the results.
    pub(super) result: usize,
}

/// Of what a command says, wherever in a chain it stands: its kind, version and payload.
pub fn content_of(kind: &str, version: u16, payload: &[u8]) -> Digest {
    let length = u64::try_from(kind.len()).unwrap_or(u64::MAX);
    Digest::sha256_of_parts(&[
        &length.to_be_bytes(),
        kind.as_bytes(),
        &version.to_be_bytes(),
        payload,
    ])
}

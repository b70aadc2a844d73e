//! The lean forms of messages: what the receiver knows already, or can compute, does not travel.
//!
//! Each stands for a message in its full form and means the same. A server that cannot read one answers a
//! problem ([`super::SAY_IN_FULL`], or 415), records nothing, and gets the full form.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{
    Bytes, Checkpoint, Columns, ColumnsError, Envelope, KEY_ED25519, Page, PullRequest,
    PullResponse, PushRequest, Record, SIGNED_BY_RUN, Scope, ScopeUpdate,
};
use crate::chain::link_hash;

/// Bytes of what [`LeanPull::state`] says.
pub const STATE_BYTES: usize = 16;

/// Separates hashes of what a device holds from every other use of the same hash function.
const HELD_DOMAIN: &[u8] = b"hazardloop held v1";

/// A run of commands, each linked to the one before it. Whose they are, the token says; the link hash
/// before the first is the one that the server has under that place; the others follow from it; and the
/// last one's signature covers them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct LeanPush {
    /// Protocol version of this message.
    #[n(0)]
    pub protocol: u16,
    /// Place of the first command in the install's stream.
    #[n(1)]
    pub first: i64,
    /// The commands, in order.
    #[n(2)]
    pub commands: Vec<LeanCommand>,
    /// Which algorithm signed: [`KEY_ED25519`].
    #[n(3)]
    pub signature_algorithm: u8,
    /// Signature over the last command's link hash, by the install's key.
    #[n(4)]
    pub signature: Bytes,
}

/// One command of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(array)]
pub struct LeanCommand {
    /// Name of the command's kind.
    #[n(0)]
    pub kind: String,
    /// Version of that kind's payload.
    #[n(1)]
    pub version: u16,
    /// The payload's bytes.
    #[n(2)]
    pub payload: Bytes,
}

impl LeanPush {
    /// The lean form; `None` where the batch is not one run: empty, with a gap, with a break in its chain,
    /// or with a command signed in another way; or where something is said beside its commands.
    pub fn of(request: &PushRequest) -> Option<Self> {
        if !request.settled.is_empty() {
            return None;
        }
        let last = request.commands.last()?;
        let first = request.commands.first()?.seq;
        let mut previous: Option<(i64, Digest)> = None;
        let mut commands = Vec::with_capacity(request.commands.len());
        for envelope in &request.commands {
            let follows = previous.is_none_or(|(seq, link)| {
                seq.checked_add(1) == Some(envelope.seq) && link == envelope.previous
            });
            if !follows || envelope.signature_algorithm != KEY_ED25519 {
                return None;
            }
            previous = Some((envelope.seq, link_hash(request.install_id, envelope)));
            commands.push(LeanCommand {
                kind: envelope.kind.clone(),
                version: envelope.version,
                payload: envelope.payload.clone(),
            });
        }
        Some(Self {
            protocol: request.protocol,
            first,
            commands,
            signature_algorithm: last.signature_algorithm,
            signature: last.signature.clone(),
        })
    }

    /// The request in full, where the command before the first has the link hash `previous`. The commands
    /// before the last are [`SIGNED_BY_RUN`]; whether the signature fits is for the receiver to check.
    /// `None` when the places leave what a number can hold.
    pub fn in_full(self, install_id: InstallId, previous: Digest) -> Option<PushRequest> {
        let count = self.commands.len();
        let mut previous = previous;
        let mut commands = Vec::with_capacity(count);
        for (at, command) in self.commands.into_iter().enumerate() {
            let mut envelope = Envelope {
                seq: self.first.checked_add(i64::try_from(at).ok()?)?,
                kind: command.kind,
                version: command.version,
                previous,
                payload: command.payload,
                signature_algorithm: SIGNED_BY_RUN,
                signature: Bytes::default(),
            };
            previous = link_hash(install_id, &envelope);
            if at + 1 == count {
                envelope.signature_algorithm = self.signature_algorithm;
                envelope.signature = self.signature.clone();
            }
            commands.push(envelope);
        }
        Some(PushRequest {
            protocol: self.protocol,
            install_id,
            commands,
            settled: Vec::new(),
        })
    }
}

/// Asks whether anything is new, by one hash of all that the device shows. An answer without scopes says
/// that nothing is; [`super::SAY_IN_FULL`], that the full form is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct LeanPull {
    /// Protocol version of this message.
    #[n(0)]
    pub protocol: u16,
    /// The greatest of the device's cursors, as bytes compare: nothing after it has come yet.
    #[n(1)]
    pub newest: Bytes,
    /// [`LeanPull::state_of`] what it holds.
    #[n(2)]
    pub state: Bytes,
}

impl LeanPull {
    /// The lean form of a request; `None` where the device does not hold every scope complete, or knows no
    /// epoch: then there is something to be fetched.
    pub fn of(request: &PullRequest) -> Option<Self> {
        let epoch = request.epoch.as_deref()?;
        let mut held = Vec::with_capacity(request.scopes.len());
        let mut newest: Option<&Bytes> = None;
        for scope in &request.scopes {
            let cursor = scope.cursor.as_ref()?;
            newest = match newest {
                Some(newest) if newest.0 >= cursor.0 => Some(newest),
                _ => Some(cursor),
            };
            held.push((scope.scope, scope.checkpoint?));
        }
        let state = Self::state_of(request.install_id, epoch, &held);
        Some(Self {
            protocol: request.protocol,
            newest: newest?.clone(),
            state: Bytes(state),
        })
    }

    /// The first [`STATE_BYTES`] of SHA-256 over the parts `"hazardloop held v1"`, install, epoch, and of each
    /// scope, sorted by text form: that text, count and digest (8 bytes each, big-endian).
    pub fn state_of(install_id: InstallId, epoch: &str, held: &[(Scope, Checkpoint)]) -> Vec<u8> {
        let texts = held.iter().map(|(scope, held)| {
            let numbers = (held.count.to_be_bytes(), held.digest.to_be_bytes());
            (scope.to_string(), numbers)
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable();
        let mut parts: Vec<&[u8]> = vec![HELD_DOMAIN, install_id.as_bytes(), epoch.as_bytes()];
        for (text, (count, digest)) in &texts {
            parts.extend([text.as_bytes(), count.as_slice(), digest.as_slice()]);
        }
        let hash = Digest::sha256_of_parts(&parts);
        hash.as_bytes().iter().copied().take(STATE_BYTES).collect()
    }
}

/// Fewer records are not worth taking apart.
const FEWEST_RECORDS: usize = 8;

/// An answer to a pull whose records are in columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct LeanPullResponse {
    /// The answer; its pages have no records.
    #[n(0)]
    pub answer: PullResponse,
    /// How many records each page has, in the order of the pages.
    #[n(1)]
    pub counts: Vec<u32>,
    /// The records of all pages, in their order.
    #[n(2)]
    pub records: Columns,
}

fn pages(answer: &mut PullResponse) -> impl Iterator<Item = &mut Page> {
    let updates = answer.answers.iter_mut().map(|answer| &mut answer.update);
    updates.filter_map(|update| match update {
        ScopeUpdate::Page(page) => Some(page),
        ScopeUpdate::Drop { .. } => None,
    })
}

/// Takes the records out of all pages: how many each had, and they.
pub(super) fn take_out(answer: &mut PullResponse) -> (Vec<u32>, Vec<Record>) {
    let (mut counts, mut records) = (Vec::new(), Vec::new());
    for page in pages(answer) {
        counts.push(u32::try_from(page.records.len()).unwrap_or(u32::MAX));
        records.append(&mut page.records);
    }
    (counts, records)
}

/// Puts records back into the pages that they were taken from.
pub(super) fn put_back(
    answer: &mut PullResponse,
    counts: Vec<u32>,
    records: Vec<Record>,
) -> Result<(), ColumnsError> {
    let (mut records, mut counts) = (records.into_iter(), counts.into_iter());
    for page in pages(answer) {
        let count = counts.next().ok_or(ColumnsError::Damaged)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let part: Vec<_> = records.by_ref().take(count).collect();
        if part.len() != count || !page.records.is_empty() {
            return Err(ColumnsError::Damaged);
        }
        page.records = part;
    }
    if records.next().is_some() || counts.next().is_some() {
        return Err(ColumnsError::Trailing);
    }
    Ok(())
}

impl LeanPullResponse {
    /// The lean form; the answer itself where that has few records, or one that cannot be taken apart.
    ///
    /// # Errors
    /// The answer as it was.
    pub fn of(mut answer: PullResponse) -> Result<Self, Box<PullResponse>> {
        let (counts, records) = take_out(&mut answer);
        let apart = (records.len() >= FEWEST_RECORDS).then(|| Columns::of(&records));
        if let Some(columns) = apart.flatten() {
            return Ok(Self {
                answer,
                counts,
                records: columns,
            });
        }
        // As many as were taken out.
        let _ = put_back(&mut answer, counts, records);
        Err(Box::new(answer))
    }

    /// The answer in full; its records may have `most` bytes together.
    ///
    /// # Errors
    /// [`ColumnsError`]; also where pages and records do not come out even.
    pub fn in_full(self, most: usize) -> Result<PullResponse, ColumnsError> {
        let mut answer = self.answer;
        put_back(&mut answer, self.counts, self.records.records(most)?)?;
        Ok(answer)
    }
}

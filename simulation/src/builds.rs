//! Builds that say more than this one knows: an unknown field in what is known, and a kind that nobody knows.

use hazardloop_domain::command::{ClockReading, Command};
use hazardloop_sync_protocol::wire::{
    Bytes, CommandPayload, Envelope, Outcome, PLACEHOLDER_KIND, PushRequest, QuarantineReason,
    Receipt,
};

/// A kind of command that this build does not know.
pub const UNKNOWN_KIND: &str = "from_the_future";

/// A key that no map of this build has, below the two bytes that CBOR writes for those from 256 on.
const UNKNOWN_KEY: u8 = 199;

/// A CBOR map with one more entry, behind all others; anything else as it is.
pub fn with_unknown_field(map: &[u8]) -> Vec<u8> {
    let (header, rest) = match map {
        [first @ 0xa0..=0xb6, rest @ ..] => (vec![first + 1], rest),
        [0xb7, rest @ ..] => (vec![0xb8, 24], rest),
        [0xb8, count @ 0..=0xfe, rest @ ..] => (vec![0xb8, count + 1], rest),
        _ => return map.to_vec(),
    };
    // The key, and a text of three bytes.
    let entry = [0x18, UNKNOWN_KEY, 0x63, b'n', b'e', b'w'];
    [header.as_slice(), rest, entry.as_slice()].concat()
}

/// The payload of a command as a newer build makes it.
pub fn newer_payload(made: ClockReading, command: &Command) -> Vec<u8> {
    let payload = CommandPayload {
        made,
        subject_id: command.subject_id,
        fields: Bytes(with_unknown_field(&command.action.encode_fields())),
        co_signatures: Vec::new(),
        choice: None,
    };
    with_unknown_field(&minicbor::to_vec(&payload).unwrap_or_default())
}

/// [`crate::variant::Variant::DropsUnknownFields`]: what a hub makes of a push that keeps what it understands.
pub fn understood(request: &PushRequest) -> PushRequest {
    let mut request = request.clone();
    for envelope in &mut request.commands {
        let read = minicbor::decode::<CommandPayload>(&envelope.payload.0);
        if let Some(bytes) = read.ok().and_then(|read| minicbor::to_vec(&read).ok()) {
            envelope.payload = Bytes(bytes);
        }
    }
    request
}

/// Invariant 18: what is wrong with a receipt for a command whose author meant well.
pub fn misunderstood(envelope: &Envelope, receipt: &Receipt) -> Option<String> {
    // No hub acts on a placeholder: it is there to be given a receipt.
    let unknown = [UNKNOWN_KIND, PLACEHOLDER_KIND].contains(&envelope.kind.as_str());
    let Outcome::Quarantined { reason, .. } = &receipt.outcome else {
        return unknown.then(|| format!("{} was judged: {receipt:?}", envelope.seq));
    };
    let misread = match reason {
        QuarantineReason::UnknownKind => !unknown,
        QuarantineReason::UnknownVersion
        | QuarantineReason::MalformedPayload
        | QuarantineReason::BadSignature
        | QuarantineReason::BrokenChain => true,
        _ => false,
    };
    misread.then(|| format!("{} of kind {}: {reason:?}", envelope.seq, envelope.kind))
}

//! The chain of an install's commands: each links to the one before, and is signed.

use std::collections::BTreeSet;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;

use crate::wire::{Bytes, Envelope, KEY_ED25519, SIGNED_BY_RUN};

/// Separates link hashes from every other use of the same hash function.
const LINK_DOMAIN: &[u8] = b"hazardloop command v1";

/// The link hash of a command: over the install, its place, its kind and version, the link
/// before, and the payload's bytes. The next command's `previous` is this value.
pub fn link_hash(install_id: InstallId, envelope: &Envelope) -> Digest {
    Digest::sha256_of_parts(&[
        LINK_DOMAIN,
        install_id.as_bytes(),
        &envelope.seq.to_be_bytes(),
        envelope.kind.as_bytes(),
        &envelope.version.to_be_bytes(),
        envelope.previous.as_bytes(),
        &envelope.payload.0,
    ])
}

/// Makes and signs an envelope.
pub fn seal(
    key: &SigningKey,
    install_id: InstallId,
    seq: i64,
    kind: &str,
    version: u16,
    previous: Digest,
    payload: Vec<u8>,
) -> Envelope {
    let mut envelope = Envelope {
        seq,
        kind: kind.to_owned(),
        version,
        previous,
        payload: Bytes(payload),
        signature_algorithm: KEY_ED25519,
        signature: Bytes::default(),
    };
    let signature = key.sign(link_hash(install_id, &envelope).as_bytes());
    envelope.signature = Bytes(signature.to_bytes().to_vec());
    envelope
}

/// Whether the envelope's signature fits `public_key` (32 bytes, Ed25519).
pub fn signature_fits(public_key: &[u8], install_id: InstallId, envelope: &Envelope) -> bool {
    if envelope.signature_algorithm != KEY_ED25519 {
        return false;
    }
    let Ok(key) = <&[u8; 32]>::try_from(public_key) else {
        return false;
    };
    let Ok(key) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    let Ok(signature) = Signature::from_slice(&envelope.signature.0) else {
        return false;
    };
    key.verify_strict(link_hash(install_id, envelope).as_bytes(), &signature)
        .is_ok()
}

/// The places of those commands of a batch that carry no signature of their own
/// ([`SIGNED_BY_RUN`]) and are vouched for by a later one.
///
/// A signature is over a link hash, and that covers the one before it: whoever signed command n has signed
/// all that it is chained to. A command is vouched for when the next one's `previous` is its link hash and
/// that one is signed, by itself or likewise. To show that one command was signed takes the commands from it
/// to the signed one, each with its place, kind, version and payload.
pub fn signed_by_run(
    public_key: &[u8],
    install_id: InstallId,
    batch: &[Envelope],
) -> BTreeSet<i64> {
    let mut vouched = BTreeSet::new();
    // What the command before must hash to, and its place, where the one after it is signed.
    let mut wanted: Option<(Digest, i64)> = None;
    let mut later = batch.iter().rev().peekable();
    while let Some(envelope) = later.next() {
        let ends_a_run = later
            .peek()
            .is_some_and(|before| before.signature_algorithm == SIGNED_BY_RUN);
        let signed = if envelope.signature_algorithm == SIGNED_BY_RUN {
            let fits = wanted.is_some_and(|(link, seq)| {
                seq == envelope.seq && link == link_hash(install_id, envelope)
            });
            if fits && envelope.signature.0.is_empty() {
                vouched.insert(envelope.seq);
                true
            } else {
                false
            }
        } else {
            ends_a_run && signature_fits(public_key, install_id, envelope)
        };
        let before = envelope.seq.checked_sub(1);
        wanted = before
            .filter(|_| signed)
            .map(|before| (envelope.previous, before));
    }
    vouched
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn any_change_of_a_sealed_envelope_breaks_its_signature() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let install = InstallId(Uuid::from_u128(1));
        let sealed = seal(&key, install, 1, "note", 1, Digest::ZERO, vec![1, 2, 3]);
        assert!(signature_fits(&public, install, &sealed));
        let changes: [fn(&mut Envelope); 6] = [
            |e| e.seq = 2,
            |e| e.kind = "close".to_owned(),
            |e| e.version = 2,
            |e| e.previous = Digest([1; 32]),
            |e| e.payload.0.push(0),
            |e| e.signature_algorithm = 2,
        ];
        for change in changes {
            let mut forged = sealed.clone();
            change(&mut forged);
            assert!(!signature_fits(&public, install, &forged), "{forged:?}");
        }
        assert!(!signature_fits(
            &public,
            InstallId(Uuid::from_u128(2)),
            &sealed
        ));
        assert!(!signature_fits(&[0; 31], install, &sealed));
    }
}

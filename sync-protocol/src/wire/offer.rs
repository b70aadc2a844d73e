//! Offer: what a revoked install still has, handed over before it is wiped. Never carried out.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Bytes, Envelope, KEY_ED25519, PushResult};
use crate::chain::link_hash;

/// Separates signatures of offers from every other use of the same key.
const OFFER_DOMAIN: &[u8] = b"hazardloop offer v1";

/// Photos that one offer may name.
pub const OFFERED_PHOTOS: usize = 1_000;

/// What a revoked install has that the server lacks. A revoked install's tokens open nothing: the
/// signature of its enrolment key stands for it, and opens this alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct OfferRequest {
    /// The newest protocol version that the device speaks.
    #[n(0)]
    pub protocol: u16,
    /// Which install.
    #[n(1)]
    pub install_id: InstallId,
    /// Its commands without receipt, in order of sequence.
    #[n(2)]
    pub commands: Vec<Envelope>,
    /// Photos whose bytes are only on this device, and will be lost with it.
    #[n(3)]
    pub photos: Vec<Digest>,
    /// How it is signed: 1, Ed25519.
    #[n(4)]
    pub signature_algorithm: u8,
    /// Over [`OfferRequest::digest`], by the install's enrolment key.
    #[n(5)]
    pub signature: Bytes,
}

impl OfferRequest {
    /// Makes and signs an offer.
    pub fn sign(
        key: &SigningKey,
        protocol: u16,
        install_id: InstallId,
        commands: Vec<Envelope>,
        photos: Vec<Digest>,
    ) -> Self {
        let mut offer = Self {
            protocol,
            install_id,
            commands,
            photos,
            signature_algorithm: KEY_ED25519,
            signature: Bytes::default(),
        };
        let signature = key.sign(offer.digest().as_bytes());
        offer.signature = Bytes(signature.to_bytes().to_vec());
        offer
    }

    /// What is signed: SHA-256 of the parts `"hazardloop offer v1"`, install (16 bytes), the link
    /// hashes of the commands one after the other, and the photos' hashes likewise.
    pub fn digest(&self) -> Digest {
        let links = self.commands.iter();
        let links: Vec<u8> = links
            .flat_map(|envelope| link_hash(self.install_id, envelope).0)
            .collect();
        let photos: Vec<u8> = self.photos.iter().flat_map(|photo| photo.0).collect();
        Digest::sha256_of_parts(&[OFFER_DOMAIN, self.install_id.as_bytes(), &links, &photos])
    }

    /// Whether the signature fits `public_key` (32 bytes, Ed25519).
    pub fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let Ok(key) = <&[u8; 32]>::try_from(public_key) else {
            return false;
        };
        let (Ok(key), Ok(signature)) = (
            VerifyingKey::from_bytes(key),
            Signature::from_slice(&self.signature.0),
        ) else {
            return false;
        };
        self.signature_algorithm == KEY_ED25519
            && key
                .verify_strict(self.digest().as_bytes(), &signature)
                .is_ok()
    }
}

/// What the server made of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct OfferResponse {
    /// The newest protocol version that the server speaks.
    #[n(0)]
    pub protocol: u16,
    /// The server's clock.
    #[n(1)]
    pub server_time: Timestamp,
    /// The highest sequence of this install that the server has.
    #[n(2)]
    pub last: i64,
    /// One result a command, in order; fewer where it broke off.
    #[n(3)]
    pub results: Vec<PushResult>,
    /// The offer began too late: this sequence is next.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<i64>,
    /// The server keeps no more of this install.
    #[n(5)]
    pub full: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::seal;
    use uuid::Uuid;

    #[test]
    fn any_change_of_an_offer_breaks_its_signature() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let install = InstallId(Uuid::from_u128(1));
        let public = key.verifying_key().to_bytes();
        let command = seal(&key, install, 1, "note", 1, Digest::ZERO, vec![1]);
        let photos = vec![Digest([2; 32])];
        let offer = OfferRequest::sign(&key, 1, install, vec![command], photos);
        assert!(offer.is_signed_by(&public));
        let changes: [fn(&mut OfferRequest); 6] = [
            |o| o.install_id = InstallId(Uuid::from_u128(2)),
            |o| o.commands.clear(),
            |o| o.commands.iter_mut().for_each(|c| c.payload.0.push(0)),
            |o| o.photos.push(Digest([3; 32])),
            |o| o.signature.0.truncate(63),
            |o| o.signature_algorithm = 2,
        ];
        for change in changes {
            let mut forged = offer.clone();
            change(&mut forged);
            assert!(!forged.is_signed_by(&public), "{forged:?}");
        }
        assert!(!offer.is_signed_by(&[0; 31]));
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert!(!offer.is_signed_by(&other.to_bytes()));
    }
}

//! Keys that people register, each with a proof that whoever registers it has the private half.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use hazardloop_domain::hash::Digest;

use crate::failure::Failure;

/// The name of the one kind of key there is.
pub const ED25519: &str = "ed25519";

/// Its number where numbers are stored, as in envelopes on the wire.
pub(super) const ED25519_NUMBER: i32 = 1;

/// A key as a request claims it.
pub(super) struct Claimed<'a> {
    /// The field that names the kind of key, and what it says.
    pub(super) algorithm: (&'static str, &'a str),
    /// The field `public_key`: 32 bytes as base64url without padding.
    pub(super) public_key: &'a str,
    /// The field `proof`: 64 bytes as base64url without padding.
    pub(super) proof: &'a str,
}

impl Claimed<'_> {
    /// The public half, once it is a sound key and has signed the `message` that it is part of.
    ///
    /// # Errors
    /// [`Failure::Invalid`], with the field.
    pub(super) fn proven(&self, message: impl FnOnce(&[u8]) -> Digest) -> Result<Vec<u8>, Failure> {
        let (field, algorithm) = self.algorithm;
        if algorithm != ED25519 {
            return Err(Failure::invalid(field, "must be ed25519"));
        }
        let wrong_key = || Failure::invalid("public_key", "must be an Ed25519 key in base64url");
        let bytes = URL_SAFE_NO_PAD.decode(self.public_key);
        let bytes = bytes.map_err(|_| wrong_key())?;
        let key = <&[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong_key())?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| wrong_key())?;
        if key.is_weak() {
            return Err(wrong_key());
        }
        let wrong_proof =
            || Failure::invalid("proof", "is not this key's signature for this person");
        let proof = URL_SAFE_NO_PAD.decode(self.proof);
        let proof = Signature::from_slice(&proof.map_err(|_| wrong_proof())?);
        let fits = key.verify_strict(
            message(&bytes).as_bytes(),
            &proof.map_err(|_| wrong_proof())?,
        );
        fits.map_err(|_| wrong_proof())?;
        Ok(bytes)
    }
}

//! The co-signature: a second person's signature on what the author of a command does.

use hazardloop_domain::ids::{KeyId, PersonId};
use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Bytes;

/// One person's signature over a command's statement, see [`crate::cosign`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct CoSignature {
    /// Who signs.
    #[n(0)]
    pub person_id: PersonId,
    /// Which of their keys: the id of an install of theirs, or of a PIN key.
    #[n(1)]
    pub key_id: KeyId,
    /// When, as the clock of the device says on which they signed.
    #[n(2)]
    pub signed_at: Timestamp,
    /// Which algorithm signed: [`super::KEY_ED25519`].
    #[n(3)]
    pub algorithm: u8,
    /// Signature over the statement's hash, by that key.
    #[n(4)]
    pub signature: Bytes,
}

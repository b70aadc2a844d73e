//! Who else signed a command, as the record keeps it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::hash::Digest;
use crate::hex_bytes::HexBytes;
use crate::ids::{KeyId, PersonId};
use crate::time::Timestamp;

/// The longest signature that is kept, bytes: any algorithm that may follow Ed25519 fits.
const SIGNATURE_MOST: usize = 1024;

/// The bytes of a signature.
pub type SignatureBytes = HexBytes<0, SIGNATURE_MOST>;

/// One person who signed the same command as its author. Whoever holds the key's public half can
/// verify the signature over the statement for ever after; `docs/PROTOCOL.md` says what the
/// statement is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct CoSigner {
    /// Who.
    #[n(0)]
    pub person_id: PersonId,
    /// By which key.
    #[n(1)]
    pub key_id: KeyId,
    /// When, as the signer's device says. It proves no time.
    #[n(2)]
    pub signed_at: Timestamp,
    /// Which algorithm, as in envelopes on the wire: 1 is Ed25519.
    #[n(3)]
    pub algorithm: u8,
    /// SHA-256 of what was signed.
    #[n(4)]
    pub statement: Digest,
    /// The signature over the statement.
    #[n(5)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: SignatureBytes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Origin;
    use uuid::Uuid;

    fn signer() -> CoSigner {
        CoSigner {
            person_id: PersonId(Uuid::from_u128(2)),
            key_id: KeyId(Uuid::from_u128(3)),
            signed_at: Timestamp::from_millis(1_795_309_200_000),
            algorithm: 1,
            statement: Digest([5; 32]),
            signature: HexBytes(vec![6; 64]),
        }
    }

    #[test]
    fn an_origin_without_co_signers_has_the_bytes_that_it_always_had() {
        assert_eq!(minicbor::to_vec(Origin::DIRECT).unwrap(), [0xa0]);
        assert_eq!(minicbor::decode::<Origin>(&[0xa0]).unwrap(), Origin::DIRECT);
    }

    #[test]
    fn co_signers_read_back_in_both_forms() {
        let origin = Origin {
            co_signers: vec![signer()],
            ..Origin::DIRECT
        };
        let bytes = minicbor::to_vec(&origin).unwrap();
        assert_eq!(minicbor::decode::<Origin>(&bytes).unwrap(), origin);
        let json = serde_json::to_string(&origin).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), origin);
    }

    #[test]
    fn a_signature_beyond_all_measure_is_refused() {
        let mut long = signer();
        long.signature = HexBytes(vec![0; SIGNATURE_MOST + 1]);
        let bytes = minicbor::to_vec(&long).unwrap();
        assert!(minicbor::decode::<CoSigner>(&bytes).is_err());
        let json = serde_json::to_string(&long).unwrap();
        assert!(serde_json::from_str::<CoSigner>(&json).is_err());
    }
}

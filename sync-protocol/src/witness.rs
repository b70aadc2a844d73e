//! The head of a chain: what a device signs of itself for another one to carry, and the text in which it is shown.
//!
//! Why it is signed: a statement that does not fit the chain that arrives later would be one device's word against
//! another's. Signed, it shows that its device had two chains.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use minicbor::{Decode, Encode};

use crate::cosign_text::{ADDRESS_MOST, TextError, read, write};
use crate::wire::{Bytes, KEY_ED25519, WitnessedHead};

/// Separates these hashes from every other use of the same hash function.
const HEAD_DOMAIN: &[u8] = b"hazardloop chain head v1";

/// How a shown head begins.
pub const HEAD_PREFIX: &str = "hlw1.";

/// What the device of a chain signs.
fn head_hash(install_id: InstallId, seq: i64, head: &Digest) -> Digest {
    Digest::sha256_of_parts(&[
        HEAD_DOMAIN,
        install_id.as_bytes(),
        &seq.to_be_bytes(),
        head.as_bytes(),
    ])
}

/// Whether a head was signed by the key of its install (32 bytes, Ed25519).
pub fn head_fits(public_key: &[u8], install_id: InstallId, head: &WitnessedHead) -> bool {
    if head.signature_algorithm != KEY_ED25519 {
        return false;
    }
    let Ok(key) = <&[u8; 32]>::try_from(public_key) else {
        return false;
    };
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_bytes(key),
        Signature::from_slice(&head.signature.0),
    ) else {
        return false;
    };
    let hash = head_hash(install_id, head.seq, &head.head);
    key.verify_strict(hash.as_bytes(), &signature).is_ok()
}

/// How far a chain is, as its device shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChainHead {
    /// Whose chain.
    #[n(0)]
    pub install_id: InstallId,
    /// How far it is, signed.
    #[n(1)]
    pub head: WitnessedHead,
    /// The key that the signature fits, for the other device to find out at once when something was copied
    /// wrongly. The server believes the keys registered with it alone.
    #[n(2)]
    pub public_key: Bytes,
}

impl ChainHead {
    /// Signs how far one's own chain is.
    pub fn sign(key: &SigningKey, install_id: InstallId, seq: i64, head: Digest) -> Self {
        let signature = key.sign(head_hash(install_id, seq, &head).as_bytes());
        Self {
            install_id,
            head: WitnessedHead {
                seq,
                head,
                signature_algorithm: KEY_ED25519,
                signature: Bytes(signature.to_bytes().to_vec()),
            },
            public_key: Bytes(key.verifying_key().to_bytes().to_vec()),
        }
    }

    /// Whether it is whole: signed by the key that came with it.
    pub fn is_whole(&self) -> bool {
        self.head.seq >= 1 && head_fits(&self.public_key.0, self.install_id, &self.head)
    }
}

/// A head as two devices exchange it without network.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShownHead {
    /// Base address of the server, as its device reaches it.
    #[n(0)]
    pub server: String,
    /// The server's epoch, as far as its device knows it.
    #[n(1)]
    pub epoch: Option<String>,
    /// The head.
    #[n(2)]
    pub head: ChainHead,
}

impl ShownHead {
    /// As text.
    pub fn to_text(&self) -> String {
        write(HEAD_PREFIX, self)
    }

    /// From text.
    ///
    /// # Errors
    /// [`TextError`], also where the signature does not fit what it came with.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        let shown: Self = read(HEAD_PREFIX, text)?;
        if shown.server.len() > ADDRESS_MOST {
            return Err(TextError::Damaged("a server's address".to_owned()));
        }
        match shown.head.is_whole() {
            true => Ok(shown),
            false => Err(TextError::Damaged("its signature".to_owned())),
        }
    }

    /// Whether it is of the server that a device knows by this address and epoch.
    pub fn is_of(&self, server: &str, epoch: Option<&str>) -> bool {
        self.server == server || (epoch.is_some() && self.epoch.as_deref() == epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn shown() -> ShownHead {
        let key = SigningKey::from_bytes(&[7; 32]);
        let install = InstallId(Uuid::from_u128(1));
        ShownHead {
            server: "https://hz.example".to_owned(),
            epoch: Some("e1".to_owned()),
            head: ChainHead::sign(&key, install, 12, Digest([5; 32])),
        }
    }

    #[test]
    fn a_head_travels_as_a_short_text() {
        let text = shown().to_text();
        assert!(text.starts_with(HEAD_PREFIX));
        assert!(text.len() < 300, "{}", text.len());
        let broken = format!("{}\n {}", &text[..40], &text[40..]);
        assert_eq!(ShownHead::from_text(&broken).unwrap(), shown());
        assert!(shown().is_of("https://hz.example", None));
        assert!(shown().is_of("http://10.0.0.1", Some("e1")));
        assert!(!shown().is_of("http://10.0.0.1", Some("e2")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_any_payload_is_read_or_refused(
            at in proptest::prelude::any::<proptest::sample::Index>(),
            byte in proptest::prelude::any::<u8>(),
            noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let mut cbor = crate::codec::encode(&shown());
            let place = at.index(cbor.len());
            cbor[place] = byte;
            for bytes in [&cbor, &noise] {
                let body = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
                drop(ShownHead::from_text(&format!("{HEAD_PREFIX}{body}")));
                drop(crate::wire::Witness::open(1, bytes, 16));
            }
            let said = crate::wire::Witness {
                made: hazardloop_domain::command::ClockReading {
                    wall: hazardloop_domain::time::Timestamp::from_millis(0),
                    monotonic_ms: None,
                    boot_id: None,
                    server_anchor: None,
                    anchor_monotonic_ms: None,
                    anchor_token: None,
                },
                install_id: shown().head.install_id,
                head: shown().head.head,
            };
            let mut payload = said.pack();
            let place = at.index(payload.len());
            payload[place] = byte;
            if let Ok(read) = crate::wire::Witness::open(1, &payload, 16) {
                proptest::prop_assert!(read.head.seq >= 1);
            }
        }
    }

    #[test]
    fn any_change_of_a_head_is_noticed() {
        let changes: [fn(&mut ChainHead); 5] = [
            |head| head.head.seq = 13,
            |head| head.head.seq = 0,
            |head| head.head.head = Digest([6; 32]),
            |head| head.install_id = InstallId(Uuid::from_u128(2)),
            |head| head.head.signature_algorithm = 2,
        ];
        for change in changes {
            let mut changed = shown();
            change(&mut changed.head);
            assert!(!changed.head.is_whole(), "{changed:?}");
            assert!(ShownHead::from_text(&changed.to_text()).is_err());
        }
        for damaged in ["", "hlw1.", "hlq1.AAAA", "hlw1.oA"] {
            assert!(ShownHead::from_text(damaged).is_err(), "{damaged}");
        }
    }
}

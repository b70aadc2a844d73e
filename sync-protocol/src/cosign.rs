//! What a second person signs when they stand behind a command of somebody else.
//!
//! The statement is over what is done, to what, and who says so when; not over the author's
//! clocks, nor over their place in the chain, for both are only known once the author seals.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hazardloop_domain::command::{ActionKind, CoSigner, Command};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hex_bytes::HexBytes;
use hazardloop_domain::ids::{KeyId, PersonId, SubjectId};
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;

use crate::cosign_faults::Fault;
use crate::wire::{Bytes, CoSignature, KEY_ED25519};

/// Separates statements from every other use of the same hash function and the same keys.
const STATEMENT_DOMAIN: &[u8] = b"hazardloop co-signature v1";

/// What is done, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The command's kind.
    pub kind: ActionKind,
    /// The version of its payload.
    pub version: u16,
    /// What it acts upon.
    pub subject_id: SubjectId,
    /// CBOR of the action's own fields, as in the payload.
    pub fields: Vec<u8>,
}

impl Statement {
    /// The statement of a command as this build writes it.
    pub fn of(command: &Command) -> Self {
        let kind = command.action.kind();
        Self {
            kind,
            version: kind.version(),
            subject_id: command.subject_id,
            fields: command.action.encode_fields(),
        }
    }

    /// What `person_id` signs with the key `key_id` at `signed_at`.
    pub fn hash(
        &self,
        algorithm: u8,
        person_id: PersonId,
        key_id: KeyId,
        signed_at: Timestamp,
    ) -> Digest {
        Digest::sha256_of_parts(&[
            STATEMENT_DOMAIN,
            &[algorithm],
            self.kind.as_str().as_bytes(),
            &self.version.to_be_bytes(),
            self.subject_id.as_bytes(),
            &self.fields,
            person_id.as_bytes(),
            key_id.as_bytes(),
            &signed_at.as_millis().to_be_bytes(),
        ])
    }

    /// What this co-signature is a signature over.
    pub fn hash_of(&self, by: &CoSignature) -> Digest {
        self.hash(by.algorithm, by.person_id, by.key_id, by.signed_at)
    }

    /// Signs.
    pub fn sign(
        &self,
        key: &SigningKey,
        person_id: PersonId,
        key_id: KeyId,
        signed_at: Timestamp,
    ) -> CoSignature {
        let hash = self.hash(KEY_ED25519, person_id, key_id, signed_at);
        CoSignature {
            person_id,
            key_id,
            signed_at,
            algorithm: KEY_ED25519,
            signature: Bytes(key.sign(hash.as_bytes()).to_bytes().to_vec()),
        }
    }

    /// Whether the co-signature fits `public_key` (32 bytes, Ed25519).
    pub fn fits(&self, public_key: &[u8], by: &CoSignature) -> bool {
        verifies(public_key, by.algorithm, &self.hash_of(by), &by.signature.0)
    }

    /// What the record keeps of a co-signature over this.
    pub fn record_of(&self, by: &CoSignature) -> CoSigner {
        CoSigner {
            person_id: by.person_id,
            key_id: by.key_id,
            signed_at: by.signed_at,
            algorithm: by.algorithm,
            statement: self.hash_of(by),
            signature: HexBytes(by.signature.0.clone()),
        }
    }
}

/// Whether a co-signature as the record keeps it fits `public_key` (32 bytes, Ed25519). What its statement
/// says is not looked at: see [`Statement::hash`].
pub fn kept_fits(public_key: &[u8], by: &CoSigner) -> bool {
    verifies(public_key, by.algorithm, &by.statement, &by.signature.0)
}

fn verifies(public_key: &[u8], algorithm: u8, hash: &Digest, signature: &[u8]) -> bool {
    if algorithm != KEY_ED25519 {
        return false;
    }
    let Ok(key) = <&[u8; 32]>::try_from(public_key) else {
        return false;
    };
    let Ok(key) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    key.verify_strict(hash.as_bytes(), &signature).is_ok()
}

/// Why a co-signature is not good, where that can be told without its key.
///
/// # Errors
/// [`RefusalCode::CoSignatureInvalid`](hazardloop_domain::refusal::RefusalCode) for more than `most`, for the author's own, and for two of
/// one person.
pub fn check_co_signatures(
    co_signatures: &[CoSignature],
    author: Option<PersonId>,
    most: usize,
) -> Result<(), Refusal> {
    if co_signatures.len() > most {
        return Err(Fault::TooMany { most }.refusal(None));
    }
    for (at, by) in co_signatures.iter().enumerate() {
        if author == Some(by.person_id) {
            return Err(Fault::OwnAct.refusal(Some(at)));
        }
        let mut earlier = co_signatures.iter().take(at);
        if earlier.any(|earlier| earlier.person_id == by.person_id) {
            return Err(Fault::Twice.refusal(Some(at)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hazardloop_domain::command::{Action, Note};
    use hazardloop_domain::ids::HazardId;
    use uuid::Uuid;

    const PERSON: PersonId = PersonId(Uuid::from_u128(2));
    const KEY: KeyId = KeyId(Uuid::from_u128(3));
    const AT: Timestamp = Timestamp::from_millis(1_795_309_200_000);

    fn statement() -> Statement {
        let text = "两人在场".to_owned();
        let action = Action::Note(Note { text });
        Statement::of(&Command::new(HazardId(Uuid::from_u128(1)), action))
    }

    #[test]
    fn any_change_of_what_was_signed_breaks_the_signature() {
        let key = SigningKey::from_bytes(&[8; 32]);
        let public = key.verifying_key().to_bytes();
        let signed = statement().sign(&key, PERSON, KEY, AT);
        assert!(statement().fits(&public, &signed));
        let said: [fn(&mut Statement); 4] = [
            |s| s.kind = ActionKind::Close,
            |s| s.version = 2,
            |s| s.subject_id = SubjectId(Uuid::from_u128(9)),
            |s| s.fields.push(0),
        ];
        for change in said {
            let mut other = statement();
            change(&mut other);
            assert!(!other.fits(&public, &signed), "{other:?}");
        }
        let by: [fn(&mut CoSignature); 6] = [
            |s| s.person_id = PersonId(Uuid::from_u128(9)),
            |s| s.key_id = KeyId(Uuid::from_u128(9)),
            |s| s.signed_at = AT.plus_millis(1),
            |s| s.algorithm = 2,
            |s| s.signature.0[7] ^= 1,
            |s| s.signature.0.truncate(63),
        ];
        for change in by {
            let mut other = signed.clone();
            change(&mut other);
            assert!(!statement().fits(&public, &other), "{other:?}");
        }
        assert!(!statement().fits(&[0; 31], &signed));
        let neighbour = SigningKey::from_bytes(&[9; 32]).verifying_key();
        assert!(!statement().fits(&neighbour.to_bytes(), &signed));
    }

    #[test]
    fn what_the_record_keeps_is_verified_without_the_command() {
        let key = SigningKey::from_bytes(&[8; 32]);
        let public = key.verifying_key().to_bytes();
        let kept = statement().record_of(&statement().sign(&key, PERSON, KEY, AT));
        assert!(kept_fits(&public, &kept));
        let changes: [fn(&mut CoSigner); 3] = [
            |kept| kept.statement = Digest::ZERO,
            |kept| kept.signature.0[7] ^= 1,
            |kept| kept.algorithm = 2,
        ];
        for change in changes {
            let mut other = kept.clone();
            change(&mut other);
            assert!(!kept_fits(&public, &other), "{other:?}");
        }
        assert!(!kept_fits(&[0; 31], &kept));
    }

    #[test]
    fn bytes_moved_from_one_part_to_the_next_make_another_statement() {
        let one = statement().hash(1, PERSON, KEY, AT);
        let mut other = statement();
        other.fields.extend_from_slice(PERSON.as_bytes());
        assert_ne!(one, other.hash(1, PERSON, KEY, AT));
    }
}

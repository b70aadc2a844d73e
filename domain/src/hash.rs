//! Hashes on the wire and at rest: 32 bytes, always beside an algorithm id.

use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// Which hash made a digest. Written beside every stored or sent digest, because a national
/// algorithm (SM3) may be demanded later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum HashAlgorithm {
    /// SHA-256 (FIPS 180-4).
    #[n(1)]
    Sha256,
}

impl HashAlgorithm {
    /// The number stored in databases.
    pub const fn id(self) -> i32 {
        match self {
            Self::Sha256 => 1,
        }
    }

    /// The algorithm with this number, if this build knows it.
    pub const fn from_id(id: i32) -> Option<Self> {
        match id {
            1 => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// A 32-byte digest. JSON: 64 lowercase hex digits. CBOR: byte string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What the first link of every chain points back to.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of one byte string.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 over several byte strings, each preceded by its length (8 bytes, big-endian), so
    /// that no two different lists hash alike.
    pub fn sha256_of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The digest from its bytes; `None` when there are not exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// SHA-256 of bytes that come in parts, and are never in memory as a whole.
#[derive(Clone, Debug, Default)]
pub struct Hashing(Sha256);

impl Hashing {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse()
            .map_err(|_| de::Error::custom("a digest is 64 hexadecimal digits"))
    }
}

impl<C> minicbor::Encode<C> for Digest {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Digest {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        Self::from_slice(d.bytes()?).ok_or_else(|| Error::message("a digest has 32 bytes"))
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};

    impl utoipa::PartialSchema for super::Digest {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-9a-fA-F]{64}$"))
                .description(Some("SHA-256, 64 hexadecimal digits"))
                .into()
        }
    }

    impl utoipa::ToSchema for super::Digest {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_of_abc() {
        assert_eq!(
            Digest::sha256(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn moving_a_byte_between_parts_changes_the_digest() {
        assert_ne!(
            Digest::sha256_of_parts(&[b"ab", b"c"]),
            Digest::sha256_of_parts(&[b"a", b"bc"])
        );
    }

    #[test]
    fn short_and_odd_digests_are_refused() {
        assert!(
            minicbor::decode::<Digest>(
                &minicbor::to_vec(minicbor::bytes::ByteVec::from(vec![0; 31])).unwrap()
            )
            .is_err()
        );
        assert!("abc".parse::<Digest>().is_err());
    }
}

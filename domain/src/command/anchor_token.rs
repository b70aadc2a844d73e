//! What a server gives out with its time, so that a device can show later that it knew that time.

use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes of a token that a server of this build gives out.
pub const ANCHOR_TOKEN_LENGTH: usize = 8;

/// The longest that is read, bytes.
const MOST: usize = 32;

/// An anchor's token. JSON: lowercase hex digits. CBOR: byte string of 1 to 32 bytes. One that fits nothing is a
/// fact to be kept, so its length is nearly anybody's.
#[derive(Clone, PartialEq, Eq)]
pub struct AnchorToken(Vec<u8>);

impl AnchorToken {
    /// From its bytes; `None` where there are none, or too many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (1..=MOST)
            .contains(&bytes.len())
            .then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for AnchorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnchorToken({})", hex::encode(&self.0))
    }
}

impl Serialize for AnchorToken {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for AnchorToken {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = hex::decode(&text).ok();
        let token = bytes.and_then(|bytes| Self::from_slice(&bytes));
        token.ok_or_else(|| de::Error::custom("an anchor's token is 1 to 32 bytes in hex"))
    }
}

impl<C> Encode<C> for AnchorToken {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for AnchorToken {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let token = Self::from_slice(d.bytes()?);
        token.ok_or_else(|| Error::message("an anchor's token has 1 to 32 bytes"))
    }
}

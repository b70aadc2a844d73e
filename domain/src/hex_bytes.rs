//! Bytes that say nothing by themselves: signatures, tokens.

use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `LEAST` to `MOST` bytes. JSON: lowercase hex digits. CBOR: byte string. What is read has so many, or is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct HexBytes<const LEAST: usize, const MOST: usize>(pub Vec<u8>);

impl<const LEAST: usize, const MOST: usize> HexBytes<LEAST, MOST> {
    /// From bytes; `None` where there are too few, or too many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let fits = (LEAST..=MOST).contains(&bytes.len());
        fits.then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn expected() -> String {
        format!("{LEAST} to {MOST} bytes")
    }
}

impl<const LEAST: usize, const MOST: usize> std::fmt::Debug for HexBytes<LEAST, MOST> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl<const LEAST: usize, const MOST: usize> Serialize for HexBytes<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de, const LEAST: usize, const MOST: usize> Deserialize<'de> for HexBytes<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = hex::decode(&text).ok();
        let read = bytes.and_then(|bytes| Self::from_slice(&bytes));
        read.ok_or_else(|| de::Error::custom(format!("expected {} in hex", Self::expected())))
    }
}

impl<C, const LEAST: usize, const MOST: usize> Encode<C> for HexBytes<LEAST, MOST> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C, const LEAST: usize, const MOST: usize> Decode<'b, C> for HexBytes<LEAST, MOST> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let read = Self::from_slice(d.bytes()?);
        read.ok_or_else(|| Error::message(format!("expected {}", Self::expected())))
    }
}

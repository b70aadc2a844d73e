//! The name of a sector (监管行业) as scopes carry it: short text that is copied like a number.

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Bytes of the longest name of a sector in a scope: 32 Chinese characters.
pub const SECTOR_BYTES: usize = 96;

/// The name of a sector: 1 to [`SECTOR_BYTES`] bytes of UTF-8 without control characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectorName {
    /// The text, then zeros: names sort as their texts do.
    bytes: [u8; SECTOR_BYTES],
    length: u8,
}

/// Why a text is not the name of a sector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a sector: 1 to {SECTOR_BYTES} bytes, no control characters, not blank")]
pub struct SectorNameError;

impl SectorName {
    /// Takes a text for a name.
    ///
    /// # Errors
    /// [`SectorNameError`].
    pub fn new(text: &str) -> Result<Self, SectorNameError> {
        let mut bytes = [0; SECTOR_BYTES];
        let room = bytes.get_mut(..text.len()).ok_or(SectorNameError)?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(SectorNameError);
        }
        room.copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).map_err(|_| SectorNameError)?;
        Ok(Self { bytes, length })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length));
        // Made of a text, and of nothing else.
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

impl std::fmt::Display for SectorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for SectorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<C> Encode<C> for SectorName {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SectorName {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        Self::new(d.str()?).map_err(|error| decode::Error::message(error).at(at))
    }
}

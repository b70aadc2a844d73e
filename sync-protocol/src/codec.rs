//! Reading and writing messages: bounded, strict, the same for both ends.
//!
//! The derived CBOR decoders pass over unknown keys (so that old builds read new messages) and
//! would let the last of two equal keys win; a pass over the raw bytes comes first and refuses
//! duplicate keys, indefinite lengths, numbers in more bytes than they need, trailing bytes and
//! deep nesting.

use minicbor::data::Type;
use minicbor::decode::Decoder;
use minicbor::{Decode, Encode};

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// More bytes than the limit.
    #[error("the message has {actual} bytes, more than {max}")]
    TooLarge {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Nested too deeply.
    #[error("nested more than {max} levels deep at byte {at}")]
    TooDeep {
        /// Levels allowed.
        max: usize,
        /// Where.
        at: usize,
    },
    /// A key occurs twice in one map.
    #[error("a map holds the same key twice at byte {at}")]
    DuplicateKey {
        /// Where.
        at: usize,
    },
    /// A feature of CBOR that this protocol does not use.
    #[error("{what} at byte {at}")]
    NotUsed {
        /// Which.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// Bytes after the end.
    #[error("bytes follow the message at byte {at}")]
    Trailing {
        /// Where.
        at: usize,
    },
    /// Not CBOR, cut short, or not of the expected form.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl From<minicbor::decode::Error> for CodecError {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// The CBOR of a message.
pub fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    // Writing to a Vec cannot fail.
    minicbor::to_vec(message).unwrap_or_default()
}

/// Reads one message after [`check_well_formed`].
///
/// # Errors
/// [`CodecError`]; never panics, allocates at most in proportion to `bytes`.
pub fn decode_strict<'b, T: Decode<'b, ()>>(
    bytes: &'b [u8],
    max_depth: usize,
) -> Result<T, CodecError> {
    check_well_formed(bytes, max_depth)?;
    Ok(minicbor::decode(bytes)?)
}

/// Checks that `bytes` are exactly one CBOR item without duplicate keys, indefinite lengths,
/// floats or tags, with every number and length in its shortest form (RFC 8949, 4.1), nested at
/// most `max_depth` levels.
///
/// # Errors
/// [`CodecError`] with the place of the first fault.
pub fn check_well_formed(bytes: &[u8], max_depth: usize) -> Result<(), CodecError> {
    let mut decoder = Decoder::new(bytes);
    check_item(&mut decoder, max_depth, max_depth)?;
    if decoder.position() == bytes.len() {
        Ok(())
    } else {
        Err(CodecError::Trailing {
            at: decoder.position(),
        })
    }
}

fn check_item(d: &mut Decoder<'_>, left: usize, max: usize) -> Result<(), CodecError> {
    let at = d.position();
    let unused = |what| Err(CodecError::NotUsed { what, at });
    if is_longer_than_needed(d.input().get(at..).unwrap_or_default()) {
        return unused("a number or length in more bytes than it needs");
    }
    match d.datatype()? {
        Type::Array => {
            let deeper = left.checked_sub(1).ok_or(CodecError::TooDeep { max, at })?;
            let Some(items) = d.array()? else {
                return unused("an indefinite length");
            };
            for _ in 0..items {
                check_item(d, deeper, max)?;
            }
            Ok(())
        }
        Type::Map => {
            let deeper = left.checked_sub(1).ok_or(CodecError::TooDeep { max, at })?;
            let Some(entries) = d.map()? else {
                return unused("an indefinite length");
            };
            check_entries(d, entries, deeper, max)
        }
        Type::Bytes => d.bytes().map(drop).map_err(Into::into),
        Type::String => d.str().map(drop).map_err(Into::into),
        Type::ArrayIndef | Type::MapIndef | Type::BytesIndef | Type::StringIndef => {
            unused("an indefinite length")
        }
        Type::F16 | Type::F32 | Type::F64 => unused("a floating point number"),
        Type::Tag => unused("a tag"),
        Type::Break | Type::Unknown(_) | Type::Simple => unused("an unexpected item"),
        _ => d.skip().map_err(Into::into),
    }
}

/// Whether the first item's number or length could be written in fewer bytes. One value then has
/// one spelling, so that keys can be compared as bytes. Input cut short is the reader's to report.
fn is_longer_than_needed(input: &[u8]) -> bool {
    let Some((head, rest)) = input.split_first() else {
        return false;
    };
    let simple_or_float = head >> 5 == 7;
    let (width, least) = match head & 0x1f {
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1_u64 << 32),
        _ => return false,
    };
    let Some(number) = rest.get(..width) else {
        return false;
    };
    let value = number
        .iter()
        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    !simple_or_float && value < least
}

/// Keys are compared as raw bytes; a map's keys are few, but a hostile one's may be many, so they
/// are sorted rather than compared pairwise.
fn check_entries(
    d: &mut Decoder<'_>,
    entries: u64,
    deeper: usize,
    max: usize,
) -> Result<(), CodecError> {
    let input = d.input();
    let mut keys: Vec<&[u8]> = Vec::new();
    for _ in 0..entries {
        let start = d.position();
        check_item(d, deeper, max)?;
        let key = input.get(start..d.position()).unwrap_or_default();
        keys.push(key);
        check_item(d, deeper, max)?;
    }
    let at = d.position();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(CodecError::DuplicateKey { at });
    }
    Ok(())
}

//! The work itself, by libzstd.

use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, find_frame_compressed_size};

use super::{Coding, CodingError, FrameFault, REPORTS_ZH_1};

/// Bodies up to here are packed as tightly as can be: a few reports, of which every byte counts.
const SHORT: usize = 16 * 1024;
/// Level for short bodies.
const TIGHT: i32 = 19;
/// Level for longer ones.
const QUICK: i32 = 6;

/// The dictionary, prepared once for each use.
struct Prepared {
    tight: EncoderDictionary<'static>,
    quick: EncoderDictionary<'static>,
    reading: DecoderDictionary<'static>,
}

fn prepared() -> Option<&'static Prepared> {
    static PREPARED: OnceLock<Option<Prepared>> = OnceLock::new();
    let prepare = || {
        Some(Prepared {
            tight: EncoderDictionary::try_copy(REPORTS_ZH_1, TIGHT).ok()?,
            quick: EncoderDictionary::try_copy(REPORTS_ZH_1, QUICK).ok()?,
            reading: DecoderDictionary::try_copy(REPORTS_ZH_1).ok()?,
        })
    };
    PREPARED.get_or_init(prepare).as_ref()
}

pub(super) fn pack(coding: Coding, body: &[u8]) -> Option<Vec<u8>> {
    let short = body.len() <= SHORT;
    let mut compressor = match coding {
        Coding::Zstd => Compressor::new(if short { TIGHT } else { QUICK }).ok()?,
        Coding::ReportsZh1 => {
            let dictionary = prepared()?;
            let dictionary = if short {
                &dictionary.tight
            } else {
                &dictionary.quick
            };
            Compressor::with_prepared_dictionary(dictionary).ok()?
        }
    };
    let with =
        |compressor: &mut Compressor<'_>, parameter| compressor.set_parameter(parameter).ok();
    with(&mut compressor, CParameter::ContentSizeFlag(true))?;
    with(&mut compressor, CParameter::ChecksumFlag(false))?;
    with(&mut compressor, CParameter::DictIdFlag(true))?;
    compressor.compress(body).ok()
}

/// Unpacks a frame of whose header is known that it holds `size` bytes.
pub(super) fn unpack(coding: Coding, body: &[u8], size: usize) -> Result<Vec<u8>, CodingError> {
    let frame = find_frame_compressed_size(body).map_err(|_| CodingError::Damaged)?;
    if frame != body.len() {
        return Err(FrameFault::Trailing.into());
    }
    let decompressor = match coding {
        Coding::Zstd => Decompressor::new(),
        Coding::ReportsZh1 => match prepared() {
            Some(dictionary) => Decompressor::with_prepared_dictionary(&dictionary.reading),
            None => return Err(CodingError::Unknown(coding.name().to_owned())),
        },
    };
    let content = decompressor
        .and_then(|mut decompressor| decompressor.decompress(body, size))
        .map_err(|_| CodingError::Damaged)?;
    if content.len() == size {
        Ok(content)
    } else {
        Err(CodingError::Damaged)
    }
}

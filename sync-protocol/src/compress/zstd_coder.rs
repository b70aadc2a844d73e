//! The work itself, by libzstd.

use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, find_frame_compressed_size};

use super::{Coding, CodingError, REPORTS_ZH_1, REPORTS_ZH_2};

/// Bodies up to here are packed as tightly as can be: a few reports, of which every byte counts.
const SHORT: usize = 16 * 1024;
/// Level for short bodies.
const TIGHT: i32 = 19;
/// Level for longer ones.
const QUICK: i32 = 6;

/// A dictionary, prepared once for each use.
struct Prepared {
    tight: EncoderDictionary<'static>,
    quick: EncoderDictionary<'static>,
    reading: DecoderDictionary<'static>,
}

fn prepared(coding: Coding) -> Option<&'static Prepared> {
    static PREPARED: [OnceLock<Option<Prepared>>; 2] = [OnceLock::new(), OnceLock::new()];
    let [first, second] = &PREPARED;
    let (prepared, dictionary) = match coding {
        Coding::Zstd => return None,
        Coding::ReportsZh1 => (first, REPORTS_ZH_1),
        Coding::ReportsZh2 => (second, REPORTS_ZH_2),
    };
    let prepare = || {
        Some(Prepared {
            tight: EncoderDictionary::try_copy(dictionary, TIGHT).ok()?,
            quick: EncoderDictionary::try_copy(dictionary, QUICK).ok()?,
            reading: DecoderDictionary::try_copy(dictionary).ok()?,
        })
    };
    prepared.get_or_init(prepare).as_ref()
}

/// The frame at the beginning, and what follows it.
pub(super) fn parts(framed: &[u8]) -> Result<(&[u8], &[u8]), CodingError> {
    let frame = find_frame_compressed_size(framed).map_err(|_| CodingError::Damaged)?;
    framed.split_at_checked(frame).ok_or(CodingError::Damaged)
}

pub(super) fn pack(coding: Coding, body: &[u8]) -> Option<Vec<u8>> {
    let short = body.len() <= SHORT;
    let mut compressor = match coding {
        Coding::Zstd => Compressor::new(if short { TIGHT } else { QUICK }).ok()?,
        Coding::ReportsZh1 | Coding::ReportsZh2 => {
            let dictionary = prepared(coding)?;
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
    with(
        &mut compressor,
        CParameter::DictIdFlag(coding != Coding::ReportsZh2),
    )?;
    compressor.compress(body).ok()
}

/// Unpacks a frame of whose header is known that it holds `size` bytes.
pub(super) fn unpack(coding: Coding, body: &[u8], size: usize) -> Result<Vec<u8>, CodingError> {
    let decompressor = match coding {
        Coding::Zstd => Decompressor::new(),
        Coding::ReportsZh1 | Coding::ReportsZh2 => match prepared(coding) {
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

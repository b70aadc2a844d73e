//! What a file of unknown bytes is, told from its first bytes and its header, without decoding it.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ImageDecoder, ImageError, Limits};

pub use hazardloop_domain::evidence::MediaType;

use super::{clip, document};

/// Bytes at the beginning of a JPEG in which its header must end. Segments before the picture
/// (EXIF, its thumbnail, colour profile, maker's notes) are at most 64 KiB each, and few.
pub const JPEG_HEADER_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes that the readers of headers may allocate.
pub const HEADER_ALLOCATION_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of EXIF that are read; more is left alone, and said so.
pub const EXIF_BYTES: usize = 1024 * 1024;

/// How large a picture may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureLimits {
    /// Width times height.
    pub pixels: u64,
    /// Bytes that decoding may allocate.
    pub decode_bytes: u64,
}

/// A file that is what it begins like, as far as its header (of a document: its ends, of a clip: its
/// boxes) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What it is.
    pub media_type: MediaType,
    /// Pixels across, as stored; 0 of what is no picture.
    pub width: u32,
    /// Pixels down, as stored; 0 of what is no picture.
    pub height: u32,
    /// Its EXIF, if it has any that can be had.
    pub exif: ExifBytes,
}

/// The EXIF block of a file, unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExifBytes {
    /// None.
    Absent,
    /// These bytes.
    Present(Vec<u8>),
    /// More than [`EXIF_BYTES`].
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// The file's structure does not let it be found.
    Unreadable,
}

impl Inspected {
    /// What has neither pixels nor EXIF.
    pub(super) const fn no_picture(media_type: MediaType) -> Self {
        Self {
            media_type,
            width: 0,
            height: 0,
            exif: ExifBytes::Absent,
        }
    }
}

/// Why a file is no acceptable evidence.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// None of the accepted types.
    #[error("neither JPEG, PNG, WebP, PDF nor MP4 / 不是 JPEG、PNG、WebP、PDF 或 MP4 文件")]
    NotAPhoto,
    /// It begins like one and cannot be read.
    #[error("this is no whole {} file: {why} / 文件不完整或已损坏", media_type.as_str())]
    Damaged {
        /// What it begins like.
        media_type: MediaType,
        /// What the reader said.
        why: String,
    },
    /// More pixels than allowed.
    #[error("{width} x {height} pixels, more than {limit}")]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The limit.
        limit: u64,
    },
    /// Decoding would need more memory than allowed.
    #[error("decoding needs more than {limit} bytes")]
    TooMuchMemory {
        /// The limit.
        limit: u64,
    },
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
}

/// Reads the header of the file at `path`. Blocks; allocates at most a few MiB, whatever the file
/// claims to be.
///
/// # Errors
/// [`InspectError`].
pub fn inspect(path: &Path, limits: PictureLimits) -> Result<Inspected, InspectError> {
    let mut file = File::open(path)?;
    let mut first = Vec::with_capacity(16);
    file.by_ref().take(16).read_to_end(&mut first)?;
    let media_type = MediaType::of_first_bytes(&first).ok_or(InspectError::NotAPhoto)?;
    file.seek(SeekFrom::Start(0))?;
    let read = match media_type {
        MediaType::Pdf => return document::inspect(&mut file),
        MediaType::Mp4 => return clip::inspect(&mut file),
        MediaType::Jpeg => {
            // This reader takes all it is given into memory, so it is given the beginning only.
            let mut head = Vec::new();
            file.take(JPEG_HEADER_BYTES).read_to_end(&mut head)?;
            JpegDecoder::new(Cursor::new(head)).map(|decoder| read_header(media_type, decoder))
        }
        MediaType::Png => {
            let reader = BufReader::new(file);
            PngDecoder::with_limits(reader, header_limits())
                .map(|decoder| read_header(media_type, decoder))
        }
        MediaType::Webp => {
            webp(BufReader::new(file)).map(|decoder| read_header(media_type, decoder))
        }
    };
    let (inspected, decoded_bytes) = match read {
        Ok(read) => read,
        Err(ImageError::Limits(_)) => {
            let limit = HEADER_ALLOCATION_BYTES;
            return Err(InspectError::TooMuchMemory { limit });
        }
        Err(error) => {
            let why = error.to_string();
            return Err(InspectError::Damaged { media_type, why });
        }
    };
    within(&inspected, decoded_bytes, limits)?;
    Ok(inspected)
}

fn header_limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(HEADER_ALLOCATION_BYTES);
    limits
}

fn webp<R: BufRead + Seek>(reader: R) -> Result<WebPDecoder<R>, ImageError> {
    WebPDecoder::new(reader)
}

/// What the header says, and how many bytes the decoded picture would take.
fn read_header(media_type: MediaType, mut decoder: impl ImageDecoder) -> (Inspected, u64) {
    let (width, height) = decoder.dimensions();
    let bytes = decoder.total_bytes();
    let exif = match decoder.exif_metadata() {
        Ok(None) => ExifBytes::Absent,
        Ok(Some(exif)) if exif.len() > EXIF_BYTES => ExifBytes::TooLarge { bytes: exif.len() },
        Ok(Some(exif)) => ExifBytes::Present(exif),
        Err(_) => ExifBytes::Unreadable,
    };
    let inspected = Inspected {
        media_type,
        width,
        height,
        exif,
    };
    (inspected, bytes)
}

fn within(
    inspected: &Inspected,
    decoded_bytes: u64,
    limits: PictureLimits,
) -> Result<(), InspectError> {
    let Inspected {
        media_type,
        width,
        height,
        ..
    } = *inspected;
    if width == 0 || height == 0 {
        let why = "it has no pixels".to_owned();
        return Err(InspectError::Damaged { media_type, why });
    }
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(InspectError::TooManyPixels {
            width,
            height,
            limit: limits.pixels,
        });
    }
    if decoded_bytes > limits.decode_bytes {
        let limit = limits.decode_bytes;
        return Err(InspectError::TooMuchMemory { limit });
    }
    Ok(())
}

//! Small copies: the right way up, without metadata, decoded within stated limits.

use std::io::{BufRead, Seek};

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use super::inspect::{MediaType, PictureLimits};

/// JPEG quality of thumbnails, 1 to 100.
pub const QUALITY: u8 = 80;

/// Why there is no thumbnail.
#[derive(Debug, thiserror::Error)]
pub enum ThumbnailError {
    /// The picture cannot be decoded, or not within the limits.
    #[error("the picture cannot be decoded: {0}")]
    Undecodable(String),
    /// The picture was decoded and the thumbnail could not be made from it.
    #[error("the thumbnail cannot be made: {0}")]
    NotMade(String),
}

/// Decodes a photo and makes a JPEG whose longer edge is at most `edge` pixels, never larger than
/// the photo. `orientation` is EXIF's (1 to 8). Blocks.
///
/// # Errors
/// [`ThumbnailError`].
pub fn make(
    source: impl BufRead + Seek,
    media_type: MediaType,
    orientation: u8,
    edge: u32,
    limits: PictureLimits,
) -> Result<Vec<u8>, ThumbnailError> {
    let picture = decode(source, media_type, limits)?;
    let (width, height) = fit(picture.width(), picture.height(), edge);
    let small = if (width, height) == picture.dimensions() {
        picture
    } else {
        shrink(&picture, width, height)?
    };
    let mut small = DynamicImage::ImageRgb8(on_white(&small));
    if let Some(orientation) = Orientation::from_exif(orientation) {
        small.apply_orientation(orientation);
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&small)
        .map_err(|error| ThumbnailError::NotMade(error.to_string()))?;
    Ok(jpeg)
}

fn decode(
    source: impl BufRead + Seek,
    media_type: MediaType,
    limits: PictureLimits,
) -> Result<DynamicImage, ThumbnailError> {
    let format = match media_type {
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Png => ImageFormat::Png,
        MediaType::Webp => ImageFormat::WebP,
        MediaType::Pdf | MediaType::Mp4 => {
            return Err(ThumbnailError::Undecodable("it is no picture".to_owned()));
        }
    };
    let mut reader = ImageReader::with_format(source, format);
    let mut decoder_limits = Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.decode_bytes);
    reader.limits(decoder_limits);
    reader
        .decode()
        .map_err(|error| ThumbnailError::Undecodable(error.to_string()))
}

/// The size with the same proportions whose longer edge is at most `edge`; no side is empty.
fn fit(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    if longer <= edge {
        return (width, height);
    }
    let side = |side: u32| {
        let scaled =
            (u64::from(side) * u64::from(edge) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(edge).max(1)
    };
    (side(width), side(height))
}

fn shrink(picture: &DynamicImage, width: u32, height: u32) -> Result<DynamicImage, ThumbnailError> {
    let mut small = DynamicImage::new(width, height, picture.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new()
        .resize(picture, &mut small, &options)
        .map_err(|error| ThumbnailError::NotMade(error.to_string()))?;
    Ok(small)
}

/// JPEG has no transparency: what shines through is white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let image::Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        let over = |value: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            u8::try_from((value * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        Rgb([over(red), over(green), over(blue)])
    })
}

//! Photos: the only room that decodes images.

pub mod exif;
pub mod inspect;
pub mod originals;
pub mod thumbnail;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

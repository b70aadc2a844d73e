//! Photos and other evidence: the only room that decodes images.

mod clip;
mod document;
pub mod exif;
pub mod inspect;
pub mod originals;
mod tail;
pub mod thumbnail;

#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

//! Which photo after a correction shows the place of which photo before it.

use std::path::PathBuf;

use hazardloop_domain::command::{PhotoKind, PhotoPair, PhotoRef};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, PhotoState};

use super::acts::take_photos;
use super::args::Language;
use super::parse::Pair;
use super::trouble::Trouble;
use crate::driver::Device;

/// Digits of a photo's hash that people are shown.
const SHOWN: usize = 12;

/// The photos before the correction, in the order in which the record names them. One that is lost
/// for good needs no counterpart.
fn before(hazard: Option<&Hazard>) -> Vec<Digest> {
    let photos = hazard.map(|hazard| hazard.photos.as_slice());
    let photos = photos.unwrap_or_default().iter();
    let wanted = photos.filter(|photo| {
        photo.reference.kind == PhotoKind::Before && !matches!(photo.state, PhotoState::Lost { .. })
    });
    wanted.map(|photo| photo.reference.sha256).collect()
}

fn after(photos: &[PhotoRef]) -> Vec<Digest> {
    let after = photos.iter().filter(|photo| photo.kind == PhotoKind::After);
    after.map(|photo| photo.sha256).collect()
}

/// As many photos after as before are paired one by one; otherwise nobody can tell which belongs
/// to which.
pub(super) fn in_order(hazard: Option<&Hazard>, photos: &[PhotoRef]) -> Vec<PhotoPair> {
    match_up(&before(hazard), &after(photos))
}

fn match_up(before: &[Digest], after: &[Digest]) -> Vec<PhotoPair> {
    if before.len() != after.len() {
        return Vec::new();
    }
    let both = before.iter().zip(after);
    both.map(|(before, after)| PhotoPair {
        before: *before,
        after: *after,
    })
    .collect()
}

/// The pairs that were named. A file that is not among `photos` yet is taken in with them.
pub(super) fn named(
    device: &Device,
    pairs: &[Pair],
    hazard: Option<&Hazard>,
    photos: &mut Vec<PhotoRef>,
) -> Result<Vec<PhotoPair>, Trouble> {
    let mut found = Vec::new();
    for pair in pairs {
        found.push(PhotoPair {
            before: named_before(hazard, &pair.before)?,
            after: named_after(device, hazard, &pair.after, photos)?,
        });
    }
    Ok(found)
}

/// A number counts the photos before; anything longer is the beginning of a hash.
fn named_before(hazard: Option<&Hazard>, text: &str) -> Result<Digest, Trouble> {
    let known = before(hazard);
    let place = text.parse::<usize>().ok().filter(|_| text.len() < 4);
    let by_place = place.and_then(|place| known.get(place.checked_sub(1)?));
    let found = by_place.copied().or_else(|| only(&known, text));
    found.or_else(|| text.parse().ok()).ok_or_else(|| {
        Trouble::Usage(
            format!("{text}：不是该隐患的某一张整改前照片"),
            format!("{text}: not one photo of this hazard before the correction"),
        )
    })
}

fn named_after(
    device: &Device,
    hazard: Option<&Hazard>,
    text: &str,
    photos: &mut Vec<PhotoRef>,
) -> Result<Digest, Trouble> {
    let path = PathBuf::from(text);
    if path.is_file() {
        let taken = take_photos(device, &[path], PhotoKind::After)?;
        let Some(taken) = taken.into_iter().next() else {
            return Err(no_photo_after(text));
        };
        let sha256 = taken.sha256;
        let known = photos.iter().any(|photo| photo.sha256 == sha256);
        if !known && hazard.is_none_or(|hazard| hazard.photo(&sha256).is_none()) {
            photos.push(taken);
        }
        return Ok(sha256);
    }
    let of_record = hazard.map(|hazard| hazard.photos.as_slice());
    let of_record = of_record.unwrap_or_default().iter();
    let of_record = of_record.filter(|photo| photo.reference.kind == PhotoKind::After);
    let mut known: Vec<Digest> = of_record.map(|photo| photo.reference.sha256).collect();
    known.extend(after(photos));
    only(&known, text)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| no_photo_after(text))
}

fn no_photo_after(text: &str) -> Trouble {
    Trouble::Usage(
        format!("{text}：不是文件，也不是该隐患的某一张整改后照片"),
        format!("{text}: neither a file nor one photo of this hazard after the correction"),
    )
}

/// The one hash that begins like this.
fn only(known: &[Digest], text: &str) -> Option<Digest> {
    let wanted = text.to_ascii_lowercase();
    let mut fits = known
        .iter()
        .filter(|sha256| wanted.len() >= 4 && sha256.to_string().starts_with(&wanted));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Some(*only),
        _ => None,
    }
}

fn short(sha256: &Digest) -> String {
    sha256.to_string().chars().take(SHOWN).collect()
}

/// What is said about a pair that was made here.
pub(super) fn line(pair: &PhotoPair, lang: Language) -> String {
    let (before, after) = (short(&pair.before), short(&pair.after));
    match lang {
        Language::Zh => format!("照片配对：整改前 {before} ↔ 整改后 {after}"),
        Language::En => format!("photos paired: before {before} with after {after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_paired_in_order_only_when_there_are_as_many() {
        let photo = |n: u8| Digest([n; 32]);
        let one = match_up(&[photo(1)], &[photo(2)]);
        assert_eq!(one.len(), 1);
        let two = match_up(&[photo(1), photo(2)], &[photo(3), photo(4)]);
        assert_eq!(
            two.last().map(|p| (p.before, p.after)),
            Some((photo(2), photo(4)))
        );
        assert!(match_up(&[photo(1)], &[photo(2), photo(3)]).is_empty());
        assert!(match_up(&[], &[]).is_empty());
    }

    #[test]
    fn a_hash_is_named_by_its_beginning_where_only_one_fits() {
        let known = [Digest([0xab; 32]), Digest([0xac; 32])];
        assert_eq!(only(&known, "abab"), Some(Digest([0xab; 32])));
        assert_eq!(only(&known, "a"), None);
    }
}

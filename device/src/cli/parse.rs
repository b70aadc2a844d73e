//! Reading the values of arguments.

use hazardloop_domain::command::{CriterionRef, Source};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::time::Timestamp;

use super::args::Language;

pub(super) fn language(text: &str) -> Result<Language, std::convert::Infallible> {
    Ok(if text.to_ascii_lowercase().starts_with("zh") {
        Language::Zh
    } else {
        Language::En
    })
}

pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

pub(super) fn source(text: &str) -> Result<Source, String> {
    let names: Vec<_> = Source::ALL.iter().map(|source| source.as_str()).collect();
    Source::from_name(text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(super) fn criterion(text: &str) -> Result<CriterionRef, String> {
    let parts = text
        .rsplit_once('@')
        .and_then(|(code, edition)| Some((code, edition.parse().ok()?)));
    let (code, edition) = parts.ok_or("expected CODE@EDITION, for example GM-03@1")?;
    Ok(CriterionRef {
        code: code.to_owned(),
        edition,
    })
}

/// Reads `LON,LAT[@reference][±metres]` (`+-` where the sign cannot be typed).
pub(super) fn position(text: &str) -> Result<Position, String> {
    let wrong = || "expected LON,LAT[@wgs84|cgcs2000|gcj02|bd09][±METRES]".to_owned();
    let (rest, accuracy) = match text.split_once('±').or_else(|| text.split_once("+-")) {
        Some((rest, metres)) => (rest, Some(metres.trim().trim_end_matches('m'))),
        None => (text, None),
    };
    let (degrees, reference) = rest.split_once('@').unwrap_or((rest, "wgs84"));
    let (longitude, latitude) = degrees.split_once(',').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
    let measured = Measurement {
        longitude: number(longitude)?,
        latitude: number(latitude)?,
        reference: reference
            .trim()
            .parse::<CoordinateReference>()
            .map_err(|e| e.to_string())?,
        accuracy_m: accuracy.map(number).transpose()?,
        altitude_m: None,
        fixed_at: None,
    };
    Position::new(measured).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn positions_keep_their_reference_and_accuracy() {
        let read = position("105.594,29.405@gcj02±8.5").unwrap();
        assert_eq!(read.reference(), CoordinateReference::Gcj02);
        assert_eq!(
            (read.longitude_e7(), read.accuracy_dm()),
            (1_055_940_000, Some(85))
        );
        assert_eq!(
            position("105.594, 29.405").unwrap().reference(),
            CoordinateReference::Wgs84
        );
        for wrong in ["105.594", "105,29@mars", "190,29", "a,b", "105,29±x"] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }
}

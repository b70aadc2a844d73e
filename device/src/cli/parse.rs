//! Reading the values of arguments. What is wrong with one is said in both languages.

use hazardloop_domain::command::{CriterionRef, Source};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::args::Language;

/// Why a value cannot be read, in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{en}")]
pub struct Unreadable {
    pub(super) zh: String,
    pub(super) en: String,
}

impl Unreadable {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// Of a text of the rules that holds both: `field: 中文 / English`.
    fn of_both(text: &str) -> Self {
        let (first, en) = text.split_once(" / ").unwrap_or((text, text));
        let field = first.split_once(": ").map_or("", |(field, _)| field);
        let en = match field {
            "" => en.to_owned(),
            field => format!("{field} {en}"),
        };
        Self::new(first, en)
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the form that clap asks for")]
pub(super) fn language(text: &str) -> Result<Language, std::convert::Infallible> {
    Ok(Language::of(text))
}

pub(super) fn instant(text: &str) -> Result<Timestamp, Unreadable> {
    Timestamp::parse(text).map_err(|error| {
        let zh = "须为 2000 至 2100 年间的 RFC 3339 时刻，例如 2026-11-26T08:30:00+08:00";
        Unreadable::new(zh, error.to_string())
    })
}

pub(super) fn date(text: &str) -> Result<LocalDate, Unreadable> {
    text.parse().map_err(|_| {
        Unreadable::new(
            "须为日期 YYYY-MM-DD，例如 2026-12-05",
            "expected a date YYYY-MM-DD, for example 2026-12-05",
        )
    })
}

/// A number without sign, point or separators.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| {
        Unreadable::new(
            "须为不带符号的整数，且不能过大",
            "expected a whole number without a sign, and not too large",
        )
    })
}

pub(super) fn source(text: &str) -> Result<Source, Unreadable> {
    let names: Vec<_> = Source::ALL.iter().map(|source| source.as_str()).collect();
    Source::from_name(text).ok_or_else(|| {
        Unreadable::new(
            format!("可选：{}", names.join("、")),
            format!("one of {}", names.join(", ")),
        )
    })
}

pub(super) fn criterion(text: &str) -> Result<CriterionRef, Unreadable> {
    let parts = text
        .rsplit_once('@')
        .and_then(|(code, edition)| Some((code, edition.parse().ok()?)));
    let (code, edition) = parts.ok_or_else(|| {
        Unreadable::new(
            "须为 编码@版本，例如 GM-03@1",
            "expected CODE@EDITION, for example GM-03@1",
        )
    })?;
    Ok(CriterionRef {
        code: code.to_owned(),
        edition,
    })
}

/// Reads `LON,LAT[@reference][±metres]` (`+-` where the sign cannot be typed).
pub(super) fn position(text: &str) -> Result<Position, Unreadable> {
    let wrong = || {
        Unreadable::new(
            "须为 经度,纬度[@wgs84|cgcs2000|gcj02|bd09][±米]",
            "expected LON,LAT[@wgs84|cgcs2000|gcj02|bd09][±METRES]",
        )
    };
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
            .map_err(|_| wrong())?,
        accuracy_m: accuracy.map(number).transpose()?,
        altitude_m: None,
        fixed_at: None,
    };
    Position::new(measured).map_err(|error| Unreadable::of_both(&error.to_string()))
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

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_one_language() {
        let is_chinese = |text: &str| text.chars().any(|c| c > '\u{2e80}');
        let wrong = [
            position("190,29").unwrap_err(),
            position("105").unwrap_err(),
            instant("yesterday").unwrap_err(),
            date("tomorrow").unwrap_err(),
            whole::<u32>("-1").unwrap_err(),
            source("rumour").unwrap_err(),
            criterion("GM-03").unwrap_err(),
        ];
        for Unreadable { zh, en } in wrong {
            assert!(is_chinese(&zh), "{zh}");
            assert!(!is_chinese(&en), "{en}");
        }
    }
}

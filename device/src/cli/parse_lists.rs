//! Reading the values of what a list is narrowed to.

use hazardloop_domain::command::{CriterionRef, Grade};
use hazardloop_domain::geography::{
    Area, BoundingBox, CoordinateReference, MAX_NEAR_M, Measurement, Position,
};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::args::Language;
use super::parse::{self, Unreadable};
use super::words;

/// A state by its name, or by the word that people read.
pub(super) fn state(text: &str) -> Result<StatusName, Unreadable> {
    let text = text.trim();
    let by_word = |state: &&StatusName| words::status(Language::Zh, **state) == text;
    let worded = StatusName::EXISTING.iter().find(by_word).copied();
    StatusName::from_name(text).or(worded).ok_or_else(|| {
        let names = StatusName::EXISTING.iter();
        let zh: Vec<String> = names
            .clone()
            .map(|state| {
                let word = words::status(Language::Zh, *state);
                format!("{}（{word}）", state.as_str())
            })
            .collect();
        let en: Vec<&str> = names.map(|state| state.as_str()).collect();
        Unreadable::new(
            format!("可选：{}", zh.join("、")),
            format!("one of {}", en.join(", ")),
        )
    })
}

pub(super) fn grade(text: &str) -> Result<Grade, Unreadable> {
    match text.trim() {
        "major" | "重大" | "重大隐患" => Ok(Grade::Major),
        "general" | "一般" | "一般隐患" => Ok(Grade::General),
        _ => Err(Unreadable::new(
            "可选：major（重大）、general（一般）",
            "one of major, general",
        )),
    }
}

/// A criterion in one edition, or in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriterionCode {
    /// Its code.
    pub code: String,
    /// The edition; absent: any.
    pub edition: Option<u32>,
}

impl CriterionCode {
    /// Whether a hazard that names this one is meant.
    pub(super) fn fits(&self, named: &CriterionRef) -> bool {
        self.code == named.code && self.edition.is_none_or(|edition| edition == named.edition)
    }
}

/// Reads `CODE` or `CODE@EDITION`.
pub(super) fn criterion_code(text: &str) -> Result<CriterionCode, Unreadable> {
    if text.contains('@') {
        let CriterionRef { code, edition } = parse::criterion(text)?;
        let edition = Some(edition);
        return Ok(CriterionCode { code, edition });
    }
    Ok(CriterionCode {
        code: text.trim().to_owned(),
        edition: None,
    })
}

/// A day (Asia/Shanghai), or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The whole day.
    Day(LocalDate),
    /// The instant.
    At(Timestamp),
}

impl Moment {
    /// The first instant that is meant.
    pub(super) fn begins(self) -> Timestamp {
        match self {
            Self::Day(day) => day.start_of_day(),
            Self::At(at) => at,
        }
    }

    /// The last instant that is meant.
    pub(super) fn ends(self) -> Timestamp {
        match self {
            Self::Day(day) => day.end_of_day(),
            Self::At(at) => at,
        }
    }
}

/// Reads `YYYY-MM-DD` or RFC 3339.
pub(super) fn moment(text: &str) -> Result<Moment, Unreadable> {
    if let Ok(day) = text.parse() {
        return Ok(Moment::Day(day));
    }
    let read = parse::instant(text).map(Moment::At);
    read.map_err(|_| {
        Unreadable::new(
            "须为日期 YYYY-MM-DD 或 2000 至 2100 年间的 RFC 3339 时刻",
            "expected a date YYYY-MM-DD, or an RFC 3339 instant between 2000 and 2100",
        )
    })
}

/// A point, and how far around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The point as it was given.
    pub centre: Position,
    /// Metres.
    pub radius_m: f64,
}

impl Near {
    /// The area that is meant.
    pub(super) fn area(&self) -> Area {
        Area::Near {
            centre: self.centre.to_wgs84(),
            radius_m: self.radius_m,
        }
    }
}

/// Numbers with commas between them, and the reference behind the `@`: WGS-84, which receivers
/// report, where none is named.
fn numbers<const N: usize>(text: &str) -> Option<([f64; N], CoordinateReference)> {
    let (numbers, reference) = text.split_once('@').unwrap_or((text, "wgs84"));
    let read: Result<Vec<f64>, _> = numbers
        .split([',', '，'])
        .take(N + 1)
        .map(|number| number.trim().trim_end_matches('m').parse())
        .collect();
    let read = <[f64; N]>::try_from(read.ok()?).ok()?;
    Some((read, reference.trim().parse().ok()?))
}

/// Reads `LON,LAT,METRES[@reference]`.
pub(super) fn near(text: &str) -> Result<Near, Unreadable> {
    let ([longitude, latitude, radius_m], reference) = numbers(text).ok_or_else(|| {
        Unreadable::new(
            "须为 经度,纬度,米[@wgs84|cgcs2000|gcj02|bd09]，例如 105.594,29.405,500@gcj02",
            "expected LON,LAT,METRES[@wgs84|cgcs2000|gcj02|bd09], for example \
             105.594,29.405,500@gcj02",
        )
    })?;
    if !(0.0..=MAX_NEAR_M).contains(&radius_m) {
        return Err(Unreadable::new(
            format!("半径须在 0 至 {MAX_NEAR_M} 米之间"),
            format!("the radius must lie between 0 and {MAX_NEAR_M} metres"),
        ));
    }
    let centre = Position::new(Measurement::at(longitude, latitude, reference));
    let centre = centre.map_err(|error| Unreadable::of_both(&error.to_string()))?;
    Ok(Near { centre, radius_m })
}

/// Two meridians and two parallels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// The edges.
    pub edges: BoundingBox,
    /// The reference of their numbers.
    pub reference: CoordinateReference,
}

impl Frame {
    /// The area that is meant.
    pub(super) fn area(&self) -> Area {
        Area::Box {
            edges: self.edges,
            reference: self.reference,
        }
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        let [west, south, east, north] = self.edges.edges();
        format!("{west},{south},{east},{north}@{}", self.reference)
    }
}

/// Reads `WEST,SOUTH,EAST,NORTH[@reference]`.
pub(super) fn frame(text: &str) -> Result<Frame, Unreadable> {
    let ([west, south, east, north], reference) = numbers(text).ok_or_else(|| {
        Unreadable::new(
            "须为 西经度,南纬度,东经度,北纬度[@wgs84|cgcs2000|gcj02|bd09]",
            "expected WEST,SOUTH,EAST,NORTH[@wgs84|cgcs2000|gcj02|bd09]",
        )
    })?;
    let edges = BoundingBox::new(west, south, east, north);
    let edges = edges.map_err(|error| Unreadable::of_both(&error.to_string()))?;
    Ok(Frame { edges, reference })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn states_and_grades_are_read_by_name_and_by_word() {
        assert_eq!(state("rectifying").unwrap(), StatusName::Rectifying);
        assert_eq!(state("待复查").unwrap(), StatusName::PendingReinspection);
        assert_eq!(grade("重大").unwrap(), Grade::Major);
        assert_eq!(grade("general").unwrap(), Grade::General);
        assert!(state("unreported").is_err());
    }

    #[test]
    fn a_day_is_meant_from_its_first_to_its_last_moment_in_shanghai() {
        let day = moment("2026-11-22").unwrap();
        assert_eq!(day.begins().to_string(), "2026-11-21T16:00:00.000Z");
        assert_eq!(day.ends().to_string(), "2026-11-22T15:59:59.999Z");
        let at = moment("2026-11-22T08:00:00+08:00").unwrap();
        assert_eq!((at.begins(), at.ends()), (at.begins(), at.begins()));
    }

    #[test]
    fn a_point_is_read_with_its_radius_and_reference() {
        let read = near("105.594,29.405,500@gcj02").unwrap();
        assert_eq!(read.centre.reference(), CoordinateReference::Gcj02);
        assert!((read.radius_m - 500.0).abs() < 1e-9);
        let plain = near("105.594, 29.405, 500m").unwrap();
        assert_eq!(plain.centre.reference(), CoordinateReference::Wgs84);
        assert!(near("105.594,29.405,50000").is_ok());
        // Latitude first, as some write it, is noticed: China's longitudes are no latitudes.
        for wrong in [
            "29.405,105.594,500",
            "105.594,29.405",
            "105.594,29.405,50001",
            "105.594,29.405,-1",
            "105.594,29.405,NaN",
            "105.594,29.405,500@mars",
            "1,2,3,4",
        ] {
            assert!(near(wrong).is_err(), "{wrong}");
        }
        assert!(frame("105.5,29.3,105.7,29.5@bd09").is_ok());
        assert!(frame("105.5,29.6,105.7,29.5").is_err());
    }

    #[test]
    fn a_criterion_is_meant_in_any_edition_unless_one_is_named() {
        let named = |edition| CriterionRef {
            code: "GM-03".to_owned(),
            edition,
        };
        let any = criterion_code("GM-03").unwrap();
        assert!(any.fits(&named(1)) && any.fits(&named(2)));
        let one = criterion_code("GM-03@2").unwrap();
        assert!(!one.fits(&named(1)) && one.fits(&named(2)));
        assert!(criterion_code("GM-03@x").is_err());
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_one_language() {
        let is_chinese = |text: &str| text.chars().any(|c| c > '\u{2e80}');
        let wrong = [
            state("gone").unwrap_err(),
            grade("huge").unwrap_err(),
            moment("soon").unwrap_err(),
            near("here").unwrap_err(),
            near("105,29,60000").unwrap_err(),
            near("29,105,1").unwrap_err(),
            frame("there").unwrap_err(),
            frame("1,3,2,2").unwrap_err(),
        ];
        for Unreadable { zh, en } in wrong {
            assert!(is_chinese(&zh), "{zh}");
            assert!(!is_chinese(&en), "{en}");
        }
    }
}

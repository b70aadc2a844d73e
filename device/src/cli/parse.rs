//! Reading the values of arguments. What is wrong with one is said in both languages.

use hazardloop_domain::calendar::DayKind;
use hazardloop_domain::command::{
    AttendeeRole, Cadence, ChecklistRef, CriterionRef, Handling, HazardDomain, InspectionKind,
    ItemResult, ListingLevel, Milestone, Period, ReopenCause, Source, TeamMember, VisitPart,
};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::search_text::{QUERY_MAX, Query, QueryError};
use hazardloop_domain::time::{LocalDate, Timestamp};
use uuid::Uuid;

use super::args::Language;

/// Why a value cannot be read, in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{en}")]
pub struct Unreadable {
    pub(super) zh: String,
    pub(super) en: String,
}

impl Unreadable {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// Of a text of the rules that holds both: `field: 中文 / English`.
    pub(super) fn of_both(text: &str) -> Self {
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

pub(super) fn grant(text: &str) -> Result<GrantId, Unreadable> {
    text.parse().map(GrantId).map_err(|_| no_id())
}

/// The id of a request: ids are made as UUIDv7.
pub(super) fn request_id(text: &str) -> Result<Uuid, Unreadable> {
    let id: Uuid = text.parse().map_err(|_| no_id())?;
    if id.get_version_num() == 7 {
        Ok(id)
    } else {
        Err(no_id())
    }
}

fn no_id() -> Unreadable {
    let en = "expected an id, for example 0193ab12-0000-7000-8000-000000000001";
    Unreadable::new("须为 id，例如 0193ab12-0000-7000-8000-000000000001", en)
}

pub(super) fn date(text: &str) -> Result<LocalDate, Unreadable> {
    text.parse().map_err(|_| {
        Unreadable::new(
            "须为日期 YYYY-MM-DD，例如 2026-12-05",
            "expected a date YYYY-MM-DD, for example 2026-12-05",
        )
    })
}

/// `ID` or `ID:DEPARTMENT`: somebody who inspects.
pub(super) fn team_member(text: &str) -> Result<TeamMember, Unreadable> {
    let (id, department) = match text.split_once([':', '：']) {
        Some((id, department)) => (id, Some(department.to_owned())),
        None => (text, None),
    };
    let wrong = || {
        Unreadable::new(
            "须为人员 id，或 id:部门",
            "expected a person's id, or id:department",
        )
    };
    let person_id = id.parse().map_err(|_| wrong())?;
    Ok(TeamMember {
        person_id,
        department,
    })
}

/// Words to search for.
pub(super) fn query(text: &str) -> Result<Query, Unreadable> {
    Query::new(text).map_err(|error| {
        let zh = match error {
            QueryError::Nothing => "没有可供查找的文字或数字".to_owned(),
            QueryError::TooLong => format!("超过 {QUERY_MAX} 个字"),
        };
        Unreadable::new(zh, error.to_string())
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

pub(super) fn inspection_kind(text: &str) -> Result<InspectionKind, Unreadable> {
    let all = InspectionKind::ALL;
    name(text, all, InspectionKind::from_name, InspectionKind::as_str)
}

pub(super) fn cadence(text: &str) -> Result<Cadence, Unreadable> {
    let all = Cadence::ALL;
    name(text, all, Cadence::from_name, Cadence::as_str)
}

pub(super) fn handling(text: &str) -> Result<Handling, Unreadable> {
    name(text, Handling::ALL, Handling::from_name, Handling::as_str)
}

pub(super) fn attendee_role(text: &str) -> Result<AttendeeRole, Unreadable> {
    let (of, as_str) = (AttendeeRole::from_name, AttendeeRole::as_str);
    name(text, AttendeeRole::ALL, of, as_str)
}

pub(super) fn visit_part(text: &str) -> Result<VisitPart, Unreadable> {
    name(
        text,
        VisitPart::ALL,
        VisitPart::from_name,
        VisitPart::as_str,
    )
}

pub(super) fn person(text: &str) -> Result<PersonId, Unreadable> {
    text.parse()
        .map_err(|_| Unreadable::new("须为账号的 id（UUID）", "expected the id of an account"))
}

/// `CODE@EDITION`.
pub(super) fn checklist(text: &str) -> Result<ChecklistRef, Unreadable> {
    let CriterionRef { code, edition } = criterion(text)?;
    Ok(ChecklistRef {
        code,
        edition,
        mandatory: Vec::new(),
    })
}

/// One of a few names.
fn name<T: Copy>(
    text: &str,
    all: &[T],
    of: fn(&str) -> Option<T>,
    as_str: fn(T) -> &'static str,
) -> Result<T, Unreadable> {
    of(text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|value| as_str(*value)).collect();
        Unreadable::new(
            format!("可选：{}", names.join("、")),
            format!("one of {}", names.join(", ")),
        )
    })
}

pub(super) fn source(text: &str) -> Result<Source, Unreadable> {
    name(text, Source::ALL, Source::from_name, Source::as_str)
}

pub(super) fn domain(text: &str) -> Result<HazardDomain, Unreadable> {
    name(
        text,
        HazardDomain::ALL,
        HazardDomain::from_name,
        HazardDomain::as_str,
    )
}

pub(super) fn listing_level(text: &str) -> Result<ListingLevel, Unreadable> {
    let (of, as_str) = (ListingLevel::from_name, ListingLevel::as_str);
    name(text, ListingLevel::ALL, of, as_str)
}

pub(super) fn reopen_cause(text: &str) -> Result<ReopenCause, Unreadable> {
    let (of, as_str) = (ReopenCause::from_name, ReopenCause::as_str);
    name(text, ReopenCause::ALL, of, as_str)
}

/// Reads `10d` (calendar days) or `10wd` (working days); also 10天, 10日, 10工作日, 10个工作日.
pub(super) fn period(text: &str) -> Result<Period, Unreadable> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (days, kind) = text.split_at(digits);
    let kind = match kind.trim() {
        "d" | "天" | "日" => Some(DayKind::Calendar),
        "wd" | "工作日" | "个工作日" => Some(DayKind::Working),
        _ => None,
    };
    let read = days.parse().ok().zip(kind);
    let (days, kind) = read.ok_or_else(|| {
        Unreadable::new(
            "须为天数：10d（自然日）或 10wd（工作日）",
            "expected a number of days: 10d (calendar days) or 10wd (working days)",
        )
    })?;
    Ok(Period {
        days,
        kind,
        rule: None,
    })
}

/// Reads `DATE=WHAT`.
pub(super) fn milestone(text: &str) -> Result<Milestone, Unreadable> {
    let (day, goal) = text.split_once('=').ok_or_else(|| {
        Unreadable::new(
            "须为 日期=阶段目标，例如 2026-12-01=拆除封板",
            "expected DATE=WHAT, for example 2026-12-01=covers removed",
        )
    })?;
    Ok(Milestone {
        due_date: date(day.trim())?,
        goal: goal.trim().to_owned(),
    })
}

/// A photo before and a photo after, as they are named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// A photo of the record: its place among the photos before, from 1, or the beginning of its
    /// SHA-256.
    pub before: String,
    /// A file, or the beginning of a SHA-256 in the record.
    pub after: String,
}

/// Reads `BEFORE=AFTER`.
pub(super) fn pair(text: &str) -> Result<Pair, Unreadable> {
    let named = text.split_once('=');
    let (before, after) = named
        .filter(|(before, after)| !before.trim().is_empty() && !after.trim().is_empty())
        .ok_or_else(|| {
            Unreadable::new(
                "须为 整改前=整改后，例如 1=after.jpg",
                "expected BEFORE=AFTER, for example 1=after.jpg",
            )
        })?;
    Ok(Pair {
        before: before.trim().to_owned(),
        after: after.trim().to_owned(),
    })
}

/// Reads `ITEM=pass|fail[:NOTE]`.
pub(super) fn item(text: &str) -> Result<ItemResult, Unreadable> {
    let wrong = || {
        Unreadable::new(
            "须为 项目=pass 或 项目=fail，其后可加 :说明",
            "expected ITEM=pass or ITEM=fail, and :NOTE behind it where wanted",
        )
    };
    let (item, result) = text.split_once('=').ok_or_else(wrong)?;
    let (result, note) = match result.split_once([':', '：']) {
        Some((result, note)) => (result, Some(note.trim().to_owned())),
        None => (result, None),
    };
    let passed = match result.trim() {
        "pass" | "合格" => true,
        "fail" | "不合格" => false,
        _ => return Err(wrong()),
    };
    Ok(ItemResult {
        item: item.trim().to_owned(),
        passed,
        note: note.filter(|note| !note.is_empty()),
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
    fn days_stages_pairs_and_items_are_read() {
        let days = |text| period(text).map(|read| (read.days, read.kind)).unwrap();
        assert_eq!(days("10d"), (10, DayKind::Calendar));
        assert_eq!(days("10wd"), (10, DayKind::Working));
        assert_eq!(days("7天"), (7, DayKind::Calendar));
        assert_eq!(days("15个工作日"), (15, DayKind::Working));
        let stage = milestone("2026-12-01=拆除封板").unwrap();
        assert_eq!(stage.due_date, date("2026-12-01").unwrap());
        assert_eq!(stage.goal, "拆除封板");
        let two = pair("1=photos/a=b.jpg").unwrap();
        assert_eq!(
            (two.before.as_str(), two.after.as_str()),
            ("1", "photos/a=b.jpg")
        );
        let seen = item("泄爆片=不合格：仍有封堵").unwrap();
        assert_eq!(
            (seen.passed, seen.note.as_deref()),
            (false, Some("仍有封堵"))
        );
        assert!(item("covers=pass").unwrap().passed);
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
            period("10").unwrap_err(),
            period("10x").unwrap_err(),
            period("99999999999d").unwrap_err(),
            milestone("2026-12-01").unwrap_err(),
            milestone("soon=done").unwrap_err(),
            pair("1=").unwrap_err(),
            item("covers=maybe").unwrap_err(),
            listing_level("galaxy").unwrap_err(),
            reopen_cause("rain").unwrap_err(),
            domain("sea").unwrap_err(),
            attendee_role("passer-by").unwrap_err(),
            visit_part("interval").unwrap_err(),
        ];
        for Unreadable { zh, en } in wrong {
            assert!(is_chinese(&zh), "{zh}");
            assert!(!is_chinese(&en), "{en}");
        }
    }
}

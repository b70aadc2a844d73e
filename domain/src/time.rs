//! Instants and civil dates, and how they travel. China Standard Time is a fixed UTC+8.

use jiff::civil::Date;
use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds from UTC to China Standard Time; no daylight saving since 1991.
pub const SHANGHAI_OFFSET_MS: i64 = 8 * 3_600_000;

/// Beyond the first (-9999-01-01) and the last (9999-12-31) civil date, counted from 1970.
const FARTHEST_DAYS: i64 = 5_000_000;

/// The first and the last whole second that RFC 3339 text here can show: years 0 to 9999.
const FIRST_SHOWN_MS: i64 = -62_167_219_200_000;
const LAST_SHOWN_MS: i64 = 253_402_207_200_000;

/// The earliest instant anything here may claim: 2000-01-01T00:00:00Z.
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000);

/// The latest instant anything here may claim: 2100-01-01T00:00:00Z.
pub const LATEST: Timestamp = Timestamp(4_102_444_800_000);

/// An instant: milliseconds since 1970-01-01T00:00:00Z. JSON: RFC 3339 in UTC. CBOR: integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Why a text is not an instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant between 2000 and 2100: {why}")]
pub struct TimestampError {
    why: String,
}

impl Timestamp {
    /// The instant `ms` milliseconds after the Unix epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant `ms` milliseconds later (earlier when negative), saturating.
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whether the instant lies between 2000 and 2100, as every claimed time must.
    pub fn is_plausible(self) -> bool {
        self >= EARLIEST && self < LATEST
    }

    /// The civil date in Asia/Shanghai at this instant.
    pub fn shanghai_date(self) -> LocalDate {
        let days = self
            .0
            .saturating_add(SHANGHAI_OFFSET_MS)
            .div_euclid(86_400_000);
        LocalDate::from_epoch_days(days)
    }

    /// Reads RFC 3339 text.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let instant: jiff::Timestamp = text
            .parse()
            .map_err(|e: jiff::Error| TimestampError { why: e.to_string() })?;
        let read = Self(instant.as_millisecond());
        if read.is_plausible() {
            Ok(read)
        } else {
            Err(TimestampError {
                why: "the year is out of range".to_owned(),
            })
        }
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Only a device's broken clock lies outside; readers were promised RFC 3339 even then.
        let shown = self.0.clamp(FIRST_SHOWN_MS, LAST_SHOWN_MS);
        match jiff::Timestamp::from_millisecond(shown) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for Timestamp {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i64(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Timestamp {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        d.i64().map(Self)
    }
}

/// The years of dates that people write: of licences, certificates, deadlines, opinions.
pub const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// The first day that there is a number for.
const FIRST_DAY: Date = jiff::civil::date(1, 1, 1);

/// A civil date in Asia/Shanghai, from [`YEARS`] where somebody wrote it. JSON: `YYYY-MM-DD`. CBOR: integer `YYYYMMDD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDate(Date);

impl LocalDate {
    /// Wraps a civil date.
    pub const fn new(date: Date) -> Self {
        Self(date)
    }

    /// The civil date itself.
    pub const fn date(self) -> Date {
        self.0
    }

    /// The first instant of this day in Asia/Shanghai, which has had no summer time since 1991.
    pub fn start_of_day(self) -> Timestamp {
        self.end_of_day().plus_millis(1 - 86_400_000)
    }

    /// The last millisecond of this day in Asia/Shanghai.
    pub fn end_of_day(self) -> Timestamp {
        let next = self.epoch_days() + 1;
        Timestamp(next * 86_400_000 - SHANGHAI_OFFSET_MS - 1)
    }

    /// Days from this one to `other`; negative when that lies before.
    pub fn days_until(self, other: Self) -> i64 {
        other.epoch_days() - self.epoch_days()
    }

    fn epoch_days(self) -> i64 {
        let span = self.0 - jiff::civil::date(1970, 1, 1);
        i64::from(span.get_days())
    }

    fn from_epoch_days(days: i64) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        // More days than a span can hold lead past the first or last date all the same.
        let days = days.clamp(-FARTHEST_DAYS, FARTHEST_DAYS);
        let span = jiff::Span::new().try_days(days).unwrap_or_default();
        Self(epoch.saturating_add(span).max(FIRST_DAY))
    }
}

/// A text that is no date, or none of the years that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADate;

impl std::fmt::Display for NotADate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = (YEARS.start(), YEARS.end());
        write!(
            f,
            "not a date of the form YYYY-MM-DD from {first} to {last}"
        )
    }
}

impl std::error::Error for NotADate {}

impl std::fmt::Display for LocalDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for LocalDate {
    type Err = NotADate;

    /// Only what reads as it is written: a time of day, a sign or a year of six digits is refused.
    fn from_str(text: &str) -> Result<Self, NotADate> {
        let date: Date = text.parse().map_err(|_| NotADate)?;
        let as_written = text.len() == "YYYY-MM-DD".len() && YEARS.contains(&date.year());
        as_written.then_some(Self(date)).ok_or(NotADate)
    }
}

impl Serialize for LocalDate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LocalDate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for LocalDate {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let number = i32::from(self.0.year()) * 10_000
            + i32::from(self.0.month()) * 100
            + i32::from(self.0.day());
        e.i32(number)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for LocalDate {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let number = d.i32()?;
        let wrong = || Error::message("not a date YYYYMMDD");
        let year = i16::try_from(number / 10_000).map_err(|_| wrong())?;
        if year < FIRST_DAY.year() {
            return Err(wrong());
        }
        let month = i8::try_from(number / 100 % 100).map_err(|_| wrong())?;
        let day = i8::try_from(number % 100).map_err(|_| wrong())?;
        Date::new(year, month, day).map(Self).map_err(|_| wrong())
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
    use utoipa::openapi::{RefOr, Schema};

    fn text(format: &str, example: &str) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(format.to_owned())))
            .examples([example])
            .into()
    }

    impl utoipa::PartialSchema for super::Timestamp {
        fn schema() -> RefOr<Schema> {
            text("date-time", "2026-11-22T01:00:00.000Z")
        }
    }

    impl utoipa::ToSchema for super::Timestamp {}

    impl utoipa::PartialSchema for super::LocalDate {
        fn schema() -> RefOr<Schema> {
            text("date", "2026-12-02")
        }
    }

    impl utoipa::ToSchema for super::LocalDate {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shanghai_day_begins_eight_hours_before_utc() {
        let late = Timestamp::parse("2026-11-21T16:00:00Z").unwrap();
        assert_eq!(late.shanghai_date().to_string(), "2026-11-22");
        assert_eq!(
            late.plus_millis(-1).shanghai_date().to_string(),
            "2026-11-21"
        );
    }

    #[test]
    fn a_day_ends_one_millisecond_before_the_next() {
        let day: LocalDate = "2026-11-22".parse().unwrap();
        assert_eq!(day.end_of_day().to_string(), "2026-11-22T15:59:59.999Z");
        assert_eq!(
            day.end_of_day().plus_millis(1).shanghai_date().to_string(),
            "2026-11-23"
        );
    }

    #[test]
    fn an_absurd_instant_has_the_nearest_day_there_is() {
        let never = Timestamp::from_millis(i64::MAX).shanghai_date();
        assert_eq!(never.to_string(), "9999-12-31");
        let always = Timestamp::from_millis(i64::MIN).shanghai_date();
        assert_eq!(always.to_string(), "0001-01-01");
        // Also those can be stored and read again.
        for day in [never, always] {
            let bytes = minicbor::to_vec(day).unwrap();
            assert_eq!(minicbor::decode::<LocalDate>(&bytes).unwrap(), day);
        }
    }

    #[test]
    fn a_date_that_nobody_writes_is_refused_before_it_is_stored() {
        for text in [
            "-000001-01-01",
            "0000-01-01",
            "1899-12-31",
            "2200-01-01",
            "+002026-01-01",
            "2026-11-22T10:00",
            "20261122",
            "2026-W47-7",
        ] {
            assert_eq!(text.parse::<LocalDate>(), Err(NotADate), "{text}");
            let json = serde_json::to_string(text).unwrap();
            let error = serde_json::from_str::<LocalDate>(&json).unwrap_err();
            assert!(error.to_string().contains("1900 to 2199"), "{error}");
        }
        for text in ["1900-01-01", "2199-12-31", "2028-02-29"] {
            let day: LocalDate = text.parse().unwrap();
            let bytes = minicbor::to_vec(day).unwrap();
            assert_eq!(minicbor::decode::<LocalDate>(&bytes).unwrap(), day);
        }
        for number in [-10_101_i32, 101, 1_231, i32::MAX, i32::MIN] {
            let bytes = minicbor::to_vec(number).unwrap();
            assert!(minicbor::decode::<LocalDate>(&bytes).is_err(), "{number}");
        }
    }

    #[test]
    fn what_a_broken_clock_says_is_still_shown_as_rfc_3339() {
        for ms in [i64::MIN, -62_167_219_200_001, 253_402_207_200_001, i64::MAX] {
            let shown = Timestamp::from_millis(ms).to_string();
            assert_eq!(shown.len(), "2026-11-22T01:00:00.000Z".len(), "{shown}");
            assert!(shown.ends_with('Z'), "{shown}");
        }
        assert_eq!(
            Timestamp::from_millis(-1).to_string(),
            "1969-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn absurd_years_are_refused_by_name() {
        let error = Timestamp::parse("9999-01-01T00:00:00Z").unwrap_err();
        assert!(error.to_string().contains("year"), "{error}");
        assert!(Timestamp::parse("1999-12-31T23:59:59Z").is_err());
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn both_forms_travel_through_json_and_cbor() {
        let at = Timestamp::parse("2026-11-22T01:02:03.456Z").unwrap();
        let day: LocalDate = "2026-02-28".parse().unwrap();
        let bytes = minicbor::to_vec((at, day)).unwrap();
        assert_eq!(
            minicbor::decode::<(Timestamp, LocalDate)>(&bytes).unwrap(),
            (at, day)
        );
        let text = serde_json::to_string(&(at, day)).unwrap();
        assert_eq!(text, r#"["2026-11-22T01:02:03.456Z","2026-02-28"]"#);
        assert_eq!(
            serde_json::from_str::<(Timestamp, LocalDate)>(&text).unwrap(),
            (at, day)
        );
        let wrong = minicbor::to_vec(20_261_399_i32).unwrap();
        assert!(minicbor::decode::<LocalDate>(&wrong).is_err());
    }
}

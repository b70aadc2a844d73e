//! One year's published working days as a record: what an import stores and devices receive.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::{CalendarRow, DayMark, MIN_HOLIDAYS_OF_A_TABLE, WorkdayCalendar};
use crate::hash::Digest;
use crate::refusal::Refusal;
use crate::text::{self, SHORT_TEXT_MAX};
use crate::time::LocalDate;

/// The most days that one year's table marks.
pub const MAX_DAYS_OF_A_TABLE: usize = 366;
/// The years for which a table can be imported.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// One marked day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct CalendarDay {
    /// The day.
    #[n(0)]
    pub date: LocalDate,
    /// What it is.
    #[n(1)]
    pub kind: DayMark,
    /// The holiday it belongs to, such as 春节.
    #[n(2)]
    #[serde(default)]
    pub occasion: String,
}

/// One year's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct CalendarYear {
    /// The year.
    #[n(0)]
    pub year: i16,
    /// Its marked days, ascending.
    #[n(1)]
    pub days: Vec<CalendarDay>,
    /// Where it was published: the notice of the State Council's General Office.
    #[n(2)]
    pub source: String,
    /// Counts changes; the ETag.
    #[n(3)]
    pub version: i64,
}

impl CalendarYear {
    /// The id under which devices hold the table of `year`: the same on every server.
    pub fn record_id(year: i16) -> Uuid {
        let name = Digest::sha256_of_parts(&[b"hazardloop calendar", &year.to_be_bytes()]);
        let mut bytes = [0; 16];
        for (byte, of_name) in bytes.iter_mut().zip(name.as_bytes()) {
            *byte = *of_name;
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Checks a table before it is stored.
    ///
    /// # Errors
    /// A refusal that names the field: a year out of range, a day of another year, out of order or
    /// twice, fewer holidays than any year has.
    pub fn check(&self) -> Result<(), Refusal> {
        if !YEARS.contains(&self.year) {
            return Err(Refusal::invalid_field("year", "must be 2000 to 2199"));
        }
        text::required("source", &self.source, SHORT_TEXT_MAX)?;
        if self.days.len() > MAX_DAYS_OF_A_TABLE {
            return Err(Refusal::invalid_field("days", "are more than a year has"));
        }
        let mut before = None;
        for (index, day) in self.days.iter().enumerate() {
            let at = |part: &str| format!("days[{index}].{part}");
            text::optional(&at("occasion"), Some(&day.occasion), SHORT_TEXT_MAX)?;
            if day.date.date().year() != self.year {
                return Err(Refusal::invalid_field(&at("date"), "is of another year"));
            }
            if before >= Some(day.date) {
                return Err(Refusal::invalid_field(
                    &at("date"),
                    "does not come after the day before it",
                ));
            }
            before = Some(day.date);
        }
        let off = self.days.iter().filter(|day| day.kind == DayMark::Holiday);
        if off.count() < MIN_HOLIDAYS_OF_A_TABLE {
            return Err(Refusal::invalid_field(
                "days",
                "hold fewer holidays than any year's table has",
            ));
        }
        Ok(())
    }

    /// Its rows, as a calendar takes them.
    pub fn rows(&self) -> impl Iterator<Item = CalendarRow> + '_ {
        self.days.iter().map(|day| CalendarRow {
            date: day.date.date(),
            mark: day.kind,
            occasion: day.occasion.clone(),
        })
    }
}

impl WorkdayCalendar {
    /// This calendar with other tables for some years.
    pub fn with_years<'a>(&self, years: impl IntoIterator<Item = &'a CalendarYear>) -> Self {
        let mut calendar = self.clone();
        for table in years {
            calendar.replace_year(table.year, table.rows());
        }
        calendar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, kind: DayMark) -> CalendarDay {
        CalendarDay {
            date: text.parse().unwrap(),
            kind,
            occasion: "节".to_owned(),
        }
    }

    fn table() -> CalendarYear {
        let days = (1..=13).map(|n| day(&format!("2027-01-{n:02}"), DayMark::Holiday));
        CalendarYear {
            year: 2027,
            days: days.collect(),
            source: "国办发明电〔2026〕9号".to_owned(),
            version: 1,
        }
    }

    #[test]
    fn a_table_is_of_one_year_in_order_and_complete() {
        table().check().unwrap();
        type Change = fn(&mut CalendarYear);
        let wrong: [(&str, Change); 6] = [
            ("year", |t| t.year = 1999),
            ("source", |t| t.source.clear()),
            ("days[12].date", |t| {
                t.days[12] = day("2028-01-13", DayMark::Holiday);
            }),
            ("days[1].date", |t| t.days.swap(0, 1)),
            ("days", |t| t.days.truncate(5)),
            ("days", |t| t.days = vec![t.days[0].clone(); 367]),
        ];
        for (field, change) in wrong {
            let mut table = table();
            change(&mut table);
            assert_eq!(table.check().unwrap_err().field.as_deref(), Some(field));
        }
    }

    #[test]
    fn another_table_replaces_the_whole_year_and_no_other() {
        let text = include_str!("../../catalog/calendars/china-workdays-2020-2026.csv");
        let shipped = WorkdayCalendar::from_rows(crate::calendar::parse_calendar(text).unwrap());
        let date = |text: &str| text.parse::<LocalDate>().unwrap().date();
        let with = shipped.with_years([&table()]);
        assert!(with.published_years().eq(2020..=2027));
        assert!(!with.is_workday(date("2027-01-13")).provisional);
        assert!(!with.is_workday(date("2027-01-13")).workday);
        assert!(!with.is_workday(date("2026-10-01")).workday);
        let corrected = CalendarYear {
            days: table().days.split_off(1),
            ..table()
        };
        let again = with.with_years([&corrected]);
        assert!(
            again.is_workday(date("2027-01-01")).workday,
            "2027-01-01 is a Friday"
        );
    }

    #[test]
    fn a_table_travels_and_has_one_id_a_year() {
        let bytes = minicbor::to_vec(table()).unwrap();
        assert_eq!(minicbor::decode::<CalendarYear>(&bytes).unwrap(), table());
        assert_eq!(CalendarYear::record_id(2027), CalendarYear::record_id(2027));
        assert_ne!(CalendarYear::record_id(2027), CalendarYear::record_id(2028));
    }
}

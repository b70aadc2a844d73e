//! Due dates against the published tables of 2020 to 2026, and what happens beyond them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use jiff::civil::date;
use proptest::prelude::*;

const TABLES: &str = include_str!("../../catalog/calendars/china-workdays-2020-2026.csv");

fn calendar() -> WorkdayCalendar {
    WorkdayCalendar::from_rows(parse_calendar(TABLES).unwrap())
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn working_days_are_added_over_holidays_and_make_up_days() {
    let vectors = [
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-02-13", 10, "2026-03-05"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-24", 10, "2026-10-15"),
        ("2025-09-30", 7, "2025-10-16"),
        ("2024-09-13", 5, "2024-09-23"),
    ];
    for (start, days, due) in vectors {
        let found = calendar()
            .add_days(day(start), days, DayKind::Working, EndOnDayOff::Keep)
            .unwrap();
        assert_eq!(
            found,
            Due {
                date: day(due),
                provisional: false
            },
            "{start} + {days}"
        );
    }
}

#[test]
fn the_years_have_their_published_number_of_working_days() {
    for (year, expected) in [(2024, 251), (2025, 248), (2026, 248)] {
        let worked = date(year, 1, 1)
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.year() == year)
            .filter(|day| calendar().is_workday(*day).workday)
            .count();
        assert_eq!(worked, expected, "{year}");
    }
}

#[test]
fn every_make_up_day_falls_on_a_weekend() {
    for row in parse_calendar(TABLES).unwrap() {
        if row.mark == DayMark::Workday {
            let weekday = row.date.weekday();
            assert!(
                matches!(weekday, Weekday::Saturday | Weekday::Sunday),
                "{}",
                row.date
            );
        }
    }
}

#[test]
fn the_tables_carried_are_2020_to_2026() {
    assert_eq!(
        calendar().published_years().collect::<Vec<_>>(),
        (2020..=2026).collect::<Vec<_>>()
    );
}

#[test]
fn a_year_without_a_table_is_monday_to_friday_and_says_so() {
    let new_year = calendar().is_workday(day("2027-01-01"));
    assert_eq!(
        new_year,
        DayAnswer {
            workday: true,
            provisional: true
        }
    );
    let saturday = calendar().is_workday(day("2027-01-02"));
    assert_eq!(
        saturday,
        DayAnswer {
            workday: false,
            provisional: true
        }
    );
    let within = calendar().add_days(day("2026-12-24"), 4, DayKind::Working, EndOnDayOff::Keep);
    assert_eq!(
        within,
        Ok(Due {
            date: day("2026-12-30"),
            provisional: false
        })
    );
    let across = calendar().add_days(day("2026-12-30"), 2, DayKind::Working, EndOnDayOff::Keep);
    assert_eq!(
        across,
        Ok(Due {
            date: day("2027-01-01"),
            provisional: true
        })
    );
}

#[test]
fn a_stray_row_marks_its_day_without_making_a_table() {
    let row = CalendarRow {
        date: day("2027-01-01"),
        mark: DayMark::Holiday,
        occasion: "元旦".to_owned(),
    };
    let calendar = WorkdayCalendar::from_rows([row]);
    assert_eq!(
        calendar.is_workday(day("2027-01-01")),
        DayAnswer {
            workday: false,
            provisional: false
        }
    );
    assert!(calendar.is_workday(day("2027-01-04")).provisional);
}

#[test]
fn calendar_days_end_on_a_day_off_or_roll_as_asked() {
    let due = |start, days, end| calendar().add_days(day(start), days, DayKind::Calendar, end);
    // 2026-10-03 is in the National Day holiday, which ends on the 7th.
    let kept = due("2026-09-23", 10, EndOnDayOff::Keep);
    assert_eq!(
        kept,
        Ok(Due {
            date: day("2026-10-03"),
            provisional: false
        })
    );
    let rolled = due("2026-09-23", 10, EndOnDayOff::NextWorkday);
    assert_eq!(
        rolled,
        Ok(Due {
            date: day("2026-10-08"),
            provisional: false
        })
    );
    // A Sunday that is worked is no day off.
    let make_up = due("2026-09-10", 10, EndOnDayOff::NextWorkday);
    assert_eq!(
        make_up,
        Ok(Due {
            date: day("2026-09-20"),
            provisional: false
        })
    );
    let unknown = due("2026-12-22", 11, EndOnDayOff::NextWorkday);
    assert_eq!(
        unknown,
        Ok(Due {
            date: day("2027-01-04"),
            provisional: true
        })
    );
}

#[test]
fn no_days_end_on_the_first_day() {
    let due = calendar().add_days(day("2026-10-03"), 0, DayKind::Working, EndOnDayOff::Keep);
    assert_eq!(
        due,
        Ok(Due {
            date: day("2026-10-03"),
            provisional: false
        })
    );
}

#[test]
fn endless_periods_and_dates_are_refused() {
    let add = |start, days, kind| calendar().add_days(start, days, kind, EndOnDayOff::NextWorkday);
    for kind in [DayKind::Calendar, DayKind::Working] {
        assert_eq!(
            add(day("2026-01-01"), MAX_DAYS_ADDED + 1, kind),
            Err(DueError::TooLong)
        );
        assert!(add(day("2026-01-01"), MAX_DAYS_ADDED, kind).is_ok());
        assert_eq!(add(date(9999, 12, 31), 1, kind), Err(DueError::OutOfRange));
    }
}

#[test]
fn a_day_ends_at_midnight_in_shanghai() {
    let end = end_of_day_shanghai(day("2026-03-05"));
    assert_eq!(end.to_string(), "2026-03-05T15:59:59.999Z");
    // Daylight saving was last in force in 1991, and is not applied to any date.
    let summer = end_of_day_shanghai(day("1990-07-01"));
    assert_eq!(summer.to_string(), "1990-07-01T15:59:59.999Z");
}

#[test]
fn wrong_lines_are_named_one_by_one() {
    let text = "date,kind,occasion\r\n2027-01-01,holiday,元旦\n\n2027-13-01,holiday,元旦\n\
                2027-01-02,rest,元旦\n2027-01-03,holiday\n2027-01-01,workday,元旦\n\
                2027-01-04T00:00,holiday,元旦\n";
    let error = parse_calendar(text).unwrap_err();
    let found: Vec<_> = error
        .lines
        .iter()
        .map(|wrong| (wrong.line, wrong.problem))
        .collect();
    assert_eq!(
        found,
        [
            (4, CalendarLineProblem::Date),
            (5, CalendarLineProblem::Kind),
            (6, CalendarLineProblem::Fields),
            (7, CalendarLineProblem::Duplicate),
            (8, CalendarLineProblem::Date),
        ]
    );
    assert!(
        error.to_string().starts_with("第 4 行 / line 4: "),
        "{error}"
    );
}

#[test]
fn a_text_without_its_header_or_without_end_is_refused() {
    for text in ["", "2027-01-01,holiday,元旦\n"] {
        let error = parse_calendar(text).unwrap_err();
        assert_eq!(
            error.lines,
            [CalendarLineError {
                line: 1,
                problem: CalendarLineProblem::Header
            }]
        );
    }
    let long = format!("{CALENDAR_HEADER}\n{}", "\n".repeat(MAX_CALENDAR_LINES));
    let error = parse_calendar(&long).unwrap_err();
    assert_eq!(error.lines[0].problem, CalendarLineProblem::TooManyLines);
    let wrong = format!("{CALENDAR_HEADER}\n{}", "x\n".repeat(1_000));
    assert_eq!(
        parse_calendar(&wrong).unwrap_err().lines.len(),
        MAX_LINES_REPORTED
    );
}

#[test]
fn the_file_with_a_byte_order_mark_and_crlf_reads_alike() {
    let exported = format!("\u{feff}{}", TABLES.replace('\n', "\r\n"));
    assert_eq!(parse_calendar(&exported), parse_calendar(TABLES));
}

proptest! {
    #[test]
    fn a_period_of_working_days_holds_exactly_that_many(offset in 0..1_800i32, days in 0..60u32) {
        let calendar = calendar();
        let start = date(2020, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
        let due = calendar.add_days(start, days, DayKind::Working, EndOnDayOff::Keep).unwrap();
        let counted = start
            .series(jiff::Span::new().days(1))
            .skip(1)
            .take_while(|day| *day <= due.date)
            .filter(|day| calendar.is_workday(*day).workday)
            .count();
        prop_assert_eq!(counted, days as usize);
        prop_assert!(days == 0 || calendar.is_workday(due.date).workday);
    }
}

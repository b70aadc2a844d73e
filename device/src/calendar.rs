//! The working days that this build knows, so that days can be counted without a network.

use std::sync::Arc;

use hazardloop_domain::calendar::{WorkdayCalendar, parse_calendar};

/// `catalog/calendars/`; where it comes from is said in `catalog/README.md`.
const SHIPPED: &str = include_str!("../../catalog/calendars/china-workdays-2020-2026.csv");

/// The shipped table. What it does not know is counted Monday to Friday and shown as provisional.
pub fn shipped() -> Arc<WorkdayCalendar> {
    let rows = parse_calendar(SHIPPED).unwrap_or_default();
    Arc::new(WorkdayCalendar::from_rows(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_read_whole() {
        let years: Vec<i16> = shipped().published_years().collect();
        assert_eq!(years, (2020..=2026).collect::<Vec<i16>>());
    }
}

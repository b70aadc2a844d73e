//! The published working days that due dates are counted by.

use std::sync::{Arc, PoisonError, RwLock};

use hazardloop_domain::calendar::{WorkdayCalendar, parse_calendar};

use crate::failure::Failure;

/// The tables that this build was shipped with; see `catalog/README.md` for their source.
const SHIPPED: &str = include_str!("../../../catalog/calendars/china-workdays-2020-2026.csv");

/// The working days that this server knows.
#[derive(Debug, Default)]
pub struct Calendar {
    current: RwLock<Arc<WorkdayCalendar>>,
}

impl Calendar {
    /// The shipped tables.
    ///
    /// # Errors
    /// When they cannot be read, which a test rules out.
    pub fn shipped() -> Result<Self, Failure> {
        let rows = parse_calendar(SHIPPED)
            .map_err(|error| Failure::Internal(format!("the shipped calendar: {error}")))?;
        Ok(Self {
            current: RwLock::new(Arc::new(WorkdayCalendar::from_rows(rows))),
        })
    }

    /// The working days as they are known now.
    pub fn now(&self) -> Arc<WorkdayCalendar> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_are_those_of_2020_to_2026() {
        let calendar = Calendar::shipped().unwrap().now();
        assert!(calendar.published_years().eq(2020..=2026));
    }
}

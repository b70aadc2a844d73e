//! The number by which people quote a hazard: made from its id, so that a device can show it
//! before any server has seen the report, and it never changes.

use crate::ids::HazardId;
use crate::number::number;

/// `HZ-` + day of the id's making (YYMMDD, Asia/Shanghai) + `-` + 8 digits from its random part.
pub fn hazard_number(id: HazardId) -> String {
    number("HZ", id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_tells_the_shanghai_day_and_differs_with_the_random_part() {
        let one: HazardId = "019ab000-0000-7000-8000-0000000000ff".parse().unwrap();
        let two: HazardId = "019ab000-0000-7000-8000-0000000000fe".parse().unwrap();
        let number = hazard_number(one);
        assert_eq!(number, "HZ-251123-0000007Z");
        assert_ne!(number, hazard_number(two));
    }
}

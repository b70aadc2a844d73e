//! The number by which people quote a hazard: made from its id, so that a device can show it
//! before any server has seen the report, and it never changes.

use crate::ids::HazardId;
use crate::time::Timestamp;

/// No I, L, O, U: read aloud and written by hand without mistakes (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `HZ-` + day of the id's making (YYMMDD, Asia/Shanghai) + `-` + 8 digits from its random part.
pub fn hazard_number(id: HazardId) -> String {
    let bytes = id.as_bytes();
    let ms = bytes
        .iter()
        .take(6)
        .fold(0_i64, |ms, byte| (ms << 8) | i64::from(*byte));
    let date = Timestamp::from_millis(ms).shanghai_date().date();
    let random = bytes
        .iter()
        .skip(11)
        .fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    let digits: String = (0..8)
        .rev()
        .filter_map(|place| DIGITS.get(((random >> (5 * place)) & 31) as usize))
        .map(|digit| char::from(*digit))
        .collect();
    format!(
        "HZ-{:02}{:02}{:02}-{digits}",
        date.year().rem_euclid(100),
        date.month(),
        date.day()
    )
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

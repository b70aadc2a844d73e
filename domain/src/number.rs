//! Numbers that people quote, made from the ids of what they number.

use crate::time::Timestamp;

/// No I, L, O, U: read aloud and written by hand without mistakes (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `prefix` + `-` + day of the id's making (YYMMDD, Asia/Shanghai) + `-` + 8 digits from its
/// random part. `id`: a UUID of version 7.
pub(crate) fn number(prefix: &str, id: &[u8; 16]) -> String {
    let ms = id
        .iter()
        .take(6)
        .fold(0_i64, |ms, byte| (ms << 8) | i64::from(*byte));
    let date = Timestamp::from_millis(ms).shanghai_date().date();
    let random = id
        .iter()
        .skip(11)
        .fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    let digits: String = (0..8)
        .rev()
        .filter_map(|place| DIGITS.get(((random >> (5 * place)) & 31) as usize))
        .map(|digit| char::from(*digit))
        .collect();
    format!(
        "{prefix}-{:02}{:02}{:02}-{digits}",
        date.year().rem_euclid(100),
        date.month(),
        date.day()
    )
}

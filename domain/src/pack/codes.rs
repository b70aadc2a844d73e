//! The order of codes, as people count.

use std::cmp::Ordering;

/// `GM-10-9` before `GM-10-11`: numbers within codes by their value.
pub fn by_code(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('-'), b.split('-'));
    loop {
        let (one, other) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(one), Some(other)) => (one, other),
        };
        // Numbers before names, or the order would have circles.
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b).then_with(|| one.cmp(other)),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_codes_go_by_their_value_and_stand_before_names() {
        let mut codes = ["GM-10-11", "GM-B", "GM-10-9", "GM", "GM-10", "GM-10-9-1"];
        codes.sort_by(|a, b| by_code(a, b));
        let expected = ["GM", "GM-10", "GM-10-9", "GM-10-9-1", "GM-10-11", "GM-B"];
        assert_eq!(codes, expected);
    }
}

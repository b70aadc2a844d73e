//! Many rows in few statements, each of them prepared once.
//!
//! A statement with as many rows as there happen to be is a new text each time, parsed and planned
//! anew. So rows are written in arrays of a few fixed lengths: every text comes again, and a
//! connection remembers no more than a handful for each table.

/// Lengths that rows are cut into, longest first. The longest keeps the widest table's statement
/// far below the parameters that either database takes (32,766 and 65,535).
pub(super) const LENGTHS: [usize; 7] = [32, 16, 8, 4, 3, 2, 1];

/// Takes the longest array of [`LENGTHS`] off the front of `rows`: its length, 0 when none are left.
pub(super) fn next_length<T>(rows: &[T]) -> usize {
    let fits = |length: &usize| *length <= rows.len();
    LENGTHS.into_iter().find(fits).unwrap_or(0)
}

/// The first `N` of `rows`, which has at least as many.
pub(super) fn take<T, const N: usize>(rows: &mut Vec<T>) -> Option<[T; N]> {
    if rows.len() < N {
        return None;
    }
    let rest = rows.split_off(N);
    std::mem::replace(rows, rest).try_into().ok()
}

/// Hands `rows` in arrays of fixed lengths to a function that is generic over the length:
/// `in_arrays!(rows, |array| insert(conn, array)?)`.
macro_rules! in_arrays {
    ($rows:expr, |$array:ident| $insert:expr) => {{
        let mut rows = $rows;
        loop {
            match $crate::store::batch::next_length(&rows) {
                32 => $crate::store::batch::in_arrays!(@one rows, 32, $array, $insert),
                16 => $crate::store::batch::in_arrays!(@one rows, 16, $array, $insert),
                8 => $crate::store::batch::in_arrays!(@one rows, 8, $array, $insert),
                4 => $crate::store::batch::in_arrays!(@one rows, 4, $array, $insert),
                3 => $crate::store::batch::in_arrays!(@one rows, 3, $array, $insert),
                2 => $crate::store::batch::in_arrays!(@one rows, 2, $array, $insert),
                1 => $crate::store::batch::in_arrays!(@one rows, 1, $array, $insert),
                _ => break,
            }
        }
    }};
    (@one $rows:ident, $length:literal, $array:ident, $insert:expr) => {
        if let Some($array) = $crate::store::batch::take::<_, $length>(&mut $rows) {
            $insert;
        }
    };
}
pub(super) use in_arrays;

#[cfg(test)]
mod tests {
    use super::{LENGTHS, next_length};

    #[test]
    fn every_row_comes_once_and_in_order_whatever_their_number() {
        for count in 0..200_usize {
            let rows: Vec<usize> = (0..count).collect();
            let mut seen = Vec::new();
            let mut lengths = Vec::new();
            in_arrays!(rows, |array| {
                lengths.push(array.len());
                seen.extend(array);
            });
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
            assert!(lengths.iter().all(|length| LENGTHS.contains(length)));
        }
        assert_eq!(next_length::<u8>(&[]), 0);
    }
}

//! Who answers for a sector, level by level, and what a matrix may say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn place(number: u128) -> JurisdictionId {
    JurisdictionId(uuid::Uuid::from_u128(number))
}

fn matrix(rows: &[(&str, &str)], fallback: Option<&str>) -> Matrix {
    let rows = rows.iter();
    Matrix {
        rows: rows
            .map(|(sector, department)| ((*sector).to_owned(), (*department).to_owned()))
            .collect(),
        fallback: fallback.map(str::to_owned),
    }
}

fn asked(way: &[Matrix], sector: &str) -> (Basis, Option<String>, Option<u128>) {
    let way: Vec<_> = way
        .iter()
        .zip(1..)
        .map(|(matrix, number)| (place(number), matrix))
        .collect();
    let answer = answering(&way, sector);
    assert_eq!(answer.is_somebody(), answer.department.is_some());
    let said_by = answer.said_by.map(|id| id.0.as_u128());
    (answer.basis, answer.department, said_by)
}

#[test]
fn the_nearest_that_names_the_sector_answers_and_the_nearest_fallback_for_the_rest() {
    let city = matrix(&[("燃气", "市经信委"), ("煤矿", "市局")], Some("市应急局"));
    let district = matrix(&[("燃气", "区经信委")], Some("区应急局"));
    let town = matrix(&[("煤矿", "镇煤管站")], None);
    let way = [city, district, town];
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(asked(&way, "煤矿"), (Basis::Own, some("镇煤管站"), Some(3)));
    assert_eq!(
        asked(&way, "燃气"),
        (Basis::Inherited, some("区经信委"), Some(2))
    );
    assert_eq!(
        asked(&way, "露营地"),
        (Basis::Fallback, some("区应急局"), Some(2))
    );
    // A row far up is heard before a fallback that is near.
    assert_eq!(
        asked(&way[..2], "煤矿"),
        (Basis::Inherited, some("市局"), Some(1))
    );
    assert_eq!(asked(&way[2..], "燃气"), (Basis::None, None, None));
    assert_eq!(asked(&[], "燃气"), (Basis::None, None, None));
}

#[test]
fn a_matrix_that_says_nothing_clear_is_refused_by_its_field() {
    let long = "行".repeat(SECTOR_MAX + 1);
    let wordy = "局".repeat(SHORT_TEXT_MAX + 1);
    for (wrong, field) in [
        (matrix(&[("", "局")], None), "rows[].sector"),
        (matrix(&[(" 燃气", "局")], None), "rows[ 燃气].sector"),
        (matrix(&[("燃\n气", "局")], None), "rows[燃\n气].sector"),
        (
            matrix(&[(&long, "局")], None),
            &*format!("rows[{long}].sector"),
        ),
        (matrix(&[("燃气", " ")], None), "rows[燃气].department"),
        (matrix(&[("燃气", &wordy)], None), "rows[燃气].department"),
        (matrix(&[], Some(" ")), "fallback"),
    ] {
        let refusal = wrong.check(10).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
    let two = matrix(&[("燃气", "局"), ("煤矿", "局")], Some("局"));
    assert_eq!(two.check(2), Ok(()));
    assert_eq!(two.check(1).unwrap_err().field.as_deref(), Some("rows"));
}

#[test]
fn only_what_is_named_no_longer_may_leave_hazards_without_a_department() {
    let before = matrix(&[("燃气", "甲局")], Some("丙局"));
    for (after, loses) in [
        (
            matrix(&[("燃气", "乙局"), ("煤矿", "局")], Some("丁局")),
            false,
        ),
        (matrix(&[("煤矿", "局")], Some("丙局")), true),
        (matrix(&[("燃气", "甲局")], None), true),
    ] {
        assert_eq!(before.loses_something(&after), loses, "{after:?}");
    }
    assert!(!Matrix::default().loses_something(&before));
}

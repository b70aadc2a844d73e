//! What people type finds what people wrote, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

/// A row of the sample: place, description, both normalised, and its grams.
struct Row(String, String, String, BTreeSet<Gram>);

fn corpus() -> Vec<Row> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../catalog/samples/hazard-corpus.tsv"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let (place, description) = (fields[3], fields[4]);
        let normal = normalise_all([place, description]);
        let grams = grams(&normal);
        Row(place.to_owned(), description.to_owned(), normal, grams)
    });
    rows.collect()
}

/// The rows that a query finds by its grams alone, and those among them that match.
fn found(rows: &[Row], text: &str) -> (Vec<usize>, Vec<usize>) {
    let query = Query::new(text).unwrap();
    let wanted = query.grams();
    let (mut by_grams, mut matching) = (Vec::new(), Vec::new());
    for (number, Row(_, _, normal, grams)) in rows.iter().enumerate() {
        if wanted.is_subset(grams) {
            by_grams.push(number);
            if query.matches(normal) {
                matching.push(number);
            }
        }
    }
    (by_grams, matching)
}

fn containing(rows: &[Row], words: &[&str]) -> Vec<usize> {
    let holds = |Row(place, description, ..): &Row| {
        let holds = |word: &&str| place.contains(word) || description.contains(word);
        words.iter().all(holds)
    };
    (0..rows.len()).filter(|row| holds(&rows[*row])).collect()
}

#[test]
fn two_characters_find_exactly_the_rows_that_hold_them() {
    let rows = corpus();
    assert_eq!(rows.len(), 600);
    for word in ["粉尘", "除尘器", "泄爆", "安全", "尘", "配电箱", "可燃气体"] {
        let expected = containing(&rows, &[word]);
        assert!(!expected.is_empty(), "{word}");
        assert_eq!(found(&rows, word).1, expected, "{word}");
    }
    let both = containing(&rows, &["除尘器", "泄爆"]);
    assert!(!both.is_empty());
    assert_eq!(found(&rows, "泄爆　除尘器").1, both);
    assert_eq!(found(&rows, "泄爆，除尘器。").1, both);
    assert!(found(&rows, "除尘器 龙卷风").1.is_empty());
}

#[test]
fn any_part_of_a_sentence_finds_its_row() {
    let rows = corpus();
    let mut alone = 0;
    for (number, Row(_, description, ..)) in rows.iter().enumerate() {
        let characters: Vec<char> = description.chars().collect();
        let from = (number * 7) % characters.len().saturating_sub(12).max(1);
        let part: String = characters.iter().skip(from).take(12).collect();
        let (by_grams, matching) = found(&rows, &part);
        assert!(matching.contains(&number), "{part}");
        // The grams leave next to nothing to be read in vain.
        assert!(by_grams.len() <= matching.len() + 1, "{part}");
        alone += usize::from(matching.len() == 1);
    }
    assert!(
        alone >= 590,
        "{alone} of {} rows are found alone",
        rows.len()
    );
}

#[test]
fn forms_of_writing_are_one() {
    for (written, typed) in [
        ("ＬＥＤ灯（２＃）", "led灯"),
        ("风量8000m³/h", "8000M3"),
        ("面积20㎡", "20m2"),
        ("HZ-261122-0000007Z", "hz-261122-0000007z"),
        ("Dust on beams", "DUST"),
        ("第Ⅱ类", "ii类"),
        ("3～5mm", "3~5MM"),
    ] {
        let query = Query::new(typed).unwrap();
        let normal = normalise(written);
        assert!(query.matches(&normal), "{typed} in {normal}");
        assert!(query.grams().is_subset(&grams(&normal)), "{typed}");
    }
    assert!(!Query::new("尘粉").unwrap().matches(&normalise("粉尘")));
    // Across punctuation nothing is one word.
    assert!(!Query::new("粉尘").unwrap().matches(&normalise("粉，尘")));
}

#[test]
fn nothing_and_too_much_are_errors() {
    for nothing in ["", "  ", "，。！", "\u{0}", "-_-"] {
        assert_eq!(Query::new(nothing), Err(QueryError::Nothing), "{nothing:?}");
    }
    assert!(Query::new(&"尘".repeat(QUERY_MAX)).is_ok());
    let long = "尘".repeat(QUERY_MAX + 1);
    assert_eq!(Query::new(&long), Err(QueryError::TooLong));
}

proptest! {
    #[test]
    fn what_matches_has_the_grams(text in ".{0,60}", from in 0_usize..40, length in 1_usize..20) {
        let part: String = text.chars().skip(from).take(length).collect();
        if let Ok(query) = Query::new(&part) {
            let normal = normalise(&text);
            if query.matches(&normal) {
                prop_assert!(query.grams().is_subset(&grams(&normal)));
            }
        }
    }

    #[test]
    fn normal_text_stays_as_it_is(text in ".{0,60}") {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once.clone());
        prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
    }
}

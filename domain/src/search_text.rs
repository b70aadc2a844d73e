//! Text search that finds 粉尘: text is cut into runs of letters and digits, runs into single characters and
//! pairs of neighbours, and a query asks for the pairs. No dictionary: what was written is found as it was
//! written, in Chinese, English and numbers alike, on the server's index and on a device's replica.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// The longest query, characters.
pub const QUERY_MAX: usize = 200;

/// A character takes 21 bits.
const CHARACTER_BITS: u32 = 21;

/// Text as it is compared: compatibility forms made one (NFKC: full width, ㎡, Ⅱ), small letters, and every run of
/// letters and digits set apart by one space from the next. Punctuation is not compared.
pub fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            normal.push(c);
        } else if !normal.is_empty() && !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    if normal.ends_with(' ') {
        normal.pop();
    }
    normal
}

/// Several texts as one, as if they stood beside one another.
pub fn normalise_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for text in texts {
        let normal = normalise(text);
        if !all.is_empty() && !normal.is_empty() {
            all.push(' ');
        }
        all += &normal;
    }
    all
}

/// One character, or two that stand beside one another in a run, as a number below 2^42.
pub type Gram = i64;

fn one(c: char) -> Gram {
    Gram::from(u32::from(c))
}

fn two(first: char, second: char) -> Gram {
    (one(first) << CHARACTER_BITS) | one(second)
}

/// What an index keeps of normalised text: each character and each pair of neighbours, once.
pub fn grams(normalised: &str) -> BTreeSet<Gram> {
    let mut grams = BTreeSet::new();
    let mut before = None;
    for c in normalised.chars() {
        if c == ' ' {
            before = None;
            continue;
        }
        grams.insert(one(c));
        if let Some(before) = before {
            grams.insert(two(before, c));
        }
        before = Some(c);
    }
    grams
}

/// Why a text cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No letter and no digit in it.
    #[error("holds no letter and no digit to search for")]
    Nothing,
    /// Longer than [`QUERY_MAX`].
    #[error("has more than {QUERY_MAX} characters")]
    TooLong,
}

/// What is searched for: runs of letters and digits, each of which must occur, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Longest first; none is part of another.
    terms: Vec<String>,
}

impl Query {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`QueryError`] when there is nothing to search for, or too much.
    pub fn new(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > QUERY_MAX {
            return Err(QueryError::TooLong);
        }
        let normal = normalise(text);
        let mut runs: Vec<&str> = normal.split(' ').filter(|run| !run.is_empty()).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
        let mut terms: Vec<String> = Vec::new();
        for run in runs {
            if !terms.iter().any(|term| term.contains(run)) {
                terms.push(run.to_owned());
            }
        }
        if terms.is_empty() {
            return Err(QueryError::Nothing);
        }
        Ok(Self { terms })
    }

    /// The terms as text: what reads as the same query.
    pub fn text(&self) -> String {
        self.terms.join(" ")
    }

    /// Whether every term occurs in text that was [normalised](normalise).
    pub fn matches(&self, normalised: &str) -> bool {
        self.terms.iter().all(|term| normalised.contains(term))
    }

    /// The grams that a text must have to match: the pairs of each term, or its only character.
    pub fn grams(&self) -> BTreeSet<Gram> {
        let mut needed = BTreeSet::new();
        for term in &self.terms {
            let all = grams(term);
            let pairs = all.iter().filter(|gram| **gram >= 1 << CHARACTER_BITS);
            match term.chars().count() {
                1 => needed.extend(all),
                _ => needed.extend(pairs),
            }
        }
        needed
    }
}

#[cfg(test)]
#[path = "search_text_tests.rs"]
mod tests;

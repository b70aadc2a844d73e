//! Finds the criteria that fit what an inspector types, without any service: on a server, on a device
//! without signal, in a browser.
//!
//! Chinese is cut into pairs of characters (and, at less weight, single ones), Latin script into words.
//! Each criterion is scored by BM25 over its text, its check and the words that people use for its terms
//! ([`super::Wording`]); criteria of the asker's sector count for more, those that cannot be cited for less.

use std::collections::BTreeMap;

use super::criterion::{Citability, Criterion};
use super::document::PackHead;

/// How soon more of the same term in one criterion stops to count (BM25's k1).
const SATURATION: f64 = 0.9;
/// How far long criteria are held to be wordy (BM25's b).
const LENGTH_PENALTY: f64 = 0.4;
/// What a single Chinese character weighs beside a pair.
const SINGLE: f64 = 0.3;
/// What a term of the English text weighs beside the Chinese one.
const ENGLISH: f64 = 0.5;
/// What a word weighs that people use for a term of the criterion.
const SYNONYM: f64 = 0.5;
/// What the name of the sector weighs beside the question itself.
const SECTOR_NAME: f64 = 0.5;
/// How much more a criterion of the asker's sector counts.
const SECTOR: f64 = 3.0;
/// How much less a mere pointer to a clause counts.
const POINTER: f64 = 0.7;
/// How much less a criterion counts that cannot be cited.
const NOT_CITABLE: f64 = 0.3;
/// What a term of the question counts for at most, however often it is said.
const REPEATED_MAX: f64 = 2.0;

/// Remarks within the texts that say nothing about a hazard.
const REMARKS: [&str; 5] = [
    "主题：",
    "（条件待按原文录入）",
    "（原文后段待录）",
    "待按原文录入",
    "（2017版）",
];

/// A criterion that fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place in the list that the index was made from.
    pub at: usize,
    /// How well it fits; comparable within one search alone.
    pub score: f64,
}

/// An index over criteria.
#[derive(Debug, Default)]
pub struct CriteriaSearch {
    /// For each term the criteria that have it, and with what weight.
    postings: BTreeMap<String, Vec<(usize, f64)>>,
    documents: Vec<Document>,
    average_length: f64,
    /// What each sector goes by, and its code.
    sector_names: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Document {
    length: f64,
    sector: String,
    factor: f64,
}

type Terms = BTreeMap<String, f64>;

impl CriteriaSearch {
    /// Makes the index of `criteria`, with the words and sector names of `packs`.
    pub fn new<'a>(criteria: impl IntoIterator<Item = &'a Criterion>, packs: &[PackHead]) -> Self {
        let mut index = Self::default();
        for head in packs {
            for sector in &head.sectors {
                let names = [&sector.code, &sector.zh, &sector.en];
                for name in names.into_iter().chain(&sector.aliases) {
                    let known = index.sector_names.entry(name.to_lowercase());
                    known.or_insert_with(|| sector.code.clone());
                }
            }
        }
        let mut whole = 0.0;
        for (at, criterion) in criteria.into_iter().enumerate() {
            let head = packs.iter().find(|head| head.name == criterion.pack);
            let terms = terms_of(criterion, head);
            let length: f64 = terms.values().sum();
            whole += length;
            for (term, weight) in terms {
                index.postings.entry(term).or_default().push((at, weight));
            }
            index.documents.push(Document {
                length,
                sector: criterion.sector.clone(),
                factor: match criterion.citability() {
                    Citability::FullText => 1.0,
                    Citability::ClauseOnly => POINTER,
                    Citability::NotCitable(_) => NOT_CITABLE,
                },
            });
        }
        index.average_length = whole / count(index.documents.len()).max(1.0);
        index
    }

    /// The code of the sector that goes by `name`, or by one of its parts (`工贸-粉尘涉爆`).
    pub fn sector(&self, name: &str) -> Option<&str> {
        let name = name.trim().to_lowercase();
        let parts = name.split(['-', '－', '/', '、', ' ']);
        let mut all = std::iter::once(name.as_str()).chain(parts);
        let found = all.find_map(|name| self.sector_names.get(name));
        found.map(String::as_str)
    }

    /// The criteria that fit `text` best, best first, at most `limit`. `sector` is what the asker calls
    /// the sector of the site.
    pub fn search(&self, text: &str, sector: Option<&str>, limit: usize) -> Vec<Hit> {
        let mut question = Terms::new();
        add(&mut question, text, 1.0, |sum, weight| sum + weight);
        if let Some(name) = sector {
            add(&mut question, name, SECTOR_NAME, |sum, weight| sum + weight);
        }
        let sector = sector.and_then(|name| self.sector(name));
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        for (term, weight) in question {
            let Some(postings) = self.postings.get(&term) else {
                continue;
            };
            let rarity = self.rarity(postings.len()) * weight.min(REPEATED_MAX);
            for (at, within) in postings {
                let score = rarity * self.weight(*at, *within);
                *scores.entry(*at).or_default() += score;
            }
        }
        let mut hits: Vec<Hit> = scores
            .into_iter()
            .filter_map(|(at, score)| {
                let document = self.documents.get(at)?;
                let ours = sector == Some(document.sector.as_str());
                let score = score * document.factor * if ours { SECTOR } else { 1.0 };
                Some(Hit { at, score })
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
        hits.truncate(limit);
        hits
    }

    fn rarity(&self, having: usize) -> f64 {
        let (all, having) = (count(self.documents.len()), count(having));
        ((all - having + 0.5) / (having + 0.5)).ln_1p()
    }

    fn weight(&self, at: usize, within: f64) -> f64 {
        let length = self.documents.get(at).map_or(0.0, |d| d.length);
        let relative = length / self.average_length.max(1.0);
        let dampened = SATURATION * (1.0 - LENGTH_PENALTY + LENGTH_PENALTY * relative);
        within * (SATURATION + 1.0) / (within + dampened)
    }
}

/// A number of things, for a formula.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// What a criterion is found by.
fn terms_of(criterion: &Criterion, head: Option<&PackHead>) -> Terms {
    let mut text = criterion.zh.clone();
    if let Some(check) = &criterion.check_zh {
        text = text + " " + check;
    }
    for remark in REMARKS {
        text = text.replace(remark, " ");
    }
    let sum = |sum: f64, weight: f64| sum + weight;
    let mut terms = Terms::new();
    add(&mut terms, &text, 1.0, sum);
    add(&mut terms, &criterion.en, ENGLISH, sum);
    if let Some(check) = &criterion.check_en {
        add(&mut terms, check, ENGLISH, sum);
    }
    for wording in head.map_or(&[] as &[_], |head| &head.wording) {
        if text.contains(&wording.term) {
            for also in &wording.also {
                // Once, however many words of the trade share a term.
                add(&mut terms, also, SYNONYM, f64::max);
            }
        }
    }
    terms
}

/// Adds the terms of a text: pairs of Chinese characters, single ones, words of Latin script.
fn add(terms: &mut Terms, text: &str, weight: f64, join: impl Fn(f64, f64) -> f64) {
    let mut put = |term: String, weight: f64| {
        let known = terms.entry(term).or_default();
        *known = join(*known, weight);
    };
    let (mut before, mut word) = (None, String::new());
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_alphanumeric() && !is_han(c) {
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            put(std::mem::take(&mut word), weight);
        }
        if is_han(c) {
            put(c.to_string(), weight * SINGLE);
            if let Some(before) = before {
                put(String::from_iter([before, c]), weight);
            }
        }
        before = Some(c).filter(|c| is_han(*c));
    }
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

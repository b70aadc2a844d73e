//! The search for the right clause, measured on reports as inspectors write them.

use super::shipped_tests::shipped;
use super::*;

const CORPUS: &str = include_str!("../../../catalog/samples/hazard-corpus.tsv");

struct Index {
    criteria: Vec<Criterion>,
    search: CriteriaSearch,
}

fn index() -> Index {
    let packs = shipped();
    let criteria: Vec<_> = packs.iter().flat_map(Pack::criteria).collect();
    let heads: Vec<_> = packs.into_iter().map(|pack| pack.head).collect();
    let search = CriteriaSearch::new(&criteria, &heads);
    Index { criteria, search }
}

impl Index {
    fn codes(&self, text: &str, sector: Option<&str>, limit: usize) -> Vec<&str> {
        let hits = self.search.search(text, sector, limit);
        hits.iter()
            .map(|hit| self.criteria[hit.at].code.as_str())
            .collect()
    }
}

/// A Chinese number up to 99.
fn number(text: &str) -> Option<u32> {
    let digit = |c: char| "零一二三四五六七八九".chars().position(|d| d == c);
    let small = |text: &str| match text.chars().collect::<Vec<_>>()[..] {
        [] => None,
        [c] => digit(c),
        _ => None,
    };
    let value = match text.split_once('十') {
        None => small(text)?,
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { small(tens)? };
            tens * 10 + if ones.is_empty() { 0 } else { small(ones)? }
        }
    };
    u32::try_from(value).ok()
}

/// The code that a reference like `应急管理部令第10号 第十一条第（三）项` means; of an article without
/// items, what its codes begin with.
fn code_of(reference: &str) -> Option<String> {
    let reference = reference.trim_end_matches("[unverified]").trim();
    let (document, place) = reference.split_once(' ')?;
    let inner = |from: &str, to: &str| {
        let (_, rest) = place.split_once(from)?;
        number(rest.split_once(to)?.0)
    };
    let item = inner("（", "）").map_or(String::new(), |item| format!("-{item}"));
    match document {
        "应急管理部令第10号" => Some(format!("GM-10-{}{item}", inner("第", "条")?)),
        "建质规〔2024〕5号" => Some(format!("JZ-5-{}{item}", inner("第", "条")?)),
        "安监总管三〔2017〕121号" => Some(format!("WH-121-{}", inner("第", "项")?)),
        "矿安〔2022〕88号" if place.starts_with("地下") => Some(format!("KS-88-U{item}")),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Rate {
    asked: usize,
    first: usize,
    within_five: usize,
}

impl Rate {
    fn percent(&self, hits: usize) -> usize {
        hits * 100 / self.asked.max(1)
    }
}

/// Of the major reports that name a clause which exists: how often it comes first, or among five.
/// `verified`: without those whose clause the writer of the report had not looked up.
fn measure(index: &Index, with_sector: bool, verified: bool) -> Rate {
    let mut rate = Rate::default();
    for line in CORPUS.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [_, sector, site, place, text, grade, reference, ..] = cells[..] else {
            panic!("{line}");
        };
        if grade != "major" || (verified && reference.contains("unverified")) {
            continue;
        }
        let Some(code) = code_of(reference) else {
            continue;
        };
        let below = |rest: &str| rest.is_empty() || rest.starts_with('-');
        let fits = |found: &str| found.strip_prefix(code.as_str()).is_some_and(below);
        assert!(index.criteria.iter().any(|c| fits(&c.code)), "{reference}");
        let question = format!("{text} {place} {site}");
        let found = index.codes(&question, with_sector.then_some(sector), 5);
        rate.asked += 1;
        rate.first += usize::from(found.first().is_some_and(|found| fits(found)));
        rate.within_five += usize::from(found.iter().any(|found| fits(found)));
    }
    rate
}

#[test]
fn the_right_clause_is_among_the_first_five_for_most_reports() {
    let index = index();
    for (with_sector, verified, asked, first, within_five) in [
        (true, false, 95, 64, 84),
        (false, false, 95, 53, 77),
        (true, true, 75, 66, 88),
    ] {
        let rate = measure(&index, with_sector, verified);
        let (top, five) = (rate.percent(rate.first), rate.percent(rate.within_five));
        println!(
            "sector given: {with_sector}, looked-up clauses alone: {verified}; \
             first {top} %, among five {five} % of {}",
            rate.asked
        );
        assert_eq!(rate.asked, asked);
        assert!(top >= first && five >= within_five, "{rate:?}");
    }
}

#[test]
fn references_are_read() {
    for (reference, code) in [
        ("应急管理部令第10号 第十一条第（三）项", "GM-10-11-3"),
        ("应急管理部令第10号 第十四条", "GM-10-14"),
        ("安监总管三〔2017〕121号 第二十项", "WH-121-20"),
        (
            "矿安〔2022〕88号 地下矿山（二十一） [unverified]",
            "KS-88-U-21",
        ),
        ("建质规〔2024〕5号 第七条 [unverified]", "JZ-5-7"),
    ] {
        assert_eq!(code_of(reference).as_deref(), Some(code));
    }
    assert_eq!(code_of("basis: expert"), None);
}

#[test]
fn a_clause_is_found_in_chinese_and_english() {
    let index = index();
    assert_eq!(index.codes("干式除尘器没有泄爆", None, 1), ["GM-10-11-3"]);
    let english = index.codes("dry dust collector without explosion vent", Some("工贸"), 3);
    assert!(english.contains(&"GM-10-11-3"), "{english:?}");
    assert_eq!(
        index.codes("电梯门锁短接", Some("电梯"), 1),
        ["TS-45067-4-6-B"]
    );
}

#[test]
fn the_sector_goes_by_code_name_alias_and_part() {
    let index = index();
    for name in [
        "industry-and-trade",
        "工贸",
        "工贸-粉尘涉爆",
        "粉尘涉爆",
        "Industry and Trade",
    ] {
        assert_eq!(
            index.search.sector(name),
            Some("industry-and-trade"),
            "{name}"
        );
    }
    assert_eq!(index.search.sector("危化"), Some("hazardous-chemicals"));
    assert_eq!(index.search.sector("航天"), None);
}

#[test]
fn what_says_nothing_finds_nothing_and_limits_hold() {
    let index = index();
    assert_eq!(index.codes("", None, 5), Vec::<&str>::new());
    assert_eq!(
        index.codes("？！、 ——", Some("工贸"), 0),
        Vec::<&str>::new()
    );
    assert_eq!(index.codes("没有报警装置", None, 3).len(), 3);
    let empty = CriteriaSearch::new(&[], &[]);
    assert_eq!(empty.search("粉尘", None, 5), []);
}

#[test]
fn what_cannot_be_cited_comes_after_what_can() {
    let index = index();
    let found = index.codes("人员密集场所安全出口数量不足、疏散宽度不够", None, 10);
    let place = |code: &str| found.iter().position(|found| *found == code);
    let school = place("JY-20-3-1-8").expect("the clause of the schools");
    if let Some(old) = place("XF-2017-6-5") {
        assert!(school < old, "{found:?}");
    }
}

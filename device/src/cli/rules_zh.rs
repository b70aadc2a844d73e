//! The rules' English sentences in Chinese. The rules word their codes in both languages and the
//! sentence beside them in English only; what is not known here is shown as it is. A test reads
//! the rules and finds every sentence that is missing.

use hazardloop_domain::refusal::Refusal;

use super::args::Language;
use super::words;
use super::{
    rules_zh_fields as fields, rules_zh_inspections as inspections, rules_zh_words as hazards,
};

/// English and Chinese.
type Table = &'static [(&'static str, &'static str)];

const SENTENCES: [Table; 2] = [hazards::SENTENCES, inspections::SENTENCES];
const OF_A_FIELD: [Table; 2] = [hazards::OF_A_FIELD, inspections::OF_A_FIELD];
const PATTERNS: [Table; 2] = [hazards::PATTERNS, inspections::PATTERNS];
const NOUNS: [Table; 2] = [fields::NOUNS, inspections::NOUNS];
const FIELDS: [Table; 2] = [fields::FIELDS, inspections::FIELDS];

fn find(tables: [Table; 2], text: &str) -> Option<&'static str> {
    let mut fits = tables.into_iter().flatten().filter(|(en, _)| *en == text);
    fits.next().map(|(_, zh)| *zh)
}

/// The sentence of a refusal in Chinese, where it is known.
pub(super) fn rule(refusal: &Refusal) -> Option<String> {
    let field = refusal.field.as_deref().unwrap_or_default();
    let (of_field, said) = match refusal.rule.strip_prefix(field) {
        Some(said) => (field, said.trim()),
        None => ("", refusal.rule.as_str()),
    };
    if let Some((most, has)) = command_size(said) {
        let zh = format!("一条操作最多 {most} 字节，这一条有 {has} 字节：请缩短，或分成几条");
        return Some(zh);
    }
    if let Some(zh) = find(SENTENCES, said) {
        return Some(zh.to_owned());
    }
    let both = said.split_once(" / ").map(|(zh, _)| zh.to_owned());
    let zh = find(OF_A_FIELD, said)
        .map(str::to_owned)
        .or_else(|| both.filter(|zh| zh.chars().any(|c| c > '\u{2e80}')))
        .or_else(|| pattern(said));
    match zh {
        // What only inspections say speaks of their fields.
        Some(zh) if is_said_of_inspections(said) => {
            let [hazards, inspections] = FIELDS;
            let field = field_name_in([inspections, hazards], of_field);
            Some(format!("{field}{zh}"))
        }
        Some(zh) => Some(format!("{}{zh}", field_name(of_field))),
        // A sentence may begin with the name of its field and go on in another way.
        None => pattern(&refusal.rule),
    }
}

/// The sentence of a refusal in English: some of them are worded in both languages.
pub(super) fn rule_en(refusal: &Refusal) -> String {
    let field = refusal.field.as_deref().unwrap_or_default();
    match refusal.rule.split_once(" / ") {
        Some((zh, en)) if zh.chars().any(|c| c > '\u{2e80}') => format!("{field} {en}"),
        _ => refusal.rule.clone(),
    }
}

/// A field in Chinese: by its whole name without places in lists, or by a shorter end of it.
pub(super) fn field_name(field: &str) -> String {
    field_name_in(FIELDS, field)
}

fn is_said_of_inspections(said: &str) -> bool {
    let [hazards, inspections] = OF_A_FIELD;
    let says = |table: Table| table.iter().any(|(en, _)| *en == said);
    says(inspections) && !says(hazards)
}

fn field_name_in(tables: [Table; 2], field: &str) -> String {
    let bare: String = field
        .split('.')
        .map(|part| part.split('[').next().unwrap_or(part))
        .collect::<Vec<_>>()
        .join(".");
    let mut rest = bare.as_str();
    loop {
        if let Some(zh) = find(tables, rest) {
            return zh.to_owned();
        }
        match rest.split_once('.') {
            Some((_, end)) => rest = end,
            None => return rest.to_owned(),
        }
    }
}

/// The first pattern that `said` fits, in Chinese.
fn pattern(said: &str) -> Option<String> {
    PATTERNS.into_iter().flatten().find_map(|(en, zh)| {
        let holes = holes(en, said)?;
        let mut zh = (*zh).to_owned();
        for hole in holes {
            let hole = find(NOUNS, hole).unwrap_or_else(|| words::kind(Language::Zh, hole));
            zh = zh.replacen('#', hole, 1);
        }
        Some(zh)
    })
}

/// What stands in the place of each `#`; `None` where `said` is another sentence. A hole is a
/// single word, but at the end of the sentence.
fn holes<'a>(en: &str, said: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = en.split('#');
    let mut rest = said.strip_prefix(parts.next()?)?;
    let mut holes = Vec::new();
    for part in parts {
        let end = match part {
            "" => rest.len(),
            part => rest.find(part)?,
        };
        let (hole, after) = rest.split_at(end);
        if hole.is_empty() || (hole.contains(' ') && !part.is_empty()) {
            return None;
        }
        holes.push(hole);
        rest = after.strip_prefix(part)?;
    }
    rest.is_empty().then_some(holes)
}

/// The two numbers of the sentence about a command that no server takes.
fn command_size(said: &str) -> Option<(&str, &str)> {
    let rest = said.strip_prefix("a command has at most ")?;
    rest.split_once(" bytes, this one has ")
}

#[cfg(test)]
#[path = "rules_zh_tests.rs"]
mod tests;

//! The packs that are shipped: all are sound, nothing of the compiled facts is lost, the schema describes
//! them, and nothing in them is shown as more than was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../catalog/packs")
}

pub(super) fn shipped() -> Vec<Pack> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let mut faults = Vec::new();
    let mut packs = Vec::new();
    for path in folders {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let files: BTreeMap<String, Vec<u8>> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect();
        match read(&name, &files) {
            Ok(pack) => packs.push(pack),
            Err(told) => faults.extend(told.iter().map(Problem::to_string)),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    packs
}

fn criteria() -> Vec<Criterion> {
    shipped().iter().flat_map(Pack::criteria).collect()
}

#[test]
fn every_compiled_fact_is_there_with_its_evidence_mark() {
    let mut marks: BTreeMap<&str, usize> = BTreeMap::new();
    let all = criteria();
    for criterion in &all {
        *marks.entry(criterion.evidence.mark()).or_default() += 1;
    }
    assert_eq!(all.len(), 634);
    let known = ["K-h", "K-l", "K-m"]
        .map(|mark| marks[mark])
        .iter()
        .sum::<usize>();
    assert_eq!(
        (
            marks["V"],
            marks["V-topic"],
            marks["V-part"],
            marks["V-title"],
            known
        ),
        (539, 53, 12, 13, 17)
    );
    let codes: BTreeSet<_> = all.iter().map(|c| (&c.code, c.edition)).collect();
    assert_eq!(codes.len(), all.len(), "codes are unique across packs");
    let lists: Vec<_> = shipped().iter().flat_map(Pack::checklists).collect();
    let ids: BTreeSet<_> = lists.iter().map(|list| list.id).collect();
    assert_eq!(ids.len(), lists.len());
}

#[test]
fn nothing_is_a_legal_basis_whose_text_was_not_seen() {
    for criterion in criteria() {
        let code = &criterion.code;
        match criterion.evidence {
            Evidence::Seen => assert!(criterion.citability().may_be_picked(), "{code}"),
            Evidence::Topic => assert_eq!(criterion.citability(), Citability::ClauseOnly, "{code}"),
            _ => {
                assert!(!criterion.citability().may_be_picked(), "{code}");
                let (zh, en) = criterion.citability().notice().unwrap();
                assert!(
                    zh.contains("待录入原文") && en.contains("to be entered"),
                    "{code}"
                );
            }
        }
    }
}

#[test]
fn old_fire_items_are_history_and_both_chemical_standards_hold() {
    let all = criteria();
    let of = |standard: &str| {
        all.iter()
            .filter(|c| c.standard == standard)
            .collect::<Vec<_>>()
    };
    let day = |text: &str| text.parse().unwrap();
    for old in of("XF-2017") {
        assert_eq!(old.effective_until, Some(day("2025-10-31")));
        assert!(!old.in_force_on(day("2025-11-01")));
        assert!(!old.citability().may_be_picked());
    }
    let holds = |standard: &str, on: &str| {
        let of = of(standard);
        assert!(!of.is_empty());
        of.iter().all(|c| c.in_force_on(day(on)))
    };
    assert!(holds("WH-121", "2026-11-26") && holds("WH-AQ3067", "2026-11-26"));
    assert!(holds("WH-121", "2026-09-29") && !holds("WH-AQ3067", "2026-09-29"));
}

/// The sectors that have more than criteria.
const FULL: [&str; 7] = [
    "industry-and-trade",
    "hazardous-chemicals",
    "coal-mines",
    "non-coal-mines",
    "construction",
    "town-gas",
    "special-equipment",
];

#[test]
fn the_sectors_of_the_story_have_sites_risk_points_checklists_and_words() {
    let packs = shipped();
    for name in FULL {
        let pack = packs.iter().find(|pack| pack.head.name == name).unwrap();
        assert!(pack.head.site_types.len() >= 5, "{name}");
        assert!(pack.head.risk_points.len() >= 5, "{name}");
        assert!(!pack.head.wording.is_empty(), "{name}");
        assert!(
            !pack.head.duties.is_empty() && !pack.head.filings.is_empty(),
            "{name}"
        );
        let cadences: BTreeSet<_> = pack.checklists.iter().map(|list| list.cadence).collect();
        for cadence in [
            Cadence::Daily,
            Cadence::Weekly,
            Cadence::Monthly,
            Cadence::Once,
        ] {
            assert!(
                cadences.contains(&cadence),
                "{name} has no {} list",
                cadence.as_str()
            );
        }
        for list in &pack.checklists {
            for item in &list.items {
                assert_eq!(
                    item.unverified,
                    item.criterion.is_none(),
                    "{} {}",
                    list.code,
                    item.number
                );
            }
        }
    }
}

#[test]
fn the_schema_describes_every_shipped_pack() {
    let text = fs::read_to_string(folder().join("pack.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut used = BTreeSet::new();
    for pack in shipped() {
        let document = serde_json::to_value(&pack).unwrap();
        let mut faults = Vec::new();
        Checker {
            schema: &schema,
            used: &mut used,
        }
        .check(&schema, &document, &pack.head.name, &mut faults);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
    let mut unused = Vec::new();
    properties(&schema, "pack", &mut unused);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        properties(definition, name, &mut unused);
    }
    unused.retain(|property| !used.contains(property));
    assert_eq!(
        unused,
        Vec::<String>::new(),
        "in the schema, in no shipped pack"
    );
}

fn properties(schema: &Value, name: &str, all: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        all.extend(
            properties
                .keys()
                .map(|property| format!("{name}.{property}")),
        );
    }
}

#[test]
fn the_schema_refuses_what_is_no_pack() {
    let text = fs::read_to_string(folder().join("pack.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let packs = shipped();
    let pack = packs
        .iter()
        .find(|pack| pack.head.name == "coal-mines")
        .unwrap();
    let good = serde_json::to_value(pack).unwrap();
    let refused = |change: fn(&mut Value)| {
        let (mut document, mut used, mut faults) = (good.clone(), BTreeSet::new(), Vec::new());
        change(&mut document);
        Checker {
            schema: &schema,
            used: &mut used,
        }
        .check(&schema, &document, "pack", &mut faults);
        faults.len()
    };
    assert_eq!(refused(|_| ()), 0);
    assert!(refused(|pack| pack["colour"] = "red".into()) > 0);
    assert!(refused(|pack| pack["version"] = 0.into()) > 0);
    assert!(refused(|pack| pack["criteria"][0]["evidence"] = "seen".into()) > 0);
    assert!(
        refused(|pack| {
            pack.as_object_mut().unwrap().remove("licence");
        }) > 0
    );
}

/// As much of JSON Schema as the schema of packs uses; a keyword that it does not know is a fault.
struct Checker<'a> {
    schema: &'a Value,
    used: &'a mut BTreeSet<String>,
}

impl Checker<'_> {
    fn check(&mut self, rule: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let mut name = "pack";
        let mut rule = rule;
        if let Some(reference) = rule["$ref"].as_str() {
            name = reference
                .strip_prefix("#/$defs/")
                .expect("a reference within");
            rule = &self.schema["$defs"][name];
            assert!(rule.is_object(), "{reference} leads nowhere");
        }
        let rule = rule.clone();
        for (keyword, wanted) in rule.as_object().unwrap() {
            let good = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => true,
                "type" => match wanted.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64(),
                    "boolean" => value.is_boolean(),
                    other => panic!("type {other}"),
                },
                "enum" => wanted.as_array().unwrap().contains(value),
                "minimum" => value.as_u64() >= wanted.as_u64(),
                "minLength" => value.as_str().is_some_and(|text| !text.is_empty()),
                "maxLength" => {
                    let length = value.as_str().map(|text| text.chars().count() as u64);
                    length <= wanted.as_u64()
                }
                "minItems" => value.as_array().map(|a| a.len() as u64) >= wanted.as_u64(),
                "format" => value
                    .as_str()
                    .unwrap_or("")
                    .parse::<crate::time::LocalDate>()
                    .is_ok(),
                "required" => wanted.as_array().unwrap().iter().all(|field| {
                    let there = value.get(field.as_str().unwrap()).is_some();
                    if !there {
                        faults.push(format!("{at} lacks {field}"));
                    }
                    there
                }),
                "additionalProperties" | "properties" => {
                    self.object(name, &rule["properties"], value, at, faults);
                    true
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}[{number}]"), faults);
                    }
                    true
                }
                other => panic!("the schema uses {other}"),
            };
            if !good {
                faults.push(format!("{at}: {keyword} {wanted} is not met by {value}"));
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        rules: &Value,
        value: &Value,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        for (field, inner) in value.as_object().into_iter().flatten() {
            match rules.get(field) {
                Some(rule) => {
                    self.used.insert(format!("{name}.{field}"));
                    self.check(rule, inner, &format!("{at}.{field}"), faults);
                }
                None => faults.push(format!("{at} has {field}, which the schema does not know")),
            }
        }
    }
}

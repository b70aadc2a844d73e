//! Reading packs: what is taken, and that every fault is told with file, line and reason at once.

use std::collections::BTreeMap;

use super::*;

const HEAD: &str = "field\tvalue\nname\ttrial\nversion\t1\ntitle_zh\t试\ntitle_en\tTrial\n\
                    source\tmade up\nlicence\tApache-2.0\n";
const SECTORS: &str = "code\tzh\ten\taliases\ntrial\t试行\tTrial\t试点、试验\n";
const STANDARDS: &str = "code\tnumber\ttitle_zh\ttitle_en\tsector\tissued_on\teffective_from\t\
     effective_until\tstatus\tidentity_verified\tnote_zh\tnote_en\n\
     TR-1\t试〔2026〕1号\t标准\tStandard\ttrial\t2026-01-02\t2026-03-01\t\tin_force\tyes\t\t\n\
     TR-0\t试〔2020〕1号\t旧标准\tOld\ttrial\t2020-01-02\t\t2026-02-28\tsuperseded\tyes\t\t\n";
const CRITERIA: &str = "code\tedition\tstandard\tclause\tzh\ten\tcheck_zh\tcheck_en\tevidence\tsource\n\
     TR-1-1\t1\tTR-1\t第一条\t没有围栏\tNo fence\t看\tLook\tV\tread\n\
     TR-1-2\t1\tTR-1\t第二条\t待录入\tTo be entered\t\t\tV-part\tcut\n";
const LISTS: &str = "code\tedition\tzh\ten\tcadence\trole\tsite_types\n\
     TR-D\t1\t每日\tDaily\tdaily\tsafety_officer\t\n";
const ITEMS: &str = "checklist\tnumber\tzh\ten\tcriterion\trisk_point\tphoto\n\
     TR-D\t1\t围栏完好\tFence is whole\tTR-1-1\t\tyes\n\
     TR-D\t2\t地面干净\tFloor is clean\t\t\t\n";

fn files(changed: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = [
        ("pack.tsv", HEAD),
        ("sectors.tsv", SECTORS),
        ("standards.tsv", STANDARDS),
        ("criteria.tsv", CRITERIA),
        ("checklists.tsv", LISTS),
        ("checklist-items.tsv", ITEMS),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into();
    for (name, text) in changed {
        files.insert((*name).to_owned(), text.as_bytes().to_vec());
    }
    files
}

fn faults(changed: &[(&str, &str)]) -> Vec<String> {
    let faults = read("trial", &files(changed)).unwrap_err();
    faults.iter().map(Problem::to_string).collect()
}

#[test]
fn a_good_pack_is_read_with_its_records() {
    let pack = read("trial", &files(&[])).unwrap();
    assert_eq!((pack.head.name.as_str(), pack.head.version), ("trial", 1));
    assert_eq!(pack.head.sectors[0].aliases, ["试点", "试验"]);
    let criteria = pack.criteria();
    let fence = &criteria[0];
    assert_eq!((fence.number.as_str(), fence.edition), ("试〔2026〕1号", 1));
    assert_eq!(fence.citability(), Citability::FullText);
    assert!(!fence.unverified);
    let to_be_entered = Citability::NotCitable(NotCitable::ToBeEntered);
    assert_eq!(criteria[1].citability(), to_be_entered);
    assert!(to_be_entered.notice().unwrap().0.contains("待录入原文"));
    let list = &pack.checklists()[0];
    assert_eq!(list.items.len(), 2);
    assert!(!list.items[0].unverified && list.items[0].photo);
    assert!(list.items[1].unverified && !list.items[1].photo);
    assert_eq!(fence.id, pack.criteria()[0].id, "the same every time");
}

#[test]
fn tables_from_spreadsheets_are_read_as_they_come() {
    let saved = format!("\u{feff}{}", CRITERIA.replace('\n', "\r\n"));
    let read_as_saved = read("trial", &files(&[("criteria.tsv", &saved)])).unwrap();
    assert_eq!(read_as_saved, read("trial", &files(&[])).unwrap());
    let turned = "aliases\tzh\ten\tcode\n试点、试验\t试行\tTrial\ttrial\n";
    let turned = read("trial", &files(&[("sectors.tsv", turned)])).unwrap();
    assert_eq!(turned, read_as_saved);
}

#[test]
fn every_fault_is_told_at_once_with_file_line_and_reason() {
    let head = HEAD
        .replace("trial", "Trial")
        .replace("version\t1", "version\tone");
    let criteria = CRITERIA
        .replace("TR-1-2\t1\tTR-1", "TR-1-1\t0\tTR-9")
        .replace("V-part", "seen");
    let items = ITEMS.replace("TR-1-1", "TR-1-7").replace("\t2\t", "\t3\t");
    let told = faults(&[
        ("pack.tsv", &head),
        ("criteria.tsv", &criteria),
        ("checklist-items.tsv", &items),
        ("notes.txt", ""),
    ]);
    for wanted in [
        "trial/pack.tsv:2: name: ",
        "trial/pack.tsv:3: version: \"one\"",
        "trial/criteria.tsv:3: edition: \"0\"",
        "trial/criteria.tsv:3: \"TR-1-1\" stands on line 2 already",
        "trial/criteria.tsv:3: standard: this pack has no \"TR-9\"",
        "trial/criteria.tsv:3: evidence: \"seen\" is none of V, V-topic",
        "trial/checklist-items.tsv:2: criterion: this pack has no \"TR-1-7\"",
        "trial/checklist-items.tsv:3: number: the next item of TR-D is 2",
        "trial/notes.txt: is no file of a pack",
    ] {
        let found = told.iter().any(|fault| fault.starts_with(wanted));
        assert!(found, "{wanted} not in\n{}", told.join("\n"));
    }
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(told.len(), sorted.len());
}

#[test]
fn a_table_that_cannot_be_understood_says_why() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "sectors.tsv",
            "code\tzh\ten\nx\ty\tz\n",
            "sectors.tsv:1: lacks the column \"aliases\"",
        ),
        (
            "sectors.tsv",
            "code\tzh\ten\taliases\tcolour\n",
            "names the column \"colour\"",
        ),
        (
            "sectors.tsv",
            "code\tzh\ten\taliases\ncoal\t煤\n",
            "sectors.tsv:2: has 2 cells instead of 4",
        ),
        (
            "sectors.tsv",
            "code\tzh\ten\taliases\n",
            "sectors.tsv:1: names no sector",
        ),
        (
            "criteria.tsv",
            "code\tcode\n",
            "names the column \"code\" twice",
        ),
        (
            "checklists.tsv",
            &LISTS.replace("daily\t", "hourly\t"),
            "cadence: \"hourly\" is none of shift",
        ),
        (
            "checklists.tsv",
            &LISTS.replace("safety_officer", "king"),
            "role: \"king\" is none of",
        ),
        (
            "checklist-items.tsv",
            &ITEMS.replace("yes", "perhaps"),
            "photo: \"perhaps\"",
        ),
        (
            "checklist-items.tsv",
            &ITEMS.replace("TR-1-1", "TR-1-2"),
            "criterion: TR-1-2 is to be entered",
        ),
        (
            "standards.tsv",
            &STANDARDS.replace("2026-02-28", ""),
            "standards.tsv:3: effective_until: a superseded",
        ),
        (
            "standards.tsv",
            &STANDARDS.replace("2026-02-28", "2019-01-01"),
            "2019-01-01 is before 2020-01-02",
        ),
        (
            "standards.tsv",
            &STANDARDS.replace("2026-03-01", "2026-13-01"),
            "\"2026-13-01\" is not a date",
        ),
        (
            "criteria.tsv",
            &CRITERIA.replace("没有围栏", "\"没有围栏\""),
            "stands in quotation marks",
        ),
        (
            "criteria.tsv",
            &CRITERIA.replace("没有围栏", &"长".repeat(4_001)),
            "has more than 4000 characters",
        ),
    ];
    for (file, text, wanted) in cases {
        let told = faults(&[(file, text)]);
        let found = told.iter().any(|fault| fault.contains(wanted));
        assert!(found, "{wanted} not in\n{}", told.join("\n"));
    }
}

#[test]
fn what_is_not_utf_8_or_missing_is_told() {
    let mut broken = files(&[]);
    broken.insert(
        "sectors.tsv".to_owned(),
        b"code\tzh\ten\taliases\na\t\xff\n".to_vec(),
    );
    broken.remove("pack.tsv");
    let told = read("trial", &broken).unwrap_err();
    let told: Vec<_> = told.iter().map(Problem::to_string).collect();
    assert!(
        told.contains(&"trial/pack.tsv: is missing".to_owned()),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("trial/sectors.tsv:2: is not UTF-8")),
        "{told:?}"
    );
}

#[test]
fn the_largest_table_is_taken_and_a_larger_one_told() {
    let row = |n: usize| format!("w-{n}\t词{n}\tWord\n");
    let all = |count: usize| {
        let rows: String = (0..count).map(row).collect();
        format!("code\tzh\ten\n{rows}")
    };
    assert!(read("trial", &files(&[("site-types.tsv", &all(ROWS_MAX))])).is_ok());
    let told = faults(&[("site-types.tsv", &all(ROWS_MAX + 1))]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(&format!(":{}: is beyond", ROWS_MAX + 2)),
        "{told:?}"
    );
    let long = format!("code\tzh\ten\nx\t字\t{}\n", "x".repeat(TABLE_BYTES_MAX));
    let told = faults(&[("site-types.tsv", &long)]);
    assert!(told[0].contains("bytes"), "{told:?}");
}

#[test]
fn a_criterion_holds_from_its_first_to_its_last_day() {
    let pack = read("trial", &files(&[])).unwrap();
    let entry = &pack.criteria[0];
    let on = |criterion: &Criterion, day: &str| criterion.in_force_on(day.parse().unwrap());
    let new = Criterion::of("trial", entry, &pack.head.standards[0]);
    assert!(!on(&new, "2026-02-28") && on(&new, "2026-03-01"));
    let old = Criterion::of("trial", entry, &pack.head.standards[1]);
    assert!(on(&old, "2020-01-02") && on(&old, "2026-02-28") && !on(&old, "2026-03-01"));
    let undated = Criterion {
        effective_from: None,
        ..old
    };
    assert!(!on(&undated, "2021-01-01"));
}

#[test]
fn what_may_be_cited_follows_from_what_was_seen() {
    let pack = read("trial", &files(&[])).unwrap();
    let (mut entry, mut standard) = (pack.criteria[0].clone(), pack.head.standards[0].clone());
    let mut citability = |evidence, verified| {
        entry.evidence = evidence;
        standard.identity_verified = verified;
        Criterion::of("trial", &entry, &standard).citability()
    };
    assert_eq!(citability(Evidence::Seen, true), Citability::FullText);
    assert_eq!(citability(Evidence::Seen, false), Citability::ClauseOnly);
    assert_eq!(citability(Evidence::Topic, true), Citability::ClauseOnly);
    for never in [
        Evidence::Part,
        Evidence::Title,
        Evidence::KnownHigh,
        Evidence::KnownMedium,
        Evidence::KnownLow,
    ] {
        assert!(!citability(never, true).may_be_picked(), "{never:?}");
    }
    let retired = Criterion {
        retired_in: Some(2),
        ..pack.criteria()[0].clone()
    };
    assert_eq!(
        retired.citability(),
        Citability::NotCitable(NotCitable::Retired)
    );
}

#[test]
fn a_newer_version_is_compared_row_by_row() {
    let first = read("trial", &files(&[])).unwrap();
    assert_eq!(differences(&first, &first), []);
    let head = HEAD
        .replace("version\t1", "version\t2")
        .replace("Trial", "Trials");
    let criteria = CRITERIA
        .replace("TR-1-2", "TR-1-3")
        .replace("没有围栏\t", "没有护栏\t");
    let second = read(
        "trial",
        &files(&[("pack.tsv", &head), ("criteria.tsv", &criteria)]),
    )
    .unwrap();
    let told: Vec<_> = differences(&first, &second)
        .iter()
        .map(Difference::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "~ pack trial: title_en",
            "~ criterion TR-1-1: zh",
            "- criterion TR-1-2",
            "+ criterion TR-1-3",
        ]
    );
}

#[test]
fn packs_and_records_travel_as_cbor() {
    let pack = read("trial", &files(&[])).unwrap();
    let bytes = minicbor::to_vec(&pack).unwrap();
    assert_eq!(minicbor::decode::<Pack>(&bytes).unwrap(), pack);
    let criterion = &pack.criteria()[0];
    let bytes = minicbor::to_vec(criterion).unwrap();
    assert_eq!(minicbor::decode::<Criterion>(&bytes).unwrap(), *criterion);
    let list = &pack.checklists()[0];
    let bytes = minicbor::to_vec(list).unwrap();
    assert_eq!(minicbor::decode::<Checklist>(&bytes).unwrap(), *list);
}

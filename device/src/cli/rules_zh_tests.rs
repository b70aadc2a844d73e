//! Every sentence of the rules has its Chinese one, and every Chinese one its sentence.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use hazardloop_domain::refusal::RefusalCode;

/// The files of the rules in which refusals are worded.
const RULES: &[&str] = &[
    include_str!("../../../domain/src/hazard/amend.rs"),
    include_str!("../../../domain/src/hazard/checks.rs"),
    include_str!("../../../domain/src/hazard/decide.rs"),
    include_str!("../../../domain/src/hazard/grading.rs"),
    include_str!("../../../domain/src/hazard/measures.rs"),
    include_str!("../../../domain/src/hazard/plan.rs"),
    include_str!("../../../domain/src/hazard/recurrence.rs"),
    include_str!("../../../domain/src/hazard/reinspection.rs"),
    include_str!("../../../domain/src/hazard/report.rs"),
    include_str!("../../../domain/src/hazard/spot_check.rs"),
    include_str!("../../../domain/src/hazard/steps.rs"),
    include_str!("../../../domain/src/inspection/checklists.rs"),
    include_str!("../../../domain/src/inspection/checks.rs"),
    include_str!("../../../domain/src/inspection/decide.rs"),
    include_str!("../../../domain/src/inspection/setup.rs"),
    include_str!("../../../domain/src/inspection/signing.rs"),
    include_str!("../../../domain/src/text.rs"),
    include_str!("../../../sync-protocol/src/cosign_faults.rs"),
];

/// The text literals of a source file, without its comments and its tests. What stands in braces
/// becomes `#`.
fn literals(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut texts = Vec::new();
    for (place, text) in code.split('"').enumerate() {
        if place % 2 == 1 {
            texts.push(with_holes(text));
        }
    }
    texts
}

fn with_holes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (_, after) = after.split_once('}').unwrap();
        out += before;
        out.push('#');
        rest = after;
    }
    out + rest
}

/// What the rules say to people: texts of several words.
fn sentences() -> Vec<String> {
    let all = RULES.iter().flat_map(|source| literals(source));
    let nouns = |text: &str| find(NOUNS, text).is_some();
    // A field, then what is said of it.
    let said = all.map(|text| match text.strip_prefix("# ") {
        Some(rest) if find(PATTERNS, &text).is_none() => rest.to_owned(),
        _ => text,
    });
    let words = |text: &str| text.contains(' ') && text.contains(char::is_alphabetic);
    said.filter(|text| words(text) && !nouns(text)).collect()
}

#[test]
fn no_file_that_words_a_refusal_is_left_out() {
    let domain = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src");
    let mut wording = 0;
    for folder in ["hazard", "inspection"] {
        for entry in std::fs::read_dir(domain.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.ends_with("tests.rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let words = ["Refusal::new(", "invalid_field(", "invalid(\"", "limit(\""];
            if words.iter().any(|word| source.contains(word)) {
                wording += 1;
                let path = path.display();
                assert!(RULES.contains(&source.as_str()), "{path} is not in RULES");
            }
        }
    }
    assert!(wording > 10);
}

#[test]
fn every_sentence_of_the_rules_is_known_in_chinese() {
    let all = sentences();
    assert!(all.len() > 80, "only {} sentences were found", all.len());
    let known = |text: &str| {
        let tables = [SENTENCES, OF_A_FIELD, PATTERNS];
        tables.into_iter().any(|table| find(table, text).is_some())
    };
    let missing: Vec<_> = all.iter().filter(|text| !known(text)).collect();
    assert!(missing.is_empty(), "no Chinese for: {missing:#?}");
}

#[test]
fn every_sentence_here_is_one_of_the_rules() {
    let all = sentences();
    for (en, zh) in [SENTENCES, OF_A_FIELD, PATTERNS].concat().concat() {
        assert!(
            all.iter().any(|text| text == en),
            "no rule says so any more: {en}"
        );
        assert!(zh.chars().any(|c| c > '\u{2e80}'), "{zh}");
    }
    let rules = RULES.concat();
    for (noun, _) in NOUNS.concat() {
        let said = format!("limit(\"{noun}\"");
        assert!(
            rules.contains(&said),
            "nothing is limited so any more: {noun}"
        );
    }
}

#[test]
fn every_field_that_the_rules_name_has_a_chinese_name() {
    let named = RULES.iter().flat_map(|source| literals(source));
    let path = |text: &String| {
        let parts: Vec<&str> = text.split(['.', '[', ']', '#']).collect();
        let plain = |part: &&str| part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        text.contains('.') && parts.iter().all(plain) && !text.ends_with('.')
    };
    let bare = |text: String| text.replace("[#]", "");
    for field in named
        .filter(path)
        .map(bare)
        .filter(|text| !text.contains('#'))
    {
        let zh = field_name(&field);
        assert!(zh.chars().any(|c| c > '\u{2e80}'), "{field}");
    }
}

#[test]
fn fields_and_numbers_keep_their_places() {
    let of = |refusal: Refusal| rule(&refusal).unwrap();
    let field = |field: &str, why: &str| of(Refusal::invalid_field(field, why));
    assert_eq!(
        field("description", "must not be blank"),
        "问题描述不能为空"
    );
    assert_eq!(
        field("text", "has more than 2000 characters"),
        "备注超过 2000 个字"
    );
    assert_eq!(
        field("photos[0].size", "must be 1 to 67108864 bytes"),
        "文件大小须为 1 至 67108864 字节"
    );
    assert_eq!(
        field("photo", "goes with a signature by hand"),
        "签名照片只用于手写签名"
    );
    assert_eq!(
        field("photo.size", "must be 1 to 67108864 bytes"),
        "文件大小须为 1 至 67108864 字节"
    );
    assert_eq!(
        field("milestones[3].goal", "must not be blank"),
        "阶段目标不能为空"
    );
    assert_eq!(
        field(
            "period.days",
            "期限最长 3660 天 / a period has at most 3660 days"
        ),
        "整改天数期限最长 3660 天"
    );
    let plain = |code, text: &str| of(Refusal::new(code, text));
    assert_eq!(
        plain(
            RefusalCode::PhotosAwaited,
            "3 photo(s) that the record names have not arrived"
        ),
        "还缺 3 张照片"
    );
    assert_eq!(
        plain(
            RefusalCode::LimitReached,
            "one hazard has at most 20 penalty cases"
        ),
        "一条隐患最多 20 个处罚案件"
    );
    assert_eq!(
        plain(
            RefusalCode::NotAllowedInState,
            "decide_plan is not possible in this state"
        ),
        "当前状态下不能进行“方案审查”"
    );
    assert_eq!(
        plain(
            RefusalCode::TooFewReinspections,
            "closure needs 2 passed re-inspection(s) by different inspectors, there are 1"
        ),
        "销号须有 2 名不同检查人员复查合格，现有 1 名"
    );
    let long = "new_due_date of a listed hazard, or more than 30 days ahead, takes an extension";
    let long = Refusal {
        field: Some("new_due_date".to_owned()),
        ..Refusal::new(RefusalCode::DueDateOutOfRange, long)
    };
    assert_eq!(of(long), "挂牌督办的隐患，或新期限超过 30 天的，须申请延期");
    let large = "a command has at most 65536 bytes, this one has 70000";
    let large = plain(RefusalCode::LimitReached, large);
    assert!(large.contains("最多 65536 字节，这一条有 70000"), "{large}");
    let unknown = Refusal::new(RefusalCode::NotFound, "something new");
    assert_eq!(rule(&unknown), None);
}

#[test]
fn what_is_worded_in_both_languages_is_told_in_one() {
    let both = "期限最长 3660 天 / a period has at most 3660 days";
    let refusal = Refusal::invalid_field("period.days", both);
    let english = rule_en(&refusal);
    assert_eq!(english, "period.days a period has at most 3660 days");
}

//! The rules' English sentences in Chinese. The rules word their codes in both languages and the
//! sentence beside them in English only; what is not known here is shown as it is.

use hazardloop_domain::refusal::Refusal;

/// Sentences that stand alone.
const SENTENCES: &[(&str, &str)] = &[
    (
        "a major hazard names a criterion with its edition, or a basis in words",
        "重大隐患须写明判定标准及版本，或用文字说明依据",
    ),
    (
        "a rectification shows at least one photo taken after it",
        "提交整改至少要有一张整改后的照片",
    ),
    ("nothing was submitted", "尚未提交整改"),
    (
        "you have passed this submission already; another inspector must",
        "您已复查合格，须由另一名检查人员复查",
    ),
    (
        "whoever submitted the rectification may not pass or close it",
        "提交整改的人不能复查或销号",
    ),
    (
        "name an enterprise, or a position inside a known jurisdiction",
        "请写明企业，或给出已知辖区内的位置",
    ),
    ("the record names no such photo", "记录中没有这张照片"),
    ("there is no such hazard", "没有这条隐患"),
    (
        "you hold no role over this hazard",
        "您对这条隐患没有任何角色",
    ),
    (
        "a hazard with this id has been reported already",
        "这条隐患已经上报过",
    ),
    (
        "a report needs a photo, or no_photo_reason says why there is none",
        "请附照片，或用 --no-photo-reason 说明原因",
    ),
];

/// What a sentence says of the field that it begins with.
const OF_A_FIELD: &[(&str, &str)] = &[
    ("must not be blank", "不能为空"),
    ("holds a control character", "含有控制字符"),
    (
        "must be image/jpeg, image/png or image/webp",
        "须为 JPEG、PNG 或 WebP",
    ),
    ("names a photo that is already there", "这张照片已经附上"),
    ("names a photo that is not awaited", "这张照片并不缺"),
    ("is not a plausible time", "时间不合理"),
    ("goes with a return, not a pass", "只用于退回"),
    (
        "does not fit your role: who found it decides the source",
        "与您的角色不符，来源由谁发现决定",
    ),
    ("must name at least one field to change", "至少要更正一项"),
    ("is not a version of this record", "不是这条记录的版本"),
];

/// Sentences with a number, `#`, in them.
const NUMBERED: &[(&str, &str)] = &[
    ("has more than # characters", "超过 # 个字"),
    ("must be 1 to # bytes", "须为 1 至 # 字节"),
    (
        "lies in the past or more than # days ahead",
        "早于今天或超过 # 天",
    ),
    (
        "# photo(s) that the record names have not arrived",
        "还缺 # 张照片",
    ),
    ("one hazard has at most # photos", "一条隐患最多 # 张照片"),
    ("one hazard has at most # notes", "一条隐患最多 # 条备注"),
];

/// Fields by the last part of their names.
const FIELDS: &[(&str, &str)] = &[
    ("description", "问题描述"),
    ("place_text", "部位"),
    ("position", "位置"),
    ("found_at", "发现时间"),
    ("completed_at", "完成时间"),
    ("taken_at", "拍摄时间"),
    ("due_date", "整改期限"),
    ("new_due_date", "新的整改期限"),
    ("requirement", "整改要求"),
    ("responsible_person", "整改责任人"),
    ("basis", "判定依据"),
    ("measures", "整改措施"),
    ("immediate_measure", "临时措施"),
    ("no_photo_reason", "没有照片的原因"),
    ("opinion", "意见"),
    ("reason", "原因"),
    ("text", "备注"),
    ("source", "隐患来源"),
    ("fields", "更正内容"),
    ("based_on", "所依据的版本"),
    ("size", "照片大小"),
    ("media_type", "照片格式"),
    ("sha256", "照片"),
];

fn find(table: &'static [(&'static str, &'static str)], text: &str) -> Option<&'static str> {
    let mut fits = table.iter().filter(|(en, _)| *en == text);
    fits.next().map(|(_, zh)| *zh)
}

/// The sentence of a refusal in Chinese, where it is known.
pub(super) fn rule(refusal: &Refusal) -> Option<String> {
    let field = refusal.field.as_deref().unwrap_or_default();
    let said = refusal
        .rule
        .strip_prefix(field)
        .unwrap_or(&refusal.rule)
        .trim();
    if let Some((most, has)) = command_size(said) {
        let zh = format!("一条操作最多 {most} 字节，这一条有 {has} 字节：请缩短，或分成几条");
        return Some(zh);
    }
    let numbered = || {
        let fits =
            |(en, zh): &(&str, &str)| number(en, said).map(|number| zh.replacen('#', number, 1));
        NUMBERED.iter().find_map(fits)
    };
    let zh = find(SENTENCES, said)
        .or_else(|| find(OF_A_FIELD, said))
        .map(str::to_owned)
        .or_else(numbered)?;
    let name = field.rsplit('.').next().unwrap_or_default();
    let name = find(FIELDS, name).unwrap_or(name);
    Some(format!("{name}{zh}"))
}

/// The number in the place of `#`, where `said` is this sentence.
fn number<'a>(en: &str, said: &'a str) -> Option<&'a str> {
    let (before, after) = en.split_once('#')?;
    let number = said.strip_prefix(before)?.strip_suffix(after)?;
    number.chars().all(|c| c.is_ascii_digit()).then_some(number)
}

/// The two numbers of the sentence about a command that no server takes.
fn command_size(said: &str) -> Option<(&str, &str)> {
    let rest = said.strip_prefix("a command has at most ")?;
    rest.split_once(" bytes, this one has ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use hazardloop_domain::refusal::RefusalCode;

    const RULES: &str = concat!(
        include_str!("../../../domain/src/hazard/checks.rs"),
        include_str!("../../../domain/src/hazard/decide.rs"),
        include_str!("../../../domain/src/hazard/amend.rs"),
        include_str!("../../../domain/src/text.rs"),
    );

    #[test]
    fn every_sentence_here_is_one_of_the_rules() {
        for (en, _) in SENTENCES.iter().chain(OF_A_FIELD) {
            assert!(RULES.contains(en), "no rule says so any more: {en}");
        }
        for (en, _) in NUMBERED {
            let longest = en.split('#').max_by_key(|part| part.len()).unwrap();
            let longest = longest.trim_end_matches("photos").trim_end_matches("notes");
            assert!(RULES.contains(longest), "no rule says so any more: {en}");
        }
    }

    #[test]
    fn fields_and_numbers_keep_their_places() {
        let of = |refusal: Refusal| rule(&refusal).unwrap();
        let blank = Refusal::invalid_field("description", "must not be blank");
        assert_eq!(of(blank), "问题描述不能为空");
        let long = Refusal::invalid_field("text", "has more than 2000 characters");
        assert_eq!(of(long), "备注超过 2000 个字");
        let size = Refusal::invalid_field("photos[0].size", "must be 1 to 67108864 bytes");
        assert_eq!(of(size), "照片大小须为 1 至 67108864 字节");
        let missing = "3 photo(s) that the record names have not arrived";
        let missing = Refusal::new(RefusalCode::PhotosAwaited, missing);
        assert_eq!(of(missing), "还缺 3 张照片");
        let large = "a command has at most 65536 bytes, this one has 70000";
        let large = of(Refusal::new(RefusalCode::LimitReached, large));
        assert!(large.contains("最多 65536 字节，这一条有 70000"), "{large}");
        let unknown = Refusal::new(RefusalCode::NotFound, "something new");
        assert_eq!(rule(&unknown), None);
    }
}

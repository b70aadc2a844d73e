//! What somebody is asked to sign, in words. They are made here, from the fields themselves: what
//! another device says of them is not believed.

use hazardloop_domain::command::{ActionKind, Command, Subject};
use hazardloop_domain::time::Timestamp;
use serde_json::Value;

use super::args::Language;
use super::words::{self, say};
use super::{inspect, rules_zh};
use crate::driver::Device;

/// What the fields of commands are called in Chinese, beside those that the rules speak of.
const FIELDS_ZH: &[(&str, &str)] = &[
    ("grade", "隐患等级"),
    ("criterion", "判定标准"),
    ("code", "编码"),
    ("edition", "版本"),
    ("basis", "判定依据"),
    ("responsible_person", "整改责任人"),
    ("responsible_unit", "整改责任单位"),
    ("requirement", "整改要求"),
    ("due_date", "整改期限"),
    ("period", "期限天数"),
    ("days", "天数"),
    ("expert_opinion", "专家意见"),
    ("served", "被检查单位签收"),
    ("name", "姓名"),
    ("post", "职务"),
    ("signature", "签名照片"),
    ("refused_because", "拒签原因"),
    ("witness", "见证人"),
    ("passed", "复查合格"),
    ("holds", "抽查合格"),
    ("seen", "所见记录版本"),
    ("reviewed_on", "现场审查的日期"),
    ("opinion", "意见"),
    ("new_due_date", "新的期限"),
    ("reason", "原因"),
    ("text", "内容"),
    ("measures", "整改措施"),
    ("completed_at", "完成时间"),
    ("cost_fen", "整改资金（分）"),
    ("photos", "照片"),
    ("photo", "照片"),
    ("sha256", "SHA-256"),
    ("description", "问题描述"),
    ("place_text", "部位"),
    ("document_no", "文书编号"),
    ("items", "逐项结果"),
    ("approved", "同意"),
    ("agrees", "同意"),
];

/// Lines that say what is done, and to what.
pub(super) fn describe(
    device: &Device,
    now: Timestamp,
    command: &Command,
    lang: Language,
) -> Vec<String> {
    let kind = words::kind(lang, command.action.kind().as_str());
    let subject = command.subject();
    let (_, number) = words::subject(subject);
    let done = say(lang, "操作", "what is done");
    let mut lines = vec![format!("{done}: {kind}  {number}")];
    lines.push(match subject {
        Subject::Hazard(id) => match device.engine.hazard(now, id) {
            Some(view) => format!(
                "{}: {}",
                say(lang, "隐患", "hazard"),
                plain(view.hazard.description.as_str())
            ),
            None => say(
                lang,
                "本机没有这条隐患，无法核对其内容",
                "this hazard is not on this device: what it is cannot be compared here",
            )
            .to_owned(),
        },
        Subject::Inspection(id) => match device.engine.inspection(now, id) {
            Some(view) => format!(
                "{}: {}",
                say(lang, "检查", "inspection"),
                plain(&inspect::summary(&view, lang))
            ),
            None => say(
                lang,
                "本机没有这次检查，无法核对其内容",
                "this inspection is not on this device: what it is cannot be compared here",
            )
            .to_owned(),
        },
    });
    let fields = serde_json::to_value(&command.action).unwrap_or_default();
    if let Value::Object(fields) = fields {
        for (name, value) in fields.iter().filter(|(name, _)| *name != "kind") {
            let name = called(command.action.kind(), name);
            field(lang, &label(lang, name), value, &mut lines);
        }
    }
    lines
}

/// A photo with a signature shows that signature.
fn called(kind: ActionKind, name: &str) -> &str {
    match (kind, name) {
        (ActionKind::SignInspection, "photo") => "signature",
        (ActionKind::SpotCheck, "passed") => "holds",
        _ => name,
    }
}

fn label(lang: Language, name: &str) -> String {
    let known = FIELDS_ZH.iter().find(|(field, _)| *field == name);
    match (lang, known) {
        (Language::Zh, Some((_, zh))) => (*zh).to_owned(),
        (Language::Zh, None) => rules_zh::field_name(name),
        (Language::En, _) => name.replace('_', " "),
    }
}

fn field(lang: Language, name: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Bool(true) => lines.push(format!("{name}: {}", say(lang, "是", "yes"))),
        Value::Bool(false) => lines.push(format!("{name}: {}", say(lang, "否", "no"))),
        Value::String(text) => lines.push(format!("{name}: {}", plain(text))),
        Value::Number(number) => lines.push(format!("{name}: {number}")),
        Value::Array(items) => {
            for (item, number) in items.iter().zip(1..) {
                field(lang, &format!("{name} {number}"), item, lines);
            }
        }
        Value::Object(inner) => {
            for (inner, value) in inner {
                let inner = format!("{name} / {}", label(lang, inner));
                field(lang, &inner, value, lines);
            }
        }
    }
}

/// Without what could make a line look like another one: control characters, line ends, and signs
/// that turn the direction of writing.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|c| match c {
            '\n' => '⏎',
            c if hidden(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_photo_of_a_signing_is_the_photo_of_a_signature() {
        let name = |kind| label(Language::Zh, called(kind, "photo"));
        assert_eq!(name(ActionKind::SignInspection), "签名照片");
        assert_eq!(name(ActionKind::AttachPhoto), "照片");
    }

    #[test]
    fn every_field_is_shown_and_nothing_in_it_can_hide() {
        let fields = json!({
            "grade": "major", "basis": "一\n整改期限: 2099\u{202e}", "criterion": null,
            "served": { "name": "王强", "refused_because": "外出" },
            "photos": [{ "size": 7 }], "passed": false,
        });
        for (lang, expected) in [
            (
                Language::Zh,
                [
                    "判定依据: 一⏎整改期限: 2099\u{fffd}",
                    "被检查单位签收 / 拒签原因: 外出",
                    "复查合格: 否",
                ],
            ),
            (
                Language::En,
                [
                    "basis: 一⏎整改期限: 2099\u{fffd}",
                    "served / refused because: 外出",
                    "passed: no",
                ],
            ),
        ] {
            let mut lines = Vec::new();
            for (name, value) in fields.as_object().unwrap() {
                field(lang, &label(lang, name), value, &mut lines);
            }
            assert_eq!(lines.len(), 6, "{lines:?}");
            for line in expected {
                assert!(lines.iter().any(|shown| shown == line), "{line}: {lines:?}");
            }
        }
    }
}

//! What is said of desk work, in Chinese and English.

use hazardloop_domain::ids::PersonId;
use hazardloop_domain::responsibility::Basis;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::Failure;

use super::args::Language;
use super::desk::HandOver;
use super::exit;
use super::trouble::Trouble;
use super::words::say;

/// A refusal is the server's rule about who sees this, and no fault of the device.
pub(super) fn trouble(failure: Failure) -> Trouble {
    match &failure {
        Failure::Refused { code, .. } if code == "FORBIDDEN" => Trouble::Said(
            exit::REFUSED,
            "您的角色不能查看这些内容",
            "your role may not see this",
        ),
        Failure::Refused { code, .. } if code == "NOT_FOUND" => Trouble::Said(
            exit::USAGE,
            "服务器上没有所指的内容，或不在您的范围内",
            "the server has nothing of that name, or nothing that is yours to see",
        ),
        _ => Trouble::Server(failure),
    }
}

pub(super) const fn more(lang: Language) -> &'static str {
    say(
        lang,
        "还有更多，用 --limit 显示",
        "there are more; --limit shows them",
    )
}

/// Who answers, and by whose word.
pub(super) struct Told<'a> {
    pub basis: Basis,
    pub department: Option<&'a str>,
    pub by: Option<&'a str>,
}

pub(super) fn answering(lang: Language, told: &Told<'_>) -> String {
    let department = told.department.unwrap_or_default();
    let by = told.by.unwrap_or_default();
    match (lang, told.basis) {
        (Language::Zh, Basis::Own) => format!("{department}（本辖区明确）"),
        (Language::En, Basis::Own) => format!("{department} (said by the jurisdiction itself)"),
        (Language::Zh, Basis::Inherited) => format!("{department}（由上级 {by} 明确）"),
        (Language::En, Basis::Inherited) => format!("{department} (said above, by {by})"),
        (Language::Zh, Basis::Fallback) => format!("{department}（业务相近，由 {by} 指定）"),
        (Language::En, Basis::Fallback) => {
            format!("{department} (nearest in business, named by {by})")
        }
        (Language::Zh, Basis::None) => "无部门负责（监管盲区）".to_owned(),
        (Language::En, Basis::None) => "nobody answers".to_owned(),
    }
}

/// All that a jurisdiction itself says.
pub(super) fn matrix<'a>(
    lang: Language,
    place: &str,
    rows: impl Iterator<Item = (&'a str, &'a str)>,
    fallback: Option<&str>,
) -> Vec<String> {
    let mut lines: Vec<String> = rows
        .map(|(sector, department)| format!("{sector}: {department}"))
        .collect();
    if let Some(department) = fallback {
        let title = say(lang, "业务相近", "nearest in business");
        lines.push(format!("{title}: {department}"));
    }
    if lines.is_empty() {
        lines.push(match lang {
            Language::Zh => format!("{place} 没有自行明确；以上级辖区为准"),
            Language::En => format!("{place} says nothing itself; those above it do"),
        });
    } else {
        lines.insert(0, format!("{place}:"));
    }
    let hint = say(
        lang,
        "未列的行业由上级辖区明确；用 --sector 查询由谁负责",
        "what is not listed is said above it; --sector asks who answers",
    );
    lines.push(hint.to_owned());
    lines
}

pub(super) fn hand_over(lang: Language, one: &HandOver, now: Timestamp) -> String {
    let name = |name: &Option<String>, id: PersonId| {
        let name = name.clone();
        name.unwrap_or_else(|| id.to_string())
    };
    let from = name(&one.from_name, one.from_person);
    let to = name(&one.to_name, one.to_person);
    let by = name(&one.made_by_name, one.made_by);
    let (day, made) = (
        one.effective_at.shanghai_date(),
        one.made_at.shanghai_date(),
    );
    let (reason, count) = (&one.reason, one.grants.len());
    let coming = match one.effective_at > now {
        true => say(lang, "  [尚未生效]", "  [not yet in force]"),
        false => "",
    };
    match lang {
        Language::Zh => format!(
            "{day} 起  {from} → {to}  {count} 项职权  {reason}  （{by} 于 {made} 办理）{coming}"
        ),
        Language::En => {
            format!(
                "from {day}  {from} → {to}  {count} roles  {reason}  (by {by} on {made}){coming}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use hazardloop_domain::ids::PersonId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hand_over_says_who_to_whom_from_when_and_whether_it_is_still_to_come() {
        let person = |n| PersonId(Uuid::from_u128(n));
        let at = Timestamp::from_millis(1_795_305_600_000);
        let one = HandOver {
            from_person: person(1),
            from_name: Some("李".to_owned()),
            to_person: person(2),
            to_name: Some("王".to_owned()),
            reason: "调任".to_owned(),
            effective_at: at,
            made_by: person(2),
            made_by_name: None,
            made_at: at,
            grants: vec![serde_json::json!({})],
        };
        let day = at.shanghai_date();
        let zh = hand_over(Language::Zh, &one, at);
        assert_eq!(
            zh,
            format!(
                "{day} 起  李 → 王  1 项职权  调任  （{} 于 {day} 办理）",
                person(2)
            )
        );
        let before = hand_over(Language::En, &one, at.plus_millis(-1));
        assert!(before.ends_with("[not yet in force]"), "{before}");
    }

    #[test]
    fn who_answers_is_said_with_whose_word_it_is() {
        let told = |basis, department, by| {
            let told = Told {
                basis,
                department,
                by,
            };
            answering(Language::Zh, &told)
        };
        let gas = Some("区经济信息委");
        assert_eq!(told(Basis::Own, gas, None), "区经济信息委（本辖区明确）");
        assert_eq!(
            told(Basis::Inherited, gas, Some("某市")),
            "区经济信息委（由上级 某市 明确）"
        );
        assert_eq!(told(Basis::None, None, None), "无部门负责（监管盲区）");
    }
}

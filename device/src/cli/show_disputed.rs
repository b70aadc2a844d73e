//! Fields with two values, in words: what stands, what another wanted, and how a person settles it.

use hazardloop_domain::hazard::{Disputed, FieldName, Hazard, StatusName};

use super::args::Language;
use super::words::say;

pub(super) const fn field(lang: Language, field: FieldName) -> &'static str {
    match field {
        FieldName::Description => say(lang, "隐患描述", "description"),
        FieldName::PlaceText => say(lang, "部位", "place"),
        FieldName::Position => say(lang, "位置", "position"),
        FieldName::ImmediateMeasure => say(lang, "应急措施", "immediate measure"),
        FieldName::EnterpriseId => say(lang, "企业", "enterprise"),
    }
}

/// The mark behind a line of a list; `None`: no field has two values.
pub(super) fn mark(hazard: &Hazard, lang: Language) -> Option<String> {
    let mut fields: Vec<&str> = Vec::new();
    for disputed in &hazard.disputed {
        let name = field(lang, disputed.field);
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    (!fields.is_empty()).then(|| match lang {
        Language::Zh => format!("{}有两种说法", fields.join("、")),
        Language::En => format!("two values: {}", fields.join(", ")),
    })
}

/// One line for each value that does not stand, and how to settle them.
pub(super) fn lines(hazard: &Hazard, lang: Language) -> Vec<String> {
    let mut lines: Vec<String> = hazard.disputed.iter().map(|one| line(one, lang)).collect();
    if !lines.is_empty() {
        lines.push(hint(hazard.status_name(), lang).to_owned());
    }
    lines
}

/// What is to be done about them in this state: where nobody may settle them, nobody is told to.
fn hint(state: StatusName, lang: Language) -> &'static str {
    if StatusName::OPEN.contains(&state) {
        return say(
            lang,
            "    以上尚未采用。核对后用 amend 写明应采用的内容（可与现有内容相同），即告了结",
            "    none of these stands. Compare, then amend with what is to stand (it may be what stands now): that settles it",
        );
    }
    match state {
        StatusName::Transferred => say(
            lang,
            "    以上尚未采用。待移送被接收或退回后，再用 amend 写明应采用的内容",
            "    none of these stands. Once the transfer is received or sent back, amend with what is to stand",
        ),
        _ => say(
            lang,
            "    以上均未采用，办理已结束，仅作记录保留",
            "    none of these stood when work on it ended: they are kept as a record",
        ),
    }
}

fn line(disputed: &Disputed, lang: Language) -> String {
    let Disputed {
        other_value,
        by,
        at,
        ..
    } = disputed;
    let (name, day) = (field(lang, disputed.field), at.shanghai_date());
    match lang {
        Language::Zh => format!("! {name}另有一种说法（{by}，{day}）：{other_value}"),
        Language::En => format!("! another {name} (by {by}, {day}): {other_value}"),
    }
}

#[cfg(test)]
#[path = "show_disputed_tests.rs"]
mod tests;

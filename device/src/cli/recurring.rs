//! 反弹: what on this device looks like the same hazard again. A suggestion; people decide, by
//! `report --recurrence-of` or `reopen`.

use hazardloop_domain::hazard::{Hazard, Likeness, StatusName};
use hazardloop_domain::time::Timestamp;
use serde_json::{Value, json};

use super::args::Language;
use super::show::Answer;
use super::words::say;
use crate::driver::Device;

/// What was found to be no hazard recurs in nothing.
const NONE: [StatusName; 3] = [
    StatusName::Rejected,
    StatusName::Withdrawn,
    StatusName::Merged,
];

/// Adds to what is shown of `hazard` which closed ones it may repeat, and which may repeat it.
pub(super) fn add(
    answer: &mut Answer,
    device: &Device,
    hazard: &Hazard,
    now: Timestamp,
    lang: Language,
) {
    let months = device.engine.limits().hazards.recurrence_months;
    for view in device.engine.hazards(now) {
        let other = &view.hazard;
        if NONE.contains(&other.status_name()) {
            continue;
        }
        if let Some(likeness) = other.may_recur_in(hazard, months) {
            let title = say(lang, "可能重复", "may repeat");
            answer.lines.push(line(lang, title, other, likeness));
        } else if let Some(likeness) = hazard.may_recur_in(other, months) {
            let title = say(lang, "可能反弹为", "may have come back as");
            answer.lines.push(line(lang, title, other, likeness));
        } else {
            continue;
        }
        if let Value::Object(members) = &mut answer.json {
            let alike = members.entry("alike").or_insert_with(|| json!([]));
            if let Value::Array(alike) = alike {
                alike.push(json!({ "id": other.id, "number": other.number,
                    "status": other.status_name() }));
            }
        }
    }
}

fn line(lang: Language, title: &str, other: &Hazard, likeness: Likeness) -> String {
    let by = match likeness {
        Likeness::Criterion => say(lang, "同一判定情形", "by the same criterion"),
        Likeness::Category => say(lang, "同一隐患类别", "of the same category"),
    };
    let first = other.description.lines().next().unwrap_or_default();
    format!("{title}: {}  {first}  ({by})", other.number)
}

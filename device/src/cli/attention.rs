//! What took no effect: listed with what stands in the way, how the record stands and what is allowed now; sent
//! again or given up. What is sent in its place is an ordinary command with `--instead-of`.

use hazardloop_domain::command_fate::{ChoiceKind, Chosen, CommandFate, SettledAs, SettledCommand};
use hazardloop_domain::ids::{HazardId, InspectionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{ChoiceError, Standing, StoredCommand};
use serde_json::{Value, json};

use super::args::Language;
use super::attention_args::{AttentionArgs, AttentionTask};
use super::show::{Answer, command_json};
use super::trouble::Trouble;
use super::words::{self, say};
use crate::ambient::Ambient;
use crate::driver::{Device, Queued};

pub(super) fn run(
    device: &mut Device,
    ambient: &Ambient,
    args: &AttentionArgs,
    lang: Language,
) -> Result<Answer, Trouble> {
    match &args.task {
        None => Ok(list(device, ambient.clock.now(), args.all, lang)),
        Some(AttentionTask::Retry(which)) => {
            let queued = device.retry(ambient, which.number)?;
            Ok(done(lang, which.number, ChoiceKind::Retried, queued))
        }
        Some(AttentionTask::GiveUp(args)) => {
            let number = args.which.number;
            let queued = device.give_up(ambient, number, &args.reason)?;
            Ok(done(lang, number, ChoiceKind::GivenUp, queued))
        }
    }
}

fn done(lang: Language, number: i64, how: ChoiceKind, queued: Option<Queued>) -> Answer {
    let seq = queued.map(|queued| queued.seq);
    let what = choice(lang, how);
    let line = match (lang, seq) {
        // It had never left: it is not sent again, it is sent.
        _ if seq.is_none() && how == ChoiceKind::Retried => match lang {
            Language::Zh => format!("#{number} 下次 sync 时立即再试"),
            Language::En => format!("#{number} is tried again by the next sync"),
        },
        (Language::Zh, Some(seq)) => format!("#{number} {what}；第 {seq} 条已保存在本机，待发送"),
        (Language::En, Some(seq)) => {
            format!("#{number} {what}: number {seq} is kept on this device, to be sent")
        }
        (Language::Zh, None) => format!("#{number} {what}；服务器没有这一条，仅记在本机"),
        (Language::En, None) => {
            format!("#{number} {what}; the server has nothing of it, it is noted on this device")
        }
    };
    Answer {
        json: json!({ "number": number, "choice": how, "seq": seq }),
        lines: vec![line],
    }
}

fn list(device: &Device, now: Timestamp, all: bool, lang: Language) -> Answer {
    let engine = &device.engine;
    let commands = engine.state().commands.values();
    let shown: Vec<(&StoredCommand, Standing)> = commands
        .map(|command| (command, engine.standing(command)))
        .filter(|(_, standing)| match standing {
            Standing::NeedsAttention => true,
            Standing::Settled => all,
            Standing::OnDevice | Standing::Arrived => false,
        })
        .collect();
    let mut lines = Vec::new();
    for (command, standing) in &shown {
        lines.extend(described(device, command, *standing, now, lang));
    }
    if lines.is_empty() {
        let none = say(lang, "没有需要处理的事项", "nothing needs attention");
        lines.push(none.to_owned());
    } else if shown
        .iter()
        .any(|(_, standing)| *standing == Standing::NeedsAttention)
    {
        let hint = say(
            lang,
            "attention retry 编号：原样重发；其他操作加 --instead-of 编号：改后重发；\
             attention give-up 编号 --reason 原因：放弃",
            "attention retry NUMBER sends it again; any step with --instead-of NUMBER replaces it; \
             attention give-up NUMBER --reason WHY",
        );
        lines.push(hint.to_owned());
    }
    let items: Vec<Value> = shown
        .iter()
        .map(|(command, standing)| item(device, command, *standing, now, lang))
        .collect();
    Answer {
        json: Value::Array(items),
        lines,
    }
}

fn item(
    device: &Device,
    command: &StoredCommand,
    standing: Standing,
    now: Timestamp,
    lang: Language,
) -> Value {
    let mut item = command_json(device, command, lang);
    let engine = &device.engine;
    let id = command.subject_id;
    let status = engine
        .hazard(now, HazardId(id.0))
        .map(|view| view.hazard.status_name());
    if let Some(fields) = item.as_object_mut() {
        let (chosen, fate) = (&command.chosen, engine.fate_of(command));
        let told = fate.as_ref();
        let chosen = chosen
            .as_ref()
            .or(told.and_then(|fate| fate.chosen.as_ref()));
        let more = [
            ("settled", json!(standing == Standing::Settled)),
            ("chosen", json!(chosen)),
            (
                "settlement",
                json!(told.and_then(|fate| fate.settled.as_ref())),
            ),
            ("status", json!(status)),
            (
                "allowed_now",
                json!(engine.allowed_instead_of(now, command)),
            ),
        ];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    item
}

fn described(
    device: &Device,
    command: &StoredCommand,
    standing: Standing,
    now: Timestamp,
    lang: Language,
) -> Vec<String> {
    let engine = &device.engine;
    let (content, id) = (command.content(), command.subject_id);
    let (_, number) = words::subject_of(&content.kind, id);
    let kind = words::kind(lang, &content.kind);
    let why = words::reason(lang, engine.state(), command);
    let mut lines = vec![format!("#{} {kind} {number}: {why}", command.envelope.seq)];
    if standing == Standing::Settled {
        lines.extend(settled_lines(
            command,
            engine.fate_of(command).as_ref(),
            lang,
        ));
        return lines;
    }
    let hazard = engine.hazard(now, HazardId(id.0));
    let inspection = engine.inspection(now, InspectionId(id.0));
    if hazard.is_none() && inspection.is_none() {
        return lines;
    }
    let allowed = engine.allowed_instead_of(now, command);
    let names: Vec<&str> = allowed
        .iter()
        .map(|kind| words::kind(lang, kind.as_str()))
        .collect();
    let status = hazard.map(|view| words::status(lang, view.hazard.status_name()));
    lines.push(stands(lang, status, &names));
    lines
}

/// How a record stands, and what may be done about it.
pub(super) fn stands(lang: Language, status: Option<&str>, names: &[&str]) -> String {
    let status = status.map_or_else(String::new, |status| match lang {
        Language::Zh => format!("现为{status}；"),
        Language::En => format!("it is {status} now; "),
    });
    let allowed = match (lang, names.is_empty()) {
        (Language::Zh, false) => format!("您现在可以：{}", names.join("、")),
        (Language::En, false) => format!("you may now: {}", names.join(", ")),
        (Language::Zh, true) => "您现在没有可用的操作".to_owned(),
        (Language::En, true) => "there is nothing that you may do about it now".to_owned(),
    };
    format!("    {status}{allowed}")
}

/// What was chosen here or elsewhere, and what others made of it.
pub(super) fn settled_lines(
    command: &StoredCommand,
    told: Option<&CommandFate>,
    lang: Language,
) -> Vec<String> {
    let chosen = command.chosen.as_ref();
    let chosen = chosen.or(told.and_then(|fate| fate.chosen.as_ref()));
    settled_lines_of(chosen, told.and_then(|fate| fate.settled.as_ref()), lang)
}

pub(super) fn settled_lines_of(
    chosen: Option<&Chosen>,
    settled: Option<&SettledCommand>,
    lang: Language,
) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(chosen) = chosen {
        let reason = chosen.reason.as_deref().unwrap_or_default();
        let by = chosen
            .by
            .map_or_else(String::new, |by| format!(" #{}", by.seq));
        let what = choice(lang, chosen.how);
        lines.push(format!(
            "    {what}{by}  {reason}  {}",
            chosen.at.shanghai_date()
        ));
    }
    if let Some(settled) = settled {
        let what = match settled.how {
            SettledAs::Dismissed => say(lang, "未予采纳", "dismissed"),
            SettledAs::Entered => say(lang, "已另行登记", "entered in another way"),
        };
        let (by, day) = (&settled.by_name, settled.at.shanghai_date());
        lines.push(match lang {
            Language::Zh => format!("    {by} 于 {day} {what}：{}", settled.note),
            Language::En => format!("    {what} by {by} on {day}: {}", settled.note),
        });
    }
    lines
}

pub(super) const fn choice(lang: Language, how: ChoiceKind) -> &'static str {
    match how {
        ChoiceKind::Retried => say(lang, "已重新发送", "sent again"),
        ChoiceKind::Amended => say(lang, "已改后重发", "replaced"),
        ChoiceKind::GivenUp => say(lang, "已放弃", "given up"),
    }
}

impl From<ChoiceError> for Trouble {
    fn from(error: ChoiceError) -> Self {
        let zh = match &error {
            ChoiceError::NoSuchCommand => "本机没有这一条操作",
            ChoiceError::NotOpen => "这一条无需处理：已生效、尚待发送，或已有处理结果",
            ChoiceError::BeingSent => "这一条正在发送，请待有结果后再处理",
            ChoiceError::Unreadable => "本版本无法读取这一条，不能重发",
            ChoiceError::Refused(refused) => return Self::Refused(Box::new(refused.0.clone())),
        };
        Self::Usage(zh.to_owned(), error.to_string())
    }
}

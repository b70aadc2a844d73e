//! Proof of time at the command line: devices that witness each other, and what proves when something was made.

use clap::Subcommand;
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time_proof::{ClockCheck, ProofLevel, TimeProof};
use hazardloop_sync_protocol::device::WitnessError;
use hazardloop_sync_protocol::witness::ShownHead;
use serde_json::{Value, json};

use super::args::Language;
use super::cosign;
use super::help_words::Words;
use super::show::Answer;
use super::trouble::Trouble;
use super::words::{self, say};
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::witness::NotWitnessed;

/// Devices that witness each other.
#[derive(Debug, Subcommand)]
pub enum WitnessTask {
    /// Shows how far this device's commands go, for another device to take.
    Show,
    /// Takes what another device shows.
    Take {
        /// The text; `-` reads it from the standard input.
        text: String,
    },
}

pub(super) const ZH: Words = &[
    (
        "witness",
        "互相见证：出示本机操作链的末端，或记下他人设备出示的（可离线）。对方先联网时，\
         服务器据此证明本机的操作在那之前已经存在。",
    ),
    ("witness show", "出示本机操作链的末端（文本，可制成二维码）"),
    ("witness take", "记下他人设备出示的末端，随本机操作一起送达"),
    (
        "witness take TEXT",
        "他人设备出示的文本；- 表示从标准输入读取",
    ),
];

pub(super) const EN: Words = &[
    (
        "witness",
        "Witness each other: show how far this device's commands go, or take what another device shows \
         (works offline). If the other one reaches the server first, that proves that what was done here \
         was there by then.",
    ),
    (
        "witness show",
        "Show how far this device's commands go (a text, to copy or to make a code of)",
    ),
    (
        "witness take",
        "Take what another device shows; it is sent with this device's own commands",
    ),
    (
        "witness take TEXT",
        "Text that the other device shows; - reads it from the standard input",
    ),
];

fn usage(zh: impl Into<String>, en: impl Into<String>) -> Trouble {
    Trouble::Usage(zh.into(), en.into())
}

impl From<NotWitnessed> for Trouble {
    fn from(error: NotWitnessed) -> Self {
        let en = error.to_string();
        let zh = match error {
            NotWitnessed::Device(error) => return error.into(),
            NotWitnessed::Head(WitnessError::Damaged) => "出示的内容已损坏",
            NotWitnessed::Head(WitnessError::OneOwn) => "设备不能为自己见证",
            NotWitnessed::Head(WitnessError::Known) => "这一末端此前已经见证过",
        };
        Self::Usage(zh.to_owned(), en)
    }
}

pub(super) fn run(
    device: &mut Device,
    ambient: &Ambient,
    task: &WitnessTask,
    lang: Language,
) -> Result<Answer, Trouble> {
    match task {
        WitnessTask::Show => {
            let shown = device.shown_head().ok_or_else(|| {
                usage(
                    "本机还没有任何操作可以见证",
                    "nothing was done on this device yet that could be witnessed",
                )
            })?;
            let (text, seq) = (shown.to_text(), shown.head.head.seq);
            let to = say(lang, "本机操作至", "this device's commands up to");
            Ok(Answer {
                lines: vec![format!("{to} #{seq}"), text.clone()],
                json: json!({
                    "install_id": shown.head.install_id,
                    "seq": seq,
                    "head": shown.head.head.head,
                    "text": text,
                }),
            })
        }
        WitnessTask::Take { text } => {
            let shown = ShownHead::from_text(&cosign::given(text))?;
            if !device.is_of_this_server(&shown) {
                return Err(usage(
                    "这是另一个服务器的设备，不能在此见证",
                    "this is a device of another server: it cannot be witnessed here",
                ));
            }
            let queued = device.witness(ambient, &shown.head)?;
            let (other, upto) = (shown.head.install_id, shown.head.head.seq);
            let (taken, kept) = (
                say(lang, "已见证设备", "witnessed device"),
                say(lang, "待发送", "to be sent"),
            );
            Ok(Answer {
                lines: vec![format!("{taken} {other} #{upto}, {kept} [{}]", queued.seq)],
                json: json!({
                    "seqs": [queued.seq],
                    "witnessed": { "install_id": other, "seq": upto },
                }),
            })
        }
    }
}

/// What proves when something was made, in words.
pub(super) fn words_of(proof: &TimeProof, by_name: Option<&str>, lang: Language) -> String {
    let mut parts = Vec::new();
    let level = match (proof.level, lang) {
        (ProofLevel::Received, Language::Zh) => "已由服务器接收",
        (ProofLevel::Received, Language::En) => "received by the server",
        (ProofLevel::Gateway, Language::Zh) => "已由网关接收",
        (ProofLevel::Gateway, Language::En) => "received by a gateway",
        (ProofLevel::Witnessed, Language::Zh) => "已由他人设备见证",
        (ProofLevel::Witnessed, Language::En) => "witnessed by another device",
        (ProofLevel::Claimed, Language::Zh) => "仅本机时钟，尚无证明",
        (ProofLevel::Claimed, Language::En) => "this device's clock only, nothing proves it yet",
    };
    parts.push(match proof.proven_at {
        Some(at) => {
            let by_then = say(lang, "不晚于", "not later than");
            format!("{level}, {by_then} {at}")
        }
        None => level.to_owned(),
    });
    if proof.level == ProofLevel::Witnessed {
        let by = by_name.map(|name| format!("{} {name}", say(lang, "见证人", "by")));
        parts.extend(by);
        let received = proof.received_at.map(|at| {
            let received = say(lang, "服务器接收于", "received at");
            format!("{received} {at}")
        });
        parts.extend(received);
    }
    if let Some(at) = proof.not_before {
        parts.push(format!("{} {at}", say(lang, "不早于", "not before")));
    }
    if let Some(at) = proof.claimed_at {
        parts.push(format!("{} {at}", say(lang, "本机时钟", "device's clock")));
    }
    match proof.clock {
        Some(ClockCheck::Consistent) => parts.push(say(lang, "时钟一致", "consistent").to_owned()),
        Some(ClockCheck::Contradicted) => {
            parts.push(say(lang, "时钟不符", "contradicted").to_owned());
        }
        Some(ClockCheck::AnchorForged) => {
            parts.push(say(lang, "锚点不实", "anchor is not the server's").to_owned());
        }
        Some(ClockCheck::Unchecked) | None => {}
    }
    parts.join("; ")
}

/// Adds to what is shown of a record when the commands of this device on it were made, and what proves that; of
/// others' work, when the server received the report.
pub(super) fn add_times(
    answer: &mut Answer,
    device: &Device,
    (subject_id, report_received_at): (SubjectId, Option<TimeProof>),
    lang: Language,
) {
    let mut told = Vec::new();
    let commands = device.engine.state().commands.values();
    for command in commands.filter(|command| command.subject_id == subject_id) {
        let Some(proof) = device.engine.time_proof(command) else {
            continue;
        };
        let sent = device.engine.sent_command(command);
        let witness = sent.and_then(|sent| device.engine.witness_of(sent));
        let by_name = witness.as_ref().map(|told| told.by_name.as_str());
        let (seq, kind) = (command.envelope.seq, &command.content().kind);
        let title = words::kind(lang, kind);
        let words = words_of(&proof, by_name, lang);
        answer.lines.push(format!("#{seq} {title}: {words}"));
        told.push(
            json!({ "seq": seq, "kind": kind, "time_proof": proof, "witness_name": by_name }),
        );
    }
    if let (true, Some(proof)) = (told.is_empty(), report_received_at) {
        let title = words::kind(lang, "report");
        let words = words_of(&proof, None, lang);
        // A device is not told what others have witnessed of somebody else's work.
        let more = say(
            lang,
            "服务器可能另有更早的证明，见 show --online",
            "the server may know an earlier proof: show --online",
        );
        answer.lines.push(format!("{title}: {words}; {more}"));
        told.push(json!({ "kind": "report", "time_proof": proof }));
    }
    if let Value::Object(members) = &mut answer.json {
        members.insert("time_proofs".to_owned(), Value::Array(told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hazardloop_domain::time::Timestamp;

    #[test]
    fn every_level_has_its_words_in_both_languages() {
        let at = Timestamp::from_millis(1_795_309_200_000);
        let mut said = std::collections::BTreeSet::new();
        for lang in [Language::Zh, Language::En] {
            for level in [
                ProofLevel::Received,
                ProofLevel::Gateway,
                ProofLevel::Witnessed,
                ProofLevel::Claimed,
            ] {
                let proof = TimeProof {
                    level,
                    ..TimeProof::received(at)
                };
                said.insert(words_of(&proof, Some("陈立"), lang));
            }
        }
        assert_eq!(said.len(), 8, "{said:?}");
        let claimed = words_of(&TimeProof::claimed(at), None, Language::En);
        assert!(claimed.contains("nothing proves it"), "{claimed}");
        assert!(claimed.contains("2026-11-22"), "{claimed}");
    }
}

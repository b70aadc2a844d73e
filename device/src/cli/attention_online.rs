//! What took no effect on any device of the owner, asked of the server: listed, sent again, given up. For the device
//! that is lost, or that lies in another office.

use hazardloop_domain::command_fate::{Chosen, SentCommand, SettledCommand};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{InstallId, SubjectId};
use hazardloop_sync_protocol::device::Failure;
use hazardloop_sync_protocol::wire::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::args::Language;
use super::attention::{choice, settled_lines_of};
use super::attention_args::{AttentionArgs, AttentionTask};
use super::desk::{Desk, one, typed};
use super::show::Answer;
use super::trouble::{Trouble, code_of};
use super::words::{self, say};
use super::{desk_words, exit};

/// Commands that are shown at most.
const MOST: usize = 1_000;
/// Rows of a page.
const PAGE: usize = 100;

/// A command that took no effect, as far as it is shown here.
#[derive(Deserialize)]
struct Waiting {
    install_id: InstallId,
    seq: i64,
    kind: String,
    #[serde(default)]
    subject_id: Option<SubjectId>,
    outcome: Outcome,
    #[serde(default)]
    chosen: Option<Chosen>,
    #[serde(default)]
    settled: Option<SettledCommand>,
}

/// One of them beside how its record stands.
#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    present: Option<Present>,
}

#[derive(Deserialize)]
struct Present {
    #[serde(default)]
    status: Option<StatusName>,
    allowed_actions: Vec<String>,
}

impl Desk<'_> {
    pub(super) fn attention(&mut self, args: &AttentionArgs) -> Result<Answer, Trouble> {
        match &args.task {
            None => self.waiting(),
            Some(AttentionTask::Retry(which)) => {
                let body = json!({ "how": "retried" });
                self.choose(which.of.unwrap_or_default(), which.number, &body)
            }
            Some(AttentionTask::GiveUp(args)) => {
                let body = json!({ "how": "given_up", "reason": args.reason });
                let which = &args.which;
                self.choose(which.of.unwrap_or_default(), which.number, &body)
            }
        }
    }

    fn waiting(&mut self) -> Result<Answer, Trouble> {
        let (mut items, mut after) = (Vec::new(), None::<SentCommand>);
        while items.len() < MOST {
            let behind = after.map_or_else(String::new, |last| {
                format!("&after_install={}&after_seq={}", last.install_id, last.seq)
            });
            let page: Value = self.ask(&format!("/api/v1/attention?limit={PAGE}{behind}"))?;
            let page: Vec<Value> = match page.get("items") {
                Some(Value::Array(page)) => page.clone(),
                _ => return Err(Trouble::Server(Failure::NotOurs)),
            };
            let read: Vec<Waiting> = typed(&page)?;
            after = read.last().map(|last| SentCommand {
                install_id: last.install_id,
                seq: last.seq,
            });
            let is_last = page.len() < PAGE;
            items.extend(page);
            if is_last {
                break;
            }
        }
        let more = items.len() >= MOST;
        let mut lines = Vec::new();
        for (waiting, item) in typed::<Waiting>(&items)?.iter().zip(&mut items) {
            let path = format!("/api/v1/attention/{}/{}", waiting.install_id, waiting.seq);
            let detail: Value = match self.ask(&path) {
                // Settled meanwhile, from another device.
                Err(Trouble::Said(exit::USAGE, ..)) => continue,
                detail => detail?,
            };
            lines.extend(self.described(waiting, one(&detail)?));
            if let (Value::Object(members), Some(present)) = (item, detail.get("present")) {
                members.insert("present".to_owned(), present.clone());
            }
        }
        if lines.is_empty() {
            let none = say(self.lang, "没有需要处理的事项", "nothing needs attention");
            lines.push(none.to_owned());
        } else {
            let hint = say(
                self.lang,
                "其他设备上的：attention retry 编号 --of 设备：原样重发；\
                 attention give-up 编号 --of 设备 --reason 原因：放弃",
                "of another device: attention retry NUMBER --of DEVICE sends it again; \
                 attention give-up NUMBER --of DEVICE --reason WHY",
            );
            lines.push(hint.to_owned());
        }
        lines.extend(more.then(|| desk_words::more(self.lang).to_owned()));
        Ok(Answer {
            json: json!({ "items": items, "more": more }),
            lines,
        })
    }

    fn described(&self, waiting: &Waiting, detail: Detail) -> Vec<String> {
        let lang = self.lang;
        let number = waiting.subject_id.map_or_else(String::new, |id| {
            let (_, number) = words::subject_of(&waiting.kind, id);
            number
        });
        let kind = words::kind(lang, &waiting.kind);
        let why = words::became(lang, &waiting.outcome);
        let own = waiting.install_id == self.device.account.install_id;
        let whose = match own {
            true => say(lang, "本机", "this device").to_owned(),
            false => waiting.install_id.to_string(),
        };
        let mut lines = vec![format!("#{} {kind} {number}: {why}", waiting.seq)];
        lines.push(format!("    {}: {whose}", say(lang, "设备", "device")));
        lines.extend(detail.present.map(|present| {
            let status = present.status.map(|status| words::status(lang, status));
            let names = present.allowed_actions.iter();
            let names: Vec<&str> = names.map(|kind| words::kind(lang, kind)).collect();
            super::attention::stands(lang, status, &names)
        }));
        lines
    }

    /// Says what is to become of one. The same again changes nothing.
    fn choose(&mut self, install: Uuid, seq: i64, body: &Value) -> Result<Answer, Trouble> {
        let path = format!("/api/v1/attention/{install}/{seq}/choice");
        let answer = self.device.submit(&self.transport, &path, body)?;
        let made: Value = answer.map_err(|failure| not_chosen(&failure))?;
        let read: Waiting = one(&made)?;
        let lang = self.lang;
        let how = read.chosen.as_ref().map(|chosen| choice(lang, chosen.how));
        let mut lines = vec![format!("#{seq} {}", how.unwrap_or_default())];
        lines.extend(settled_lines_of(
            read.chosen.as_ref(),
            read.settled.as_ref(),
            lang,
        ));
        Ok(Answer { json: made, lines })
    }
}

fn not_chosen(failure: &Failure) -> Trouble {
    match failure {
        Failure::Refused { code, detail } => {
            let zh = match code.as_str() {
                "NOT_FOUND" => "您的设备没有发送过这一条",
                "CONFLICT" => "这一条已生效，或已有处理结果",
                _ => "服务器未接受",
            };
            let told = format!("{zh}（{code}）：{detail}");
            Trouble::Told(exit::REFUSED, told, format!("{code}: {detail}"))
        }
        _ => Trouble::Told(
            code_of(failure),
            words::failure(Language::Zh, failure),
            words::failure(Language::En, failure),
        ),
    }
}

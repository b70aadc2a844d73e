//! One hazard as this device has it, and when it was reported as the server knows it.

use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use hazardloop_sync_protocol::device::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::Language;
use super::desk::Desk;
use super::show::{self, Answer};
use super::trouble::Trouble;
use super::{find, recurring, witness, words};
use crate::driver::Device;

/// A hazard's history, as far as it is shown here: how it began.
#[derive(Deserialize)]
struct History {
    items: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    time_proof: TimeProof,
}

/// One hazard from what is on this device.
pub(super) fn on_device(
    device: &Device,
    now: Timestamp,
    which: &str,
    lang: Language,
) -> Result<(HazardId, Answer), Trouble> {
    let (_, view) = find::hazard(&device.engine, now, which)?;
    let view = view.ok_or_else(|| find::no_such_hazard(which))?;
    let mut answer = show::one(&view, now, lang);
    let received = TimeProof::received(view.hazard.received_at);
    let received = view.server_version.is_some().then_some(received);
    let subject = (view.hazard.id.into(), received);
    witness::add_times(&mut answer, device, subject, lang);
    recurring::add(&mut answer, device, &view.hazard, now, lang);
    Ok((view.hazard.id, answer))
}

impl Desk<'_> {
    /// The same, and what the server knows of when it was reported: others may have witnessed it.
    pub(super) fn shown(&mut self, which: &str) -> Result<Answer, Trouble> {
        let (id, mut answer) = on_device(self.device, self.now, which, self.lang)?;
        let history: History = self.ask(&format!("/api/v1/hazards/{id}/events?limit=1"))?;
        let [Event { time_proof }] = history.items.as_slice() else {
            return Err(Trouble::Server(Failure::NotOurs));
        };
        let title = words::kind(self.lang, "report");
        let words = witness::words_of(time_proof, None, self.lang);
        let by = words::say(self.lang, "服务器所知", "as the server knows");
        answer.lines.push(format!("{title} ({by}): {words}"));
        if let Value::Object(members) = &mut answer.json {
            let told = json!({ "kind": "report", "time_proof": time_proof });
            members.insert("report_as_the_server_knows".to_owned(), told);
        }
        Ok(answer)
    }
}

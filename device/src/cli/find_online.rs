//! Looking hazards up on the server: those that this device does not hold, with the filters of a list.

use hazardloop_domain::geography::Position;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_sync_protocol::device::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::Language;
use super::desk::{Desk, query_value, typed};
use super::list::{enterprise, jurisdiction};
use super::list_args::{ASKED, ListArgs, Sort};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::{self, say};
use super::{desk_words, exit};
use crate::driver::Device;

/// A hazard as the server lists it, as far as it is shown here.
#[derive(Deserialize)]
struct Found {
    id: HazardId,
    number: String,
    status: StatusName,
    description: String,
    #[serde(default)]
    enterprise_id: Option<EnterpriseId>,
    updated_at: Timestamp,
    #[serde(default)]
    due_date: Option<LocalDate>,
}

impl Desk<'_> {
    /// The server's list, newest or earliest due first.
    pub(super) fn find(&mut self, args: &ListArgs) -> Result<Answer, Trouble> {
        let path = format!("/api/v1/hazards{}", query(self.device, args)?);
        let limit = usize::try_from(args.limit.unwrap_or(ASKED)).unwrap_or(usize::MAX);
        let found = self.pages(&path, limit, |_| true);
        let (mut items, more) = found.map_err(without_network)?;
        let read: Vec<Found> = typed(&items)?;
        let mut lines = Vec::new();
        for (one, item) in read.iter().zip(&mut items) {
            let here = self.device.engine.hazard(self.now, one.id).is_some();
            lines.push(self.found_line(one, here));
            if let Value::Object(members) = item {
                members.insert("on_device".to_owned(), json!(here));
            }
        }
        if lines.is_empty() {
            let none = say(
                self.lang,
                "服务器上没有相符的隐患",
                "no hazard on the server fits",
            );
            lines.push(none.to_owned());
        }
        lines.extend(more.then(|| desk_words::more(self.lang).to_owned()));
        Ok(Answer {
            json: json!({ "items": items, "more": more }),
            lines,
        })
    }

    fn found_line(&self, hazard: &Found, here: bool) -> String {
        let lang = self.lang;
        let status = words::status(lang, hazard.status);
        let text = hazard.description.lines().next().unwrap_or_default();
        let firm = self.ground.enterprise(hazard.enterprise_id);
        let firm = firm.map_or_else(String::new, |name| format!("  {name}"));
        let due = hazard.due_date.map_or_else(String::new, |due| {
            format!("  {} {due}", say(lang, "期限", "due"))
        });
        let changed = hazard.updated_at.shanghai_date();
        let here = match (here, lang) {
            (true, _) => "",
            (false, Language::Zh) => "  [不在本机]",
            (false, Language::En) => "  [not on this device]",
        };
        format!(
            "{}  {status}  {changed}  {text}{firm}{due}{here}",
            hazard.number
        )
    }
}

/// That there is no network is no fault: what can be done without it is said.
fn without_network(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Server(Failure::Offline) => Trouble::Said(
            exit::UNREACHABLE,
            "没有网络，不能在服务器上查找；本机上有的用 list 查看",
            "there is no network: the server cannot be reached to look it up; list shows what is \
             on this device",
        ),
        other => other,
    }
}

/// The filters as the server takes them.
fn query(device: &Device, args: &ListArgs) -> Result<String, Trouble> {
    let mut all: Vec<(&str, String)> = Vec::new();
    let mut add = |name, value: Option<String>| all.extend(value.map(|value| (name, value)));
    add("q", args.search.as_ref().map(|query| query.text()));
    let states: Vec<&str> = args.state.iter().map(|state| state.as_str()).collect();
    add("status", (!states.is_empty()).then(|| states.join(",")));
    add("grade", args.grade.map(|grade| grade.as_str().to_owned()));
    let overdue = args.overdue || args.not_overdue;
    add("overdue", overdue.then(|| args.overdue.to_string()));
    add("sector", args.sector.clone());
    let firm = enterprise(device, args.enterprise.as_deref())?;
    add("enterprise_id", firm.map(|id| id.to_string()));
    let place = jurisdiction(device, args.jurisdiction.as_deref())?;
    add("jurisdiction_id", place.map(|id| id.to_string()));
    if let Some(criterion) = &args.criterion {
        if criterion.edition.is_some() {
            return Err(Trouble::Usage(
                "在服务器上查找时 --criterion 只写编码，不写版本".to_owned(),
                "on the server, --criterion is looked up by its code, without an edition"
                    .to_owned(),
            ));
        }
        add("criterion", Some(criterion.code.clone()));
    }
    add(
        "source",
        args.source.map(|source| source.as_str().to_owned()),
    );
    add(
        "received_from",
        args.since.map(|since| since.begins().to_string()),
    );
    add(
        "received_until",
        args.until.map(|until| until.ends().to_string()),
    );
    add("due_from", args.due_from.map(|day| day.to_string()));
    add("due_until", args.due_until.map(|day| day.to_string()));
    if let Some(near) = &args.near {
        add("near", Some(point(&near.centre)));
        add("radius_m", Some(near.radius_m.to_string()));
    }
    if let Some(frame) = &args.bbox {
        add("bbox", Some(frame.text()));
    }
    add("reporter", args.mine.then(|| "me".to_owned()));
    add(
        "sort",
        matches!(args.sort, Sort::Due).then(|| "due_date".to_owned()),
    );
    let written: Vec<String> = all
        .into_iter()
        .map(|(name, value)| format!("{name}={}", query_value(&value)))
        .collect();
    Ok(match written.is_empty() {
        true => String::new(),
        false => format!("?{}", written.join("&")),
    })
}

fn point(at: &Position) -> String {
    let longitude = f64::from(at.longitude_e7()) / 1e7;
    let latitude = f64::from(at.latitude_e7()) / 1e7;
    format!("{longitude},{latitude}@{}", at.reference())
}

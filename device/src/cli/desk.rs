//! Desk work that no replica holds, read from the server while there is a network: hazards that
//! nobody answers for or that are not on this device (`find_online.rs`), who answers for what, hand-overs.
//! All but `hand_over.rs` only reads.

use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::responsibility::Basis;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::args::{Arguments, Language, Task};
use super::desk_words;
use super::ground::{Ground, sector_code};
use super::list::jurisdiction;
use super::list_args::{HandOversArgs, ResponsibilitiesArgs, UnclaimedArgs};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::{self, say};
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::transport::Transport;

/// Pages that are asked for at most: a page may be short, or empty, before the end.
const MOST_PAGES: usize = 100;

/// Whether a task asks the server for something beside sync.
pub(super) fn asks(task: &Task) -> bool {
    match task {
        Task::Unclaimed(_) | Task::Responsibilities(_) | Task::HandOvers(_) => true,
        Task::HandOver(_) | Task::Find(_) => true,
        Task::Orders(args) => args.online,
        Task::Attention(args) => args.asks(),
        Task::Show(args) => args.online,
        _ => false,
    }
}

pub(super) fn run(
    device: &mut Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
) -> Result<Option<Answer>, Trouble> {
    if !asks(&arguments.task) {
        return Ok(None);
    }
    let now = ambient.clock.now();
    let transport = Transport::new(&device.account.server);
    let ground = Ground::of(device, now);
    let mut desk = Desk {
        device,
        transport,
        ground,
        now,
        lang: arguments.lang,
    };
    Ok(Some(match &arguments.task {
        Task::Unclaimed(args) => desk.unclaimed(args)?,
        Task::Responsibilities(args) => desk.responsibilities(args)?,
        Task::HandOvers(args) => desk.hand_overs(args)?,
        Task::Find(args) => desk.find(args)?,
        Task::Attention(args) => desk.attention(args)?,
        Task::Show(args) => desk.shown(&args.which.hazard)?,
        Task::HandOver(args) => {
            let id = args.again.unwrap_or_else(|| ambient.uuid_v7());
            desk.hand_over(args, id)?
        }
        _ => return Ok(None),
    }))
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
}

/// A hazard of the queue, as far as it is shown here.
#[derive(Deserialize)]
struct Unclaimed {
    number: String,
    status: StatusName,
    description: String,
    #[serde(default)]
    enterprise_id: Option<EnterpriseId>,
    jurisdiction_id: JurisdictionId,
    #[serde(default)]
    sector: Option<String>,
    received_at: Timestamp,
}

/// Who answers for a sector.
#[derive(Deserialize)]
struct Answering {
    basis: Basis,
    #[serde(default)]
    department: Option<String>,
    #[serde(default)]
    said_by: Option<JurisdictionId>,
}

/// What a jurisdiction itself says.
#[derive(Deserialize)]
struct Matrix {
    rows: Vec<Row>,
    #[serde(default)]
    fallback: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    sector: String,
    department: String,
}

/// A hand-over, as far as it is shown here.
#[derive(Deserialize)]
pub(super) struct HandOver {
    pub from_person: PersonId,
    #[serde(default)]
    pub from_name: Option<String>,
    pub to_person: PersonId,
    #[serde(default)]
    pub to_name: Option<String>,
    pub reason: String,
    pub effective_at: Timestamp,
    pub made_by: PersonId,
    #[serde(default)]
    pub made_by_name: Option<String>,
    pub made_at: Timestamp,
    pub grants: Vec<Value>,
}

impl HandOver {
    fn people(&self) -> [PersonId; 3] {
        [self.from_person, self.to_person, self.made_by]
    }
}

pub(super) struct Desk<'a> {
    pub(super) device: &'a mut Device,
    pub(super) transport: Transport,
    pub(super) ground: Ground,
    pub(super) now: Timestamp,
    pub(super) lang: Language,
}

impl Desk<'_> {
    pub(super) fn ask<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Trouble> {
        let answer = self.device.ask(&self.transport, path)?;
        answer.map_err(desk_words::trouble)
    }

    /// The items of a list that `wanted` takes, at most `limit`, and whether there are more.
    pub(super) fn pages(
        &mut self,
        path: &str,
        limit: usize,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<(Vec<Value>, bool), Trouble> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let between = if path.contains('?') { '&' } else { '?' };
            let after_this = after.as_deref().map_or_else(String::new, |after| {
                format!("{between}after={}", query_value(after))
            });
            let page: Page = self.ask(&format!("{path}{after_this}"))?;
            found.extend(page.items.into_iter().filter(|item| wanted(item)));
            after = page.next;
            if found.len() > limit || after.is_none() {
                break;
            }
        }
        let more = found.len() > limit || after.is_some();
        found.truncate(limit);
        Ok((found, more))
    }

    /// Hazards that no department answers for, oldest first.
    fn unclaimed(&mut self, args: &UnclaimedArgs) -> Result<Answer, Trouble> {
        let mut path = "/api/v1/hazards/unclaimed".to_owned();
        if let Some(id) = jurisdiction(self.device, args.jurisdiction.as_deref())? {
            path += &format!("?jurisdiction_id={id}");
        }
        let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
        let (items, more) = self.pages(&path, limit, |_| true)?;
        let read: Vec<Unclaimed> = typed(&items)?;
        let mut lines: Vec<String> = read.iter().map(|one| self.unclaimed_line(one)).collect();
        if lines.is_empty() {
            let none = say(
                self.lang,
                "没有无主隐患：管辖范围内的隐患都有部门负责",
                "some department answers for every open hazard within your scope",
            );
            lines.push(none.to_owned());
        }
        lines.extend(more.then(|| desk_words::more(self.lang).to_owned()));
        Ok(Answer {
            json: json!({ "items": items, "more": more }),
            lines,
        })
    }

    fn unclaimed_line(&self, hazard: &Unclaimed) -> String {
        let lang = self.lang;
        let status = words::status(lang, hazard.status);
        let text = hazard.description.lines().next().unwrap_or_default();
        let id = hazard.jurisdiction_id;
        let place = self.named(id);
        let firm = self.ground.enterprise(hazard.enterprise_id);
        let firm = firm.map_or_else(String::new, |name| format!("  {name}"));
        let sector = match &hazard.sector {
            Some(sector) => match lang {
                Language::Zh => format!("{sector}（无部门负责）"),
                Language::En => format!("{sector} (nobody answers)"),
            },
            None => say(lang, "行业不明", "sector unknown").to_owned(),
        };
        let since = hazard.received_at.shanghai_date();
        format!(
            "{}  {since}  {status}  {text}{firm}  {place}  {sector}",
            hazard.number
        )
    }

    fn named(&self, id: JurisdictionId) -> String {
        let name = self.ground.jurisdiction(id);
        name.map_or_else(|| id.to_string(), str::to_owned)
    }

    /// Who answers for a sector, or all that a jurisdiction itself says.
    fn responsibilities(&mut self, args: &ResponsibilitiesArgs) -> Result<Answer, Trouble> {
        let named = jurisdiction(self.device, args.jurisdiction.as_deref())?;
        let Some(id) = named.or_else(|| self.ground.home(self.now)) else {
            return Err(Trouble::Usage(
                "不知道查询哪个辖区，请用 --jurisdiction 指定".to_owned(),
                "which jurisdiction? name it with --jurisdiction".to_owned(),
            ));
        };
        let base = format!("/api/v1/jurisdictions/{id}/responsibilities");
        let place = self.named(id);
        let Some(name) = &args.sector else {
            let said: Value = self.ask(&base)?;
            let matrix: Matrix = one(&said)?;
            let rows = matrix.rows.iter();
            let rows = rows.map(|row| (row.sector.as_str(), row.department.as_str()));
            let fallback = matrix.fallback.as_deref();
            return Ok(Answer {
                lines: desk_words::matrix(self.lang, &place, rows, fallback),
                json: json!({ "jurisdiction_id": id, "responsibilities": said }),
            });
        };
        let sector = sector_code(self.device, name);
        let path = format!("{base}/answering?sector={}", query_value(&sector));
        let said: Value = self.ask(&path)?;
        let answer: Answering = one(&said)?;
        let by = answer.said_by.map(|id| self.named(id));
        let told = desk_words::Told {
            basis: answer.basis,
            department: answer.department.as_deref(),
            by: by.as_deref(),
        };
        Ok(Answer {
            lines: vec![format!(
                "{place}  {sector}: {}",
                desk_words::answering(self.lang, &told)
            )],
            json: json!({ "jurisdiction_id": id, "sector": sector, "answering": said }),
        })
    }

    /// Hand-overs in which the owner takes part, newest first; with `--all` those of others too.
    fn hand_overs(&mut self, args: &HandOversArgs) -> Result<Answer, Trouble> {
        let me = self.device.account.person.id;
        let concerns = |item: &Value| {
            let read = serde_json::from_value::<HandOver>(item.clone());
            args.all || read.is_ok_and(|one| one.people().contains(&me))
        };
        let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
        let (items, more) = self.pages("/api/v1/hand-overs", limit, concerns)?;
        let read: Vec<HandOver> = typed(&items)?;
        let line = |one: &HandOver| desk_words::hand_over(self.lang, one, self.now);
        let mut lines: Vec<String> = read.iter().map(line).collect();
        if lines.is_empty() {
            let none = match args.all {
                true => say(
                    self.lang,
                    "没有可见的工作移交",
                    "no hand-over that you may see",
                ),
                false => say(
                    self.lang,
                    "没有涉及您的工作移交",
                    "no hand-over concerns you",
                ),
            };
            lines.push(none.to_owned());
        }
        lines.extend(more.then(|| desk_words::more(self.lang).to_owned()));
        Ok(Answer {
            json: json!({ "items": items, "more": more }),
            lines,
        })
    }
}

/// An answer as it is needed here. A server that answers in another form is none of ours.
pub(super) fn one<T: DeserializeOwned>(value: &Value) -> Result<T, Trouble> {
    let read = serde_json::from_value(value.clone());
    read.map_err(|_| Trouble::Server(Failure::NotOurs))
}

pub(super) fn typed<T: DeserializeOwned>(items: &[Value]) -> Result<Vec<T>, Trouble> {
    items.iter().map(one).collect()
}

/// A text as the value of a query parameter (RFC 3986).
pub(super) fn query_value(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(byte));
            }
            _ => written += &format!("%{byte:02X}"),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_nothing_but_what_a_query_may_hold() {
        assert_eq!(query_value("town-gas_1.~"), "town-gas_1.~");
        assert_eq!(query_value("燃气&a=1"), "%E7%87%83%E6%B0%94%26a%3D1");
    }
}

//! Handing roles over (人员变动交接), asked of the server while there is a network: grants are the
//! server's, and no rule of the queue could hold two phones that hand over the same role.

use hazardloop_domain::ids::{InspectionId, PersonId};
use hazardloop_sync_protocol::device::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::args::Language;
use super::desk::{Desk, HandOver, one, typed};
use super::desk_words;
use super::exit;
use super::list_args::HandOverArgs;
use super::show::Answer;
use super::trouble::{Trouble, code_of};
use super::words::{self, say};

/// People that are looked through for a name; beyond that, somebody is named by id.
const MOST_PEOPLE: usize = 10_000;

/// A person, as far as is needed to tell who is meant.
#[derive(Deserialize)]
struct Known {
    id: PersonId,
    login: String,
    name: String,
}

/// What became of the predecessor's place on the team of a planned inspection.
#[derive(Deserialize)]
struct Place {
    inspection_id: InspectionId,
    outcome: String,
}

impl Desk<'_> {
    /// Hands over. `id` is that of the request: with the same one again it is not done twice.
    pub(super) fn hand_over(&mut self, args: &HandOverArgs, id: Uuid) -> Result<Answer, Trouble> {
        let (from, to) = (self.person(&args.from)?, self.person(&args.to)?);
        let mut body = json!({ "id": id, "from_person": from, "to_person": to,
            "reason": args.reason });
        let optional = [
            ("effective_at", args.at.map(|at| json!(at))),
            (
                "grants",
                (!args.grants.is_empty()).then(|| json!(args.grants)),
            ),
        ];
        for (name, value) in optional {
            if let (Some(value), Some(fields)) = (value, body.as_object_mut()) {
                fields.insert(name.to_owned(), value);
            }
        }
        let answer = self
            .device
            .submit(&self.transport, "/api/v1/hand-overs", &body)?;
        let made: Value = answer.map_err(|failure| not_made(failure, id, from, to))?;
        let read: HandOver = one(&made)?;
        let mut lines = vec![desk_words::hand_over(self.lang, &read, self.now)];
        let places: Vec<Place> = match made.get("inspections").and_then(Value::as_array) {
            Some(items) => typed(items)?,
            None => Vec::new(),
        };
        lines.extend(places.iter().map(|place| place_line(self.lang, place)));
        Ok(Answer { json: made, lines })
    }

    /// Whom a login, a name or an id means. An id is taken as it is: the server says whether it is
    /// somebody's.
    fn person(&mut self, named: &str) -> Result<PersonId, Trouble> {
        if let Ok(id) = named.parse::<Uuid>() {
            return Ok(PersonId(id));
        }
        let meant = |item: &Value| {
            let is = |field: &str| item.get(field).and_then(Value::as_str) == Some(named);
            is("login") || is("name")
        };
        let (items, more) = self.pages("/api/v1/people?limit=200", MOST_PEOPLE, meant)?;
        let found: Vec<Known> = typed(&items)?;
        // A login is one person's alone; names are not.
        let by_login = found.iter().find(|known| known.login == named);
        match (by_login, found.as_slice()) {
            (Some(known), _) => Ok(known.id),
            (None, [known]) if !more => Ok(known.id),
            (None, []) => Err(Trouble::Usage(
                format!("可见的人员中没有“{named}”；也可用 id 指定"),
                format!("nobody whom you may see is called \"{named}\"; an id will do too"),
            )),
            (None, several) => {
                let known = |known: &Known| format!("{}（{}）", known.name, known.login);
                let names: Vec<String> = several.iter().map(known).collect();
                let names = names.join("、");
                Err(Trouble::Usage(
                    format!("“{named}”不止一人：{names}；请用账号或 id 指定"),
                    format!("\"{named}\" are several: {names}; name the login or the id"),
                ))
            }
        }
    }
}

/// Why it was not made, or how to find out whether it was.
fn not_made(failure: Failure, id: Uuid, from: PersonId, to: PersonId) -> Trouble {
    match failure {
        Failure::Refused { code, detail } => {
            let zh = match code.as_str() {
                "FORBIDDEN" => {
                    "无权办理：限管理员、部门负责人、主要负责人在各自范围内办理，且不得移交给自己"
                }
                "OUT_OF_SCOPE" => "所移交的职权超出您的范围",
                "NOT_FOUND" => "没有所指的人员，或不在您的范围内",
                "CONFLICT" => "没有可移交的职权、已移交过，或承接人账号已停用",
                _ => "服务器未接受这次移交",
            };
            let told = format!("{zh}（{code}）：{detail}");
            Trouble::Told(exit::REFUSED, told, format!("{code}: {detail}"))
        }
        // Nothing was done, and there is more to do than to say so.
        Failure::Revoked => Trouble::Server(failure),
        // The request may have arrived, and only the answer been lost.
        failure => Trouble::Told(
            code_of(&failure),
            format!(
                "{}。可能已办理，用 hand-overs 查看；再次提交 --from {from} --to {to} --again {id}（事由相同）不会重复办理",
                words::failure(Language::Zh, &failure)
            ),
            format!(
                "{}; it may have been done, hand-overs shows it; the same with --from {from} --to {to} --again {id} does not do it twice",
                words::failure(Language::En, &failure)
            ),
        ),
    }
}

fn place_line(lang: Language, place: &Place) -> String {
    let id = place.inspection_id;
    let told = match place.outcome.as_str() {
        "moved" => say(lang, "已由承接人参加", "the successor takes part"),
        "successor_on_team" => say(
            lang,
            "承接人已在检查组，原人员保留",
            "the successor is on the team already, the predecessor stays",
        ),
        "successor_without_role" => say(
            lang,
            "承接人在当地无相应职权，原人员保留",
            "the successor does not hold that role there, the predecessor stays",
        ),
        "successor_without_certificate" => say(
            lang,
            "承接人无有效执法证，原人员保留",
            "the successor has no valid certificate, the predecessor stays",
        ),
        other => other,
    };
    match lang {
        Language::Zh => format!("  检查 {id}：{told}"),
        Language::En => format!("  inspection {id}: {told}"),
    }
}

//! The hazards on this device, narrowed and in order. The replica lies in memory, so each is looked
//! at; no network and no index is needed.

use std::cmp::Reverse;

use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::geography::{Area, Wgs84Point, distance_m};
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::HazardView;
use serde_json::{Value, json};

use super::args::Language;
use super::find;
use super::ground::{Ground, sector_names};
use super::list_args::{LISTED, ListArgs, OrdersArgs, Sort};
use super::parse_lists::{CriterionCode, Near};
use super::show::{Answer, summary, summary_json};
use super::trouble::Trouble;
use super::windows;
use super::words::say;
use crate::driver::Device;

/// What hazards are asked for, names looked up. Everything that is set must be met.
#[derive(Default)]
pub(super) struct Wanted {
    states: Vec<StatusName>,
    grade: Option<Grade>,
    overdue: Option<bool>,
    /// Any of these: as it was typed, the code that goes by that name, and the code's other names.
    sectors: Vec<String>,
    enterprise: Option<EnterpriseId>,
    under: Option<JurisdictionId>,
    criterion: Option<CriterionCode>,
    source: Option<Source>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    due_since: Option<Timestamp>,
    due_until: Option<Timestamp>,
    reported_by: Option<PersonId>,
}

impl Wanted {
    fn of(device: &Device, args: &ListArgs) -> Result<Self, Trouble> {
        let sectors = args
            .sector
            .iter()
            .flat_map(|name| sector_names(device, name));
        Ok(Self {
            states: args.state.clone(),
            grade: args.grade,
            overdue: overdue(args.overdue, args.not_overdue),
            sectors: sectors.collect(),
            enterprise: enterprise(device, args.enterprise.as_deref())?,
            under: jurisdiction(device, args.jurisdiction.as_deref())?,
            criterion: args.criterion.clone(),
            source: args.source,
            since: args.since.map(super::parse_lists::Moment::begins),
            until: args.until.map(super::parse_lists::Moment::ends),
            due_since: args.due_from.map(|day| day.end_of_day()),
            due_until: args.due_until.map(|day| day.end_of_day()),
            reported_by: args.mine.then_some(device.account.person.id),
        })
    }

    /// The same for orders, which have fewer filters.
    pub(super) fn of_orders(device: &Device, args: &OrdersArgs) -> Result<Self, Trouble> {
        Ok(Self {
            grade: args.grade,
            overdue: overdue(args.overdue, args.not_overdue),
            enterprise: enterprise(device, args.enterprise.as_deref())?,
            under: jurisdiction(device, args.jurisdiction.as_deref())?,
            ..Self::default()
        })
    }

    /// Whether a hazard is one of those, as it stands at `now`.
    pub(super) fn holds(&self, hazard: &Hazard, ground: &Ground, now: Timestamp) -> bool {
        let any = |yes: bool, asked: bool| !asked || yes;
        let due = hazard.due_at();
        let received = hazard.received_at;
        let below = |id: &JurisdictionId| ground.ancestors(hazard.jurisdiction_id).contains(id);
        let meets = |wanted: &CriterionCode| {
            hazard
                .criterion
                .as_ref()
                .is_some_and(|named| wanted.fits(named))
        };
        any(
            self.states.contains(&hazard.status_name()),
            !self.states.is_empty(),
        ) && self.grade.is_none_or(|grade| grade == hazard.grade)
            && self
                .overdue
                .is_none_or(|asked| hazard.is_overdue(now) == asked)
            && any(
                hazard
                    .sector
                    .as_ref()
                    .is_some_and(|sector| self.sectors.contains(sector)),
                !self.sectors.is_empty(),
            )
            && any(
                hazard.enterprise_id == self.enterprise,
                self.enterprise.is_some(),
            )
            && self.under.as_ref().is_none_or(below)
            && self.criterion.as_ref().is_none_or(meets)
            && self.source.is_none_or(|source| source == hazard.source)
            && self.since.is_none_or(|since| since <= received)
            && self.until.is_none_or(|until| received <= until)
            && self
                .due_since
                .is_none_or(|since| due.is_some_and(|due| since <= due))
            && self
                .due_until
                .is_none_or(|until| due.is_some_and(|due| due <= until))
            && self.reported_by.is_none_or(|id| id == hazard.reported_by)
    }
}

fn overdue(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

pub(super) fn enterprise(
    device: &Device,
    text: Option<&str>,
) -> Result<Option<EnterpriseId>, Trouble> {
    text.map(|text| find::enterprise(device, text)).transpose()
}

pub(super) fn jurisdiction(
    device: &Device,
    text: Option<&str>,
) -> Result<Option<JurisdictionId>, Trouble> {
    text.map(|text| find::jurisdiction(&device.engine, text))
        .transpose()
}

/// Of several hazards those that are asked for, in order; and how many have no position, where they
/// are asked for by it.
fn narrowed(
    device: &Device,
    args: &ListArgs,
    now: Timestamp,
) -> Result<(Vec<HazardView>, usize), Trouble> {
    let wanted = Wanted::of(device, args)?;
    let ground = Ground::of(device, now);
    let mut views = device.engine.hazards(now);
    if let Some(query) = &args.search {
        find::holding(device, query, &mut views);
    }
    views.retain(|view| wanted.holds(&view.hazard, &ground, now));
    let mut unplaced = 0;
    if let Some(area) = area(args) {
        let found = views.len();
        views.retain(|view| view.hazard.position.is_some());
        unplaced = found - views.len();
        views.retain(|view| place(&view.hazard).is_some_and(|point| area.contains(point)));
    }
    match args.sort {
        Sort::Newest => views.sort_by_key(|view| newest(&view.hazard)),
        Sort::Due => views.sort_by_key(|view| {
            let due = view.hazard.due_at();
            (due.is_none(), due, newest(&view.hazard))
        }),
    }
    Ok((views, unplaced))
}

fn newest(hazard: &Hazard) -> Reverse<(Timestamp, hazardloop_domain::ids::HazardId)> {
    Reverse((hazard.received_at, hazard.id))
}

fn area(args: &ListArgs) -> Option<Area> {
    let near = args.near.as_ref().map(Near::area);
    near.or_else(|| args.bbox.as_ref().map(super::parse_lists::Frame::area))
}

fn place(hazard: &Hazard) -> Option<Wgs84Point> {
    hazard.position.as_ref().map(|place| place.to_wgs84())
}

pub(super) fn list(
    device: &Device,
    now: Timestamp,
    args: &ListArgs,
    json: bool,
    lang: Language,
) -> Result<Answer, Trouble> {
    let (mut views, unplaced) = narrowed(device, args, now)?;
    let found = views.len();
    let most = most(args.limit, json);
    views.truncate(most);
    let near = args.near.as_ref();
    let away = |hazard: &Hazard| {
        let from = near?.centre.to_wgs84();
        Some(distance_m(from, place(hazard)?))
    };
    let mut lines = Vec::new();
    lines.extend(near.map(|near| around(near, lang)));
    for view in &views {
        let mut line = summary(view, now, lang);
        if let Some(metres) = away(&view.hazard) {
            line += &format!("  {} {metres:.0} m", say(lang, "距离", "at"));
        }
        lines.push(line);
    }
    if views.is_empty() {
        lines.push(nothing(device, now, lang).to_owned());
    }
    if unplaced > 0 {
        lines.push(match lang {
            Language::Zh => format!("另有 {unplaced} 条没有位置，未列入"),
            Language::En => format!("{unplaced} more have no position and are not among them"),
        });
    }
    lines.extend(cut_off(found, most, lang));
    lines.extend(windows::hint(device, lang));
    lines.extend(windows::lapsed(device, now, lang));
    let one = |view: &HazardView| {
        let mut json = summary_json(view, now);
        if let (Some(metres), Value::Object(members)) = (away(&view.hazard), &mut json) {
            members.insert("distance_m".to_owned(), json!(metres.round()));
        }
        json
    };
    Ok(Answer {
        json: views.iter().map(one).collect(),
        lines,
    })
}

/// From where distances are, and in which coordinate reference.
fn around(near: &Near, lang: Language) -> String {
    let (centre, metres) = (near.centre, near.radius_m);
    let longitude = f64::from(centre.longitude_e7()) / 1e7;
    let latitude = f64::from(centre.latitude_e7()) / 1e7;
    let reference = centre.reference();
    match lang {
        Language::Zh => {
            format!("{longitude},{latitude}（坐标系 {reference}）周围 {metres} 米以内：")
        }
        Language::En => format!("Within {metres} m of {longitude},{latitude} ({reference}):"),
    }
}

/// How many are shown: programs get all where they name no number.
pub(super) fn most(limit: Option<u32>, json: bool) -> usize {
    let named = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    named.unwrap_or(if json { usize::MAX } else { LISTED })
}

/// That there are more than were shown.
pub(super) fn cut_off(found: usize, shown: usize, lang: Language) -> Option<String> {
    (found > shown).then(|| match lang {
        Language::Zh => format!("只显示前 {shown} 条，共 {found} 条；用 --limit 显示更多"),
        Language::En => format!("the first {shown} of {found}; --limit shows more"),
    })
}

/// Why a list is empty: silence might be taken for a fault.
fn nothing(device: &Device, now: Timestamp, lang: Language) -> &'static str {
    match device.engine.hazards(now).is_empty() {
        false => say(lang, "没有相符的隐患", "no hazard fits"),
        true => say(
            lang,
            "本机没有隐患（如尚未同步，请先 sync）",
            "no hazards on this device (if it has not synced yet: sync)",
        ),
    }
}

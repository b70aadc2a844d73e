//! Criteria and checklists on this device: found and shown without a server.

use hazardloop_domain::pack::{Cadence, Checklist, CriteriaSearch, Criterion, PackHead, by_code};
use hazardloop_sync_protocol::device::Engine;
use hazardloop_sync_protocol::wire::RecordKind;
use serde_json::{Value, json};

use super::args::Language;
use super::list::{cut_off, most};
use super::list_args::{ChecklistArgs, CriteriaArgs, FITTING};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::say;
use crate::driver::Device;

/// The records of one kind that the replica holds.
pub(super) fn records<T: for<'b> minicbor::Decode<'b, ()>>(
    engine: &Engine,
    kind: RecordKind,
) -> Vec<T> {
    let rows = engine.state().rows.iter();
    let rows = rows.filter(|((of, _), row)| *of == kind && row.holders > 0);
    rows.filter_map(|(_, row)| minicbor::decode(&row.body).ok())
        .collect()
}

/// The criteria that fit what was typed, best first; without words, those that meet the rest, by code.
pub(super) fn criteria(
    device: &Device,
    args: &CriteriaArgs,
    json: bool,
    lang: Language,
) -> Result<Answer, Trouble> {
    let mut criteria: Vec<Criterion> = records(&device.engine, RecordKind::Criterion);
    // What is retired is history; who wants it asks without a text.
    criteria.retain(|criterion| args.text.is_empty() || criterion.retired_in.is_none());
    if criteria.is_empty() {
        return Err(Trouble::Usage(
            "本机还没有判定标准，请先 pull".to_owned(),
            "this device holds no criteria yet; pull first".to_owned(),
        ));
    }
    criteria.sort_by(|a, b| by_code(&a.code, &b.code).then(a.edition.cmp(&b.edition)));
    let packs: Vec<PackHead> = records(&device.engine, RecordKind::Pack);
    let search = CriteriaSearch::new(&criteria, &packs);
    let sector = args.sector.as_deref();
    let mut found: Vec<&Criterion> = if args.text.is_empty() {
        let code = sector.map(|name| search.sector(name).unwrap_or(name));
        let of_sector = |one: &&Criterion| code.is_none_or(|code| one.sector == code);
        criteria.iter().filter(of_sector).collect()
    } else {
        let hits = search.search(&args.text.join(" "), sector, usize::MAX);
        hits.iter().filter_map(|hit| criteria.get(hit.at)).collect()
    };
    found.retain(|criterion| passes(args, criterion));
    let all = found.len();
    let fitting = args.limit.or((!args.text.is_empty()).then_some(FITTING));
    let most = most(fitting, json);
    found.truncate(most);
    let mut lines: Vec<String> = found.iter().flat_map(|one| described(one, lang)).collect();
    if lines.is_empty() {
        lines.push(say(lang, "没有相符的条款", "nothing fits").to_owned());
    }
    if args.text.is_empty() {
        lines.extend(cut_off(all, most, lang));
    }
    let json = found.iter().map(|one| criterion_json(one)).collect();
    Ok(Answer { json, lines })
}

/// Whether a criterion meets what is asked beside words and sector.
fn passes(args: &CriteriaArgs, criterion: &Criterion) -> bool {
    let may_be_picked = criterion.citability().may_be_picked();
    let of_standard = |name: &String| criterion.standard == *name || criterion.number == *name;
    (!args.citable || may_be_picked)
        && (!args.not_citable || !may_be_picked)
        && args.standard.as_ref().is_none_or(of_standard)
        && args
            .in_force_on
            .is_none_or(|day| criterion.in_force_on(day))
}

fn described(criterion: &Criterion, lang: Language) -> Vec<String> {
    let (zh, en) = (&criterion.zh, &criterion.en);
    let text = match lang {
        Language::Zh => zh,
        Language::En => en,
    };
    let mut lines = vec![format!(
        "{}@{}  {} {}  [{}]",
        criterion.code,
        criterion.edition,
        criterion.number,
        criterion.clause,
        criterion.evidence.mark()
    )];
    lines.push(format!("  {text}"));
    let check = match lang {
        Language::Zh => criterion.check_zh.as_ref(),
        Language::En => criterion.check_en.as_ref(),
    };
    if let Some(check) = check {
        lines.push(format!("  {}: {check}", say(lang, "检查方法", "check")));
    }
    if let Some((zh, en)) = criterion.citability().notice() {
        let notice = match lang {
            Language::Zh => zh,
            Language::En => en,
        };
        lines.push(format!("  ! {notice}"));
    }
    lines
}

fn criterion_json(criterion: &Criterion) -> Value {
    let mut json = json!(criterion);
    if let Some(fields) = json.as_object_mut() {
        let citability = criterion.citability().as_str();
        fields.insert("citability".to_owned(), citability.into());
    }
    json
}

/// The checklists, or the items of one.
pub(super) fn checklists(
    device: &Device,
    args: &ChecklistArgs,
    lang: Language,
) -> Result<Answer, Trouble> {
    let mut all: Vec<Checklist> = records(&device.engine, RecordKind::Checklist);
    all.retain(|list| args.retired || list.retired_in.is_none());
    all.sort_by(|a, b| by_code(&a.code, &b.code).then(a.edition.cmp(&b.edition)));
    if let Some(code) = &args.code {
        let Some(list) = all.iter().rfind(|list| list.code == *code) else {
            return Err(Trouble::Usage(
                format!("{code}：本机没有这份检查表"),
                format!("{code}: no such checklist on this device"),
            ));
        };
        let mut lines = vec![heading(list, lang)];
        lines.extend(list.items.iter().map(|item| {
            let text = say_either(lang, &item.zh, &item.en);
            let basis = match &item.criterion {
                Some(criterion) => criterion.as_str(),
                None => say(lang, "无公开依据", "unverified"),
            };
            format!("{:>3}  {text}  [{basis}]", item.number)
        }));
        let json = json!(list);
        return Ok(Answer { json, lines });
    }
    if let Some(name) = &args.sector {
        let packs: Vec<PackHead> = records(&device.engine, RecordKind::Pack);
        let search = CriteriaSearch::new(&[], &packs);
        let sector = search.sector(name).unwrap_or(name).to_owned();
        all.retain(|list| list.sectors.contains(&sector));
    }
    let for_site = |list: &Checklist, site: &String| {
        list.site_types.is_empty() || list.site_types.contains(site)
    };
    all.retain(|list| {
        args.cadence.is_none_or(|cadence| list.cadence == cadence)
            && args
                .site_type
                .as_ref()
                .is_none_or(|site| for_site(list, site))
    });
    let lines = all.iter().map(|list| heading(list, lang)).collect();
    Ok(Answer {
        json: json!(all),
        lines,
    })
}

pub(super) fn heading(list: &Checklist, lang: Language) -> String {
    let (code, edition) = (&list.code, list.edition);
    let title = say_either(lang, &list.zh, &list.en);
    let (cadence, items) = (cadence(lang, list.cadence), list.items.len());
    let items_are = say(lang, "项", "items");
    let mut line = format!("{code}@{edition}  {title}  {cadence}  {items} {items_are}");
    if list.retired_in.is_some() {
        line += say(lang, "  （已停用）", "  (retired)");
    }
    line
}

pub(super) fn say_either<'a>(lang: Language, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Language::Zh => zh,
        Language::En => en,
    }
}

const fn cadence(lang: Language, cadence: Cadence) -> &'static str {
    match cadence {
        Cadence::Shift => say(lang, "每班", "every shift"),
        Cadence::Daily => say(lang, "每日", "daily"),
        Cadence::Weekly => say(lang, "每周", "weekly"),
        Cadence::Monthly => say(lang, "每月", "monthly"),
        Cadence::Quarterly => say(lang, "每季度", "quarterly"),
        Cadence::HalfYearly => say(lang, "每半年", "every half-year"),
        Cadence::Yearly => say(lang, "每年", "yearly"),
        Cadence::Once => say(lang, "按次", "as it comes"),
    }
}

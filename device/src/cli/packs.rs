//! The packs on this device: which standards and checklists it holds, in which editions, and how much
//! of them is still to be entered from the original.

use hazardloop_domain::pack::{
    Checklist, Citability, Criterion, NotCitable, PackHead, Standard, StandardStatus,
};
use hazardloop_sync_protocol::wire::RecordKind;
use serde_json::{Value, json};

use super::args::Language;
use super::catalog::{heading, records, say_either};
use super::list_args::PacksArgs;
use super::show::Answer;
use super::trouble::Trouble;
use super::words::say;
use crate::driver::Device;

/// What the replica holds of all packs.
struct Held {
    packs: Vec<PackHead>,
    criteria: Vec<Criterion>,
    checklists: Vec<Checklist>,
}

/// How many criteria, and how many of them are no legal basis before their original is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    criteria: usize,
    to_be_entered: usize,
}

impl Count {
    fn of<'a>(criteria: impl Iterator<Item = &'a Criterion>) -> Self {
        let mut count = Self::default();
        for criterion in criteria {
            count.criteria += 1;
            count.to_be_entered += usize::from(is_to_be_entered(criterion));
        }
        count
    }

    fn said(self, lang: Language) -> String {
        let Self {
            criteria,
            to_be_entered,
        } = self;
        match (lang, to_be_entered) {
            (Language::Zh, 0) => format!("判定标准 {criteria} 条"),
            (Language::En, 0) => format!("{criteria} criteria"),
            (Language::Zh, _) => {
                format!("判定标准 {criteria} 条（其中 {to_be_entered} 条待录入原文）")
            }
            (Language::En, _) => {
                format!("{criteria} criteria ({to_be_entered} to be entered from the original)")
            }
        }
    }
}

/// Cut off, known by its title alone, or read nowhere.
fn is_to_be_entered(criterion: &Criterion) -> bool {
    matches!(
        criterion.citability(),
        Citability::NotCitable(NotCitable::ToBeEntered | NotCitable::Unsourced)
    )
}

impl Held {
    /// Packs in their newest versions, by name; of criteria and checklists what no newer version has
    /// put aside.
    fn by(device: &Device) -> Self {
        let engine = &device.engine;
        let mut packs: Vec<PackHead> = records(engine, RecordKind::Pack);
        packs.sort_by(|a, b| a.name.cmp(&b.name).then(b.version.cmp(&a.version)));
        packs.dedup_by(|older, newer| older.name == newer.name);
        let mut criteria: Vec<Criterion> = records(engine, RecordKind::Criterion);
        criteria.retain(|criterion| criterion.retired_in.is_none());
        let mut checklists: Vec<Checklist> = records(engine, RecordKind::Checklist);
        checklists.retain(|list| list.retired_in.is_none());
        checklists.sort_by(|a, b| a.code.cmp(&b.code).then(a.edition.cmp(&b.edition)));
        Self {
            packs,
            criteria,
            checklists,
        }
    }

    fn criteria_of(&self, pack: &PackHead) -> Count {
        let of = self.criteria.iter();
        Count::of(of.filter(|criterion| criterion.pack == pack.name))
    }

    fn criteria_by(&self, pack: &PackHead, standard: &Standard) -> Count {
        let of = self.criteria.iter();
        let of = of.filter(|criterion| criterion.pack == pack.name);
        Count::of(of.filter(|criterion| criterion.standard == standard.code))
    }

    fn checklists_of(&self, pack: &PackHead) -> Vec<&Checklist> {
        let all = self.checklists.iter();
        all.filter(|list| list.pack == pack.name).collect()
    }

    fn line(&self, pack: &PackHead, lang: Language) -> String {
        let PackHead { name, version, .. } = pack;
        let title = say_either(lang, &pack.title_zh, &pack.title_en);
        let (standards, count) = (pack.standards.len(), self.criteria_of(pack).said(lang));
        let lists = self.checklists_of(pack);
        let items: usize = lists.iter().map(|list| list.items.len()).sum();
        let lists = lists.len();
        match lang {
            Language::Zh => format!(
                "{name}  第 {version} 版  {title}  标准 {standards} 部  {count}  检查表 {lists} 份（{items} 项）"
            ),
            Language::En => format!(
                "{name}  version {version}  {title}  {standards} standards  {count}  \
                 {lists} checklists ({items} items)"
            ),
        }
    }

    fn json(&self, pack: &PackHead) -> Value {
        let Count {
            criteria,
            to_be_entered,
        } = self.criteria_of(pack);
        let lists = self.checklists_of(pack);
        let items: usize = lists.iter().map(|list| list.items.len()).sum();
        let standards: Vec<Value> = pack
            .standards
            .iter()
            .map(|standard| {
                let count = self.criteria_by(pack, standard);
                let mut json = json!(standard);
                if let Some(members) = json.as_object_mut() {
                    members.insert("criteria".to_owned(), json!(count.criteria));
                    members.insert("to_be_entered".to_owned(), json!(count.to_be_entered));
                }
                json
            })
            .collect();
        let checklists: Vec<Value> = lists
            .iter()
            .map(|list| {
                json!({ "code": list.code, "edition": list.edition, "zh": list.zh, "en": list.en,
                    "cadence": list.cadence, "items": list.items.len(), "unverified": unverified(list) })
            })
            .collect();
        json!({
            "name": pack.name, "version": pack.version,
            "title_zh": pack.title_zh, "title_en": pack.title_en,
            "sectors": pack.sectors, "source": pack.source, "licence": pack.licence,
            "criteria": criteria, "to_be_entered": to_be_entered, "items": items,
            "standards": standards, "checklists": checklists,
        })
    }

    /// One pack with its standards and checklists.
    fn lines(&self, pack: &PackHead, lang: Language) -> Vec<String> {
        let mut lines = vec![self.line(pack, lang)];
        let sectors = pack.sectors.iter();
        let sectors: Vec<String> = sectors
            .map(|sector| {
                let name = say_either(lang, &sector.zh, &sector.en);
                format!("{} {name}", sector.code)
            })
            .collect();
        let between = say(lang, "、", ", ");
        let title = say(lang, "行业", "sectors");
        lines.push(format!("{title}: {}", sectors.join(between)));
        let title = say(lang, "来源", "source");
        lines.push(format!("{title}: {}", pack.source));
        lines.push(format!("{}:", say(lang, "标准", "standards")));
        for standard in &pack.standards {
            lines.extend(self.of_standard(pack, standard, lang));
        }
        lines.push(format!("{}:", say(lang, "检查表", "checklists")));
        for list in self.checklists_of(pack) {
            let unverified = unverified(list);
            let mut line = format!("  {}", heading(list, lang));
            if unverified > 0 {
                line += &match lang {
                    Language::Zh => format!("（其中 {unverified} 项无公开依据）"),
                    Language::En => format!(" ({unverified} unverified)"),
                };
            }
            lines.push(line);
        }
        lines
    }

    fn of_standard(&self, pack: &PackHead, standard: &Standard, lang: Language) -> Vec<String> {
        let title = say_either(lang, &standard.title_zh, &standard.title_en);
        let day = |zh, en, day: Option<hazardloop_domain::time::LocalDate>| {
            day.map(|day| format!("  {} {day}", say(lang, zh, en)))
        };
        let mut line = format!("  {}  {}  {title}", standard.code, standard.number);
        let days = [
            day("印发", "issued", standard.issued_on),
            day("施行", "from", standard.effective_from),
            day("有效至", "until", standard.effective_until),
        ];
        line.extend(days.into_iter().flatten());
        line += &format!("  {}", status(lang, standard.status));
        if !standard.identity_verified {
            line += say(
                lang,
                "  名称、文号未核实",
                "  title and number not verified",
            );
        }
        let count = self.criteria_by(pack, standard).said(lang);
        let note = match lang {
            Language::Zh => standard.note_zh.as_ref(),
            Language::En => standard.note_en.as_ref(),
        };
        let note = note.map(|note| format!("    {note}"));
        std::iter::once(format!("{line}  {count}"))
            .chain(note)
            .collect()
    }
}

/// Items that no published text stands behind.
fn unverified(list: &Checklist) -> usize {
    list.items.iter().filter(|item| item.unverified).count()
}

const fn status(lang: Language, status: StandardStatus) -> &'static str {
    match status {
        StandardStatus::InForce => say(lang, "现行", "in force"),
        StandardStatus::ToBeVerified => say(lang, "待核实", "to be verified"),
        StandardStatus::Superseded => say(lang, "已废止", "superseded"),
        StandardStatus::ToBeEntered => say(lang, "待录入原文", "to be entered from the original"),
    }
}

pub(super) fn packs(device: &Device, args: &PacksArgs, lang: Language) -> Result<Answer, Trouble> {
    let held = Held::by(device);
    if held.packs.is_empty() {
        return Err(Trouble::Usage(
            "本机还没有行业包，请先 pull".to_owned(),
            "this device holds no packs yet; pull first".to_owned(),
        ));
    }
    if let Some(name) = &args.name {
        let Some(pack) = held.packs.iter().find(|pack| pack.name == *name) else {
            return Err(Trouble::Usage(
                format!("{name}：本机没有这个行业包（packs 列出全部）"),
                format!("{name}: no such pack on this device (packs lists them)"),
            ));
        };
        return Ok(Answer {
            json: held.json(pack),
            lines: held.lines(pack, lang),
        });
    }
    let sector = args.sector.as_deref();
    let all = held.packs.iter();
    let chosen: Vec<&PackHead> = all
        .filter(|pack| sector.is_none_or(|name| pack.sector_named(name.trim()).is_some()))
        .collect();
    let mut lines: Vec<String> = chosen.iter().map(|pack| held.line(pack, lang)).collect();
    if lines.is_empty() {
        let none = say(
            lang,
            "本机没有这个行业的行业包",
            "no pack here is of this sector",
        );
        lines.push(none.to_owned());
    }
    Ok(Answer {
        json: chosen.iter().map(|pack| held.json(pack)).collect(),
        lines,
    })
}

//! Rectification orders (责令限期整改指令书) on this device: those in force by their due date, and one
//! as the document that it is.

use hazardloop_domain::command::Grade;
use hazardloop_domain::hazard::{
    Addressee, Authority, Hazard, LegalBasis, Named, Order, OrderDocument, OrderSummary, Signatory,
    certificate_at,
};
use hazardloop_domain::pack::{Criterion, PackHead};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{Failure, HazardView};
use hazardloop_sync_protocol::wire::RecordKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::Language;
use super::ground::Ground;
use super::list::{Wanted, cut_off, most};
use super::list_args::OrdersArgs;
use super::show::Answer;
use super::show_beside::Words;
use super::trouble::Trouble;
use super::words::{self, say};
use super::{catalog, exit, find};
use crate::driver::Device;
use crate::transport::Transport;

pub(super) fn run(
    device: &mut Device,
    now: Timestamp,
    args: &OrdersArgs,
    json: bool,
    lang: Language,
) -> Result<Answer, Trouble> {
    match &args.hazard {
        Some(text) => one(device, now, text, args.online, lang),
        None => list(device, now, args, json, lang),
    }
}

/// Orders in force: the earliest due first, and so overdue ones on top.
fn list(
    device: &Device,
    now: Timestamp,
    args: &OrdersArgs,
    json: bool,
    lang: Language,
) -> Result<Answer, Trouble> {
    let wanted = Wanted::of_orders(device, args)?;
    let ground = Ground::of(device, now);
    let mut views = device.engine.hazards(now);
    // Nothing is due any more of a closed hazard; its order is read by itself.
    let in_force = |hazard: &Hazard| hazard.due_at().is_some() && hazard.issued_order().is_some();
    views.retain(|view| in_force(&view.hazard) && wanted.holds(&view.hazard, &ground, now));
    views.sort_by_key(|view| (view.hazard.due_at(), view.hazard.id));
    let (found, most) = (views.len(), most(args.limit, json));
    views.truncate(most);
    let summary = |view: &HazardView| {
        let name = ground.enterprise(view.hazard.enterprise_id);
        OrderSummary::of(&view.hazard, name.map(str::to_owned), now)
    };
    let items: Vec<(&HazardView, OrderSummary)> = views
        .iter()
        .filter_map(|view| Some((view, summary(view)?)))
        .collect();
    let mut lines: Vec<String> = items
        .iter()
        .map(|(view, summary)| line(view, summary, lang))
        .collect();
    if lines.is_empty() {
        let none = say(
            lang,
            "没有相符的、整改期限有效的指令书",
            "no order in force fits",
        );
        lines.push(none.to_owned());
    }
    lines.extend(cut_off(found, most, lang));
    let items: Vec<Value> = items
        .iter()
        .map(|(view, summary)| with_pending(json!(summary), view))
        .collect();
    Ok(Answer {
        json: json!({ "items": items, "total": found }),
        lines,
    })
}

fn line(view: &HazardView, order: &OrderSummary, lang: Language) -> String {
    let due = say(lang, "期限", "due");
    let mut line = format!("{}  {due} {}", order.hazard_number, order.due_date);
    line += &late(order.days_overdue, order.overdue, lang);
    let grade = match order.grade {
        Grade::Major => say(lang, "重大", "major"),
        Grade::General => say(lang, "一般", "general"),
    };
    let nobody = say(lang, "企业不明", "enterprise unknown");
    let firm = order.enterprise_name.as_deref().unwrap_or(nobody);
    let requirement = order.requirement.lines().next().unwrap_or_default();
    let person = &order.responsible_person;
    let state = words::status(lang, order.status);
    line += &format!("  {grade}  {state}  {firm}  {requirement}（{person}）");
    line + unsent(view, lang)
}

fn late(days: i64, overdue: bool, lang: Language) -> String {
    match lang {
        _ if !overdue => String::new(),
        Language::Zh => format!("  已逾期 {days} 天"),
        Language::En => format!("  OVERDUE by {days} days"),
    }
}

fn unsent(view: &HazardView, lang: Language) -> &'static str {
    match view.is_pending() {
        true => say(lang, "  [未送达]", "  [not sent yet]"),
        false => "",
    }
}

/// One order as a document; where asked, with what the server says of those who signed.
fn one(
    device: &mut Device,
    now: Timestamp,
    text: &str,
    online: bool,
    lang: Language,
) -> Result<Answer, Trouble> {
    let (id, view) = find::hazard(&device.engine, now, text)?;
    let view = view.ok_or_else(|| find::no_such_hazard(text))?;
    let hazard = &view.hazard;
    let Some(order) = hazard.issued_order() else {
        let number = &hazard.number;
        return Err(Trouble::Usage(
            format!("{number}：尚未责令整改，没有指令书"),
            format!("{number}: no order has been issued over this hazard"),
        ));
    };
    let ground = Ground::of(device, now);
    let criterion = criterion(device, hazard);
    let mut named = named(&ground, hazard, order);
    named.legal_basis = criterion.as_ref().map(|one| legal_basis(device, one));
    if online {
        named.signatories = asked(device, &format!("/api/v1/orders/{id}"))?;
    }
    let document = OrderDocument::of(hazard, order, named, now);
    let notice = criterion.and_then(|one| one.citability().notice());
    let mut lines = lines(&document, order, notice, lang);
    let unknown = |by: &&Signatory| !online && is_unknown(by, &document);
    if document.signatories.iter().any(|by| unknown(&by)) {
        let said = say(
            lang,
            "签发人的姓名或执法证号不全在本机，有网络时可加 --online 查询",
            "this device does not know all names and certificates of those who signed; with a network, \
             add --online",
        );
        lines.push(said.to_owned());
    }
    if let Some(first) = lines.first_mut() {
        *first += unsent(&view, lang);
    }
    if let Some(stopped) = hazard.suspension.as_ref().filter(|_| hazard.is_suspended()) {
        Words(lang).suspension(&mut lines, stopped);
    }
    let json = with_pending(json!(document), &view);
    Ok(Answer { json, lines })
}

/// The numbers of the commands that are shown although the server has not taken them.
fn with_pending(mut json: Value, view: &HazardView) -> Value {
    if let Some(members) = json.as_object_mut() {
        members.insert("pending".to_owned(), json!(view.pending));
    }
    json
}

/// What this device knows of whom and what an order names.
fn named(ground: &Ground, hazard: &Hazard, order: &Order) -> Named {
    let place = hazard.place(ground.ancestors(hazard.jurisdiction_id));
    let issued = order.confirmed_at;
    let signatory = |person_id| {
        // Of others the replica holds neither names nor certificates.
        let me = ground.me.as_ref().filter(|me| me.id == person_id);
        Signatory {
            person_id,
            name: ground.person(person_id).map(str::to_owned),
            certificate: me.and_then(|me| certificate_at(me.grants.iter(), &place, issued)),
        }
    };
    let enterprise = hazard
        .enterprise_id
        .and_then(|id| ground.enterprises.get(&id));
    let issuing_body = ground.jurisdiction(order.issued_in(hazard));
    Named {
        issuing_body: issuing_body.map(str::to_owned),
        addressee: enterprise.cloned().map(Addressee::from),
        signatories: order.signed_by().map(signatory).collect(),
        legal_basis: None,
    }
}

/// Whether somebody's name, or the certificate by which a department's order is made, is not known
/// here.
fn is_unknown(by: &Signatory, document: &OrderDocument) -> bool {
    let needs_one = document.authority == Authority::Department && !document.self_declared;
    by.name.is_none() || (needs_one && by.certificate.is_none())
}

/// The criterion that a hazard names, in the edition that it names.
fn criterion(device: &Device, hazard: &Hazard) -> Option<Criterion> {
    let reference = hazard.criterion.as_ref()?;
    let criteria: Vec<Criterion> = catalog::records(&device.engine, RecordKind::Criterion);
    criteria.into_iter().find(|one| one.is_named_by(reference))
}

fn legal_basis(device: &Device, criterion: &Criterion) -> LegalBasis {
    let packs: Vec<PackHead> = catalog::records(&device.engine, RecordKind::Pack);
    let mut standards = packs
        .iter()
        .filter(|pack| pack.name == criterion.pack)
        .flat_map(|pack| &pack.standards);
    let standard = standards.find(|standard| standard.code == criterion.standard);
    LegalBasis::of(
        criterion,
        standard.map(|standard| standard.title_zh.clone()),
    )
}

/// The part of the server's document that no replica holds.
#[derive(Deserialize)]
struct Signed {
    signatories: Vec<Signatory>,
}

fn asked(device: &mut Device, path: &str) -> Result<Vec<Signatory>, Trouble> {
    let transport = Transport::new(&device.account.server);
    match device.ask::<Signed>(&transport, path)? {
        Ok(signed) => Ok(signed.signatories),
        Err(Failure::Refused { code, .. }) if code == "NOT_FOUND" => Err(Trouble::Said(
            exit::ATTENTION,
            "服务器上没有这份指令书（可能尚未送达，或已不归您）",
            "the server has no such order for you (it may not have arrived, or be yours no more)",
        )),
        Err(failure) => Err(Trouble::Server(failure)),
    }
}

/// What to say beside a criterion, Chinese and English.
type Notice = (&'static str, &'static str);

fn lines(
    document: &OrderDocument,
    order: &Order,
    notice: Option<Notice>,
    lang: Language,
) -> Vec<String> {
    let words = Words(lang);
    let title = words.say("责令限期整改指令书", "Rectification order");
    let state = words::status(lang, document.status);
    let late = late(document.days_overdue, document.overdue, lang);
    let mut lines = vec![format!(
        "{title}  {}  {state}{late}",
        document.hazard_number
    )];
    lines.push(words.line("作出单位", "issued by", &issuer(document, &words)));
    let to = document.addressee.as_ref().map_or_else(
        || words.say("企业不明", "enterprise unknown").to_owned(),
        |firm| addressee(firm, &words),
    );
    lines.push(words.line("被责令单位", "to", &to));
    lines.push(words.line("存在问题", "fact", &document.fact));
    lines.push(words.line("部位", "place", &document.place_text));
    if let Some(basis) = &document.legal_basis {
        lines.push(words.line("法律依据", "legal basis", &cited(basis, notice, &words)));
    }
    words.order(&mut lines, order);
    if order.served.is_none() {
        let none = words.say("没有送达记录", "nothing is recorded");
        lines.push(words.line("送达", "served", none));
    }
    lines.extend(
        document
            .extensions
            .iter()
            .map(|asked| words.extension(asked)),
    );
    let issued = document.issued_at.shanghai_date().to_string();
    lines.push(words.line("作出日期", "issued on", &issued));
    for by in &document.signatories {
        lines.push(words.line("签发人", "signed by", &signatory(by, &words)));
    }
    if document.self_declared {
        let said = words.say(
            "主要负责人自报的重大隐患：主管部门确认整改方案之前，期限由企业自定",
            "declared major by the principal: until the department has acknowledged a plan, the due \
             date is the enterprise's own word",
        );
        lines.push(said.to_owned());
    }
    lines
}

fn issuer(document: &OrderDocument, words: &Words) -> String {
    if document.authority == Authority::Enterprise {
        let own = words.say("企业自行确定", "the enterprise itself");
        return own.to_owned();
    }
    let id = document.issuing_jurisdiction_id.to_string();
    let body = document.issuing_body.clone().unwrap_or(id);
    let department = document.department.as_ref();
    words.join([
        Some(body),
        words.maybe("主管部门", "department", department),
    ])
}

fn addressee(firm: &Addressee, words: &Words) -> String {
    words.join([
        Some(firm.name.clone()),
        words.maybe("统一社会信用代码", "credit code", firm.credit_code.as_ref()),
        firm.address.clone(),
    ])
}

fn cited(basis: &LegalBasis, notice: Option<Notice>, words: &Words) -> String {
    let title = basis.title_zh.as_ref().map(|title| format!("《{title}》"));
    let text = match words.0 {
        Language::Zh => &basis.zh,
        Language::En => &basis.en,
    };
    let notice = notice.map(|(zh, en)| words.say(zh, en));
    let reference = format!("{}@{}", basis.criterion.code, basis.criterion.edition);
    words.join([
        Some(format!(
            "{}{} {}",
            title.unwrap_or_default(),
            basis.number,
            basis.clause
        )),
        Some(text.clone()),
        Some(reference),
        notice.map(str::to_owned),
    ])
}

fn signatory(by: &Signatory, words: &Words) -> String {
    let certificate = by.certificate.as_ref().map(|held| {
        let until = held.valid_to.map(|day| day.to_string());
        let number = words.part("执法证", "certificate", &held.number);
        words.join([number, words.maybe("有效期至", "valid to", until.as_ref())])
    });
    let name = by.name.clone().unwrap_or_else(|| by.person_id.to_string());
    words.join([Some(name), certificate])
}

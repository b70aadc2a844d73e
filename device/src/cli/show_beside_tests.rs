//! What `show` says of each thing that may lie over the main line, in both languages.
#![allow(clippy::unwrap_used, clippy::panic)]

use hazardloop_domain::command::{Origin, PhotoKind};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{EventRecord, HazardEvent};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const ID: HazardId = HazardId(Uuid::from_u128(0x0193_5b2c_7000_7000_8000_0000_0000_0001));

/// The hazard that these events make, each as its JSON.
fn hazard(events: Vec<Value>) -> Hazard {
    let record = |(place, event): (usize, Value)| EventRecord {
        hazard_id: ID,
        seq: i64::try_from(place).unwrap() + 1,
        actor_id: Some(PersonId(Uuid::from_u128(7))),
        recorded_at: Timestamp::from_millis(1_795_305_600_000),
        origin: Origin::DIRECT,
        event: serde_json::from_value::<HazardEvent>(event).unwrap(),
    };
    let history: Vec<EventRecord> = events.into_iter().enumerate().map(record).collect();
    Hazard::from_history(&history).unwrap()
}

fn reported() -> Value {
    json!({ "kind": "reported", "jurisdiction_id": Uuid::from_u128(3), "sector": "工贸", "report": {
        "source": "open_visit", "grade": "major", "description": "泄爆片被封堵",
        "nature": { "domain": "fire", "category": "电气", "accident_type": "火灾" },
        "place_text": "除尘器", "found_at": "2026-11-20T01:00:00.000Z",
        "photos": [{ "sha256": Digest([1; 32]), "size": 9, "media_type": "image/jpeg",
                     "kind": PhotoKind::Before }],
    }})
}

fn confirmation() -> Value {
    json!({ "grade": "major", "criterion": { "code": "GM-03", "edition": 1 },
        "responsible_person": "王强", "requirement": "拆除封板", "due_date": "2027-01-08",
        "responsible_unit": "承包单位", "expert_opinion": { "name": "钱工", "opinion": "属实" },
        "period": { "days": 10, "kind": "working" },
        "served": { "name": "周经理", "refused_because": "对结论有异议", "witness": "李四" } })
}

fn deadline() -> Value {
    json!({ "date": "2027-01-08", "start": "2026-12-25", "days": 10, "kind": "working",
        "provisional": true })
}

fn confirmed() -> Value {
    json!({ "kind": "confirmed", "confirmation": confirmation(), "deadline": deadline() })
}

fn plan() -> Value {
    json!({ "kind": "plan_submitted", "plan": {
        "leader": { "name": "赵建国" }, "responsible": { "name": "王强" },
        "measures_interim": "停用除尘器", "measures_permanent": "更换泄爆片",
        "funds_fen": 1_234_505, "funds_source": "安全费用", "due_date": "2027-01-05",
        "milestones": [{ "due_date": "2026-12-30", "goal": "拆除封板" }],
        "contingency": "撤离", "workers_congress":
            { "reported_on": "2026-12-26", "how": "公告栏" }, "photos": [],
        "no_photo_reason": "防爆区" } })
}

/// Both languages say all of it, each in its own words.
fn says(hazard: &Hazard, zh: &[&str], en: &[&str]) {
    for (lang, wanted) in [(Language::Zh, zh), (Language::En, en)] {
        let text = lines(hazard, lang).join("\n");
        for part in wanted {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
    }
}

#[test]
fn an_order_says_how_its_due_date_was_counted_and_how_it_was_served() {
    says(
        &hazard(vec![reported(), confirmed()]),
        &[
            "整改期限: 2027-01-08；自 2026-12-25 起 10 个工作日；暂定",
            "王强；承包单位",
            "隐患类别: 消防；电气；可能事故 火灾",
            "专家意见: 钱工",
            "拒签： 对结论有异议；见证人 李四",
        ],
        &[
            "nature: fire; 电气; may lead to 火灾",
            "due: 2027-01-08; 10 working days from 2026-12-25; provisional",
            "refused to sign: 对结论有异议; witness 李四",
        ],
    );
}

#[test]
fn a_plan_and_an_extension_say_what_became_of_them() {
    let asked = json!({ "kind": "extension_requested", "time_unproven": true, "request": {
        "new_due_date": "2027-01-20", "reason": "配件未到", "interim_controls": "停用" } });
    let waiting = hazard(vec![reported(), confirmed(), plan(), asked.clone()]);
    says(
        &waiting,
        &[
            "整改方案: 2026-11-22；待主管部门确认",
            "资金（元） 12345.05 安全费用",
            "2026-12-30 拆除封板",
            "向职工报告 2026-12-26 公告栏；无公告栏照片 防爆区",
            "延期申请: 2027-01-08 → 2027-01-20；配件未到",
            "仅有本机时钟为证；待审批",
        ],
        &[
            "waits for the department",
            "12345.05",
            "waits for a decision",
        ],
    );
    let decided = |name: &str, word: &str, yes: bool| json!({ "kind": name, "decision": { word: yes, "opinion": "看过了" } });
    let answered = hazard(vec![
        reported(),
        confirmed(),
        plan(),
        decided("plan_decided", "accepted", true),
        asked,
        decided("extension_decided", "granted", true),
    ]);
    says(
        &answered,
        &[
            "已确认： 看过了",
            "已同意： 看过了",
            "2027-01-20；最初期限 2027-01-08",
        ],
        &[
            "acknowledged: 看过了",
            "granted: 看过了",
            "first 2027-01-08",
        ],
    );
}

#[test]
fn what_waits_for_a_second_person_is_shown_and_marked() {
    let proposed = json!({ "name": "confirmation", "confirmation": confirmation(),
        "deadline": deadline() });
    let waiting = hazard(vec![
        reported(),
        json!({ "kind": "proposal_made", "proposed": proposed }),
    ]);
    says(
        &waiting,
        &["待第二人复核: 2026-11-22；确认为 重大事故隐患；期限 2027-01-08"],
        &["waits for a second person: 2026-11-22; confirm as a major hazard"],
    );
    assert_eq!(marks(&waiting, Language::Zh), "  [待第二人复核]");
    let lowered = json!({ "name": "grade_change",
        "change": { "grade": "general", "reason": "复核后不属重大" } });
    let waiting = hazard(vec![
        reported(),
        confirmed(),
        json!({ "kind": "proposal_made", "proposed": lowered }),
    ]);
    says(
        &waiting,
        &["等级改为 一般隐患；复核后不属重大"],
        &["grade becomes a general hazard"],
    );
}

#[test]
fn listing_suspension_and_penalties_are_shown_and_marked() {
    let listed = json!({ "kind": "listed", "listing": { "level": "district",
        "document_no": "督〔2026〕1", "authority": "区安委办", "requirement": "限期整改",
        "deadline": "2027-02-01" } });
    let stopped = json!({ "kind": "suspension_ordered", "suspension": { "document_no": "停〔2026〕3",
        "scope": "打磨车间", "basis": "第六十五条", "evacuate": true } });
    let asked = json!({ "kind": "resumption_requested", "application": {
        "application": "已整改", "assessment": "合格", "photos": [] } });
    let penalty = json!({ "kind": "penalty_recorded", "penalty": { "case_no": "案 7", "decision": {
        "document_no": "罚 9", "decided_on": "2026-12-28", "result": "罚款" } } });
    let mut events = vec![reported(), confirmed(), listed, stopped, asked, penalty];
    let all = hazard(events.clone());
    says(
        &all,
        &[
            "挂牌督办: 区县；文号 督〔2026〕1；区安委办；限期整改；督办期限 2027-02-01",
            "停产停用: 执行中；文号 停〔2026〕3；打磨车间；第六十五条；责令撤出人员",
            "恢复生产申请: 2026-11-22；已整改；评估 合格；待审查",
            "处罚案件: 案 7；罚 9；2026-12-28；罚款",
        ],
        &[
            "listed supervision: district",
            "work stopped: in force",
            "penalty case: 案 7",
        ],
    );
    assert_eq!(marks(&all, Language::Zh), "  [挂牌督办 区县]  [停产停用]");
    assert_eq!(
        marks(&all, Language::En),
        "  [listed district]  [work stopped]"
    );
    events.push(
        json!({ "kind": "resumption_decided", "decision": { "granted": true,
        "document_no": "复 2", "opinion": "同意", "photos": [] } }),
    );
    events.push(json!({ "kind": "spot_checked", "check": { "passed": true,
        "opinion": "保持良好", "photos": [], "no_photo_reason": "防爆区" } }));
    events.push(json!({ "kind": "delisted",
        "delisting": { "document_no": "摘 1", "opinion": "完成" } }));
    let over = hazard(events);
    says(
        &over,
        &[
            "已摘牌： 2026-11-22；摘 1；完成",
            "停产停用: 已解除",
            "同意恢复；文号 复 2",
            "抽查: 2026-11-22；合格；保持良好；无照片 防爆区",
        ],
        &[
            "ended: 2026-11-22; 摘 1",
            "work stopped: ended",
            "granted; document 复 2",
        ],
    );
    assert_eq!(marks(&over, Language::Zh), "");
}

#[test]
fn a_transfer_and_a_merge_say_whereto() {
    let transfer = json!({ "kind": "transferred", "transfer": { "to_body": "市场监管局",
        "reason": "属特种设备", "document_no": "移 5" } });
    let mut events = vec![reported(), confirmed(), transfer];
    says(
        &hazard(events.clone()),
        &[
            "移送: 2026-11-22；至 市场监管局；文号 移 5；属特种设备；待回执",
            "整改期限",
        ],
        &[
            "transfer: 2026-11-22; to 市场监管局",
            "its receipt is awaited",
        ],
    );
    events.push(json!({ "kind": "transfer_received",
        "receipt": { "accepted": true, "receipt_no": "回 1" } }));
    says(&hazard(events), &["回执 回 1"], &["receipt 回 1"]);
    let merged = json!({ "kind": "merged", "merge": { "into": ID, "reason": "同一处" } });
    let number = hazard_number(ID);
    says(
        &hazard(vec![reported(), merged]),
        &[&format!("合并到: {number}；同一处")],
        &["merged into:"],
    );
}

#[test]
fn a_correction_says_who_accepted_it_and_how_many_have_passed_it() {
    let submitted = json!({ "kind": "rectification_submitted", "submission": {
        "measures": "已更换", "completed_at": "2026-12-30T01:00:00.000Z", "photos": [],
        "pairs": [{ "before": Digest([1; 32]), "after": Digest([2; 32]) }],
        "self_acceptance": { "accepted_by": ["赵建国", "王强"], "opinion": "合格",
                             "accepted_on": "2026-12-31" } } });
    let passed = json!({ "kind": "reinspected",
        "reinspection": { "passed": true, "opinion": "合格", "photos": [] } });
    says(
        &hazard(vec![reported(), confirmed(), submitted, passed]),
        &[
            "已更换；照片配对 1 组；复查合格 1/2",
            "自验收: 2026-12-31；赵建国、王强；合格",
        ],
        &[
            "1 pairs of photos; passed by 1 of 2",
            "accepted by the enterprise: 2026-12-31",
        ],
    );
}

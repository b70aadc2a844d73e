//! Every step of a hazard's life, on the command line and offline: parsed, judged, queued, sent.

use hazardloop_domain::command::Action;
use hazardloop_sync_protocol::wire::{CommandPayload, WireLimits};
use serde_json::{Value, json};

use super::*;

/// A hazard that this device does not know: the server decides on it.
pub const ELSEWHERE: &str = "01935b2c-7000-7000-8000-0000000000aa";
const OTHER: &str = "01935b2c-7000-7000-8000-0000000000bb";

/// What the server got, as actions.
fn sent(phone: &Phone) -> Vec<Action> {
    let read = |envelope: &hazardloop_sync_protocol::wire::Envelope| {
        let depth = WireLimits::default().depth;
        let payload = &envelope.payload.0;
        let read = CommandPayload::unpack(&envelope.kind, envelope.version, payload, depth);
        read.unwrap().1.action
    };
    phone.server.accepted().iter().map(read).collect()
}

/// Runs one line offline, syncs, and gives what the server got of it.
pub fn queued(phone: &Phone, words: &[&str]) -> Vec<Value> {
    let before = phone.server.accepted().len();
    let (code, answer) = phone.run(words);
    assert_eq!(code, exit::DONE, "{words:?}: {answer}");
    assert_eq!(phone.server.accepted().len(), before, "nothing went out");
    phone.run(&["push"]);
    let all = sent(phone);
    all[before..].iter().map(|action| json!(action)).collect()
}

/// Asserts that one line queues exactly this.
fn queues(phone: &Phone, words: &[&str], wanted: Value) {
    assert_eq!(queued(phone, words), [wanted], "{words:?}");
}

#[test]
fn plans_extensions_and_decisions_are_queued_offline() {
    let phone = Phone::enrolled();
    let h = ELSEWHERE;
    queues(
        &phone,
        &[
            "plan",
            h,
            "--leader",
            "赵建国",
            "--leader-post",
            "厂长",
            "--responsible",
            "王强",
            "--interim",
            "停用",
            "--permanent",
            "更换",
            "--funds-fen",
            "500000",
            "--funds-source",
            "安全费用",
            "--due",
            "2026-12-20",
            "--contingency",
            "撤离",
            "--congress-on",
            "2026-11-21",
            "--congress-how",
            "公告栏",
            "--milestone",
            "2026-12-01=拆除封板",
            "--milestone",
            "2026-12-10=换新",
            "--goal",
            "达标",
            "--no-photo-reason",
            "公告栏未拍照",
        ],
        json!({ "kind": "submit_plan", "leader": { "name": "赵建国", "post": "厂长" },
            "responsible": { "name": "王强" }, "measures_interim": "停用",
            "measures_permanent": "更换", "funds_fen": 500_000, "funds_source": "安全费用",
            "due_date": "2026-12-20", "contingency": "撤离", "goal": "达标", "photos": [],
            "milestones": [{ "due_date": "2026-12-01", "goal": "拆除封板" },
                           { "due_date": "2026-12-10", "goal": "换新" }],
            "workers_congress": { "reported_on": "2026-11-21", "how": "公告栏" },
            "no_photo_reason": "公告栏未拍照" }),
    );
    queues(
        &phone,
        &[
            "extend",
            h,
            "--until",
            "2027-01-31",
            "--reason",
            "配件未到",
            "--controls",
            "停用",
            "--expert",
            "钱工",
            "--expert-opinion",
            "可行",
            "--expert-on",
            "2026-11-20",
        ],
        json!({ "kind": "request_extension", "new_due_date": "2027-01-31", "reason": "配件未到",
            "interim_controls": "停用", "expert_opinion":
                { "name": "钱工", "opinion": "可行", "given_on": "2026-11-20" } }),
    );
    for (what, kind, word) in [
        ("plan", "decide_plan", "accepted"),
        ("extension", "decide_extension", "granted"),
        ("proposal", "decide_proposal", "agreed"),
    ] {
        let line = ["decide", h, what, "--no", "--opinion", "再议"];
        queues(
            &phone,
            &line,
            json!({ "kind": kind, word: false, "opinion": "再议" }),
        );
    }
    let line = ["decide", h, "resumption", "--yes", "--opinion", "同意"];
    assert_eq!(phone.run(&line).0, exit::USAGE, "the document has a number");
    let review = ["--document-no", "复 1", "--reviewed-on", "2026-11-21"];
    let with = [&line[..], &review, &["--no-photo-reason", "防爆区"]].concat();
    let granted = json!({ "kind": "decide_resumption", "granted": true, "document_no": "复 1",
        "opinion": "同意", "photos": [], "reviewed_on": "2026-11-21",
        "no_photo_reason": "防爆区" });
    queues(&phone, &with, granted);
    let lost = [
        "decide",
        h,
        "plan",
        "--yes",
        "--opinion",
        "a",
        "--document-no",
        "1",
    ];
    assert_eq!(
        phone.run(&lost).0,
        exit::USAGE,
        "nothing is dropped silently"
    );
}

#[test]
fn grades_merges_and_transfers_are_queued_offline() {
    let phone = Phone::enrolled();
    let h = ELSEWHERE;
    queues(
        &phone,
        &[
            "grade",
            h,
            "--major",
            "--reason",
            "扩大",
            "--criterion",
            "GM-03@2",
        ],
        json!({ "kind": "change_grade", "grade": "major", "reason": "扩大",
            "criterion": { "code": "GM-03", "edition": 2 } }),
    );
    queues(
        &phone,
        &["merge", h, "--into", OTHER, "--reason", "重复"],
        json!({ "kind": "merge", "into": OTHER, "reason": "重复" }),
    );
    queues(
        &phone,
        &[
            "transfer",
            h,
            "--to",
            "市场监管局",
            "--to-jurisdiction",
            OTHER,
            "--reason",
            "特种设备",
            "--document-no",
            "移 1",
        ],
        json!({ "kind": "transfer", "to_body": "市场监管局", "to_jurisdiction": OTHER,
            "reason": "特种设备", "document_no": "移 1" }),
    );
    let unknown = [
        "transfer",
        h,
        "--to",
        "a",
        "--to-jurisdiction",
        "某区",
        "--reason",
        "b",
    ];
    assert_eq!(phone.run(&unknown).0, exit::USAGE);
    queues(
        &phone,
        &[
            "receive",
            h,
            "--no",
            "--receipt-no",
            "回 1",
            "--note",
            "不属我局",
        ],
        json!({ "kind": "receive_transfer", "accepted": false, "receipt_no": "回 1",
            "note": "不属我局" }),
    );
    queues(
        &phone,
        &[
            "assign",
            h,
            "--sector",
            "工贸",
            "--department",
            "应急管理局",
            "--by-fallback",
        ],
        json!({ "kind": "assign_sector", "sector": "工贸", "department": "应急管理局",
            "by_fallback": true }),
    );
}

#[test]
fn measures_are_queued_offline() {
    let phone = Phone::enrolled();
    let h = ELSEWHERE;
    queues(
        &phone,
        &[
            "supervise",
            h,
            "--level",
            "city",
            "--document-no",
            "督 1",
            "--authority",
            "市安委办",
            "--requirement",
            "限期",
            "--deadline",
            "2027-03-01",
        ],
        json!({ "kind": "list_supervision", "level": "city", "document_no": "督 1",
            "authority": "市安委办", "requirement": "限期", "deadline": "2027-03-01" }),
    );
    queues(
        &phone,
        &["delist", h, "--document-no", "摘 1", "--opinion", "完成"],
        json!({ "kind": "delist", "document_no": "摘 1", "opinion": "完成" }),
    );
    queues(
        &phone,
        &[
            "suspend",
            h,
            "--document-no",
            "停 1",
            "--scope",
            "车间",
            "--basis",
            "第六十五条",
            "--evacuate",
        ],
        json!({ "kind": "order_suspension", "document_no": "停 1", "scope": "车间",
            "basis": "第六十五条", "evacuate": true }),
    );
    queues(
        &phone,
        &[
            "resume",
            h,
            "--application",
            "已整改",
            "--assessment",
            "合格",
        ],
        json!({ "kind": "request_resumption", "application": "已整改", "assessment": "合格",
            "photos": [] }),
    );
    queues(
        &phone,
        &["penalty", h, "--case-no", "案 1"],
        json!({ "kind": "record_penalty", "case_no": "案 1" }),
    );
    queues(
        &phone,
        &[
            "penalty",
            h,
            "--case-no",
            "案 1",
            "--decision-no",
            "罚 1",
            "--decided-on",
            "2026-11-20",
            "--result",
            "罚款",
        ],
        json!({ "kind": "record_penalty", "case_no": "案 1", "decision":
            { "document_no": "罚 1", "decided_on": "2026-11-20", "result": "罚款" } }),
    );
}

#[test]
fn a_confirmation_counts_working_days_offline_and_carries_the_signature() {
    let phone = Phone::enrolled();
    let signature = phone.jpeg("signature.jpg", 30);
    // 2026-11-22 is a Sunday.
    let line = [
        "confirm",
        ELSEWHERE,
        "--general",
        "--responsible",
        "王强",
        "--requirement",
        "清扫",
        "--within",
        "10wd",
        "--rule",
        "R1",
        "--unit",
        "承包单位",
        "--category",
        "消防",
        "--served-by",
        "周经理",
        "--served-post",
        "安全员",
        "--signature",
        &signature,
    ];
    let sent = queued(&phone, &line);
    assert_eq!(sent.len(), 2, "the signature's photo goes before");
    assert_eq!(sent[0]["photo"]["kind"], "signature");
    let confirm = &sent[1];
    assert_eq!(confirm["due_date"], "2026-12-04");
    assert_eq!(
        confirm["period"],
        json!({ "days": 10, "kind": "working", "rule": "R1" })
    );
    assert_eq!(confirm["responsible_unit"], "承包单位");
    assert_eq!(confirm["category"], "消防");
    assert_eq!(confirm["served"]["signature"], sent[0]["photo"]["sha256"]);
    let refused = [
        "confirm",
        ELSEWHERE,
        "--general",
        "--responsible",
        "a",
        "--requirement",
        "b",
        "--within",
        "7d",
        "--served-by",
        "周经理",
        "--refused",
        "有异议",
        "--witness",
        "李四",
    ];
    let served = &queued(&phone, &refused)[0]["served"];
    assert_eq!(
        *served,
        json!({ "name": "周经理", "refused_because": "有异议", "witness": "李四" })
    );
    let endless = [&refused[..7], &["--within", "999999d"]].concat();
    let told = phone.told_in_chinese(&endless);
    assert!(
        told.contains("期限最长 3660 天") && !told.contains('/'),
        "{told}"
    );
}

#[test]
fn reinspections_and_reopenings_say_more_where_wanted() {
    let phone = Phone::enrolled();
    queues(
        &phone,
        &[
            "spot-check",
            ELSEWHERE,
            "--fail",
            "--opinion",
            "再次封堵",
            "--no-photo-reason",
            "防爆区",
        ],
        json!({ "kind": "spot_check", "passed": false, "opinion": "再次封堵", "photos": [],
            "no_photo_reason": "防爆区", "false_closure": false }),
    );
    queues(
        &phone,
        &[
            "reinspect",
            ELSEWHERE,
            "--return",
            "--opinion",
            "仍有封堵",
            "--document-no",
            "复 1",
            "--item",
            "泄爆片=fail:仍有封堵",
            "--item",
            "清扫=pass",
            "--no-photo-reason",
            "断电",
        ],
        json!({ "kind": "reinspect", "passed": false, "opinion": "仍有封堵", "photos": [],
            "document_no": "复 1", "no_photo_reason": "断电", "items": [
                { "item": "泄爆片", "passed": false, "note": "仍有封堵" },
                { "item": "清扫", "passed": true }] }),
    );
    queues(
        &phone,
        &[
            "reopen",
            ELSEWHERE,
            "--reason",
            "抽查",
            "--cause",
            "false_closure",
        ],
        json!({ "kind": "reopen", "reason": "抽查", "false_closure": true,
            "cause": "false_closure" }),
    );
}

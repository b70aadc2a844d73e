//! Plans of inspections, attendance, advice that became a hazard, cancellations: parsed and queued
//! offline, and told in both languages.

use serde_json::json;

use super::lifecycle::{ELSEWHERE, queued};
use super::*;

const PERSON: &str = "01935b2c-7000-7000-8000-0000000000cc";
const FINDING: &str = "01935b2c-7000-7000-8000-0000000000dd";
const HAZARD: &str = "01935b2c-7000-7000-8000-0000000000ee";

#[test]
fn a_plan_says_what_when_by_whom_and_on_what_basis() {
    let phone = Phone::enrolled();
    let plan = queued(
        &phone,
        &[
            "inspect",
            "plan",
            "--kind",
            "self_check",
            "--enterprise",
            HAZARD,
            "--checklist",
            "GM-CK-I-DUST@1",
            "--must",
            "1",
            "2",
            "--from",
            "2026-11-23",
            "--to",
            "2026-11-27",
            "--cadence",
            "quarterly",
            "--with",
            PERSON,
            ELSEWHERE,
            "--department",
            "区应急局",
            "区消防救援大队",
            "--basis",
            "年度监督检查计划",
            "--reason",
            "综合查一次",
            "--approval-no",
            "渝应急检〔2026〕3号",
            "--notice-no",
            "7",
        ],
    );
    assert_eq!(
        plan,
        [json!({
            "kind": "plan_inspection", "window_from": "2026-11-23", "window_to": "2026-11-27",
            "setup": {
                "kind": "self_check", "enterprise_id": HAZARD, "cadence": "quarterly",
                "checklists": [{"code": "GM-CK-I-DUST", "edition": 1, "mandatory": ["1", "2"]}],
                // An enterprise's principal inspects nothing: only those who are named do.
                "team": [{"person_id": PERSON}, {"person_id": ELSEWHERE}],
                "departments": ["区应急局", "区消防救援大队"],
                "basis": "年度监督检查计划", "reason": "综合查一次",
                "approval_no": "渝应急检〔2026〕3号", "notice_no": "7",
            },
        })]
    );
    // One day is enough, and a self-check says how often.
    let own = queued(
        &phone,
        &[
            "inspect",
            "plan",
            "--kind",
            "self_check",
            "--enterprise",
            HAZARD,
            "--from",
            "2026-11-23",
            "--cadence",
            "monthly",
        ],
    );
    assert_eq!(own[0]["window_to"], "2026-11-23");
    assert_eq!(own[0]["setup"]["cadence"], "monthly");
    assert_eq!(own[0]["setup"]["team"], json!([]));
}

#[test]
fn attendance_conversion_and_cancellation_are_queued_offline() {
    let phone = Phone::enrolled();
    let attended = queued(
        &phone,
        &[
            "inspect",
            "attend",
            ELSEWHERE,
            "--present",
            "王强:总经理:023-4567",
            "李芳",
            "--role",
            "safety_manager",
            "--part",
            "closing",
        ],
    );
    assert_eq!(
        attended,
        [json!({"kind": "record_attendance", "attendees": [
            {"part": "closing", "role": "safety_manager", "name": "王强", "post": "总经理",
             "phone": "023-4567"},
            {"part": "closing", "role": "safety_manager", "name": "李芳"},
        ]})]
    );
    let usual = queued(
        &phone,
        &["inspect", "attend", ELSEWHERE, "--present", "赵敏"],
    );
    let usual = &usual[0]["attendees"][0];
    assert_eq!(
        (&usual["part"], &usual["role"]),
        (&json!("on_site"), &json!("other"))
    );
    let converted = queued(
        &phone,
        &[
            "inspect",
            "convert",
            ELSEWHERE,
            "--finding",
            FINDING,
            "--hazard",
            HAZARD,
        ],
    );
    assert_eq!(
        converted,
        [json!({"kind": "convert_finding", "finding_id": FINDING, "hazard_id": HAZARD})]
    );
    let other = format!("{ELSEWHERE}:区消防救援大队");
    let changed = queued(
        &phone,
        &[
            "inspect", "team", ELSEWHERE, "--member", PERSON, &other, "--reason", "回避",
        ],
    );
    assert_eq!(
        changed,
        [json!({"kind": "change_team", "reason": "回避", "team": [
            {"person_id": PERSON},
            {"person_id": ELSEWHERE, "department": "区消防救援大队"},
        ]})]
    );
    let cancelled = queued(
        &phone,
        &["inspect", "cancel", ELSEWHERE, "--reason", "企业已停业"],
    );
    assert_eq!(
        cancelled,
        [json!({"kind": "cancel_inspection", "reason": "企业已停业"})]
    );
}

#[test]
fn a_finding_that_is_not_there_is_told_and_nothing_is_queued() {
    let phone = Phone::enrolled();
    let convert = [
        "inspect",
        "convert",
        ELSEWHERE,
        "--finding",
        "1",
        "--hazard",
        HAZARD,
    ];
    assert_eq!(phone.run(&convert).0, exit::USAGE);
    let told = phone.told_in_chinese(&convert);
    assert!(told.contains("没有这条发现"), "{told}");
    let nowhere = ["inspect", "cancel", "IN-261122", "--reason", "停业"];
    assert_eq!(phone.run(&nowhere).0, exit::USAGE);
    assert_eq!(phone.on_device(), 0);
}

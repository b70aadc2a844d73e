//! A major hazard through everything that can lie over its way: two inspectors, a plan, listed
//! supervision, an extension, a failed re-inspection, work stopped and resumed, a transfer that
//! comes back and one that is taken over, a reviewer who hands over the desk, closure by the listing
//! authority, reopening; online and offline, and alike on both databases.

use hazardloop_tests::TestDatabase;
use hazardloop_tests::device::Device;
use hazardloop_tests::rest::Rest;
use serde_json::{Value, json};

use super::actors::{Stage, id};
use super::handed_over;

/// A plan with the five fulfilments.
pub fn plan<'a>(hazard: &'a str, due: &'a str) -> Vec<&'a str> {
    let mut words = vec!["plan", hazard, "--due", due];
    for (flag, value) in [
        ("--leader", "赵建国"),
        ("--responsible", "王强"),
        ("--interim", "停机，撤出人员"),
        ("--permanent", "重新安装泄爆装置"),
        ("--funds-fen", "2000000"),
        ("--funds-source", "安全生产费用"),
        ("--contingency", "粉尘爆炸现场处置方案"),
        ("--congress-on", "2026-11-22"),
        ("--congress-how", "公告栏公示"),
        ("--leader-phone", "023-46730000"),
        ("--responsible-phone", "023-46730001"),
        ("--milestone", "2026-11-30=拆除封板"),
        ("--no-photo-reason", "公告栏在防爆区"),
    ] {
        words.extend([flag, value]);
    }
    words
}

/// A re-inspection that passes.
pub fn pass<'a>(hazard: &'a str, opinion: &'a str) -> Vec<&'a str> {
    let why = "防爆区禁止使用手机";
    let mut words = vec!["reinspect", hazard, "--pass", "--opinion", opinion];
    words.extend([
        "--no-photo-reason",
        why,
        "--document-no",
        "应急复查〔2026〕12号",
        "--item",
        "泄爆装置=pass",
    ]);
    words
}

pub(super) struct Play {
    pub(super) stage: Stage,
    pub(super) hazard: String,
}

impl Play {
    /// One command over REST by `login`; the hazard as it is then.
    pub(super) fn desk(&self, login: &str, salt: &str, command: Value) -> Value {
        let answer = self
            .rest(login)
            .command(&self.hazard, &id(salt), &command)
            .expect_status(&[200, 201]);
        answer.json()["hazard"].clone()
    }

    pub(super) fn refused(&self, login: &str, salt: &str, command: Value, code: &str) {
        let answer = self.rest(login).command(&self.hazard, &id(salt), &command);
        assert_eq!(answer.problem(), code, "{}", answer.text());
    }

    pub(super) fn rest(&self, login: &str) -> Rest {
        self.stage.server.rest().signed_in(login)
    }

    /// Written without signal, sent when there is one.
    fn field(&self, device: &Device, words: &[&str]) {
        device.ok(&["pull"]);
        self.stage.link.cut();
        device.ok(words);
        self.stage.link.restore();
        device.ok(&["sync"]);
    }

    pub(super) fn seen(&self) -> Value {
        let path = format!("/api/v1/hazards/{}", self.hazard);
        self.rest("inspector1")
            .get(&path)
            .expect_status(&[200])
            .json()
    }

    fn fixed(&self, photo: &str, seed: u64) {
        let after = self.stage.photo(photo, seed, 30_000);
        let words = [
            "fix",
            &self.hazard,
            "--photo",
            &after,
            "--measures",
            "重新安装泄爆装置",
            "--cost-fen",
            "120000",
            "--accepted-by",
            "王强",
            "--acceptance",
            "自验收合格",
        ];
        self.field(&self.stage.principal, &words);
    }
}

#[test]
fn a_major_hazard_goes_through_everything_and_ends_alike_on_both_databases() {
    let on_sqlite = play(TestDatabase::sqlite());
    let on_postgres = play(TestDatabase::postgres());
    assert_eq!(on_sqlite.0, on_postgres.0);
    // A hand-over makes grants with random ids, so here the heads are of as many events, not of the same bytes: that
    // is the other story's to show.
    let entries = |head: &str| head.split(':').next().map(str::to_owned);
    assert_eq!(entries(&on_sqlite.1), entries(&on_postgres.1));
}

fn play(database: TestDatabase) -> (Value, String) {
    let stage = Stage::set(database);
    let photo = stage.photo("before.jpg", 1, 40_000);
    let reported = stage.employee.json(&[
        "report",
        "--major",
        "--photo",
        &photo,
        "--place",
        "2#除尘器",
        "--text",
        "除尘器未设泄爆装置",
    ]);
    let hazard = reported["hazard_id"].as_str().unwrap().to_owned();
    stage.employee.ok(&["sync"]);
    let play = Play { stage, hazard };
    confirmed_by_two(&play);
    handed_over_and_back(&play);
    handed_over::between_districts(&play);
    planned_listed_and_extended(&play);
    returned_once(&play);
    stopped_and_resumed(&play);
    closed_by_the_listing_authority(&play);
    reopened(&play);
    let events = play
        .rest("inspector1")
        .get(&format!("/api/v1/hazards/{}/events?limit=200", play.hazard))
        .expect_status(&[200])
        .json();
    for device in play.stage.devices() {
        device.ok(&["sync"]);
        let queue = device.json(&["queue"]);
        assert_eq!(queue["needs_attention"], json!([]), "{queue}");
        let shown = device.json(&["show", &play.hazard]);
        assert_eq!(shown["hazard"]["version"], play.seen()["version"]);
    }
    let mut stage = play.stage;
    assert!(stage.server.stop().success());
    let head = stage.audit_head();
    (events, head)
}

fn confirmed_by_two(play: &Play) {
    let [first, second] = &play.stage.inspectors;
    let words = [
        "confirm",
        &play.hazard,
        "--major",
        "--basis",
        "现有标准未列明",
        "--expert",
        "周工",
        "--expert-opinion",
        "构成重大事故隐患",
        "--responsible",
        "王强",
        "--requirement",
        "增设泄爆装置",
        "--category",
        "粉尘防爆",
        "--within",
        "10wd",
    ];
    play.field(first, &words);
    assert_eq!(play.seen()["status"]["name"], "reported");
    let agree = [
        "decide",
        &play.hazard,
        "proposal",
        "--yes",
        "--opinion",
        "属实",
    ];
    play.field(second, &agree);
    let order = play.seen()["status"]["order"].clone();
    // Ten working days after Sunday, 22 November 2026.
    assert_eq!(order["due_date"], "2026-12-04", "{order}");
    assert_eq!(order["deadline"]["kind"], "working", "{order}");
    assert_ne!(order["confirmed_by"], order["second"], "{order}");
}

fn planned_listed_and_extended(play: &Play) {
    play.field(&play.stage.principal, &plan(&play.hazard, "2026-12-04"));
    let yes = json!({ "kind": "decide_plan", "accepted": true, "opinion": "方案可行" });
    play.refused(
        "inspector1",
        "plan by an inspector",
        yes.clone(),
        "NOT_PERMITTED",
    );
    play.desk("reviewer", "plan", yes);
    play.desk(
        "listing",
        "list",
        json!({
            "kind": "list_supervision", "level": "district", "document_no": "挂牌〔2026〕1号",
            "authority": "区安委会", "requirement": "按期完成整改",
        }),
    );
    let words = [
        "extend",
        &play.hazard,
        "--until",
        "2026-12-18",
        "--reason",
        "设备到货延迟",
        "--controls",
        "继续停机",
    ];
    play.field(&play.stage.principal, &words);
    let granted = json!({ "kind": "decide_extension", "granted": true, "opinion": "同意" });
    // Listed: no longer the department's to decide.
    play.refused("reviewer", "extension", granted.clone(), "NOT_PERMITTED");
    let hazard = play.desk("listing", "extension by the authority", granted);
    let order = &hazard["status"]["order"];
    assert_eq!(order["due_date"], "2026-12-18", "{order}");
    assert_eq!(order["due_date_original"], "2026-12-04", "{order}");
}

fn returned_once(play: &Play) {
    play.fixed("after.jpg", 3);
    let words = [
        "reinspect",
        &play.hazard,
        "--return",
        "--opinion",
        "泄爆片规格不符",
        "--item",
        "泄爆片=fail:规格不符",
    ];
    play.field(&play.stage.inspectors[0], &words);
    let status = play.seen()["status"].clone();
    assert_eq!(status["name"], "rectifying", "{status}");
    assert_eq!(
        status["order"]["due_date_original"], "2026-12-04",
        "{status}"
    );
}

fn stopped_and_resumed(play: &Play) {
    play.desk(
        "head",
        "suspend",
        json!({
            "kind": "order_suspension", "document_no": "停产〔2026〕1号", "scope": "抛光车间",
            "basis": "安全生产法第六十五条", "evacuate": true,
        }),
    );
    let words = [
        "resume",
        &play.hazard,
        "--application",
        "申请恢复生产",
        "--assessment",
        "评估合格",
    ];
    play.field(&play.stage.principal, &words);
    handed_over::to_a_successor(play);
    let hazard = play.desk(
        "reviewer2",
        "resume",
        json!({
            "kind": "decide_resumption", "granted": true, "document_no": "复产〔2026〕1号", "opinion": "现场审查合格",
            "reviewed_on": "2026-11-22", "no_photo_reason": "防爆区禁止使用手机",
        }),
    );
    assert_eq!(
        hazard["suspension"]["decision"]["decision"]["granted"],
        true
    );
}

/// To a body outside this system, which sends it back: nothing of the order is lost.
fn handed_over_and_back(play: &Play) {
    let before = play.seen()["status"].clone();
    let hazard = play.desk(
        "reviewer",
        "transfer",
        json!({ "kind": "transfer", "to_body": "市场监督管理局", "reason": "涉及特种设备" }),
    );
    assert_eq!(hazard["status"]["name"], "transferred");
    // A major hazard's receipt is recorded by somebody else than who handed it over.
    let hazard = play.desk(
        "head",
        "receipt",
        json!({
            "kind": "receive_transfer", "accepted": false, "receipt_no": "回执〔2026〕8号", "note": "不属特种设备",
        }),
    );
    assert_eq!(hazard["status"], before);
}

fn closed_by_the_listing_authority(play: &Play) {
    play.fixed("after-again.jpg", 4);
    for (inspector, opinion) in play.stage.inspectors.iter().zip(["合格", "复核，合格"]) {
        play.field(inspector, &pass(&play.hazard, opinion));
    }
    let close = json!({ "kind": "close", "opinion": "同意销号" });
    play.refused("reviewer2", "close", close.clone(), "NOT_PERMITTED");
    let hazard = play.desk("listing", "close by the authority", close);
    assert_eq!(hazard["status"]["name"], "closed");
    let delist =
        json!({ "kind": "delist", "document_no": "摘牌〔2026〕1号", "opinion": "整改到位" });
    play.desk("listing", "delist", delist);
}

/// 虚假整改: overdue again since the first due date, as if it had never been closed.
fn reopened(play: &Play) {
    let hazard = play.desk(
        "reviewer2",
        "reopen",
        json!({
            "kind": "reopen", "reason": "抽查发现泄爆装置未接通", "false_closure": true, "cause": "false_closure",
        }),
    );
    let order = &hazard["status"]["order"];
    assert_eq!(hazard["status"]["name"], "rectifying");
    assert_eq!(order["due_date"], "2026-12-04", "{order}");
    assert_eq!(hazard["false_closure"], true);
    assert!(!play.stage.audit_head().is_empty());
}

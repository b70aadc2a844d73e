//! Every kind of command that a device may push, by every role, inside and outside of the scope, on both
//! databases: what the push door answers, against a table that was written by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{ActionKind, SubjectKind};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, SubjectId};
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::{Outcome, PushResult, RecordKind, ScopeUpdate};
use serde_json::{Value, json};

use self::actions::{Who, action};
use self::subjects::steps;
use super::authorization_world::{add_with, announcement};
use super::test_client::{
    ask, command_body, confirmation, get, new_id, post, report_body, second_district,
};
use crate::photos::samples;
use crate::sample;
use crate::test_support::{TestDevice, TestServer, on_each_database, terms, with_pack};
use crate::usecases::people::Terms;
use crate::usecases::pull_tests::pull;
use crate::usecases::push::push;

mod actions;
mod subjects;

/// The roles in the order of [`Role::ALL`]: Employee, Safety officer, Principal, Grid worker, Inspector,
/// department Reviewer, superVisor, Administrator, eXpert, department Head, Listing authority, gateWay,
/// insUrer, iMporter, puBlic.
const LETTERS: &str = "ESPGIRVAXHLWUMB";

/// What one kind of command is answered, on a subject in a state in which somebody may take that step.
struct Row {
    kind: &'static str,
    /// The roles for whom it takes effect, inside their scope.
    may: &'static str,
    /// What the others are answered who see the subject.
    others: char,
    /// What those are answered who hand in and see nothing.
    blind: char,
    /// What everybody is answered outside of their scope.
    outside: char,
}

/// A step on something that is there: whoever does not see it learns nothing of it.
const fn on(kind: &'static str, may: &'static str) -> Row {
    Row {
        kind,
        may,
        others: 'r',
        blind: 'n',
        outside: 'n',
    }
}

/// What begins a record: there is nothing to be seen yet.
const fn new(kind: &'static str, may: &'static str) -> Row {
    Row {
        kind,
        may,
        others: 'r',
        blind: 'r',
        outside: 'o',
    }
}

/// What the server alone does: from whoever it comes, it waits for a person and has no effect.
const fn servers_own(kind: &'static str) -> Row {
    Row {
        kind,
        may: "",
        others: 'q',
        blind: 'q',
        outside: 'q',
    }
}

/// `+` took effect; `r` NOT_PERMITTED; `n` NOT_FOUND, as of what is not there; `o` OUT_OF_SCOPE;
/// `q` quarantined.
const ROWS: &[Row] = &[
    new("report", "ESPGIRXHUMB"),
    on("amend", "SPIRH"),
    on("attach_photo", "ESPGIRXHLU"),
    on("confirm", "SPIRH"),
    on("reject", "RH"),
    on("submit_rectification", "ESP"),
    on("reinspect", "SPI"),
    on("close", "SPIRH"),
    on("reopen", "IRHL"),
    on("spot_check", "IRH"),
    on("note", "ESPGIRVXHLU"),
    on("record_photo_lost", "A"),
    // Of one's own report; whoever may not report is asked about another's.
    on("withdraw", "ESPGIRXHUMB"),
    on("submit_plan", "SP"),
    on("decide_plan", "RH"),
    on("request_extension", "SP"),
    on("decide_extension", "RH"),
    on("change_grade", "RH"),
    on("decide_proposal", "IRH"),
    on("merge", "RH"),
    on("transfer", "RH"),
    on("receive_transfer", "RH"),
    on("list_supervision", "L"),
    on("delist", "L"),
    on("order_suspension", "H"),
    on("request_resumption", "P"),
    on("decide_resumption", "RH"),
    on("record_penalty", "RH"),
    on("assign_sector", "RVH"),
    servers_own("receive_photo"),
    servers_own("follow_enterprise"),
    servers_own("recompute_deadline"),
    new("plan_inspection", "IRH"),
    new("submit_self_check", "ESP"),
    on("start_inspection", "I"),
    on("record_results", "IX"),
    on("link_finding", "IX"),
    on("convert_finding", "SPI"),
    on("record_attendance", "I"),
    on("sign_inspection", "SPIX"),
    on("record_refusal", "I"),
    on("complete_inspection", "I"),
    on("cancel_inspection", "IRH"),
    on("change_team", "IRH"),
    on("attach_inspection_photo", "IX"),
    on("record_inspection_photo_lost", "A"),
    servers_own("inspection_follow_enterprise"),
    servers_own("receive_inspection_photo"),
];

impl Row {
    fn kind(&self) -> ActionKind {
        ActionKind::from_name(self.kind).unwrap()
    }

    /// What somebody of this role is answered.
    fn stated(&self, letter: char, inside: bool) -> char {
        match inside {
            false => self.outside,
            true if self.may.contains(letter) => '+',
            true if "WMB".contains(letter) => self.blind,
            true => self.others,
        }
    }
}

#[test]
fn every_kind_of_command_has_one_row() {
    let stated: Vec<_> = ROWS.iter().map(|row| row.kind).collect();
    let distinct: BTreeSet<_> = stated.iter().copied().collect();
    assert_eq!(distinct.len(), stated.len(), "a kind is stated twice");
    let all: BTreeSet<_> = ActionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(distinct, all, "state what a push of it is answered");
    for row in ROWS {
        assert!(row.may.chars().all(|letter| LETTERS.contains(letter)));
    }
    assert_eq!(LETTERS.len(), Role::ALL.len());
}

/// Somebody with a phone.
struct Phone {
    who: Who,
    letter: char,
    place: &'static str,
    device: TestDevice,
}

/// What there is.
struct World<'a> {
    server: &'a TestServer,
    number: u64,
    /// The town of a second district, and an enterprise there.
    away: (String, String),
    photo: Value,
    team: Vec<Value>,
    /// Another hazard of the same enterprise, into which one may be merged and which a visit may find.
    other: String,
    /// Subjects on which no step has been taken yet.
    ready: BTreeMap<String, String>,
    phones: u8,
}

impl<'a> World<'a> {
    async fn build(server: &'a TestServer) -> Self {
        with_pack(server, "industry-and-trade").await;
        let town = second_district(server).await;
        let mill = new_id(800);
        let body = json!({"id": mill, "name": "邻厂", "jurisdiction_id": town, "sector": "工贸"});
        let made = post(server, "admin", "/enterprises", &body).await;
        made.expect(201);
        let bytes = samples::jpeg(40, 30);
        let brought = ask(server, "employee", "POST", "/photos")
            .with("Tus-Resumable", "1.0.0")
            .with("Upload-Length", &bytes.len().to_string())
            .with("Upload-Metadata", &announcement(&bytes))
            .bytes("application/offset+octet-stream", bytes.clone());
        brought.answer().await.expect(201);
        let sha256 = hazardloop_domain::hash::Digest::sha256(&bytes).to_string();
        let members = ["inspector1", "inspector2", "expert"].map(sample::id);
        let mut world = Self {
            server,
            number: 1_000,
            away: (town, mill),
            photo: json!({"sha256": sha256, "size": bytes.len(), "media_type": "image/jpeg", "kind": "after"}),
            team: members.map(|id| json!({"person_id": id})).to_vec(),
            other: String::new(),
            ready: BTreeMap::new(),
            phones: 0,
        };
        world.other = world.next();
        let other = report_body(&world.other, "polishing", "另一处");
        post(server, "employee", "/hazards", &other)
            .await
            .expect(201);
        let other = world.other.clone();
        let confirm = confirmation();
        world
            .take("reviewer", &other, ActionKind::Confirm, confirm)
            .await;
        world
    }

    fn next(&mut self) -> String {
        self.number += 1;
        new_id(self.number)
    }

    /// Somebody who holds this role there. Those inside are on every team, and so are inspectors and experts
    /// from elsewhere: to be on a team is not to hold a role.
    async fn phone(&mut self, place: &'static str, terms: Terms) -> Phone {
        let role = terms.role;
        let login = format!("{place}-{}", role.as_str());
        let person_id = add_with(self.server, &login, terms);
        if place == "inside" || [Role::Inspector, Role::Expert].contains(&role) {
            self.team.push(json!({"person_id": person_id}));
        }
        self.phones += 1;
        let app = &self.server.app;
        let device = TestDevice::enrol_as(app, person_id, self.phones).await;
        let column = Role::ALL.iter().position(|other| *other == role).unwrap();
        Phone {
            who: Who {
                person_id,
                role,
                login,
            },
            letter: char::from(LETTERS.as_bytes()[column]),
            place,
            device,
        }
    }

    /// Everybody inside, and everybody outside: of another enterprise, of another district, and of
    /// another sector.
    async fn everybody(&mut self) -> (Vec<Phone>, Vec<Phone>) {
        let firm = |name: &str| GrantScope::Enterprise(EnterpriseId(sample::id(name)));
        let district = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        let town = GrantScope::Jurisdiction(JurisdictionId(self.away.0.parse().unwrap()));
        let mill = GrantScope::Enterprise(EnterpriseId(self.away.1.parse().unwrap()));
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for role in Role::ALL {
            let own = match role.is_of_enterprise() {
                true => firm("polishing"),
                false => district,
            };
            inside.push(self.phone("inside", terms(role, own)).await);
            if role.may_be_held_over(mill) {
                outside.push(
                    self.phone("next-door", terms(role, firm("machinery")))
                        .await,
                );
                outside.push(self.phone("other-firm", terms(role, mill)).await);
            }
            if role.may_be_held_over(town) {
                outside.push(self.phone("other-district", terms(role, town)).await);
            }
            let limited = Terms {
                sectors: vec!["town-gas".to_owned()],
                ..terms(role, own)
            };
            if limited.check().is_ok() {
                outside.push(self.phone("other-sector", limited).await);
            }
        }
        (inside, outside)
    }

    /// A subject on which this kind of step may be taken next.
    async fn subject(&mut self, row: &Row, who: &Who) -> String {
        let own = row.kind() == ActionKind::Withdraw && row.may.contains(letter_of(who.role));
        let key = match own && who.login.starts_with("inside") {
            true => format!("{} {}", row.kind, who.login),
            false => row.kind.to_owned(),
        };
        if let Some(ready) = self.ready.get(&key) {
            return ready.clone();
        }
        let id = self.next();
        let author = match key == row.kind {
            true => "employee",
            false => &who.login,
        };
        for (login, step) in steps(row.kind(), author, self) {
            self.take(&login, &id, row.kind(), step).await;
        }
        self.ready.insert(key, id.clone());
        id
    }

    async fn take(&mut self, login: &str, id: &str, kind: ActionKind, mut step: Value) {
        if step["kind"] == "report" {
            step.as_object_mut().unwrap().remove("kind");
            step["id"] = json!(id);
            let answer = post(self.server, login, "/hazards", &step).await;
            assert_eq!(answer.status, 201, "{kind:?}: {}", answer.json);
            return;
        }
        let path = match kind.subject() {
            SubjectKind::Hazard => format!("/hazards/{id}/commands"),
            SubjectKind::Inspection => format!("/inspections/{id}/commands"),
        };
        self.number += 1;
        let body = command_body(self.number, step.clone());
        let answer = post(self.server, login, &path, &body).await;
        assert_eq!(answer.status, 200, "{kind:?}, {step}: {}", answer.json);
    }

    /// The subject is another one now.
    fn used(&mut self, subject: &str) {
        self.ready.retain(|_, ready| ready != subject);
    }

    /// Pushes one command a row, and compares.
    async fn check(&mut self, phone: &mut Phone, wrong: &mut Vec<String>) {
        for row in ROWS {
            let subject = self.subject(row, &phone.who).await;
            let sent = action(row.kind(), &phone.who, self);
            let subject_id = SubjectId(subject.parse().unwrap());
            let sealed = phone.device.seal_on(subject_id, sent);
            let batch = phone.device.push(vec![sealed]);
            let answer = push(&self.server.app, phone.who.person_id, batch).await;
            let Some(PushResult::Receipt(receipt)) = answer.unwrap().results.pop() else {
                panic!("no receipt");
            };
            let got = letter(&receipt.outcome);
            if got == '+' {
                self.used(&subject);
            }
            let stated = row.stated(phone.letter, phone.place == "inside");
            if got != stated || says_too_much(&receipt.outcome) {
                wrong.push(format!(
                    "{} by {:?} {}: {got}, stated {stated}: {:?}",
                    row.kind, phone.who.role, phone.place, receipt.outcome
                ));
            }
        }
    }

    /// Whether any hazard or inspection reaches the phone.
    async fn holds_any(&self, phone: &Phone) -> bool {
        let request = phone.device.pull(None, Vec::new());
        let answer = pull(&self.server.app, phone.who.person_id, request).await;
        let subjects = [RecordKind::Hazard, RecordKind::Inspection];
        answer
            .unwrap()
            .answers
            .iter()
            .any(|scope| match &scope.update {
                ScopeUpdate::Page(page) => {
                    let mut records = page.records.iter();
                    records.any(|record| subjects.contains(&record.kind))
                }
                ScopeUpdate::Drop { .. } => panic!("{} was dropped", scope.scope),
            })
    }
}

fn letter_of(role: Role) -> char {
    let column = Role::ALL.iter().position(|other| *other == role).unwrap();
    char::from(LETTERS.as_bytes()[column])
}

fn letter(outcome: &Outcome) -> char {
    match outcome {
        Outcome::Applied { .. } | Outcome::Merged { .. } => '+',
        Outcome::Quarantined { .. } => 'q',
        Outcome::Rejected { refusal } => match refusal.code {
            RefusalCode::NotPermitted => 'r',
            RefusalCode::NotFound => 'n',
            RefusalCode::OutOfScope => 'o',
            _ => '?',
        },
        _ => '?',
    }
}

/// Whoever may not know of a subject is told neither its state nor what else could be done with it.
fn says_too_much(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Rejected { refusal } if "no".contains(letter(outcome)) => {
            refusal.from_state.is_some() || !refusal.allowed.is_empty() || refusal.field.is_some()
        }
        _ => false,
    }
}

#[test]
fn every_command_by_every_role_inside_and_outside() {
    on_each_database(async |server| {
        let mut world = World::build(&server).await;
        let (mut inside, mut outside) = world.everybody().await;
        let mut wrong = Vec::new();
        for phone in &mut inside {
            let sees = "ESPGIRVAXHLU".contains(phone.letter);
            assert_eq!(world.holds_any(phone).await, sees, "{:?}", phone.who.role);
            world.check(phone, &mut wrong).await;
        }
        for phone in &mut outside {
            world.check(phone, &mut wrong).await;
            assert!(
                !world.holds_any(phone).await,
                "{:?} {}",
                phone.who.role,
                phone.place
            );
        }
        let count = wrong.len();
        assert!(wrong.is_empty(), "{count} wrong:\n{}", wrong.join("\n"));
        // What stands is what those inside made of it.
        let other = get(&server, "employee", &format!("/hazards/{}", world.other)).await;
        assert_eq!(
            other.expect(200)["reported_by"],
            json!(sample::id("employee"))
        );
    });
}

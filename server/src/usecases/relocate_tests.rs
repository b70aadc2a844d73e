//! An enterprise with more hazards than one transaction moves, on both databases: nobody loses one,
//! nobody gets one twice, whatever dies or happens in between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::hazard::Hazard;
use hazardloop_sync_protocol::wire::{RecordKind, Scope, ScopeCursor};
use uuid::Uuid;

use super::*;
use crate::jobs::run_due;
use crate::jobs::runner::LEASE_MS;
use crate::sample;
use crate::store::{events, hazards, jobs};
use crate::test_support::{
    NOW, TestDevice, TestServer, enterprise, hazard_id, on_each_database_with, person, report,
    seal_everything,
};
use crate::usecases::audit;
use crate::usecases::pull_tests::{page, pull, pull_seeing, second_town};
use crate::usecases::push::push;

#[path = "relocate_inspections_tests.rs"]
mod inspections;

const HAZARDS: u64 = 7;

/// Two hazards a transaction.
fn two_at_once<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    on_each_database_with(|settings| settings.hazards.moved_at_once = 2, test);
}

async fn file(app: &App, author: &mut TestDevice, numbers: impl Iterator<Item = u64>) {
    let batch = numbers
        .map(|number| author.seal(hazard_id(number), Action::Report(report("积尘"))))
        .collect();
    push(app, author.person_id, author.push(batch))
        .await
        .unwrap();
}

async fn move_to(app: &App, seen: i64, to: JurisdictionId) -> Result<Enterprise, Failure> {
    let asked = Move {
        seen,
        to,
        reason: "搬迁".to_owned(),
    };
    relocate(app, person("admin"), enterprise("polishing"), asked).await
}

fn hazard(app: &App, number: u64) -> Hazard {
    let loaded = app
        .db
        .read_blocking(|tx| hazards::load(tx.conn(), hazard_id(number)));
    loaded.unwrap().unwrap().hazard
}

/// The hazards of the enterprise that this jurisdiction answers for.
fn numbers_in(app: &App, place: JurisdictionId) -> BTreeSet<u64> {
    (1..=HAZARDS)
        .filter(|number| hazard(app, *number).jurisdiction_id == place)
        .collect()
}

/// How often a hazard has followed its enterprise.
fn moves_of(app: &App, number: u64) -> usize {
    moves_of_record(app, hazard_id(number).0)
}

fn moves_of_record(app: &App, id: Uuid) -> usize {
    let history = app
        .db
        .read_blocking(|tx| events::history(tx.conn(), &id, 0, 100));
    let history = history.unwrap();
    let followed = |event: &&events::StoredEvent| event.kind == "enterprise_followed";
    history.iter().filter(followed).count()
}

fn old_town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

/// A device that holds what it pulled of one kind in one scope.
struct Phone {
    device: TestDevice,
    scope: Scope,
    kind: RecordKind,
    epoch: Option<String>,
    cursor: Option<ScopeCursor>,
    held: BTreeSet<Uuid>,
    /// Records that came and records that went, each time they did.
    came: Vec<Uuid>,
    went: Vec<Uuid>,
}

impl Phone {
    fn of(device: TestDevice, place: JurisdictionId) -> Self {
        Self::holding(RecordKind::Hazard, device, Scope::Jurisdiction(place))
    }

    fn holding(kind: RecordKind, device: TestDevice, scope: Scope) -> Self {
        Self {
            device,
            scope,
            kind,
            epoch: None,
            cursor: None,
            held: BTreeSet::new(),
            came: Vec::new(),
            went: Vec::new(),
        }
    }

    async fn pull(&mut self, app: &App, until_it_changes: bool) {
        let cursors = self.cursor.clone().into_iter().collect();
        let request = self.device.pull(self.epoch.clone(), cursors);
        let answer = if until_it_changes {
            pull_seeing(app, self.device.person_id, request, self.scope).await
        } else {
            pull(app, self.device.person_id, request).await.unwrap()
        };
        self.epoch = Some(answer.epoch.clone());
        let Some(page) = page(&answer, self.scope) else {
            return;
        };
        if page.reset.is_some() {
            self.held.clear();
        }
        for record in page.records.iter() {
            if record.kind == self.kind {
                self.came.push(record.id);
                self.held.insert(record.id);
            }
        }
        for removal in page.removals.iter() {
            if removal.kind == self.kind {
                self.went.push(removal.id);
                self.held.remove(&removal.id);
            }
        }
        self.cursor = Some(ScopeCursor {
            scope: self.scope,
            cursor: Some(page.cursor.clone()),
            checkpoint: page.checkpoint,
        });
    }
}

fn each_once(mut ids: Vec<Uuid>) -> BTreeSet<Uuid> {
    ids.sort_unstable();
    let all: BTreeSet<Uuid> = ids.iter().copied().collect();
    assert_eq!(ids.len(), all.len(), "one of them twice");
    all
}

fn ids(numbers: impl Iterator<Item = u64>) -> BTreeSet<Uuid> {
    numbers.map(|number| hazard_id(number).0).collect()
}

#[test]
fn what_one_transaction_does_not_move_follows_even_when_a_server_dies_in_between() {
    two_at_once(async |server| {
        let app = &server.app;
        let (town, worker) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        file(app, &mut author, 1..=HAZARDS).await;
        let mut old = Phone::of(TestDevice::enrol(app, "grid", 2).await, old_town());
        let mut new = Phone::of(TestDevice::enrol_as(app, worker, 3).await, town);
        old.pull(app, false).await;
        new.pull(app, false).await;
        assert_eq!((old.held.len(), new.held.len()), (7, 0));

        let moved = move_to(app, 1, town).await.unwrap();
        assert_eq!((moved.jurisdiction_id, moved.version), (town, 2));
        assert_eq!(numbers_in(app, town).len(), 2, "with the enterprise itself");
        old.pull(app, true).await;
        new.pull(app, true).await;
        assert_eq!((old.held.len(), new.held.len()), (5, 2));

        // A runner takes the job, brings one lot, and is killed.
        let until = server.app.clock.now().plus_millis(LEASE_MS);
        let claimed = app
            .db
            .write(move |tx| jobs::claim(tx.conn(), NOW, until))
            .await;
        assert_eq!(claimed.unwrap().unwrap().kind, "follow_enterprise");
        let more = follow_once(app, enterprise("polishing"), Behind::ALL).await;
        assert!(more.unwrap().is_some());
        assert_eq!(numbers_in(app, town).len(), 4);
        old.pull(app, true).await;
        new.pull(app, true).await;
        assert_eq!((old.held.len(), new.held.len()), (3, 4));
        // What is reported meanwhile is the new town's from the beginning.
        file(app, &mut author, 8..=8).await;
        assert_eq!(hazard(app, 8).jurisdiction_id, town);

        server.set_now(NOW.plus_millis(LEASE_MS + 1));
        let other = server.beside().await;
        assert!(run_due(&other).await.unwrap() >= 1);
        assert_eq!(numbers_in(app, town).len(), 7);
        old.pull(app, true).await;
        new.pull(app, true).await;
        assert!(old.held.is_empty());
        assert_eq!(each_once(old.went), ids(1..=HAZARDS));
        assert_eq!(each_once(new.came), ids(1..=8));
        assert!(new.went.is_empty());
        for number in 1..=HAZARDS {
            assert_eq!(moves_of(app, number), 1, "hazard {number}");
        }
        assert_eq!(moves_of(app, 8), 0);
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
        assert_eq!(run_due(&other).await.unwrap(), 0, "nothing is left to do");
    });
}

#[test]
fn a_second_move_before_the_first_has_ended_takes_all_to_where_the_enterprise_is() {
    two_at_once(async |server| {
        let app = &server.app;
        let (town, _) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        file(app, &mut author, 1..=HAZARDS).await;
        move_to(app, 1, town).await.unwrap();
        // The first job is in the middle of its work when the enterprise moves back.
        let mut behind = follow_once(app, enterprise("polishing"), Behind::ALL)
            .await
            .unwrap();
        assert_eq!(numbers_in(app, town).len(), 4);
        move_to(app, 2, old_town()).await.unwrap();
        while let Some(more) = behind {
            behind = follow_once(app, enterprise("polishing"), more)
                .await
                .unwrap();
        }
        run_due(app).await.unwrap();
        assert_eq!(numbers_in(app, old_town()).len(), 7);
        let twice = (1..=HAZARDS)
            .filter(|number| moves_of(app, *number) == 2)
            .count();
        let never = (1..=HAZARDS)
            .filter(|number| moves_of(app, *number) == 0)
            .count();
        assert_eq!((twice, never), (4, 3), "those that had not left yet stay");
    });
}

#[test]
fn more_lots_than_one_run_brings_come_in_the_next() {
    two_at_once(async |server| {
        let app = &server.app;
        let (town, _) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let many = 2 * (u64::try_from(LOTS_AT_A_TIME).unwrap() + 2);
        file(app, &mut author, 1..=many).await;
        move_to(app, 1, town).await.unwrap();
        assert!(!follow(app, enterprise("polishing")).await.unwrap());
        run_due(app).await.unwrap();
        for number in 1..=many {
            assert_eq!(hazard(app, number).jurisdiction_id, town, "hazard {number}");
        }
    });
}

#[test]
fn a_move_insists_on_the_version_that_was_seen() {
    two_at_once(async |server| {
        let app = &server.app;
        let (town, worker) = second_town(app).await;
        let stale = move_to(app, 9, town).await;
        assert_eq!(stale, Err(Failure::PreconditionFailed { current: 1 }));
        // Who may not is not told the version.
        for asker in [worker, person("employee")] {
            let asked = Move {
                seen: 9,
                to: town,
                reason: "搬迁".to_owned(),
            };
            let refused = relocate(app, asker, enterprise("polishing"), asked).await;
            assert!(!matches!(
                refused,
                Err(Failure::PreconditionFailed { .. }) | Ok(_)
            ));
        }
        move_to(app, 1, town).await.unwrap();
        let again = move_to(app, 1, town).await.unwrap();
        assert_eq!((again.jurisdiction_id, again.version), (town, 2));
    });
}

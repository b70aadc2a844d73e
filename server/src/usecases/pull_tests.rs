//! Pull against a whole server, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, Outcome, Page, PullRequest, PullResponse, PushResult, QuarantineReason,
    RecordKind, ResetReason, Scope, ScopeCursor, ScopeUpdate,
};

use super::people::{self, NewPerson};
use super::push::push;
use super::{jurisdictions, relocate};
use crate::app::App;
use crate::failure::Failure;
use crate::sample;
use crate::store::Position;
use crate::test_support::{
    NOW, TestDevice, enterprise, hazard_id, on_each_database, person, report, until_safe,
};

/// Pulls as a device does: again while the answer says that something is in flight. On PostgreSQL
/// that may be a transaction of another test, on another database of the same cluster.
pub(crate) async fn pull(
    app: &App,
    person_id: PersonId,
    request: PullRequest,
) -> Result<PullResponse, Failure> {
    until_safe(app).await;
    for _ in 0..10_000 {
        let answer = super::pull::pull(app, person_id, request.clone()).await?;
        let incomplete = |update: &ScopeUpdate| matches!(update, ScopeUpdate::Page(page) if page.checkpoint.is_none());
        let part_of_many = request.max_records.is_some();
        if part_of_many
            || !answer
                .answers
                .iter()
                .any(|answer| incomplete(&answer.update))
        {
            return Ok(answer);
        }
    }
    panic!("no complete answer within 10,000 pulls")
}

/// Pulls until the scope is in the answer: it has changed, and the change will be delivered.
pub(super) async fn pull_seeing(
    app: &App,
    person_id: PersonId,
    request: PullRequest,
    scope: Scope,
) -> PullResponse {
    for _ in 0..10_000 {
        let answer = pull(app, person_id, request.clone()).await.unwrap();
        if page(&answer, scope).is_some() {
            return answer;
        }
    }
    panic!("{scope} did not come within 10,000 pulls")
}

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

pub(super) fn page(response: &PullResponse, scope: Scope) -> Option<&Page> {
    response
        .answers
        .iter()
        .find(|answer| answer.scope == scope)
        .map(|answer| match &answer.update {
            ScopeUpdate::Page(page) => page,
            ScopeUpdate::Drop { .. } => panic!("{scope} was dropped"),
        })
}

/// What a device would hold after this answer to a first pull.
pub(crate) fn cursors(response: &PullResponse) -> Vec<ScopeCursor> {
    response
        .answers
        .iter()
        .filter_map(|answer| match &answer.update {
            ScopeUpdate::Page(page) => Some(ScopeCursor {
                scope: answer.scope,
                cursor: Some(page.cursor.clone()),
                checkpoint: page.checkpoint,
            }),
            ScopeUpdate::Drop { .. } => None,
        })
        .collect()
}

#[test]
fn the_enterprise_and_the_district_see_the_report_and_the_neighbour_does_not() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let batch = vec![device.seal(hazard_id(1), Action::Report(report("粉尘")))];
        push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        let answer = pull(app, device.person_id, device.pull(None, Vec::new()))
            .await
            .unwrap();
        let scope = Scope::Enterprise(enterprise("polishing"));
        let mine = page(&answer, scope).unwrap();
        assert_eq!(mine.reset, Some(ResetReason::First));
        let record = mine
            .records
            .iter()
            .find(|record| record.kind == RecordKind::Hazard)
            .unwrap();
        let hazard: Hazard = minicbor::decode(&record.body.0).unwrap();
        assert_eq!(hazard.description, "粉尘");
        assert_digests(&answer);
        let inspector = TestDevice::enrol(app, "inspector1", 2).await;
        let answer = pull(app, inspector.person_id, inspector.pull(None, Vec::new()))
            .await
            .unwrap();
        assert!(
            answer
                .answers
                .iter()
                .any(|answer| holds_hazard(&answer.update))
        );
        let (asked, own) = (Scope::Enterprise(enterprise("chemicals")), scope);
        let crafted = [asked, own].map(|scope| ScopeCursor {
            scope,
            cursor: None,
            checkpoint: None,
        });
        let answer = pull(app, device.person_id, device.pull(None, crafted.to_vec()))
            .await
            .unwrap();
        let dropped = answer
            .answers
            .iter()
            .find(|answer| answer.scope == asked)
            .unwrap();
        assert!(matches!(dropped.update, ScopeUpdate::Drop { .. }));
    });
}

fn holds_hazard(update: &ScopeUpdate) -> bool {
    matches!(update, ScopeUpdate::Page(page)
        if page.records.iter().any(|record| record.kind == RecordKind::Hazard))
}

/// Every checkpoint of a first pull equals what its records add up to.
fn assert_digests(answer: &PullResponse) {
    let key = DigestKey::from_slice(&answer.digest_key.as_ref().unwrap().0).unwrap();
    for scope in &answer.answers {
        let ScopeUpdate::Page(page) = &scope.update else {
            panic!()
        };
        let held = page.records.iter().fold(Checkpoint::EMPTY, |held, record| {
            held.with(key.of_record(record.kind, &record.id, record.version, &record.body.0))
        });
        assert_eq!(page.checkpoint, Some(held), "{}", scope.scope);
    }
}

#[test]
fn a_second_pull_brings_only_what_changed_and_a_third_nothing() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let batch = (1..=5)
            .map(|n| device.seal(hazard_id(n), Action::Report(report("多"))))
            .collect();
        push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        let first = pull(app, device.person_id, device.pull(None, Vec::new()))
            .await
            .unwrap();
        let batch = vec![device.seal(hazard_id(3), note("变"))];
        push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        let epoch = Some(first.epoch.clone());
        let scope = Scope::Enterprise(enterprise("polishing"));
        let request = device.pull(epoch.clone(), cursors(&first));
        let second = pull_seeing(app, device.person_id, request, scope).await;
        let changed: Vec<_> = page(&second, scope)
            .unwrap()
            .records
            .iter()
            .map(|r| r.id)
            .collect();
        assert_eq!(changed, [hazard_id(3).0]);
        assert_eq!(
            second.answers.len(),
            1,
            "unchanged scopes are not mentioned"
        );
        assert_eq!(second.digest_key, None);
        let mut held = cursors(&first);
        held.retain(|cursor| cursor.scope != scope);
        held.extend(cursors(&second));
        let third = pull(app, device.person_id, device.pull(epoch, held))
            .await
            .unwrap();
        assert_eq!((third.answers.len(), third.more), (0, false));
    });
}

#[test]
fn a_page_at_a_time_ends_in_the_same_checkpoint() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let batch = (1..=7)
            .map(|n| device.seal(hazard_id(n), Action::Report(report("多"))))
            .collect();
        push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        let whole = pull(app, device.person_id, device.pull(None, Vec::new()))
            .await
            .unwrap();
        let scope = Scope::Enterprise(enterprise("polishing"));
        let mut held = ScopeCursor {
            scope,
            cursor: None,
            checkpoint: None,
        };
        let mut seen = Vec::new();
        for round in 0.. {
            assert!(round < 10_000, "paging must end");
            let mut request = device.pull(Some(whole.epoch.clone()), vec![held.clone()]);
            request.max_records = Some(3);
            let answer = pull(app, device.person_id, request).await.unwrap();
            let Some(part) = page(&answer, scope) else {
                break;
            };
            seen.extend(part.records.iter().map(|record| record.id));
            held.cursor = Some(part.cursor.clone());
            held.checkpoint = part.checkpoint;
            if held.checkpoint.is_some() {
                break;
            }
            assert!(answer.more);
        }
        assert_eq!(held.checkpoint, page(&whole, scope).unwrap().checkpoint);
        assert_eq!(seen.len(), page(&whole, scope).unwrap().records.len());
    });
}

#[test]
fn a_wrong_digest_or_cursor_starts_that_scope_again() {
    on_each_database(async |server| {
        let app = &server.app;
        let device = TestDevice::enrol(app, "employee", 1).await;
        let first = pull(app, device.person_id, device.pull(None, Vec::new()))
            .await
            .unwrap();
        let epoch = Some(first.epoch.clone());
        let mut held = cursors(&first);
        held[0].checkpoint = Some(Checkpoint {
            count: 99,
            digest: 1,
        });
        let request = device.pull(epoch.clone(), held.clone());
        let answer = pull_seeing(app, device.person_id, request, held[0].scope).await;
        assert_eq!(
            page(&answer, held[0].scope).unwrap().reset,
            Some(ResetReason::DigestMismatch)
        );
        assert_eq!(answer.answers.len(), 1);
        held[0].cursor.as_mut().unwrap().0.pop();
        let answer = pull(app, device.person_id, device.pull(epoch, held.clone()))
            .await
            .unwrap();
        assert_eq!(
            page(&answer, held[0].scope).unwrap().reset,
            Some(ResetReason::CursorUnknown)
        );
        let other = pull(
            app,
            device.person_id,
            device.pull(Some("restored".to_owned()), held.clone()),
        );
        assert_eq!(other.await.unwrap().answers.len(), cursors(&first).len());
    });
}

/// A second town of the sample's district, with a grid worker of its own.
pub(super) async fn second_town(app: &App) -> (JurisdictionId, PersonId) {
    let town = Jurisdiction {
        id: JurisdictionId(sample::id("second town")),
        parent_id: Some(JurisdictionId(sample::id("500153000000"))),
        name: "昌元街道".to_owned(),
        level: Level::Town,
        division_code: None,
        version: 1,
        merged_into: None,
        merged_at: None,
    };
    let worker = NewPerson {
        id: PersonId(sample::id("second grid worker")),
        login: "grid2".to_owned(),
        name: "何小山".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![(Role::GridWorker, GrantScope::Jurisdiction(town.id)).into()],
    };
    let (key, made) = (app.digest_key, (town.id, worker.id));
    app.db
        .write(move |tx| {
            jurisdictions::add(tx, &key, &town, None, None, NOW)?;
            people::register(tx, &key, worker.clone(), None, NOW).map(drop)
        })
        .await
        .unwrap();
    made
}

#[test]
fn an_enterprise_that_moves_leaves_the_old_town_and_arrives_whole_in_the_new_one() {
    on_each_database(async |server| {
        let app = &server.app;
        let (town, worker) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let batch = (1..=3)
            .map(|n| author.seal(hazard_id(n), Action::Report(report("搬家前"))))
            .collect();
        push(app, author.person_id, author.push(batch))
            .await
            .unwrap();
        let old = TestDevice::enrol(app, "grid", 2).await;
        let new = TestDevice::enrol_as(app, worker, 3).await;
        let before = pull(app, old.person_id, old.pull(None, Vec::new())).await;
        let (before, nothing) = (before.unwrap(), Scope::Jurisdiction(town));
        let first = pull(app, new.person_id, new.pull(None, Vec::new())).await;
        let first = first.unwrap();
        assert!(page(&first, nothing).unwrap().records.is_empty());
        let to = relocate::Move {
            seen: 1,
            to: town,
            reason: "厂房搬迁".to_owned(),
        };
        let moved = relocate::relocate(app, person("admin"), enterprise("polishing"), to);
        moved.await.unwrap();
        let epoch = Some(before.epoch.clone());
        let town_left = Scope::Jurisdiction(JurisdictionId(sample::id("500153003000")));
        let request = old.pull(epoch.clone(), cursors(&before));
        let after = pull_seeing(app, old.person_id, request, town_left).await;
        let left = page(&after, town_left).unwrap();
        assert_eq!(left.removals.len(), 4, "the enterprise and three hazards");
        assert!(left.records.is_empty());
        let request = new.pull(epoch, cursors(&first));
        let after = pull_seeing(app, new.person_id, request, nothing).await;
        let arrived = page(&after, nothing).unwrap().clone();
        assert_eq!(arrived.records.len(), 4);
        assert_eq!(arrived.checkpoint.unwrap().count, 4);
    });
}

#[test]
fn work_done_before_a_move_and_sent_after_it_waits_for_a_person_and_is_not_lost() {
    on_each_database(async |server| {
        let app = &server.app;
        let (town, _) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let batch = vec![author.seal(hazard_id(1), Action::Report(report("搬家前")))];
        push(app, author.person_id, author.push(batch))
            .await
            .unwrap();
        let mut worker = TestDevice::enrol(app, "grid", 2).await;
        let text = "现场已看过".to_owned();
        let offline = worker.seal(hazard_id(1), Action::Note(Note { text }));
        let to = relocate::Move {
            seen: 1,
            to: town,
            reason: "厂房搬迁".to_owned(),
        };
        let moved = relocate::relocate(app, person("admin"), enterprise("polishing"), to);
        moved.await.unwrap();
        let answer = push(app, worker.person_id, worker.push(vec![offline])).await;
        let PushResult::Receipt(receipt) = answer.unwrap().results[0].clone() else {
            panic!()
        };
        assert!(matches!(
            receipt.outcome,
            Outcome::Quarantined {
                reason: QuarantineReason::Reassigned,
                ..
            }
        ));
    });
}

#[test]
fn a_role_that_ended_drops_the_scope() {
    on_each_database(async |server| {
        let app = &server.app;
        let device = TestDevice::enrol(app, "employee", 1).await;
        let first = pull(app, device.person_id, device.pull(None, Vec::new())).await;
        let first = first.unwrap();
        let scope = Scope::Enterprise(enterprise("polishing"));
        let me = device.person_id;
        let grants = app
            .db
            .read(move |tx| crate::store::access::grants_of(tx.conn(), me))
            .await
            .unwrap();
        people::end_grant(app, person("admin"), me, 1, grants[0].id)
            .await
            .unwrap();
        let epoch = Some(first.epoch.clone());
        let request = device.pull(epoch, cursors(&first));
        let answer = super::pull::pull(app, me, request).await.unwrap();
        let dropped = answer.answers.iter().find(|answer| answer.scope == scope);
        assert!(matches!(dropped.unwrap().update, ScopeUpdate::Drop { .. }));
    });
}

#[test]
fn a_cursor_that_this_database_has_not_reached_is_begun_anew() {
    on_each_database(async |server| {
        let app = &server.app;
        let device = TestDevice::enrol(app, "employee", 1).await;
        let first = pull(app, device.person_id, device.pull(None, Vec::new()))
            .await
            .unwrap();
        let mut held = cursors(&first);
        let scopes = held.len();
        for cursor in &mut held {
            // As from the time after the backup that was put in place of the database.
            let ahead = Position {
                tx: i64::MAX - 1,
                ordinal: 1,
            };
            cursor.cursor = Some(Bytes(ahead.to_bytes().to_vec()));
        }
        let request = device.pull(Some(first.epoch.clone()), held);
        let answer = pull(app, device.person_id, request).await.unwrap();
        assert_eq!(answer.answers.len(), scopes);
        for answer in &answer.answers {
            let ScopeUpdate::Page(page) = &answer.update else {
                panic!("{} was dropped", answer.scope)
            };
            assert_eq!(page.reset, Some(ResetReason::CursorUnknown));
        }
    });
}

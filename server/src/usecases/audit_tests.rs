//! Nobody rewrites history unnoticed: tampering with the tables themselves, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::RunQueryDsl as _;
use hazardloop_domain::command::{Action, Note};

use super::audit::{AuditReport, Fault, verify};
use super::push::push;
use crate::store::StoreError;
use crate::test_support::{
    TestDevice, TestServer, hazard_id, on_each_database, report, seal_everything,
};

/// Two hazards, the first with six events, sealed.
async fn with_history(server: &TestServer) {
    let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
    let id = hazard_id(1);
    let mut batch = vec![device.seal(id, Action::Report(report("粉尘")))];
    for n in 1..=5 {
        batch.push(device.seal(
            id,
            Action::Note(Note {
                text: format!("备注{n}"),
            }),
        ));
    }
    batch.push(device.seal(hazard_id(2), Action::Report(report("通道"))));
    push(&server.app, device.person_id, device.push(batch))
        .await
        .unwrap();
    seal_everything(&server.app.db);
}

fn tamper(server: &TestServer, statements: &'static [&'static str]) {
    server
        .app
        .db
        .write_blocking(move |tx| {
            for statement in statements {
                diesel::sql_query(*statement).execute(tx.conn())?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

fn check(server: &TestServer) -> AuditReport {
    verify(&server.app.db, None).unwrap()
}

fn faults(report: &AuditReport, seq: i64) -> Vec<Fault> {
    let named = Some(hazard_id(1).0);
    let of_it = |f: &&super::audit::Finding| f.subject_id == named && f.subject_seq == Some(seq);
    report
        .findings
        .iter()
        .filter(of_it)
        .map(|finding| finding.fault)
        .collect()
}

#[test]
fn an_untouched_record_has_no_faults_and_a_head_that_grows() {
    on_each_database(async |server| {
        with_history(&server).await;
        let before = check(&server);
        assert_eq!(
            (before.faults, before.unsealed),
            (0, 0),
            "{:?}",
            before.findings
        );
        let kept = Some((before.head.position, before.head.hash));
        let mut device = TestDevice::enrol(&server.app, "safety", 2).await;
        let batch = vec![device.seal(
            hazard_id(1),
            Action::Note(Note {
                text: "再".to_owned(),
            }),
        )];
        push(&server.app, device.person_id, device.push(batch))
            .await
            .unwrap();
        assert_eq!(check(&server).unsealed, 1);
        seal_everything(&server.app.db);
        let after = verify(&server.app.db, kept).unwrap();
        assert_eq!(
            after.faults, 0,
            "the head that was kept is still in the chain"
        );
        assert_eq!(after.head.position, before.head.position + 1);
    });
}

#[test]
fn a_changed_event_is_named() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper(
            &server,
            &["UPDATE events SET body = hash WHERE subject_seq = 3 AND kind = 'noted'"],
        );
        assert!(faults(&check(&server), 3).contains(&Fault::Changed));
    });
}

#[test]
fn a_changed_event_with_its_hash_made_anew_is_named_too() {
    on_each_database(async |server| {
        with_history(&server).await;
        // As somebody would who knows the hash function: the event alone is consistent.
        let forged = [7_u8; 40];
        let (loaded, forged_hash) = server
            .app
            .db
            .write_blocking(move |tx| {
                let history = crate::store::events::history(tx.conn(), &hazard_id(1).0, 2, 1)?;
                let previous =
                    hazardloop_domain::hash::Digest::from_slice(&history[0].previous_hash).unwrap();
                let mut forged_event = history[0].clone();
                forged_event.body = forged.to_vec();
                let hash = forged_event.computed_hash(&previous);
                Ok::<_, StoreError>((history, hash))
            })
            .unwrap();
        assert_eq!(loaded[0].subject_seq, 3);
        server
            .app
            .db
            .write_blocking(move |tx| {
                diesel::sql_query(
                    "UPDATE events SET body = $1, hash = $2 WHERE subject_seq = 3 AND kind = 'noted'",
                )
                .bind::<diesel::sql_types::Binary, _>(forged.to_vec())
                .bind::<diesel::sql_types::Binary, _>(forged_hash.as_bytes().to_vec())
                .execute(tx.conn())?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let report = check(&server);
        assert!(
            !faults(&report, 3).is_empty(),
            "the chain holds the hash it had"
        );
        assert!(
            !faults(&report, 4).is_empty(),
            "and the next event points to it"
        );
    });
}

#[test]
fn a_removed_event_is_named_in_the_middle_and_at_the_end() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper(
            &server,
            &["DELETE FROM events WHERE kind = 'noted' AND subject_seq IN (3, 6)"],
        );
        let report = check(&server);
        assert!(faults(&report, 3).contains(&Fault::Removed));
        assert!(faults(&report, 6).contains(&Fault::Removed));
        assert!(faults(&report, 2).is_empty());
    });
}

#[test]
fn exchanged_events_are_named() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper(
            &server,
            &[
                "UPDATE events SET subject_seq = 99 WHERE kind = 'noted' AND subject_seq = 3",
                "UPDATE events SET subject_seq = 3 WHERE kind = 'noted' AND subject_seq = 4",
                "UPDATE events SET subject_seq = 4 WHERE kind = 'noted' AND subject_seq = 99",
            ],
        );
        let report = check(&server);
        assert!(faults(&report, 3).contains(&Fault::Reordered));
        assert!(faults(&report, 4).contains(&Fault::Reordered));
    });
}

#[test]
fn a_hazard_that_vanished_whole_is_missed_by_the_chain() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper(
            &server,
            &[
                "DELETE FROM photo_references",
                "DELETE FROM events WHERE subject_kind = 'hazard'",
                "DELETE FROM hazards",
            ],
        );
        assert!(faults(&check(&server), 1).contains(&Fault::Removed));
    });
}

#[test]
fn history_rewritten_from_the_beginning_does_not_hold_the_head_that_was_kept() {
    on_each_database(async |server| {
        with_history(&server).await;
        let before = check(&server);
        tamper(&server, &["DELETE FROM audit_chain"]);
        tamper(
            &server,
            &["DELETE FROM events WHERE kind = 'noted' AND subject_seq = 6"],
        );
        tamper(
            &server,
            &["UPDATE hazards SET version = 5 WHERE version = 6"],
        );
        seal_everything(&server.app.db);
        let kept = Some((before.head.position, before.head.hash));
        let report = verify(&server.app.db, kept).unwrap();
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.fault == Fault::HeadUnknown)
        );
    });
}

#[test]
fn a_state_that_was_edited_without_an_event_is_named() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper(
            &server,
            &["UPDATE hazards SET status = 'closed', record = head_hash WHERE version = 6"],
        );
        let report = check(&server);
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.fault == Fault::StateDiffers)
        );
    });
}

#[test]
fn who_when_and_what_beside_an_event_cannot_be_rewritten_either() {
    on_each_database(async |server| {
        with_history(&server).await;
        for statement in [
            "UPDATE events SET actor_id = subject_id WHERE kind = 'noted' AND subject_seq = 3",
            "UPDATE events SET recorded_at = recorded_at - 1 WHERE kind = 'noted' AND subject_seq = 4",
            "UPDATE events SET kind = 'closed' WHERE kind = 'noted' AND subject_seq = 5",
        ] {
            tamper_once(&server, statement);
        }
        let report = check(&server);
        for seq in [3, 4, 5] {
            assert!(faults(&report, seq).contains(&Fault::Changed), "{seq}");
        }
        tamper_once(
            &server,
            "UPDATE events SET recorded_at = 0 WHERE subject_kind = 'person'",
        );
        let people = check(&server).faults - report.faults;
        assert!(people >= 9, "every person of the sample: {people}");
    });
}

#[test]
fn a_column_by_which_lists_filter_cannot_be_edited() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper_once(
            &server,
            "UPDATE hazards SET grade = 'major' WHERE version = 6",
        );
        let report = check(&server);
        assert_eq!(report.faults, 1);
        assert_eq!(report.findings[0].fault, Fault::StateDiffers);
    });
}

#[test]
fn an_event_put_in_after_its_time_is_named() {
    on_each_database(async |server| {
        with_history(&server).await;
        tamper_once(
            &server,
            "INSERT INTO events SELECT tx, 100000 + ordinal, subject_kind, subject_id, 7, kind, \
             actor_id, recorded_at, body, hash_algorithm, previous_hash, hash \
             FROM events WHERE kind = 'noted' AND subject_seq = 2",
        );
        tamper_once(
            &server,
            "UPDATE events SET ordinal = 0 WHERE kind = 'noted' AND subject_seq = 7",
        );
        assert!(faults(&check(&server), 7).contains(&Fault::Added));
    });
}

fn tamper_once(server: &TestServer, statement: &'static str) {
    server
        .app
        .db
        .write_blocking(move |tx| {
            diesel::sql_query(statement).execute(tx.conn())?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

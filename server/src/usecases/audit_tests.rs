//! Nobody rewrites history unnoticed: tampering with the tables themselves, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::RunQueryDsl as _;
use hazardloop_domain::command::{Action, Note};

use super::audit::{AuditReport, Fault, seal_all, verify};
use super::push::push;
use crate::store::StoreError;
use crate::test_support::{TestDevice, TestServer, hazard_id, on_each_database, report};

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
    assert!(seal_all(&server.app.db).unwrap() >= 7);
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
        seal_all(&server.app.db).unwrap();
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
                Ok::<_, StoreError>((
                    history,
                    hazardloop_domain::hazard::event_hash(&previous, &forged),
                ))
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
        seal_all(&server.app.db).unwrap();
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

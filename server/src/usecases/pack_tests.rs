//! What was pushed long ago is kept in a shorter form, and nobody can tell; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;

use diesel::RunQueryDsl as _;
use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::command_fate::{ChoiceKind, SentCommand};
use hazardloop_sync_protocol::wire::{Envelope, PushResult};

use super::{DAY_MS, Packed, pack, pack_some, replace};
use crate::store::StoreError;
use crate::store::packing::{self, Plain};
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, report, seal_everything,
};
use crate::usecases::command_fates;
use crate::usecases::push::push;
use crate::usecases::time_proof;

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

async fn results(server: &TestServer, device: &TestDevice, batch: &[Envelope]) -> Vec<PushResult> {
    let request = device.push(batch.to_vec());
    let answer = push(&server.app, device.person_id, request).await;
    answer.unwrap().results
}

/// A report, a note on it, and two notes on what is not there; all of them are long enough to be worth it.
async fn pushed(server: &TestServer, device: &mut TestDevice) -> Vec<Envelope> {
    let text = "燃气灶未安装熄火保护装置，软管老化开裂，已责令停止使用并通知物业更换".repeat(2);
    let batch = vec![
        device.seal(hazard_id(1), Action::Report(report(&text))),
        device.seal(hazard_id(1), note(&text)),
        device.seal(hazard_id(9), note(&text)),
        device.seal(hazard_id(9), note(&format!("{text}。"))),
    ];
    results(server, device, &batch).await;
    batch
}

/// One transaction's part of what was received before `days` ago.
async fn packed(server: &TestServer, most: i64) -> Packed {
    let then = server.app.clock.now();
    pack_some(&server.app, then, most).await.unwrap()
}

#[test]
fn what_is_packed_is_answered_shown_and_proven_as_before() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let batch = pushed(&server, &mut device).await;
        let (app, author) = (&server.app, device.person_id);
        let sent = |seq| SentCommand {
            install_id: device.install_id,
            seq,
        };
        let given_up = (ChoiceKind::GivenUp, Some("重复".to_owned()));
        command_fates::choose(app, author, sent(3), given_up)
            .await
            .unwrap();
        seal_everything(&app.db);
        let before = results(&server, &device, &batch).await;
        let shown = command_fates::one(app, author, sent(3)).await.unwrap();
        let proofs = time_proof::of_commands(app, vec![sent(1), sent(3)]).await;
        server.set_now(NOW.plus_millis(40 * DAY_MS));
        let done = packed(&server, 100).await;
        // The last one still waits for its author.
        assert_eq!(done.examined, 3);
        assert!(done.bytes_after * 10 < done.bytes_before * 9, "{done:?}");
        assert_eq!(packed(&server, 100).await, Packed::default(), "once");

        let after = results(&server, &device, &batch).await;
        assert_eq!(after, before, "the very receipts");
        assert_eq!(
            command_fates::one(app, author, sent(3)).await.unwrap(),
            shown
        );
        let again = time_proof::of_commands(app, vec![sent(1), sent(3)]).await;
        assert_eq!(again.unwrap(), proofs.unwrap());
        let report = crate::usecases::audit::verify(&app.db, None).unwrap();
        assert_eq!(report.faults, 0);
    });
}

/// Between the reading and the writing others may have packed the same, or changed it.
#[test]
fn what_is_no_more_as_it_was_read_stays_as_it_is() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let batch = pushed(&server, &mut device).await;
        let before = results(&server, &device, &batch).await;
        server.set_now(NOW.plus_millis(40 * DAY_MS));
        let (app, then) = (&server.app, server.app.clock.now());
        let coded = async || {
            let read = app.db.read(move |tx| packing::to_pack(tx.conn(), then, 9));
            let coded: Vec<_> = read.await.unwrap().into_iter().map(Plain::coded).collect();
            assert_eq!(coded.len(), 2, "two wait for their author");
            Arc::new(coded)
        };
        let (late, again) = (coded().await, coded().await);
        let changed = app.db.write(|tx| {
            let change = "UPDATE pushed_commands SET waiting_since = 1 WHERE seq = 2";
            diesel::sql_query(change).execute(tx.conn())?;
            Ok::<_, StoreError>(())
        });
        changed.await.unwrap();
        let first = replace(app, late).await.unwrap();
        assert_eq!((first.examined, first.replaced), (2, 1));
        let second = replace(app, again).await.unwrap();
        assert_eq!((second.examined, second.replaced), (2, 0));
        assert_eq!((second.bytes_before, second.bytes_after), (0, 0));
        assert_eq!(results(&server, &device, &batch).await, before);
    });
}

#[test]
fn what_is_younger_stays_as_it_came_and_a_pass_has_an_end() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        pushed(&server, &mut device).await;
        let days = i64::from(server.app.settings.sync.receipts_plain_days);
        server.set_now(NOW.plus_millis(days * DAY_MS));
        assert!(!pack(&server.app).await.unwrap());
        assert_eq!(packed(&server, 1).await.examined, 1, "nothing was packed");
        server.set_now(NOW.plus_millis((days + 1) * DAY_MS));
        assert!(!pack(&server.app).await.unwrap(), "there is no more");
        assert_eq!(packed(&server, 100).await.examined, 0);
    });
}

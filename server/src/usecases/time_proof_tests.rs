//! What is proven, to whom it is told, and that nobody makes it look otherwise; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, AnchorToken, ClockReading, Note};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{HazardId, InstallId, PersonId};
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{ChainWitnessed, ClockCheck, ProofLevel, TimeProof};
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::wire::{
    CommandPayload, Envelope, Outcome, PushResponse, PushResult, RecordKind, Scope, WITNESS_KIND,
    WITNESS_VERSION, Witness,
};
use hazardloop_sync_protocol::witness::ChainHead;
use uuid::Uuid;

use super::of_commands;
use crate::store::{Position, feed, records};
use crate::test_support::{
    NOW, TestDevice, TestServer, clocks, hazard_id, on_each_database, on_each_database_with,
    report, seal_everything,
};
use crate::usecases::audit::{self, Fault};
use crate::usecases::push::push;
use crate::usecases::read::hazard::history;

#[path = "time_proof_hostile_tests.rs"]
mod hostile;

const HOUR: i64 = 3_600_000;

fn hours(later: i64) -> Timestamp {
    NOW.plus_millis(later * HOUR)
}

/// How far a device's chain is after `last`, as it shows it.
fn head_after(device: &TestDevice, last: &Envelope) -> ChainHead {
    let head = link_hash(device.install_id, last);
    ChainHead::sign(device.key(), device.install_id, last.seq, head)
}

fn witness(device: &mut TestDevice, shown: &ChainHead) -> Envelope {
    let payload = Witness {
        made: clocks(NOW),
        install_id: shown.install_id,
        head: shown.head.clone(),
    }
    .pack();
    device.seal_raw(WITNESS_KIND, WITNESS_VERSION, payload)
}

async fn pushed(
    server: &TestServer,
    device: &TestDevice,
    at: Timestamp,
    batch: Vec<Envelope>,
) -> PushResponse {
    server.set_now(at);
    let answer = push(&server.app, device.person_id, device.push(batch)).await;
    answer.unwrap()
}

fn outcomes(answer: &PushResponse) -> Vec<Outcome> {
    let outcome = |result: &PushResult| match result {
        PushResult::Receipt(receipt) => receipt.outcome.clone(),
        PushResult::IdReused { seq } => panic!("{seq} reused"),
    };
    answer.results.iter().map(outcome).collect()
}

async fn proof(server: &TestServer, device: &TestDevice, seq: i64) -> TimeProof {
    let command = SentCommand {
        install_id: device.install_id,
        seq,
    };
    let mut found = of_commands(&server.app, vec![command]).await.unwrap();
    found.remove(&command).unwrap()
}

fn found(device: &mut TestDevice, number: u64) -> Envelope {
    device.seal(hazard_id(number), Action::Report(report("积尘")))
}

/// What this person's devices are told of their chains.
async fn told(server: &TestServer, who: PersonId) -> Vec<ChainWitnessed> {
    let read = server.app.db.read(move |tx| {
        // Not to the horizon: that waits for whatever runs beside this test.
        let scope = Scope::Person(who);
        let changes = feed::changes(tx.conn(), scope, Position::START, i64::MAX, 100)?;
        let kind = RecordKind::ChainWitnessed;
        let ids: Vec<Uuid> = changes
            .iter()
            .filter(|change| change.kind == kind)
            .map(|change| change.id)
            .collect();
        records::bodies(tx.conn(), kind, &ids)
    });
    let bodies = read.await.unwrap();
    bodies
        .values()
        .map(|(_, body)| minicbor::decode(body).unwrap())
        .collect()
}

#[test]
fn a_report_that_a_colleague_carried_word_of_is_witnessed() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let batch: Vec<Envelope> = (1..=3).map(|n| found(&mut author, n)).collect();
        let statement = witness(&mut colleague, &head_after(&author, &batch[1]));
        let answer = pushed(&server, &colleague, hours(5), vec![statement]).await;
        assert_eq!(outcomes(&answer), [Outcome::Applied { version: 0 }]);
        // In two batches: the first holds less than what was seen.
        let (first, rest) = batch.split_at(1);
        pushed(&server, &author, hours(48), first.to_vec()).await;
        assert_eq!(proof(&server, &author, 1).await.level, ProofLevel::Received);
        let before = pushed(&server, &author, hours(49), rest.to_vec()).await;
        for (seq, received) in [(1, 48), (2, 49)] {
            let proof = proof(&server, &author, seq).await;
            assert_eq!(proof.level, ProofLevel::Witnessed, "{seq}");
            assert_eq!(proof.proven_at, Some(hours(5)));
            assert_eq!(proof.received_at, Some(hours(received)));
            assert_eq!(proof.claimed_at, Some(NOW));
            let by = proof.witnessed_by.unwrap();
            assert_eq!(by.person_id, colleague.person_id);
            assert_eq!((by.install_id, by.seq), (colleague.install_id, 1));
        }
        let later = proof(&server, &author, 3).await;
        assert_eq!(later.level, ProofLevel::Received, "made after that");
        assert_eq!(later.proven_at, Some(hours(49)));
        // The same receipts again, and the same proof.
        let again = pushed(&server, &author, hours(60), rest.to_vec()).await;
        assert_eq!(again.results, before.results);
        assert_eq!(proof(&server, &author, 2).await.proven_at, Some(hours(5)));
        // The hazard's history says so, and its owner's devices are told; nobody else's are.
        let events = history(&server.app, author.person_id, hazard_id(2), 0, 10)
            .await
            .unwrap();
        assert_eq!(events[0].time_proof.level, ProofLevel::Witnessed);
        assert_eq!(events[0].time_proof.proven_at, Some(hours(5)));
        assert_eq!(events[0].stored.recorded_at, hours(49).as_millis());
        let told_author = told(&server, author.person_id).await;
        assert_eq!(told_author.len(), 1);
        assert_eq!(told_author[0].about.seq, 2);
        assert_eq!(told_author[0].by.at, hours(5));
        assert!(!told_author[0].by_name.is_empty());
        assert!(told(&server, colleague.person_id).await.is_empty());
    });
}

#[test]
fn a_witness_counts_from_when_it_was_witnessed_itself() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut second = TestDevice::enrol(&server.app, "safety", 2).await;
        let mut third = TestDevice::enrol(&server.app, "inspector1", 3).await;
        let report = found(&mut author, 1);
        let said = witness(&mut second, &head_after(&author, &report));
        let carried = witness(&mut third, &head_after(&second, &said));
        pushed(&server, &third, hours(1), vec![carried]).await;
        pushed(&server, &author, hours(20), vec![report]).await;
        assert_eq!(proof(&server, &author, 1).await.proven_at, Some(hours(20)));
        // Whom the author met comes home last: what it says was there when the third one said so.
        pushed(&server, &second, hours(30), vec![said]).await;
        let proof = proof(&server, &author, 1).await;
        assert_eq!(proof.level, ProofLevel::Witnessed);
        assert_eq!(proof.proven_at, Some(hours(1)));
        assert_eq!(proof.witnessed_by.unwrap().install_id, second.install_id);
    });
}

#[test]
fn what_proves_nothing_is_taken_alike_and_changes_nothing() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut liar = TestDevice::enrol(&server.app, "safety", 2).await;
        let report = found(&mut author, 1);
        let good = head_after(&author, &report);
        // Of a chain that nobody has, of its own, and not signed by the device of that chain.
        let unknown = ChainHead::sign(
            liar.key(),
            InstallId(Uuid::from_u128(99)),
            1,
            good.head.head,
        );
        let unsigned = ChainHead::sign(liar.key(), author.install_id, 1, good.head.head);
        let mut batch = vec![witness(&mut liar, &unknown), witness(&mut liar, &unsigned)];
        let own = head_after(&liar, &batch[1]);
        batch.push(witness(&mut liar, &own));
        let answer = pushed(&server, &liar, hours(1), batch).await;
        // Whether that install exists is not to be learnt from it.
        let alike = vec![Outcome::Applied { version: 0 }; 3];
        assert_eq!(outcomes(&answer), alike);
        pushed(&server, &author, hours(9), vec![report]).await;
        assert_eq!(proof(&server, &author, 1).await.level, ProofLevel::Received);
        assert!(told(&server, author.person_id).await.is_empty());
    });
}

#[test]
fn a_chain_that_is_not_the_one_that_was_shown_is_said_in_its_history() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let shown = found(&mut author, 1);
        let statement = witness(&mut colleague, &head_after(&author, &shown));
        pushed(&server, &colleague, hours(1), vec![statement]).await;
        // The phone was set back, and writes another history.
        let mut rewritten = TestDevice::enrol_again(1, "employee");
        let other = found(&mut rewritten, 2);
        let answer = pushed(&server, &rewritten, hours(9), vec![other]).await;
        assert!(
            outcomes(&answer)[0].took_effect(),
            "nothing is refused for it"
        );
        assert_eq!(
            proof(&server, &rewritten, 1).await.level,
            ProofLevel::Received
        );
        let id = author.install_id.0;
        let events = server
            .app
            .db
            .read(move |tx| crate::store::events::history(tx.conn(), &id, 0, 10))
            .await
            .unwrap();
        assert_eq!(events.last().unwrap().kind, "chain_differs");
    });
}

#[test]
fn a_quarantined_statement_proves_nothing() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let report = found(&mut author, 1);
        let mut forged = witness(&mut colleague, &head_after(&author, &report));
        forged.signature.0[0] ^= 1;
        pushed(&server, &colleague, hours(1), vec![forged]).await;
        pushed(&server, &author, hours(9), vec![report]).await;
        assert_eq!(proof(&server, &author, 1).await.level, ProofLevel::Received);
    });
}

#[test]
fn a_device_witnesses_as_often_as_is_set_in_a_day() {
    on_each_database_with(
        |settings| settings.witness.statements_a_day = 2,
        async |server| {
            let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
            let mut busy = TestDevice::enrol(&server.app, "safety", 2).await;
            let batch: Vec<Envelope> = (1..=4).map(|n| found(&mut author, n)).collect();
            let heads: Vec<ChainHead> = batch.iter().map(|e| head_after(&author, e)).collect();
            let said: Vec<Envelope> = heads.iter().map(|head| witness(&mut busy, head)).collect();
            let answer = pushed(&server, &busy, hours(1), said[..3].to_vec()).await;
            let outcomes_now = outcomes(&answer);
            assert!(outcomes_now[1].took_effect());
            let Outcome::Rejected { refusal } = &outcomes_now[2] else {
                panic!("{outcomes_now:?}");
            };
            assert_eq!(refusal.code, RefusalCode::LimitReached);
            let answer = pushed(&server, &busy, hours(26), said[3..].to_vec()).await;
            assert!(outcomes(&answer)[0].took_effect(), "another day");
            pushed(&server, &author, hours(30), batch).await;
            assert_eq!(proof(&server, &author, 2).await.proven_at, Some(hours(1)));
            assert_eq!(proof(&server, &author, 3).await.proven_at, Some(hours(26)));
        },
    );
}

/// A note with these clocks.
fn note(device: &mut TestDevice, id: HazardId, made: ClockReading) -> Envelope {
    let action = Action::Note(Note {
        text: "看过".to_owned(),
    });
    let kind = action.kind();
    let command = hazardloop_domain::command::Command::new(id, action);
    let payload = CommandPayload::pack(made, &command);
    device.seal_raw(kind.as_str(), kind.version(), payload)
}

#[test]
fn an_anchor_proves_that_what_follows_was_made_later() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let boot = Some(InstallId(Uuid::from_u128(0xb007)));
        let report = found(&mut author, 1);
        let contact = pushed(&server, &author, hours(1), vec![report]).await;
        assert_eq!(contact.server_time, hours(1));
        let anchored = ClockReading {
            monotonic_ms: Some(10 * HOUR),
            boot_id: boot,
            server_anchor: Some(contact.server_time),
            anchor_monotonic_ms: Some(8 * HOUR),
            anchor_token: contact.anchor,
            ..clocks(hours(3))
        };
        let set_back = ClockReading {
            monotonic_ms: Some(20 * HOUR),
            boot_id: boot,
            ..clocks(hours(2))
        };
        let forged = ClockReading {
            server_anchor: Some(hours(12)),
            anchor_token: AnchorToken::from_slice(&[7; 8]),
            ..clocks(hours(12))
        };
        let id = hazard_id(1);
        let batch = [
            note(&mut author, id, anchored),
            note(&mut author, id, set_back),
            note(&mut author, id, forged),
        ];
        // In two pushes: the anchor of a chain is kept between them.
        pushed(&server, &author, hours(20), batch[..1].to_vec()).await;
        pushed(&server, &author, hours(21), batch[1..].to_vec()).await;
        let checks = [
            (1, None, ClockCheck::Unchecked),
            (2, Some(hours(1)), ClockCheck::Consistent),
            (3, Some(hours(1)), ClockCheck::Contradicted),
            (4, Some(hours(1)), ClockCheck::AnchorForged),
        ];
        for (seq, not_before, check) in checks {
            let proof = proof(&server, &author, seq).await;
            assert_eq!(proof.not_before, not_before, "{seq}");
            assert_eq!(proof.clock, Some(check), "{seq}");
        }
    });
}

#[test]
fn two_pushes_at_once_miss_neither_statement_nor_chain() {
    on_each_database(async |server| {
        for number in 0..8_u64 {
            let (one, two) = (10 + number as u8 * 2, 11 + number as u8 * 2);
            let mut author = TestDevice::enrol(&server.app, "employee", one).await;
            let mut colleague = TestDevice::enrol(&server.app, "safety", two).await;
            let report = found(&mut author, 100 + number);
            let head = head_after(&author, &report);
            let said = witness(&mut colleague, &head);
            let back = witness(&mut author, &head_after(&colleague, &said));
            server.set_now(hours(1));
            let (first, second) = futures_util::join!(
                push(
                    &server.app,
                    author.person_id,
                    author.push(vec![report, back])
                ),
                push(&server.app, colleague.person_id, colleague.push(vec![said])),
            );
            assert!(first.is_ok() && second.is_ok());
            let statements = server
                .app
                .db
                .read(|tx| crate::store::witnesses::all_after(tx.conn(), None, 100))
                .await
                .unwrap();
            let open = hazardloop_sync_protocol::hub::witnesses::Standing::Open;
            assert!(
                statements.iter().all(|said| said.standing != open),
                "{statements:?}"
            );
        }
    });
}

#[test]
fn the_archive_notices_a_proof_that_was_moved() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let report = found(&mut author, 1);
        let said = witness(&mut colleague, &head_after(&author, &report));
        pushed(&server, &colleague, hours(5), vec![said]).await;
        pushed(&server, &author, hours(9), vec![report]).await;
        seal_everything(&server.app.db);
        let db = server.app.db.clone();
        let faults = move || {
            let report = audit::verify(&db, None).unwrap();
            let faults = report.findings.iter().map(|finding| finding.fault);
            faults.collect::<Vec<Fault>>()
        };
        assert_eq!(faults(), []);
        let alter = async |sql: &'static str| {
            let altered = server.app.db.write(move |tx| {
                use diesel::RunQueryDsl as _;
                let done = diesel::sql_query(sql).execute(tx.conn());
                done.map_err(crate::store::StoreError::from)
            });
            assert_eq!(altered.await.unwrap(), 1, "{sql}");
        };
        let moves = [
            (
                "UPDATE witness_statements SET proven_at = proven_at - 1",
                "UPDATE witness_statements SET proven_at = proven_at + 1",
            ),
            (
                "UPDATE witness_statements SET received_at = received_at - 1, proven_at = proven_at - 1",
                "UPDATE witness_statements SET received_at = received_at + 1, proven_at = proven_at + 1",
            ),
            (
                "UPDATE witness_statements SET standing = 'fits'",
                "UPDATE witness_statements SET standing = 'leads'",
            ),
            (
                "UPDATE installs SET broken_at = 1 WHERE id IN (SELECT about_install FROM witness_statements)",
                "UPDATE installs SET broken_at = NULL WHERE broken_at = 1",
            ),
            (
                "UPDATE witness_statements SET about_seq = 2",
                "UPDATE witness_statements SET about_seq = 1",
            ),
            (
                "UPDATE pushed_commands SET received_at = received_at + 1 WHERE kind = 'report'",
                "UPDATE pushed_commands SET received_at = received_at - 1 WHERE kind = 'report'",
            ),
            (
                "UPDATE pushed_commands SET kind_version = 2 WHERE kind = 'report'",
                "UPDATE pushed_commands SET kind_version = 1 WHERE kind = 'report'",
            ),
        ];
        for (there, back) in moves {
            alter(there).await;
            assert_eq!(faults(), [Fault::TimeProofDiffers], "{there}");
            alter(back).await;
            assert_eq!(faults(), [], "{back}");
        }
    });
}

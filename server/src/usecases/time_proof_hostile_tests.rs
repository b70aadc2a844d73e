//! Nobody makes something look older, or younger, than it is; and no proof is lost to two pushes at once.

use hazardloop_domain::hash::Digest;

use super::*;

#[test]
fn neither_an_old_anchor_nor_one_of_a_clock_that_ran_ahead_says_more_than_it_may() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let id = hazard_id(1);
        let report = found(&mut author, 1);
        let first = pushed(&server, &author, hours(1), vec![report]).await;
        let shown = |contact: &PushResponse, wall| ClockReading {
            server_anchor: Some(contact.server_time),
            anchor_token: contact.anchor.clone(),
            ..clocks(wall)
        };
        let plain = note(&mut author, id, clocks(hours(40)));
        let second = pushed(&server, &author, hours(40), vec![plain]).await;
        let newest = note(&mut author, id, shown(&second, hours(41)));
        let old = note(&mut author, id, shown(&first, hours(2)));
        pushed(&server, &author, hours(42), vec![newest, old]).await;
        let after_old = proof(&server, &author, 4).await;
        assert_eq!(after_old.not_before, Some(hours(40)));
        assert_eq!(after_old.clock, Some(ClockCheck::Contradicted));
        // For a while the server's clock is a year ahead.
        let ahead = note(&mut author, id, clocks(hours(43)));
        let wrong = pushed(&server, &author, hours(9_000), vec![ahead]).await;
        let shows_it = note(&mut author, id, shown(&wrong, hours(44)));
        let later = note(&mut author, id, clocks(hours(45)));
        pushed(&server, &author, hours(46), vec![shows_it, later]).await;
        for seq in [6, 7] {
            let not_before = proof(&server, &author, seq).await.not_before;
            assert_eq!(not_before, Some(hours(40)), "{seq}");
        }
    });
}

/// Its author makes the second command before the inspection, has it seen, and puts another first one before it
/// afterwards.
#[test]
fn a_report_put_before_what_was_seen_is_not_as_old_as_that() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let report = found(&mut author, 1);
        let mut filler = found(&mut author, 2);
        filler.previous = Digest::sha256(b"no command");
        let said = witness(&mut colleague, &head_after(&author, &filler));
        pushed(&server, &colleague, hours(5), vec![said]).await;
        let answer = pushed(&server, &author, hours(9), vec![report, filler]).await;
        assert!(outcomes(&answer)[0].took_effect());
        for seq in [1, 2] {
            let proof = proof(&server, &author, seq).await;
            assert_eq!(proof.level, ProofLevel::Received, "{seq}");
            assert_eq!(proof.proven_at, Some(hours(9)), "{seq}");
        }
        assert!(told(&server, author.person_id).await.is_empty());
        seal_everything(&server.app.db);
        let verified = audit::verify(&server.app.db, None).unwrap();
        assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    });
}

/// What waits for a chain is bounded, so that the push that it waits for can weigh all of it: else somebody could have
/// the archive's check report what nobody altered.
#[test]
fn what_is_said_again_and_again_waits_once() {
    on_each_database(async |server| {
        let mut author = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut colleague = TestDevice::enrol(&server.app, "safety", 2).await;
        let report = found(&mut author, 1);
        let head = head_after(&author, &report);
        for hour in 1..=3 {
            let said = witness(&mut colleague, &head);
            let answer = pushed(&server, &colleague, hours(hour), vec![said]).await;
            assert!(outcomes(&answer)[0].took_effect(), "it is not told apart");
        }
        // Nor by another phone of the same person.
        let mut another = TestDevice::enrol(&server.app, "safety", 3).await;
        let said = witness(&mut another, &head);
        pushed(&server, &another, hours(4), vec![said]).await;
        let kept = server
            .app
            .db
            .read(|tx| crate::store::witnesses::all_after(tx.conn(), None, 10));
        assert_eq!(kept.await.unwrap().len(), 1);
        pushed(&server, &author, hours(9), vec![report]).await;
        assert_eq!(proof(&server, &author, 1).await.proven_at, Some(hours(1)));
    });
}

/// What a third has said of the second lifts what the second has said of the first, while the first arrives.
#[test]
fn two_pushes_at_once_lift_a_proof_all_the_way() {
    on_each_database(async |server| {
        for number in 0..6_u8 {
            let device = |login, at| TestDevice::enrol(&server.app, login, at);
            let mut author = device("employee", 10 + number).await;
            let mut second = device("safety", 20 + number).await;
            let mut third = device("principal", 30 + number).await;
            let report = found(&mut author, 100 + u64::from(number));
            let said = witness(&mut second, &head_after(&author, &report));
            let more = found(&mut second, 200 + u64::from(number));
            let of_second = witness(&mut third, &head_after(&second, &more));
            pushed(&server, &third, hours(1), vec![of_second]).await;
            pushed(&server, &second, hours(2), vec![said]).await;
            server.set_now(hours(3));
            let (one, two) = futures_util::join!(
                push(&server.app, author.person_id, author.push(vec![report])),
                push(&server.app, second.person_id, second.push(vec![more])),
            );
            assert!(one.is_ok() && two.is_ok());
            let proven = proof(&server, &author, 1).await.proven_at;
            assert_eq!(proven, Some(hours(1)), "{number}");
        }
    });
}

/// What a record proves does not depend on how much came at once, and the archive's check is not made to cry wolf.
#[test]
fn what_found_no_room_in_a_push_is_no_fault_and_is_weighed_later() {
    let two = |settings: &mut crate::settings::Settings| settings.witness.weighed_at_once = 2;
    on_each_database_with(two, async |server| {
        let app = &server.app;
        let mut second = TestDevice::enrol(app, "safety", 20).await;
        let mut third = TestDevice::enrol(app, "principal", 30).await;
        let mut authors = Vec::new();
        let mut said = Vec::new();
        for number in 1..=5_u8 {
            let mut author = TestDevice::enrol(app, "employee", number).await;
            let report = found(&mut author, u64::from(number));
            said.push(witness(&mut second, &head_after(&author, &report)));
            authors.push((author, report));
        }
        let of_second = witness(&mut third, &head_after(&second, said.last().unwrap()));
        pushed(&server, &third, hours(1), vec![of_second]).await;
        // Five statements of its own, and that about it.
        pushed(&server, &second, hours(2), said).await;
        for (author, report) in &authors {
            pushed(&server, author, hours(3), vec![report.clone()]).await;
        }
        let check = || {
            seal_everything(&app.db);
            let checked = audit::verify(&app.db, None).unwrap();
            assert_eq!(checked.faults, 0, "{:?}", checked.findings);
            checked.not_weighed
        };
        assert!(check() > 0);
        crate::jobs::run_due(app).await.unwrap();
        assert_eq!(check(), 0);
        for (author, _) in &authors {
            assert_eq!(proof(&server, author, 1).await.proven_at, Some(hours(1)));
        }
        // Whoever takes a proof away is found all the same.
        let weakened = app.db.write(|tx| {
            let sql = "UPDATE witness_statements SET standing = 'open'";
            diesel::RunQueryDsl::execute(diesel::sql_query(sql), tx.conn())
                .map_err(crate::store::StoreError::from)
        });
        assert!(weakened.await.unwrap() > 5);
        seal_everything(&app.db);
        assert!(audit::verify(&app.db, None).unwrap().faults > 0);
    });
}

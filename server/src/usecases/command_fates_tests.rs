//! What took no effect waits for its author, and what is chosen about it is noted, told and nobody else's; on both
//! databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::command_fate::{Choice, ChoiceKind, CommandFate, SentCommand};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_sync_protocol::wire::{
    CommandPayload, Envelope, GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp, Outcome, PushResult,
    RecordKind, Scope,
};

use super::{choose, one, settled, waiting};
use crate::failure::Failure;
use crate::store::{Position, feed};
use crate::test_support::{
    NOW, TestDevice, TestServer, clocks, hazard_id, on_each_database, person, report,
    seal_everything,
};
use crate::usecases::push::push;

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

async fn pushed(server: &TestServer, device: &TestDevice, batch: Vec<Envelope>) -> Vec<Outcome> {
    let answer = push(&server.app, device.person_id, device.push(batch)).await;
    let outcome = |result| match result {
        PushResult::Receipt(receipt) => receipt.outcome,
        PushResult::IdReused { seq } => panic!("{seq} reused"),
    };
    answer.unwrap().results.into_iter().map(outcome).collect()
}

fn sent(device: &TestDevice, seq: i64) -> SentCommand {
    SentCommand {
        install_id: device.install_id,
        seq,
    }
}

fn choice(about: SentCommand, how: ChoiceKind, reason: Option<&str>) -> Choice {
    Choice {
        about,
        how,
        reason: reason.map(str::to_owned),
    }
}

fn give_up(device: &mut TestDevice, about: SentCommand, reason: &str) -> Envelope {
    let payload = GiveUp {
        made: clocks(NOW),
        subject_id: hazard_id(9).into(),
        choice: choice(about, ChoiceKind::GivenUp, Some(reason)),
    }
    .pack();
    device.seal_raw(GIVE_UP_KIND, GIVE_UP_VERSION, payload)
}

/// A command that says whose place it takes.
fn instead(device: &mut TestDevice, about: SentCommand, id: HazardId, action: Action) -> Envelope {
    let kind = action.kind();
    let command = hazardloop_domain::command::Command::new(id, action);
    let choice = choice(about, ChoiceKind::Amended, None);
    let payload = CommandPayload::pack_instead(clocks(NOW), &command, &[], Some(choice));
    device.seal_raw(kind.as_str(), kind.version(), payload)
}

async fn waits(server: &TestServer, who: PersonId) -> Vec<i64> {
    let found = waiting(&server.app, who, None, 10).await.unwrap();
    found.iter().map(|shown| shown.pushed.command.seq).collect()
}

/// Which of this person's commands their devices are told of.
async fn told(server: &TestServer, who: PersonId) -> Vec<(uuid::Uuid, i64)> {
    let read = server.app.db.read(move |tx| {
        // Not to the horizon: that waits for whatever runs beside this test.
        feed::changes(
            tx.conn(),
            Scope::Person(who),
            Position::START,
            i64::MAX,
            100,
        )
    });
    let changes = read.await.unwrap().into_iter();
    changes
        .filter(|change| change.kind == RecordKind::CommandFate)
        .map(|change| (change.id, change.version))
        .collect()
}

async fn fates(server: &TestServer, who: PersonId) -> Vec<CommandFate> {
    let found = settled(&server.app, who, None, 10).await.unwrap();
    found.into_iter().map(|(_, fate)| fate).collect()
}

/// Two notes on what nobody reported, in one batch with what took effect.
async fn refused(server: &TestServer) -> TestDevice {
    let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
    let batch = vec![
        device.seal(hazard_id(1), Action::Report(report("粉尘"))),
        device.seal(hazard_id(9), note("此处")),
        device.seal(hazard_id(9), note("再次")),
    ];
    let outcomes = pushed(server, &device, batch).await;
    let took_effect: Vec<bool> = outcomes.iter().map(Outcome::took_effect).collect();
    assert_eq!(took_effect, [true, false, false]);
    device
}

#[test]
fn what_took_no_effect_waits_until_its_author_chooses() {
    on_each_database(async |server| {
        let mut device = refused(&server).await;
        let (app, author) = (&server.app, device.person_id);
        assert_eq!(waits(&server, author).await, [2, 3]);
        assert_eq!(waits(&server, person("safety")).await, [0_i64; 0]);
        let page = waiting(app, author, Some(sent(&device, 2)), 10)
            .await
            .unwrap();
        assert_eq!(page.len(), 1, "a page goes on behind the last");
        let (shown, present) = one(app, author, sent(&device, 2)).await.unwrap();
        assert_eq!(shown.action, Some(note("此处")));
        assert_eq!(present, None, "there is no such hazard");
        assert_eq!((shown.pushed.waits, shown.fate), (true, None));

        let about = sent(&device, 2);
        let given_up = vec![give_up(&mut device, about, "重复")];
        let outcomes = pushed(&server, &device, given_up.clone()).await;
        assert_eq!(outcomes, [Outcome::Applied { version: 0 }]);
        assert_eq!(
            pushed(&server, &device, given_up).await,
            outcomes,
            "the same receipt again"
        );
        assert_eq!(waits(&server, author).await, [3]);
        assert_eq!(
            told(&server, author).await,
            [(sent(&device, 2).fate_id(), 1)]
        );
        let [fate] = fates(&server, author).await.try_into().unwrap();
        let chosen = fate.chosen.unwrap();
        assert_eq!(
            (chosen.how, chosen.reason.as_deref()),
            (ChoiceKind::GivenUp, Some("重复"))
        );
        assert_eq!(chosen.by, Some(sent(&device, 4)));
        seal_everything(&app.db);
    });
}

#[test]
fn what_is_sent_in_its_place_is_judged_by_itself() {
    on_each_database(async |server| {
        let mut device = refused(&server).await;
        let author = device.person_id;
        let own = sent(&device, 2);
        let batch = vec![
            instead(&mut device, own, hazard_id(1), note("此处")),
            // What took effect, and what was never sent, is replaced by nothing; the note is one all the same.
            {
                let took_effect = sent(&device, 1);
                instead(&mut device, took_effect, hazard_id(1), note("二"))
            },
            {
                let never = sent(&device, 77);
                instead(&mut device, never, hazard_id(1), note("三"))
            },
        ];
        let outcomes = pushed(&server, &device, batch).await;
        assert!(outcomes.iter().all(Outcome::took_effect), "{outcomes:?}");
        assert_eq!(waits(&server, author).await, [3]);
        let [fate] = fates(&server, author).await.try_into().unwrap();
        assert_eq!(
            (fate.command, fate.chosen.unwrap().how),
            (own, ChoiceKind::Amended)
        );
        // In one batch with what it gives up.
        let lost = device.seal(hazard_id(9), note("又"));
        let about = sent(&device, 7);
        let batch = vec![lost, give_up(&mut device, about, "误报")];
        let outcomes = pushed(&server, &device, batch).await;
        assert_eq!(outcomes[1], Outcome::Applied { version: 0 });
        assert_eq!(waits(&server, author).await, [3]);
    });
}

#[test]
fn nobody_gives_up_what_took_effect_or_is_somebody_elses() {
    on_each_database(async |server| {
        let device = refused(&server).await;
        let mut other = TestDevice::enrol(&server.app, "safety", 2).await;
        let mut same = TestDevice::enrol(&server.app, "employee", 3).await;
        for about in [
            sent(&device, 2),
            sent(&device, 1),
            sent(&device, 99),
            sent(&other, 9),
        ] {
            let batch = vec![give_up(&mut other, about, "重复")];
            let [outcome] = pushed(&server, &other, batch).await.try_into().unwrap();
            assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
        }
        let batch = vec![give_up(&mut same, sent(&device, 1), "重复")];
        let [outcome] = pushed(&server, &same, batch).await.try_into().unwrap();
        assert!(
            matches!(outcome, Outcome::Rejected { .. }),
            "it took effect: {outcome:?}"
        );
        let (app, author) = (&server.app, device.person_id);
        assert_eq!(
            waits(&server, author).await,
            [2, 3, 1],
            "by device: what gave nothing up waits too"
        );
        let how = (ChoiceKind::GivenUp, Some("重复".to_owned()));
        for who in [person("safety"), person("admin"), person("head")] {
            let hidden = choose(app, who, sent(&device, 2), how.clone()).await;
            assert_eq!(hidden.unwrap_err(), Failure::NotFound("command of yours"));
            let unread = one(app, who, sent(&device, 2)).await;
            assert_eq!(unread.unwrap_err(), Failure::NotFound("command of yours"));
        }
        // The author's other phone may: the work is theirs.
        let batch = vec![give_up(&mut same, sent(&device, 2), "旧手机已丢失")];
        let outcomes = pushed(&server, &same, batch).await;
        assert_eq!(outcomes, [Outcome::Applied { version: 0 }]);
    });
}

#[test]
fn a_choice_on_a_page_is_made_once_and_stays_in_the_history() {
    on_each_database(async |server| {
        let device = refused(&server).await;
        let (app, author) = (&server.app, device.person_id);
        let about = sent(&device, 2);
        let nothing = choose(app, author, about, (ChoiceKind::GivenUp, None)).await;
        assert!(matches!(nothing, Err(Failure::Refused(_))), "{nothing:?}");
        let how = (ChoiceKind::GivenUp, Some("重复".to_owned()));
        let chosen = choose(app, author, about, how.clone()).await.unwrap();
        assert!(!chosen.pushed.waits);
        assert_eq!(
            choose(app, author, about, how.clone()).await.unwrap(),
            chosen
        );
        assert_eq!(told(&server, author).await, [(about.fate_id(), 1)], "once");
        let otherwise = (ChoiceKind::GivenUp, Some("另有原因".to_owned()));
        for (about, how) in [
            (about, (ChoiceKind::Retried, None)),
            (about, otherwise),
            (sent(&device, 1), how),
        ] {
            let conflict = choose(app, author, about, how).await;
            assert!(
                matches!(conflict, Err(Failure::Conflict(_))),
                "{conflict:?}"
            );
        }
        let kinds = app
            .db
            .read(move |tx| crate::store::events::history(tx.conn(), &author.0, 0, 10));
        let kinds: Vec<String> = kinds
            .await
            .unwrap()
            .into_iter()
            .map(|event| event.kind)
            .collect();
        assert_eq!(kinds.last().map(String::as_str), Some("command_chosen"));
        seal_everything(&app.db);
        let report = crate::usecases::audit::verify(&app.db, None).unwrap();
        assert_eq!(report.faults, 0);
    });
}

#[test]
fn what_is_sent_again_on_a_page_is_carried_out_once_or_goes_on_waiting() {
    on_each_database(async |server| {
        let mut device = refused(&server).await;
        let (app, author) = (&server.app, device.person_id);
        let (about, again) = (sent(&device, 2), (ChoiceKind::Retried, None));
        let refused = choose(app, author, about, again.clone()).await;
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
        assert_eq!(waits(&server, author).await, [2, 3], "nothing was chosen");
        let elsewhere = choose(app, author, about, (ChoiceKind::Amended, None)).await;
        let Err(Failure::Invalid { field, .. }) = elsewhere else {
            panic!("{elsewhere:?}");
        };
        assert_eq!(field, "how");

        // The hazard is reported after all, and what was said of it can be said again.
        let batch = vec![device.seal(hazard_id(9), Action::Report(report("油污")))];
        assert!(pushed(&server, &device, batch).await[0].took_effect());
        let chosen = choose(app, author, about, again.clone()).await.unwrap();
        assert!(!chosen.pushed.waits);
        let same = choose(app, author, about, again.clone()).await.unwrap();
        assert_eq!(same, chosen);
        for outsider in ["safety", "admin"] {
            let hidden = choose(app, person(outsider), sent(&device, 3), again.clone()).await;
            assert_eq!(hidden.unwrap_err(), Failure::NotFound("command of yours"));
        }
        let notes = |server: &TestServer| {
            let app = server.app.clone();
            async move {
                let seen = crate::usecases::read::hazard::one(&app, author, hazard_id(9)).await;
                let notes = seen.unwrap().hazard.notes;
                notes.into_iter().map(|note| note.text).collect::<Vec<_>>()
            }
        };
        assert_eq!(notes(&server).await, ["此处"], "once");
        // Nor by the phone, which had not heard of it.
        let command = hazardloop_domain::command::Command::new(hazard_id(9), note("此处"));
        let again = choice(about, ChoiceKind::Retried, None);
        let payload = CommandPayload::pack_instead(clocks(NOW), &command, &[], Some(again));
        let batch = vec![device.seal_raw("note", 1, payload)];
        assert!(pushed(&server, &device, batch).await[0].took_effect());
        assert_eq!(notes(&server).await, ["此处"], "once");
        assert_eq!(waits(&server, author).await, [3]);
        seal_everything(&app.db);
        let report = crate::usecases::audit::verify(&app.db, None).unwrap();
        assert_eq!(report.faults, 0);
    });
}

/// A change of what somebody else has changed by now would be one of two values: that is no retry.
#[test]
fn what_would_end_in_a_dispute_is_not_sent_again_but_amended() {
    use crate::usecases::rest_command::{Sent, take};
    use hazardloop_domain::command::Amend;
    let described = |text: &str, based_on| {
        Action::Amend(Amend {
            based_on,
            description: Some(text.to_owned()),
            place_text: None,
            position: None,
            immediate_measure: None,
            enterprise_id: None,
        })
    };
    on_each_database(async |server| {
        let mut device = refused(&server).await;
        let (app, author) = (&server.app, device.person_id);
        let batch = vec![
            device.seal(hazard_id(1), described("粉尘堆积", 1)),
            device.seal(hazard_id(1), described("粉尘 3 毫米", 1)),
        ];
        let outcomes = pushed(&server, &device, batch).await;
        assert!(!outcomes[1].took_effect(), "{outcomes:?}");
        let again = choose(app, author, sent(&device, 5), (ChoiceKind::Retried, None)).await;
        assert!(again.is_err(), "{again:?}");
        // Nor is it settled by another that would end so.
        let instead = Sent {
            command_id: hazardloop_domain::ids::CommandId(hazard_id(100).0),
            person_id: author,
            subject_id: hazard_id(1).into(),
            action: described("粉尘 4 毫米", 1),
            co_signatures: Vec::new(),
            if_match: None,
            instead_of: Some(sent(&device, 5)),
        };
        let conflict = take(app, instead).await;
        assert!(
            matches!(conflict, Err(Failure::Conflict(_))),
            "{conflict:?}"
        );
        assert_eq!(waits(&server, author).await, [2, 3, 5]);
    });
}

#[test]
fn what_is_sent_in_its_place_on_a_page_settles_it_with_its_own_effect() {
    use crate::usecases::rest_command::{Sent, take};
    on_each_database(async |server| {
        let device = refused(&server).await;
        let (app, author) = (&server.app, device.person_id);
        let instead = |number: u64, who: &str, on: u64, about: SentCommand| Sent {
            command_id: hazardloop_domain::ids::CommandId(hazard_id(number).0),
            person_id: person(who),
            subject_id: hazard_id(on).into(),
            action: note("在此"),
            co_signatures: Vec::new(),
            if_match: None,
            instead_of: Some(about),
        };
        let about = sent(&device, 2);
        let refused = take(app, instead(101, "employee", 9, about)).await;
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(waits(&server, author).await, [2, 3]);
        let theirs = take(app, instead(102, "safety", 1, about)).await;
        assert_eq!(theirs.unwrap_err(), Failure::NotFound("command of yours"));
        for again in [false, true] {
            let sent = instead(103, "employee", 1, about);
            assert_eq!(take(app, sent).await.unwrap().repeated, again);
        }
        assert_eq!(waits(&server, author).await, [3]);
        let [fate] = fates(&server, author).await.try_into().unwrap();
        assert_eq!(fate.chosen.unwrap().how, ChoiceKind::Amended);
        for settled in [about, sent(&device, 1)] {
            let conflict = take(app, instead(104, "employee", 1, settled)).await;
            assert!(
                matches!(conflict, Err(Failure::Conflict(_))),
                "{conflict:?}"
            );
        }
        // The same id with another place is another command.
        let reused = take(app, instead(103, "employee", 1, sent(&device, 3))).await;
        assert_eq!(reused.unwrap_err(), Failure::IdReused);
    });
}

#[test]
fn how_the_record_stands_now_is_shown_beside_what_came_too_late() {
    use super::Present;
    use hazardloop_domain::command::ActionKind;
    on_each_database(async |server| {
        let mut device = refused(&server).await;
        let unwritten = Action::Note(Note {
            text: " ".to_owned(),
        });
        let batch = vec![device.seal(hazard_id(1), unwritten)];
        let outcomes = pushed(&server, &device, batch).await;
        assert!(!outcomes[0].took_effect());
        let found = one(&server.app, device.person_id, sent(&device, 4))
            .await
            .unwrap();
        let Some(Present::Hazard(version, status, allowed)) = found.1 else {
            panic!("{found:?}");
        };
        assert_eq!((version, status.as_str()), (1, "reported"));
        assert!(allowed.contains(&ActionKind::Note), "{allowed:?}");
    });
}

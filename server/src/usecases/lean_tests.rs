//! The lean forms against a whole server, on both databases: the same commands with the same receipts, and
//! nothing recorded of what does not fit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{
    Action, AnchorToken, ClockReading, Command, Note, PhotoKind, PhotoRef, Report,
};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::chain::signed_by_run;
use hazardloop_sync_protocol::wire::{
    Bytes, CommandPayload, Envelope, LeanPull, LeanPush, Outcome, PackedPush, PullRequest,
    PushRequest, PushResponse, PushResult, SIGNED_BY_RUN, ScopeCursor,
};

use super::{Said, nothing_new, push_in_full};
use crate::app::App;
use crate::failure::Failure;
use crate::test_support::{TestDevice, TestServer, hazard_id, on_each_database, report, stranger};
use crate::usecases::pull_tests::{cursors, pull};
use crate::usecases::push::push;

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

/// A report and notes on it.
fn batch(device: &mut TestDevice, id: HazardId, count: usize) -> Vec<Envelope> {
    let mut batch = vec![device.seal(id, Action::Report(report("粉尘")))];
    batch.extend((1..count).map(|_| device.seal(id, note("补充"))));
    batch
}

/// A report and notes on it, as one push.
fn pushed(device: &mut TestDevice, id: HazardId, count: usize) -> PushRequest {
    let commands = batch(device, id, count);
    device.push(commands)
}

fn lean(request: &PushRequest) -> LeanPush {
    LeanPush::of(request).unwrap()
}

async fn push_lean(
    app: &App,
    device: &TestDevice,
    request: LeanPush,
) -> Result<PushResponse, Failure> {
    let request = push_in_full(
        app,
        device.person_id,
        device.install_id,
        Said::Lean(request),
    )
    .await?;
    push(app, device.person_id, request).await
}

async fn push_packed(
    app: &App,
    device: &TestDevice,
    packed: PackedPush,
) -> Result<PushResponse, Failure> {
    let said = Said::Packed(packed);
    let request = push_in_full(app, device.person_id, device.install_id, said).await?;
    push(app, device.person_id, request).await
}

/// A note that shows an anchor.
fn anchored(
    device: &mut TestDevice,
    contact: &PushResponse,
    token: Option<AnchorToken>,
) -> Envelope {
    let made = ClockReading {
        wall: contact.server_time.plus_millis(60_000),
        monotonic_ms: None,
        boot_id: None,
        server_anchor: Some(contact.server_time),
        anchor_monotonic_ms: None,
        anchor_token: token,
    };
    let action = note("看过");
    let kind = action.kind();
    let payload = CommandPayload::pack(made, &Command::new(hazard_id(1), action));
    device.seal_raw(kind.as_str(), kind.version(), payload)
}

fn applied(response: &PushResponse) -> usize {
    let took_effect = |result: &&PushResult| matches!(result, PushResult::Receipt(receipt) if matches!(receipt.outcome, Outcome::Applied { .. }));
    response.results.iter().filter(took_effect).count()
}

fn asks_in_full<T: std::fmt::Debug>(answer: Result<T, Failure>) {
    assert!(matches!(answer, Err(Failure::SayInFull(_))), "{answer:?}");
}

#[test]
fn a_lean_push_takes_effect_and_has_the_receipts_of_the_full_one() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let first = pushed(&mut device, hazard_id(1), 1);
        let second = pushed(&mut device, hazard_id(2), 4);
        let one = push_lean(app, &device, lean(&first)).await.unwrap();
        assert_eq!((applied(&one), one.last), (1, 1));
        let four = push_lean(app, &device, lean(&second)).await.unwrap();
        assert_eq!((applied(&four), four.last), (4, 5));
        // Again in either form, whole or in part, and from a place before the last.
        let all = [&first.commands[..], &second.commands].concat();
        for part in [&all[..], &all[1..], &all[2..4], &all[..1]] {
            let request = device.push(part.to_vec());
            let full = push(app, device.person_id, request.clone()).await.unwrap();
            let again = push_lean(app, &device, lean(&request)).await.unwrap();
            assert_eq!(again.results, full.results);
            assert_eq!((again.last, again.results.len()), (5, part.len()));
        }
    });
}

#[test]
fn a_packed_push_takes_effect_and_the_token_that_did_not_travel_is_kept() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let report = pushed(&mut device, hazard_id(1), 1);
        let before = report.commands[0].payload.0.clone();
        let first = PackedPush::of(&lean(&report), None).unwrap();
        let contact = push_packed(app, &device, first).await.unwrap();
        assert_eq!((applied(&contact), contact.last), (1, 1));
        let token = contact.anchor.clone().unwrap();
        let sealed = anchored(&mut device, &contact, Some(token.clone()));
        let request = device.push(vec![sealed.clone()]);
        let packed = PackedPush::of(&lean(&request), Some(&before)).unwrap();
        let written = hazardloop_sync_protocol::codec::encode(&packed);
        let bytes = token.as_bytes();
        assert!(!written.windows(bytes.len()).any(|some| some == bytes));
        let answer = push_packed(app, &device, packed.clone()).await.unwrap();
        assert_eq!((applied(&answer), answer.last), (1, 2));
        let again = push_packed(app, &device, packed).await.unwrap();
        assert_eq!(again.results, answer.results);
        let install_id = device.install_id;
        let kept = app
            .db
            .read(move |tx| {
                let sent = crate::store::pushed::sent(tx.conn(), install_id, 2)?;
                Ok::<_, Failure>(sent)
            })
            .await;
        assert_eq!(kept.unwrap().unwrap().payload, sealed.payload.0);
    });
}

#[test]
fn a_packed_push_whose_token_or_command_before_is_another_is_asked_for_in_full() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let report = pushed(&mut device, hazard_id(1), 1);
        let before = report.commands[0].payload.0.clone();
        let contact = push_lean(app, &device, lean(&report)).await.unwrap();
        let guessed = AnchorToken::from_slice(&[7; 8]);
        let sealed = anchored(&mut device, &contact, guessed);
        let request = device.push(vec![sealed]);
        let run = lean(&request);
        let packed = PackedPush::of(&run, Some(&before)).unwrap();
        asks_in_full(push_packed(app, &device, packed.clone()).await);
        let other = PackedPush::of(&run, Some(&[0xa1, 0x00, 0x00])).unwrap();
        asks_in_full(push_packed(app, &device, other).await);
        let late = PackedPush { first: 9, ..packed };
        asks_in_full(push_packed(app, &device, late).await);
        // None of it was recorded; in full it is, and noted as forged.
        let answer = push(app, device.person_id, request).await.unwrap();
        assert_eq!((applied(&answer), answer.last), (1, 2));
    });
}

#[test]
fn a_run_that_overlaps_what_is_known_goes_on_from_there() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let all = batch(&mut device, hazard_id(1), 5);
        push_lean(app, &device, lean(&device.push(all[..2].to_vec())))
            .await
            .unwrap();
        let answer = push_lean(app, &device, lean(&device.push(all)))
            .await
            .unwrap();
        assert_eq!((applied(&answer), answer.last), (5, 5));
    });
}

#[test]
fn a_run_that_begins_too_late_is_told_what_is_expected() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let all = batch(&mut device, hazard_id(1), 4);
        let late = lean(&device.push(all[2..].to_vec()));
        let answer = push_lean(app, &device, late).await.unwrap();
        assert_eq!(
            (answer.expected, answer.results.len(), answer.last),
            (Some(1), 0, 0)
        );
    });
}

#[test]
fn what_the_signature_does_not_cover_is_asked_for_in_full_and_nothing_of_it_is_kept() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let good = lean(&pushed(&mut device, hazard_id(1), 3));
        let changes: [fn(&mut LeanPush); 6] = [
            |run| run.signature.0[0] ^= 1,
            |run| run.signature = Bytes::default(),
            |run| run.signature_algorithm = SIGNED_BY_RUN,
            |run| run.commands[1].payload.0[5] ^= 1,
            |run| run.commands[0].version = 2,
            |run| run.commands.swap(0, 1),
        ];
        for change in changes {
            let mut forged = good.clone();
            change(&mut forged);
            asks_in_full(push_lean(app, &device, forged).await);
        }
        // A phone that was restored from a backup, with other commands under the same places.
        push_lean(app, &device, good).await.unwrap();
        let mut restored = TestDevice::enrol_again(1, "employee");
        let other = pushed(&mut restored, hazard_id(9), 3);
        let later = vec![restored.seal(hazard_id(9), note("更晚"))];
        let later = restored.push(later);
        asks_in_full(push_lean(app, &device, lean(&later)).await);
        // From the beginning the link before is the same: these places are taken.
        let answer = push_lean(app, &device, lean(&other)).await.unwrap();
        let reused: Vec<_> = (1..=3).map(|seq| PushResult::IdReused { seq }).collect();
        assert_eq!((answer.results, answer.last), (reused, 3));
    });
}

#[test]
fn a_command_of_a_run_without_its_run_is_quarantined_in_the_full_form_too() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let request = pushed(&mut device, hazard_id(1), 3);
        let run = push_in_full(
            app,
            device.person_id,
            device.install_id,
            Said::Lean(lean(&request)),
        )
        .await
        .unwrap();
        let public_key = device.key().verifying_key().to_bytes();
        let vouched = signed_by_run(&public_key, device.install_id, &run.commands);
        assert_eq!(vouched.into_iter().collect::<Vec<_>>(), [1, 2]);
        let alone = device.push(run.commands[..2].to_vec());
        let answer = push(app, device.person_id, alone).await.unwrap();
        assert_eq!(applied(&answer), 0);
        let bad = |result: &PushResult| matches!(result, PushResult::Receipt(receipt) if receipt.outcome.name() == "quarantined");
        assert!(answer.results.iter().all(bad), "{:?}", answer.results);
    });
}

#[test]
fn a_neighbour_pushes_and_asks_for_nobody_else() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let run = lean(&pushed(&mut device, hazard_id(1), 2));
        let neighbour = stranger(app).await;
        let answer = push_in_full(app, neighbour, device.install_id, Said::Lean(run.clone())).await;
        assert_eq!(answer, Err(Failure::NotFound("device")));
        // With a token of their own device the commands are none of its stream.
        let theirs = TestDevice::enrol_as(app, neighbour, 2).await;
        asks_in_full(push_lean(app, &theirs, run).await);
        let held = held(&server, &device).await;
        let question = LeanPull::of(&held).unwrap();
        let answer = nothing_new(app, neighbour, device.install_id, question.clone()).await;
        assert_eq!(answer, Err(Failure::NotFound("device")));
        let answer = nothing_new(app, neighbour, theirs.install_id, question).await;
        asks_in_full(answer);
    });
}

#[test]
fn too_many_commands_and_places_that_are_none_are_refused() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let one = lean(&pushed(&mut device, hazard_id(1), 1));
        let mut many = one.clone();
        many.commands = vec![one.commands[0].clone(); app.settings.sync.commands + 1];
        let answer = push_lean(app, &device, many).await;
        assert!(
            matches!(answer, Err(Failure::TooLarge { .. })),
            "{answer:?}"
        );
        for first in [0, -1, i64::MIN] {
            let run = LeanPush {
                first,
                ..one.clone()
            };
            let answer = push_lean(app, &device, run).await;
            assert!(matches!(answer, Err(Failure::Invalid { .. })), "{answer:?}");
        }
        let empty = LeanPush {
            commands: Vec::new(),
            ..one
        };
        let answer = push_lean(app, &device, empty).await;
        assert!(matches!(answer, Err(Failure::Invalid { .. })), "{answer:?}");
    });
}

/// The request of a device that holds everything.
async fn held(server: &TestServer, device: &TestDevice) -> PullRequest {
    let app = &server.app;
    let first = pull(app, device.person_id, device.pull(None, Vec::new()))
        .await
        .unwrap();
    device.pull(Some(first.epoch.clone()), cursors(&first))
}

/// Asks until no other test's transaction is in the way.
async fn ask(
    server: &TestServer,
    device: &TestDevice,
    question: &LeanPull,
) -> hazardloop_sync_protocol::wire::PullResponse {
    for _ in 0..10_000 {
        let (person_id, install_id) = (device.person_id, device.install_id);
        let answer = nothing_new(&server.app, person_id, install_id, question.clone()).await;
        match answer {
            Ok(answer) => return answer,
            Err(Failure::SayInFull(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("asked in full 10,000 times")
}

#[test]
fn nothing_new_is_said_in_few_bytes_and_anything_new_is_asked_for() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let request = held(&server, &device).await;
        let question = LeanPull::of(&request).unwrap();
        let answer = ask(&server, &device, &question).await;
        assert_eq!((answer.answers.len(), answer.more), (0, false));
        let bytes = minicbor::to_vec(&answer).unwrap().len();
        assert!(bytes <= 100, "{bytes}");
        let asked = minicbor::to_vec(&question).unwrap().len();
        assert!(asked <= 100, "{asked}");
        // Another protocol, another cursor that nobody gave out.
        let (person_id, install_id) = (device.person_id, device.install_id);
        let old = LeanPull {
            protocol: 0,
            ..question.clone()
        };
        let answer = nothing_new(app, person_id, install_id, old).await;
        assert!(matches!(answer, Err(Failure::UpgradeRequired { .. })));
        for newest in [
            vec![],
            vec![0; 12],
            vec![0x7f; 12],
            vec![0xff; 12],
            vec![0; 13],
        ] {
            let odd = LeanPull {
                newest: Bytes(newest),
                ..question.clone()
            };
            asks_in_full(nothing_new(app, person_id, install_id, odd).await);
        }
        // A change.
        let batch = vec![device.seal(hazard_id(1), Action::Report(report("粉尘")))];
        push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        asks_in_full(nothing_new(app, person_id, install_id, question).await);
        let question = LeanPull::of(&held(&server, &device).await).unwrap();
        assert_eq!(ask(&server, &device, &question).await.last, 1);
    });
}

#[test]
fn photos_that_are_missing_are_told_to_who_named_them_also_when_nothing_is_new() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let neighbour = TestDevice::enrol(app, "reviewer", 2).await;
        let missing = Digest([7; 32]);
        let photo = PhotoRef {
            sha256: missing,
            size: 70_000,
            media_type: "image/jpeg".to_owned(),
            kind: PhotoKind::Before,
            taken_at: None,
            position: None,
        };
        let with_photo = Report {
            photos: vec![photo],
            no_photo_reason: None,
            ..report("粉尘")
        };
        let batch = vec![device.seal(hazard_id(1), Action::Report(with_photo))];
        let pushed = push(app, device.person_id, device.push(batch)).await;
        assert_eq!(pushed.unwrap().missing_photos, [missing]);
        for (asks, expected) in [(&device, vec![missing]), (&neighbour, vec![])] {
            let request = held(&server, asks).await;
            let question = LeanPull::of(&request).unwrap();
            let answer = pull(app, asks.person_id, request).await.unwrap();
            assert_eq!(answer.missing_photos, expected);
            assert_eq!(ask(&server, asks, &question).await.missing_photos, expected);
        }
    });
}

#[test]
fn a_replica_that_differs_or_lacks_a_scope_is_noticed() {
    on_each_database(async |server| {
        let app = &server.app;
        let device = TestDevice::enrol(app, "employee", 1).await;
        let request = held(&server, &device).await;
        let (person_id, install_id) = (device.person_id, device.install_id);
        let changes: [fn(&mut Vec<ScopeCursor>); 3] = [
            |scopes| scopes[0].checkpoint.as_mut().unwrap().digest ^= 1,
            |scopes| scopes[1].checkpoint.as_mut().unwrap().count += 1,
            |scopes| drop(scopes.pop()),
        ];
        for change in changes {
            let mut other = request.clone();
            change(&mut other.scopes);
            let question = LeanPull::of(&other).unwrap();
            asks_in_full(nothing_new(app, person_id, install_id, question).await);
        }
        let another = PullRequest {
            epoch: Some("another".to_owned()),
            ..request
        };
        let question = LeanPull::of(&another).unwrap();
        asks_in_full(nothing_new(app, person_id, install_id, question).await);
    });
}

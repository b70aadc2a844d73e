//! Co-signed commands against a whole server, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use ed25519_dalek::SigningKey;
use hazardloop_domain::command::{Action, Command, Confirm, Grade, Note, Report, Served, Source};
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{HazardId, KeyId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::cosign::Statement;
use hazardloop_sync_protocol::wire::{
    Bytes, CoSignature, CommandPayload, Outcome, PushResult, QuarantineReason,
};

use super::devices;
use super::push::push;
use super::read;
use super::rest_command::{self, Sent};
use crate::failure::Failure;
use crate::test_support::{
    NOW, TestDevice, TestServer, clocks, hazard_id, on_each_database, on_each_database_with,
    person, report, stranger,
};

mod audited_tests;
mod reassigned_tests;

/// When the second person signed.
const SIGNED: Timestamp = NOW.plus_millis(-60_000);

fn confirm(grade: Grade) -> Action {
    Action::Confirm(Confirm {
        grade,
        criterion: None,
        basis: (grade == Grade::Major).then(|| "泄爆口被封堵".to_owned()),
        responsible_person: "王强".to_owned(),
        requirement: "清理积尘，检查泄爆片".to_owned(),
        due_date: "2026-12-02".parse().unwrap(),
        period: None,
        expert_opinion: (grade == Grade::Major).then(expert),
        responsible_unit: None,
        served: None,
        category: Some("生产设备设施".to_owned()),
    })
}

fn expert() -> hazardloop_domain::command::ExpertOpinion {
    hazardloop_domain::command::ExpertOpinion {
        name: "陈工".to_owned(),
        opinion: "构成重大事故隐患".to_owned(),
        given_on: None,
    }
}

/// A server with a reported hazard, and two inspectors with a phone each.
struct Site<'a> {
    server: &'a TestServer,
    first: TestDevice,
    second: TestDevice,
}

impl<'a> Site<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let app = &server.app;
        let site = Self {
            server,
            first: TestDevice::enrol(app, "inspector1", 2).await,
            second: TestDevice::enrol(app, "inspector2", 3).await,
        };
        site.report(1).await;
        site
    }

    /// A major hazard that inspectors found.
    async fn report(&self, number: u64) {
        let found = Report {
            source: Source::DeptInspection,
            grade: Grade::Major,
            ..report("泄爆口被封堵")
        };
        let sent = sent(
            number + 900,
            hazard_id(number),
            Action::Report(found),
            vec![],
        );
        rest_command::take(&self.server.app, sent).await.unwrap();
    }

    /// Pushes one command with these co-signatures.
    async fn push(&mut self, id: HazardId, action: Action, by: &[CoSignature]) -> Outcome {
        let kind = action.kind();
        let command = Command::new(id, action);
        let payload = CommandPayload::pack_signed(clocks(NOW), &command, by);
        let envelope = self.first.seal_raw(kind.as_str(), kind.version(), payload);
        let batch = self.first.push(vec![envelope]);
        let answer = push(&self.server.app, self.first.person_id, batch).await;
        match &answer.unwrap().results[0] {
            PushResult::Receipt(receipt) => receipt.outcome.clone(),
            other => panic!("{other:?}"),
        }
    }

    async fn hazard(&self, number: u64) -> Hazard {
        let (app, id) = (&self.server.app, hazard_id(number));
        let seen = read::hazard::one(app, person("inspector1"), id).await;
        seen.unwrap().hazard
    }
}

fn sent(number: u64, id: HazardId, action: Action, by: Vec<CoSignature>) -> Sent {
    Sent {
        command_id: hazardloop_domain::ids::CommandId(hazard_id(number).0),
        person_id: person("inspector1"),
        subject_id: id.into(),
        action,
        co_signatures: by,
        if_match: None,
        instead_of: None,
    }
}

/// The signature of `device`'s owner on a confirmation of hazard 1 as major.
fn signed_by(device: &TestDevice) -> CoSignature {
    sign(device, hazard_id(1), confirm(Grade::Major))
}

fn sign(device: &TestDevice, id: HazardId, action: Action) -> CoSignature {
    let statement = Statement::of(&Command::new(id, action));
    let key_id = device.install_id.into();
    statement.sign(device.key(), device.person_id, key_id, SIGNED)
}

#[track_caller]
fn refusal(outcome: &Outcome) -> &Refusal {
    match outcome {
        Outcome::Rejected { refusal } => refusal,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn not_good(outcome: &Outcome) {
    let refusal = refusal(outcome);
    assert_eq!(refusal.code, RefusalCode::CoSignatureInvalid, "{refusal:?}");
    assert_eq!(refusal.field.as_deref(), Some("co_signatures[0]"));
}

#[test]
fn a_second_inspector_confirms_a_major_hazard_in_the_same_command() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let by = signed_by(&site.second);
        let outcome = site
            .push(
                hazard_id(1),
                confirm(Grade::Major),
                std::slice::from_ref(&by),
            )
            .await;
        assert!(outcome.took_effect(), "{outcome:?}");
        let hazard = site.hazard(1).await;
        assert_eq!(hazard.status_name(), StatusName::Confirmed);
        assert_eq!(hazard.order().unwrap().second, Some(person("inspector2")));
        let app = &server.app;
        let events = read::hazard::history(app, person("inspector1"), hazard_id(1), 1, 10).await;
        let signers = &events.unwrap()[0].record.origin.co_signers;
        let statement = Statement::of(&Command::new(hazard_id(1), confirm(Grade::Major)));
        assert_eq!(
            *signers,
            [statement.record_of(&by)],
            "the record says who else signed, so that it can be verified later"
        );
    });
}

#[test]
fn without_a_good_second_the_confirmation_waits_or_is_refused() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let major = || confirm(Grade::Major);
        let outcome = site
            .push(
                hazard_id(1),
                major(),
                &[sign(&site.first, hazard_id(1), major())],
            )
            .await;
        not_good(&outcome);
        let twice = [signed_by(&site.second), signed_by(&site.second)];
        let outcome = site.push(hazard_id(1), major(), &twice).await;
        assert_eq!(refusal(&outcome).field.as_deref(), Some("co_signatures[1]"));
        let good = signed_by(&site.second);
        let forged: [fn(&mut CoSignature); 6] = [
            |by| by.algorithm = 2,
            |by| by.signature = Bytes(vec![0; 64]),
            |by| by.signature.0.truncate(10),
            |by| by.signed_at = NOW,
            |by| by.key_id = KeyId(hazard_id(77).0),
            |by| by.person_id = person("reviewer"),
        ];
        for forge in forged {
            let mut by = good.clone();
            forge(&mut by);
            not_good(&site.push(hazard_id(1), major(), &[by]).await);
        }
        let mut changed = major();
        if let Action::Confirm(confirm) = &mut changed {
            confirm.due_date = "2026-12-03".parse().unwrap();
        }
        not_good(
            &site
                .push(hazard_id(1), changed, std::slice::from_ref(&good))
                .await,
        );
        site.report(2).await;
        not_good(
            &site
                .push(hazard_id(2), major(), std::slice::from_ref(&good))
                .await,
        );
        // All of that changed nothing, and the good one is still good.
        assert_eq!(site.hazard(1).await.status_name(), StatusName::Reported);
        assert!(
            site.push(hazard_id(1), major(), &[good])
                .await
                .took_effect()
        );
    });
}

#[test]
fn a_co_signature_is_good_for_one_act() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let note = || {
            let text = "两人到场".to_owned();
            Action::Note(Note { text })
        };
        let again = || {
            let text = "再次到场".to_owned();
            Action::Note(Note { text })
        };
        let by = sign(&site.second, hazard_id(1), note());
        let first = site
            .push(hazard_id(1), note(), std::slice::from_ref(&by))
            .await;
        assert!(first.took_effect());
        not_good(
            &site
                .push(hazard_id(1), note(), std::slice::from_ref(&by))
                .await,
        );
        // Nor twice in one batch.
        let by = sign(&site.second, hazard_id(1), again());
        let mut batch = Vec::new();
        for _ in 0..2 {
            let command = Command::new(hazard_id(1), again());
            let payload =
                CommandPayload::pack_signed(clocks(NOW), &command, std::slice::from_ref(&by));
            batch.push(site.first.seal_raw("note", 1, payload));
        }
        let batch = site.first.push(batch);
        let answer = push(&server.app, site.first.person_id, batch)
            .await
            .unwrap();
        let PushResult::Receipt(second) = &answer.results[1] else {
            panic!("{answer:?}");
        };
        not_good(&second.outcome);
    });
}

#[test]
fn a_co_signed_command_on_the_id_of_something_else_does_not_hold_up_the_stream() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let key = SigningKey::from_bytes(&[9; 32]);
        let taken = KeyId(hazard_id(60).0);
        let (owner, host) = (person("inspector2"), site.first.install_id);
        super::person_keys_tests::register(&server.app, owner, taken, host, &key).await;
        let text = "两人到场".to_owned();
        let note = Action::Note(Note { text });
        let by = sign(&site.second, hazard_id(60), note.clone());
        let outcome = site.push(hazard_id(60), note, &[by]).await;
        assert_eq!(refusal(&outcome).code, RefusalCode::NotFound);
    });
}

#[test]
fn a_second_without_certificate_leaves_a_proposal() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let grid = TestDevice::enrol(&server.app, "grid", 4).await;
        let by = signed_by(&grid);
        let outcome = site.push(hazard_id(1), confirm(Grade::Major), &[by]).await;
        assert!(outcome.took_effect(), "{outcome:?}");
        let hazard = site.hazard(1).await;
        assert_eq!(hazard.status_name(), StatusName::Reported);
        assert!(hazard.proposal.is_some(), "it waits for a second inspector");
    });
}

#[test]
fn whoever_has_no_role_here_is_no_second() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let outsider = stranger(&server.app).await;
        let outsider = TestDevice::enrol_as(&server.app, outsider, 4).await;
        let outcome = site
            .push(hazard_id(1), confirm(Grade::Major), &[signed_by(&outsider)])
            .await;
        not_good(&outcome);
        assert_eq!(site.hazard(1).await.status_name(), StatusName::Reported);
    });
}

#[test]
fn a_key_that_was_revoked_since_leaves_it_to_a_person_and_one_revoked_before_is_refused() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let (app, second) = (&server.app, person("inspector2"));
        devices::revoke(app, second, site.second.install_id, "lost")
            .await
            .unwrap();
        let before = signed_by(&site.second);
        let outcome = site
            .push(
                hazard_id(1),
                confirm(Grade::Major),
                std::slice::from_ref(&before),
            )
            .await;
        let Outcome::Quarantined { reason, .. } = &outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(*reason, QuarantineReason::CoSignerRevoked);
        let command = Command::new(hazard_id(1), confirm(Grade::Major));
        let key_id = site.second.install_id.into();
        let after = Statement::of(&command).sign(site.second.key(), second, key_id, NOW);
        not_good(
            &site
                .push(hazard_id(1), confirm(Grade::Major), &[after])
                .await,
        );
        let over_rest = sent(5, hazard_id(1), confirm(Grade::Major), vec![before]);
        let refused = rest_command::take(app, over_rest).await.unwrap_err();
        assert!(matches!(refused, Failure::Refused(refusal)
            if refusal.code == RefusalCode::CoSignatureInvalid));
        assert_eq!(site.hazard(1).await.status_name(), StatusName::Reported);
    });
}

#[test]
fn over_rest_the_same_signatures_are_good_and_the_same_ones_are_not() {
    on_each_database(async |server| {
        let site = Site::of(&server).await;
        let app = &server.app;
        let forged = CoSignature {
            signed_at: NOW,
            ..signed_by(&site.second)
        };
        let sent_with = |by| sent(5, hazard_id(1), confirm(Grade::Major), vec![by]);
        let refused = rest_command::take(app, sent_with(forged))
            .await
            .unwrap_err();
        assert!(matches!(refused, Failure::Refused(refusal)
            if refusal.code == RefusalCode::CoSignatureInvalid));
        let good = sent_with(signed_by(&site.second));
        let taken = rest_command::take(app, good.clone()).await.unwrap();
        let crate::usecases::execute::Record::Hazard(hazard) = taken.record else {
            panic!("a hazard was sent");
        };
        assert_eq!(hazard.status_name(), StatusName::Confirmed);
        assert!(rest_command::take(app, good).await.unwrap().repeated);
        let other = sent(5, hazard_id(1), confirm(Grade::Major), Vec::new());
        let reused = rest_command::take(app, other).await.unwrap_err();
        assert!(matches!(reused, Failure::IdReused), "{reused:?}");
    });
}

#[test]
fn an_enterprise_signs_for_the_order_with_a_co_signature() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let mut order = confirm(Grade::Major);
        if let Action::Confirm(confirm) = &mut order {
            confirm.served = Some(Served {
                name: "王强".to_owned(),
                post: Some("厂长".to_owned()),
                signature: None,
                refused_because: None,
                witness: None,
            });
        }
        let alone = site
            .push(
                hazard_id(1),
                order.clone(),
                &[sign(&site.second, hazard_id(1), order.clone())],
            )
            .await;
        assert_eq!(refusal(&alone).code, RefusalCode::InvalidField);
        let principal = TestDevice::enrol(&server.app, "principal", 5).await;
        let both = [
            sign(&site.second, hazard_id(1), order.clone()),
            sign(&principal, hazard_id(1), order.clone()),
        ];
        assert!(site.push(hazard_id(1), order, &both).await.took_effect());
        assert_eq!(site.hazard(1).await.status_name(), StatusName::Confirmed);
    });
}

#[test]
fn more_co_signatures_than_the_settings_allow_are_refused() {
    on_each_database_with(
        |settings| settings.sync.co_signatures = 1,
        async |server| {
            let mut site = Site::of(&server).await;
            let grid = TestDevice::enrol(&server.app, "grid", 4).await;
            let both = [signed_by(&site.second), signed_by(&grid)];
            let outcome = site.push(hazard_id(1), confirm(Grade::Major), &both).await;
            assert_eq!(refusal(&outcome).field.as_deref(), Some("co_signatures"));
            let one = site
                .push(hazard_id(1), confirm(Grade::Major), &both[..1])
                .await;
            assert!(one.took_effect());
        },
    );
}

#[test]
fn a_key_under_a_pin_signs_until_it_or_its_device_is_revoked() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let (app, second) = (&server.app, person("inspector2"));
        let key = SigningKey::from_bytes(&[9; 32]);
        let key_id = KeyId(hazard_id(50).0);
        super::person_keys_tests::register(app, second, key_id, site.first.install_id, &key).await;
        let note = |text: &str| {
            Action::Note(Note {
                text: text.to_owned(),
            })
        };
        let signed = |text: &str, at| {
            let statement = Statement::of(&Command::new(hazard_id(1), note(text)));
            [statement.sign(&key, second, key_id, at)]
        };
        let by = signed("一", SIGNED);
        assert!(site.push(hazard_id(1), note("一"), &by).await.took_effect());
        super::person_keys::revoke(app, second, second, key_id, "")
            .await
            .unwrap();
        let outcome = site
            .push(hazard_id(1), note("二"), &signed("二", SIGNED))
            .await;
        assert_eq!(outcome.name(), "quarantined");
        not_good(
            &site
                .push(hazard_id(1), note("三"), &signed("三", NOW))
                .await,
        );
        // With the phone that keeps it, another key ends too.
        let host = TestDevice::enrol(app, "grid", 4).await.install_id;
        let key_id = KeyId(hazard_id(51).0);
        super::person_keys_tests::register(app, second, key_id, host, &key).await;
        let statement = Statement::of(&Command::new(hazard_id(1), note("四")));
        let by = [statement.sign(&key, second, key_id, SIGNED)];
        devices::revoke(app, person("grid"), host, "lost")
            .await
            .unwrap();
        let outcome = site.push(hazard_id(1), note("四"), &by).await;
        assert_eq!(outcome.name(), "quarantined");
    });
}

//! Whoever was responsible when a command was made, and is not when it arrives: a person decides, and
//! nothing is lost, whether author or co-signer, and whatever the device's clock says.

use hazardloop_domain::command::ClockReading;
use hazardloop_domain::ids::PersonId;

use super::*;
use crate::usecases::people;

const HOUR_MS: i64 = 3_600_000;

/// An hour later, the roles of `who` end.
async fn end_roles(server: &TestServer, who: PersonId) {
    server.set_now(NOW.plus_millis(HOUR_MS));
    let app = &server.app;
    let grants = app
        .db
        .read(move |tx| crate::store::access::grants_of(tx.conn(), who))
        .await
        .unwrap();
    for (version, grant) in (1..).zip(&grants) {
        people::end_grant(app, person("admin"), who, version, grant.id)
            .await
            .unwrap();
    }
}

#[track_caller]
fn waits_for_a_person(outcome: &Outcome, whose: &str) {
    let Outcome::Quarantined { reason, detail } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(*reason, QuarantineReason::Reassigned);
    assert!(detail.contains(whose), "{detail}");
}

#[test]
fn a_co_signer_whose_role_has_ended_since_leaves_it_to_a_person() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let by = signed_by(&site.second);
        end_roles(&server, site.second.person_id).await;
        let outcome = site.push(hazard_id(1), confirm(Grade::Major), &[by]).await;
        waits_for_a_person(&outcome, "co-signer");
        assert_eq!(site.hazard(1).await.status_name(), StatusName::Reported);
    });
}

/// Pushes one command of a device with these clocks.
async fn push_at(
    server: &TestServer,
    device: &mut TestDevice,
    command: &Command,
    by: &[CoSignature],
    (wall, anchor): (Timestamp, Option<Timestamp>),
) -> Outcome {
    let kind = command.action.kind();
    let clocks = ClockReading {
        wall,
        server_anchor: anchor,
        ..clocks(NOW)
    };
    let payload = CommandPayload::pack_signed(clocks, command, by);
    let envelope = device.seal_raw(kind.as_str(), kind.version(), payload);
    let batch = device.push(vec![envelope]);
    let answer = push(&server.app, device.person_id, batch).await;
    match &answer.unwrap().results[0] {
        PushResult::Receipt(receipt) => receipt.outcome.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_co_signer_signed_when_they_did_however_late_the_author_seals_it() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let command = Command::new(hazard_id(1), confirm(Grade::Major));
        // Their role began at NOW.
        let (second, key_id) = (&site.second, site.second.install_id.into());
        let by = Statement::of(&command).sign(second.key(), second.person_id, key_id, NOW);
        end_roles(&server, site.second.person_id).await;
        let later = NOW.plus_millis(2 * HOUR_MS);
        server.set_now(later);
        let times = (later, Some(later));
        let outcome = push_at(&server, &mut site.first, &command, &[by], times).await;
        waits_for_a_person(&outcome, "co-signer");
    });
}

#[test]
fn what_its_author_may_not_do_waits_for_nobody_for_the_co_signers_sake() {
    on_each_database(async |server| {
        let site = Site::of(&server).await;
        let by = signed_by(&site.second);
        end_roles(&server, site.second.person_id).await;
        let mut employee = TestDevice::enrol(&server.app, "employee", 7).await;
        let command = Command::new(hazard_id(1), confirm(Grade::Major));
        let times = (NOW, Some(NOW));
        let outcome = push_at(&server, &mut employee, &command, &[by], times).await;
        assert_eq!(refusal(&outcome).code, RefusalCode::NotPermitted);
    });
}

/// Pushes a note by the first inspector with these clocks, after their roles have ended.
async fn noted_by(server: &TestServer, wall: Timestamp, anchor: Option<Timestamp>) -> Outcome {
    let mut site = Site::of(server).await;
    end_roles(server, site.first.person_id).await;
    let text = "现场已看过".to_owned();
    let command = Command::new(hazard_id(1), Action::Note(Note { text }));
    push_at(server, &mut site.first, &command, &[], (wall, anchor)).await
}

#[test]
fn a_clock_that_is_wrong_either_way_loses_no_work_of_an_author_who_has_left() {
    let (long_ago, ahead) = (
        Timestamp::from_millis(0),
        NOW.plus_millis(30 * 24 * HOUR_MS),
    );
    for wall in [NOW, long_ago, ahead] {
        on_each_database(move |server| async move {
            let outcome = noted_by(&server, wall, Some(NOW)).await;
            waits_for_a_person(&outcome, "author");
        });
    }
}

#[test]
fn what_was_made_after_the_role_had_ended_is_refused() {
    on_each_database(async |server| {
        let later = NOW.plus_millis(2 * HOUR_MS);
        let outcome = noted_by(&server, later, Some(later)).await;
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    });
}

/// A signature is a part in the act: whoever gave it does not also judge it.
#[test]
fn nobody_settles_what_they_signed_whatever_they_have_become() {
    use crate::store::quarantined::SettledAs;
    use crate::usecases::quarantined::settle;
    use hazardloop_domain::access::{GrantScope, Role};
    use hazardloop_domain::ids::{GrantId, JurisdictionId};
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let (app, second) = (&server.app, site.second.person_id);
        let by = signed_by(&site.second);
        end_roles(&server, second).await;
        let outcome = site.push(hazard_id(1), confirm(Grade::Major), &[by]).await;
        waits_for_a_person(&outcome, "co-signer");
        let district = JurisdictionId(crate::sample::id("500153000000"));
        let promoted = people::NewGrant {
            id: GrantId(uuid::Uuid::from_u128(
                0x019a_b000_0000_7000_8000_0000_0000_0f01,
            )),
            terms: (Role::DepartmentHead, GrantScope::Jurisdiction(district)).into(),
            valid_from: None,
            valid_until: None,
            temporary_reason: None,
        };
        let known = app
            .db
            .read(move |tx| crate::store::people::record(tx.conn(), second));
        let version = known.await.unwrap().unwrap().version;
        people::grant(app, person("admin"), second, version, promoted)
            .await
            .unwrap();
        server.set_now(NOW.plus_millis(3 * HOUR_MS));
        let waiting = crate::usecases::quarantined::list(app, second, None, 10).await;
        let (waiting, _) = waiting.unwrap();
        let which = waiting[0].quarantined.which;
        let made = || (SettledAs::Entered, "已核实".to_owned());
        let own = settle(app, second, which, made()).await;
        assert!(matches!(own, Err(Failure::Forbidden(_))), "{own:?}");
        settle(app, person("head"), which, made()).await.unwrap();
    });
}

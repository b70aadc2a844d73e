//! Checklists that inspections name are those of the packs, over REST and sync, on both databases.

use super::*;
use crate::test_support::with_these;

/// What the answer says was wrong: its code and the field.
fn fault(answer: Answer) -> (String, String) {
    let body = answer.expect(422);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("field"))
}

fn unknown(field: &str) -> (String, String) {
    ("CHECKLIST_UNKNOWN".to_owned(), field.to_owned())
}

fn with_list(code: &str, edition: u32, mandatory: &[&str]) -> Value {
    let mut setup = setup("tip");
    setup["checklists"] = json!([{"code": code, "edition": edition, "mandatory": mandatory}]);
    setup
}

#[test]
fn what_no_pack_holds_is_refused_by_its_field_and_changes_nothing() {
    on_each_database(|server| async move {
        let mut it = Sender::new(&server, 2);
        let begin = |setup| start(Some(setup));
        for (setup, field) in [
            (with_list("GM-CK-NONE", 1, &[]), "setup.checklists[0].code"),
            (
                with_list("GM-CK-I-DUST", 9, &[]),
                "setup.checklists[0].edition",
            ),
            (
                with_list("GM-CK-I-DUST", 1, &["1", "99"]),
                "setup.checklists[0].mandatory[1]",
            ),
        ] {
            let answer = it.send("inspector1", begin(setup)).await;
            assert_eq!(fault(answer), unknown(field));
        }
        assert_eq!(it.read("inspector1").await.status, 404);
        it.send("inspector1", begin(setup("tip"))).await.expect(200);
        let mut strange = results("ok");
        strange["results"][0]["item"]["item"] = json!("99");
        let answer = it.send("inspector1", strange).await;
        assert_eq!(fault(answer), unknown("results[0].item.item"));
        let finding = json!({
            "kind": "link_finding", "finding_id": new_id(50), "hazard_id": new_id(51),
            "handling": "rectify_by_deadline",
            "item": {"checklist": "GM-CK-I-DUST", "item": "beam"},
        });
        let answer = it.send("inspector1", finding).await;
        assert_eq!(fault(answer), unknown("item.item"));
        it.send("inspector1", results("ok")).await.expect(200);
    });
}

#[test]
fn a_device_that_holds_no_packs_is_told_by_the_server() {
    on_each_database(|server| async move {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let ids = [7, 8].map(|n| InspectionId(new_id(n).parse().unwrap()));
        let commands = vec![
            device.seal_on(ids[0].into(), offline_self_check(vec![ok("1"), ok("99")])),
            device.seal_on(ids[1].into(), offline_self_check(vec![ok("1"), ok("2")])),
        ];
        let answer = push::push(&server.app, device.person_id, device.push(commands)).await;
        let results = answer.unwrap().results;
        let [PushResult::Receipt(first), PushResult::Receipt(second)] = &results[..] else {
            panic!("{results:?}")
        };
        let Outcome::Rejected { refusal } = &first.outcome else {
            panic!("{first:?}")
        };
        assert_eq!(refusal.code.as_str(), "CHECKLIST_UNKNOWN");
        assert_eq!(refusal.field.as_deref(), Some("results[1].item.item"));
        assert_eq!(second.outcome.name(), "applied");
    });
}

#[test]
fn an_edition_that_a_newer_pack_has_no_longer_is_taken_still() {
    on_each_database(|server| async move {
        let mut it = Sender::new(&server, 2);
        it.send("inspector1", start(Some(setup("tip"))))
            .await
            .expect(200);
        let mut packs = crate::shipped::packs().unwrap();
        packs.retain(|pack| pack.head.name == "industry-and-trade");
        let pack = packs.first_mut().unwrap();
        pack.head.version += 1;
        pack.checklists.retain(|list| list.code != "GM-CK-I-DUST");
        with_these(&server, packs).await;
        it.send("inspector1", results("ok")).await.expect(200);
        let mut late = Sender::new(&server, 3);
        late.send("inspector1", start(Some(setup("tip"))))
            .await
            .expect(200);
    });
}

//! What else names the dissolved one: enterprises their grid, orders who issued them, hand-overs of a later day; and a
//! successor that would say more than anybody may.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, GrantId};
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::responsibility::Matrix;
use uuid::Uuid;

use super::world::{account, place};
use super::*;
use crate::sample;
use crate::store::people as stored;
use crate::store::{events, hand_overs};
use crate::test_support::{NOW, add_place, firm_of, on_each_database_with, terms};
use crate::usecases::hand_overs::{self as handing, NewHandOver};
use crate::usecases::read::orders;

const DAY: i64 = 86_400_000;

fn firm(app: &App, id: EnterpriseId) -> Enterprise {
    let found = app.db.read_blocking(|tx| places::enterprise(tx.conn(), id));
    found.unwrap().unwrap()
}

fn happened(app: &App, of: Uuid) -> Vec<String> {
    let history = app
        .db
        .read_blocking(|tx| events::history(tx.conn(), &of, 0, 100));
    history.unwrap().into_iter().map(|it| it.kind).collect()
}

#[test]
fn enterprises_that_name_a_merged_grid_name_its_successor() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let [one, two, three] = ["grid one", "grid two", "grid three"].map(place);
        for grid in [one, two, three] {
            add_place(app, grid, world.village, Level::Grid).await;
        }
        let mut naming = Vec::new();
        for (at, over) in [
            one,
            world.third,
            world.third,
            world.village,
            world.third,
            two,
        ]
        .into_iter()
        .enumerate()
        {
            let id = sample::id(&format!("firm {at} that names a grid"));
            let mut firm = firm_of(id, over, "industry-and-trade".to_owned());
            firm.profile.grid_id = Some(one);
            naming.push(firm.id);
            world.register(app, firm).await;
        }
        let other = sample::id("firm that names another grid");
        let mut elsewhere = firm_of(other, one, "industry-and-trade".to_owned());
        elsewhere.profile.grid_id = Some(three);
        let elsewhere_id = elsewhere.id;
        world.register(app, elsewhere).await;

        world.merge_one(app, one, two).await.unwrap();
        run_due(app).await.unwrap();
        assert_eq!(stage(app, one), Stage::Done);
        for id in naming {
            let found = firm(app, id);
            assert_eq!(found.profile.grid_id, Some(two));
            assert_eq!(found.version, 2, "one change each");
            assert_eq!(happened(app, id.0), ["registered", "jurisdiction_merged"]);
        }
        assert_eq!(firm(app, elsewhere_id).profile.grid_id, Some(three));
        assert_eq!(firm(app, elsewhere_id).jurisdiction_id, two);
        world.check_all(app, &[]).await;
        verified(app);
    });
}

#[test]
fn an_order_goes_on_naming_who_issued_it() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let confirm = serde_json::json!({
            "kind": "confirm", "grade": "general", "responsible_person": "刘志远",
            "requirement": "清理积尘", "due_date": "2026-12-02", "category": "粉尘防爆",
        });
        let confirm: Action = serde_json::from_value(confirm).unwrap();
        world.send(app, "inspector1", 1, confirm.clone()).await;
        world.merge(app).await.unwrap();
        run_due(app).await.unwrap();
        world.send(app, "inspector1", 2, confirm).await;
        for (number, expected) in [(1, world.old), (2, world.successor)] {
            let id = hazard_id(number);
            let issued = orders::one(app, person("reviewer"), id).await.unwrap();
            assert_eq!(issued.hazard.jurisdiction_id, world.successor);
            assert_eq!(issued.issuing_body.unwrap().id, expected, "{number}");
        }
        // Merged once more, it names the first one still.
        world
            .merge_one(app, world.successor, world.third)
            .await
            .unwrap();
        run_due(app).await.unwrap();
        for (number, expected) in [(1, world.old), (2, world.successor)] {
            let id = hazard_id(number);
            let issued = orders::one(app, person("reviewer"), id).await.unwrap();
            assert_eq!(issued.hazard.jurisdiction_id, world.third);
            assert_eq!(issued.issuing_body.unwrap().id, expected, "{number}");
        }
        verified(app);
    });
}

fn lasting_role(app: &App, of: PersonId) -> GrantId {
    let held = app
        .db
        .read_blocking(|tx| stored::grants_of(tx.conn(), &[of]));
    let now = app.clock.now();
    let mut lasting = held.unwrap().into_iter().map(|placed| placed.grant);
    let lasting = lasting.find(|grant| grant.valid_until.is_none_or(|until| until > now));
    lasting.unwrap().id
}

#[test]
fn a_role_that_is_handed_over_on_a_later_day_is_not_handed_over_once_more() {
    in_small_lots(async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        let over = terms(Role::GridWorker, GrantScope::Jurisdiction(world.old));
        let leaving = account(app, "leaving", vec![over]).await;
        let third = terms(Role::GridWorker, GrantScope::Jurisdiction(world.third));
        let heir = account(app, "heir", vec![third.clone()]).await;
        let another = account(app, "another", vec![third]).await;
        let hand_over = |number, to_person, in_days| {
            let new = NewHandOver {
                id: hazard_id(number).0,
                from_person: leaving,
                to_person,
                grants: None,
                reason: "退休".to_owned(),
                effective_at: Some(NOW.plus_millis(in_days * DAY)),
            };
            handing::make(app, person("admin"), new)
        };
        let (made, _) = hand_over(8_001, heir, 30).await.unwrap();
        world.merge(app).await.unwrap();
        run_due(app).await.unwrap();
        let moved = lasting_role(app, leaving);
        assert_ne!(made.grants[0].0, moved);
        let twice = hand_over(8_002, another, 2).await;
        assert!(matches!(twice, Err(Failure::Conflict(_))), "{twice:?}");
        let known = app
            .db
            .read_blocking(|tx| hand_overs::one(tx.conn(), made.id));
        let known = known.unwrap().unwrap();
        assert_eq!(known.grants.len(), 2);
        assert!(known.grants.iter().any(|(ended, _)| *ended == moved));
        verified(app);
    });
}

async fn say(app: &App, place: JurisdictionId, sectors: &[&str]) {
    let matrix = Matrix {
        rows: sectors
            .iter()
            .map(|of| ((*of).to_owned(), "甲办".to_owned()))
            .collect(),
        fallback: None,
    };
    let now = app.clock.now();
    let said = app
        .db
        .write(move |tx| responsibilities::say(tx, place, (&matrix, 0), None, now));
    said.await.unwrap();
}

#[test]
fn a_successor_that_would_say_more_than_anybody_may_is_refused_before_anything_is_done() {
    let three = |settings: &mut crate::settings::Settings| settings.people.responsibility_rows = 3;
    on_each_database_with(three, async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        say(app, world.old, &["town-gas", "fire-safety"]).await;
        say(app, world.successor, &["town-gas", "metallurgy", "mining"]).await;
        let refused = world.merge(app).await;
        assert!(
            matches!(&refused, Err(Failure::Invalid { field, .. }) if field == "into"),
            "{refused:?}"
        );
        let held = app.db.write_blocking(move |tx| merges::held(tx, world.old));
        assert_eq!(held.unwrap(), None, "it has not begun");
        // What both say is said once.
        say(app, world.third, &["town-gas"]).await;
        world.merge_one(app, world.old, world.third).await.unwrap();
        run_due(app).await.unwrap();
        let (said, _) = responsibilities::of(app, world.third).await.unwrap();
        assert_eq!(said.rows.len(), 2);
        verified(app);
    });
}

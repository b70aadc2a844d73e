//! Sectors, certificates and temporary grants: stored as given, refused where they make no sense.

use hazardloop_domain::access::Certificate;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::responsibility::Matrix;

use super::*;
use crate::usecases::responsibilities;
use crate::usecases::sign_in::test_support::WEST_FIRM;

const DAY_MS: i64 = 86_400_000;

fn certificate() -> Certificate {
    Certificate {
        number: "渝A-0042".to_owned(),
        valid_to: "2027-06-30".parse().ok(),
    }
}

#[test]
fn sectors_and_a_certificate_are_kept_and_reach_the_devices() {
    each_world(|world| async move {
        let app = &world.app;
        let known = ["industry-and-trade", "town-gas"].map(str::to_owned);
        let matrix = Matrix {
            rows: known.map(|sector| (sector, "某局".to_owned())).into(),
            fallback: None,
        };
        let now = app.clock.now();
        let say = app
            .db
            .write(move |tx| responsibilities::say(tx, EAST, (&matrix, 0), None, now));
        say.await.unwrap();
        let mut new = request(1, "new", Role::Inspector, GrantScope::Jurisdiction(EAST));
        new.grants[0].sectors = vec!["industry-and-trade".to_owned(), "town-gas".to_owned()];
        new.grants[0].certificate = Some(certificate());
        let (person, _) = create(app, id_of("east-admin"), new.clone()).await.unwrap();
        assert_eq!(person.grants[0].sectors, ["industry-and-trade", "town-gas"]);
        assert_eq!(person.grants[0].certificate, Some(certificate()));
        let again = create(app, id_of("east-admin"), new.clone()).await.unwrap();
        assert_eq!(again, (person.clone(), false));
        new.grants[0].sectors.clear();
        let other = create(app, id_of("east-admin"), new).await;
        assert_eq!(code(other), "ID_REUSED");
        let id = person.id;
        let record = app.db.read(move |tx| people::record(tx.conn(), id)).await;
        assert_eq!(record.unwrap().unwrap().grants, person.grants);
    });
}

#[test]
fn what_limits_a_grant_must_fit_its_role_and_its_scope() {
    each_world(|world| async move {
        let app = &world.app;
        let (town, firm) = (
            GrantScope::Jurisdiction(EAST),
            GrantScope::Enterprise(EAST_FIRM),
        );
        let with = |role, scope, change: &dyn Fn(&mut Terms)| {
            let mut new = new_grant(1, role, scope);
            change(&mut new.terms);
            new
        };
        let nothing = |_: &mut Terms| ();
        let long = "粉".repeat(33);
        let cases = [
            (with(Role::Principal, town, &nothing), "scope"),
            (with(Role::Supervisor, firm, &nothing), "scope"),
            (with(Role::DepartmentHead, firm, &nothing), "scope"),
            (with(Role::Gateway, firm, &nothing), "scope"),
            (
                with(Role::Expert, firm, &|new| {
                    new.sectors = vec!["industry-and-trade".to_owned()]
                }),
                "sectors",
            ),
            (
                with(Role::Expert, town, &|new| {
                    new.sectors = vec![" ".to_owned()]
                }),
                "sectors",
            ),
            (
                with(Role::Expert, town, &|new| new.sectors = vec![long.clone()]),
                "sectors",
            ),
            (
                with(Role::Expert, town, &|new| {
                    new.sectors = vec!["industry-and-trade".to_owned(); 2]
                }),
                "sectors",
            ),
            (
                with(Role::Administrator, town, &|new| {
                    new.sectors = vec!["industry-and-trade".to_owned()]
                }),
                "sectors",
            ),
            (
                with(Role::Expert, town, &|new| {
                    new.sectors = (0..=MOST_SECTORS).map(|n| n.to_string()).collect();
                }),
                "sectors",
            ),
            (
                with(Role::Expert, town, &|new| {
                    new.certificate = Some(certificate())
                }),
                "certificate",
            ),
        ];
        for (new, field) in cases {
            let answer = grant(app, id_of("east-admin"), id_of("worker"), new.clone()).await;
            let Err(Failure::Refused(refusal)) = answer else {
                panic!("{new:?}: {answer:?}");
            };
            assert_eq!(refusal.field.as_deref(), Some(field), "{new:?}");
        }
        for (number, role, scope) in [(2, Role::Expert, firm), (3, Role::Insurer, town)] {
            let new = new_grant(number, role, scope);
            grant(app, id_of("east-admin"), id_of("worker"), new)
                .await
                .unwrap();
        }
    });
}

#[test]
fn a_grant_away_from_home_needs_a_reason_and_an_end() {
    each_world(|world| async move {
        let app = &world.app;
        let (admin, inspector) = (id_of("city-admin"), id_of("east-inspector"));
        let in_days = |days: i64| Some(app.clock.now().plus_millis(days * DAY_MS));
        let away = |number, scope, reason: Option<&str>, until| NewGrant {
            temporary_reason: reason.map(str::to_owned),
            valid_until: until,
            ..new_grant(number, Role::Inspector, scope)
        };
        let (west, reason) = (GrantScope::Jurisdiction(WEST), Some("交叉执法"));
        let over_firm = GrantScope::Enterprise(WEST_FIRM);
        let cases = [
            (away(1, west, None, None), "INVALID temporary_reason"),
            (away(1, west, None, in_days(1)), "INVALID temporary_reason"),
            (away(1, west, reason, None), "INVALID valid_until"),
            (away(1, west, reason, in_days(91)), "INVALID valid_until"),
            (away(1, west, Some(" "), in_days(1)), "INVALID_FIELD"),
            (
                NewGrant {
                    temporary_reason: Some("交叉执法".to_owned()),
                    ..new_grant(1, Role::Expert, over_firm)
                },
                "INVALID temporary_reason",
            ),
        ];
        for (new, expected) in cases {
            let answer = grant(app, admin, inspector, new.clone()).await;
            assert_eq!(code(answer), expected, "{new:?}");
        }
        let given = away(2, west, reason, in_days(90));
        let (held, _) = grant(app, admin, inspector, given).await.unwrap();
        assert_eq!(held.temporary_reason.as_deref(), Some("交叉执法"));
        // Being there for a time makes no home; the city above, and a town below, are near.
        let standing = away(3, west, None, None);
        let answer = grant(app, admin, inspector, standing.clone()).await;
        assert_eq!(code(answer), "INVALID temporary_reason");
        for (number, near) in [(4, CITY), (5, EAST_TOWN)] {
            let near = away(number, GrantScope::Jurisdiction(near), None, None);
            grant(app, admin, inspector, near).await.unwrap();
        }
        // Who has no home is at home where the first grant is.
        grant(app, admin, id_of("west-worker"), standing)
            .await
            .unwrap();
    });
}

#[test]
fn how_long_a_temporary_grant_may_last_is_a_setting() {
    let rules = crate::settings::PeopleLimits {
        temporary_grant_days: 3,
        ..Default::default()
    };
    let from = hazardloop_domain::time::Timestamp::from_millis(1_000);
    let scope = GrantScope::Jurisdiction(WEST);
    let until = |ms: i64| Grant {
        valid_until: Some(from.plus_millis(ms)),
        temporary_reason: Some("交叉执法".to_owned()),
        ..Grant::new(GrantId(v7(1)), Role::Inspector, scope, from)
    };
    assert!(check_temporary(&until(3 * DAY_MS), &rules).is_ok());
    assert!(check_temporary(&until(3 * DAY_MS + 1), &rules).is_err());
}

/// Of more scopes than one pull asks for, some would never arrive, and never leave.
#[test]
fn nobody_is_given_more_than_a_device_can_ask_for() {
    each_world(|world| async move {
        let app = &world.app;
        let known: Vec<String> = (0..16).map(|n| format!("sector-{n}")).collect();
        let matrix = Matrix {
            rows: known
                .iter()
                .map(|sector| (sector.clone(), "某局".to_owned()))
                .collect(),
            fallback: None,
        };
        let now = app.clock.now();
        let say = app
            .db
            .write(move |tx| responsibilities::say(tx, EAST, (&matrix, 0), None, now));
        say.await.unwrap();
        let place = GrantScope::Jurisdiction(EAST);
        let (admin, worker) = (id_of("east-admin"), id_of("worker"));
        let mut wide = new_grant(1, Role::Inspector, place);
        wide.terms.sectors = known;
        grant(app, admin, worker, wide).await.unwrap();
        let held = one(app, admin, worker).await.unwrap().grants;
        // As if administrators of other places had given as much each.
        let elsewhere = |n: u128| {
            let id = JurisdictionId(Uuid::from_u128(900 + n));
            Grant {
                scope: GrantScope::Jurisdiction(id),
                ..held
                    .iter()
                    .find(|grant| !grant.sectors.is_empty())
                    .unwrap()
                    .clone()
            }
        };
        let many = |count| (0..count).map(elsewhere).collect::<Vec<_>>();
        // Sixteen sectors in three places, beside the person, their own reports and the catalogue.
        require_narrow(worker, &many(3), now).unwrap();
        let refused = require_narrow(worker, &many(4), now).unwrap_err();
        assert!(matches!(refused, Failure::Conflict(_)), "{refused:?}");
        let ended = |grant: Grant| Grant {
            valid_until: Some(now),
            ..grant
        };
        let past: Vec<Grant> = many(9).into_iter().map(ended).collect();
        require_narrow(worker, &past, now).unwrap();
    });
}

//! Who sees and administers whom, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod at_home;
mod at_once;
mod certificates;
mod limited;
mod versions;
mod without_role;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::*;
use crate::store::Position;
use crate::test_support::terms;
use crate::usecases::sign_in::authenticate;
use crate::usecases::sign_in::session;
use crate::usecases::sign_in::test_support::{
    CITY, EAST, EAST_FIRM, EAST_TOWN, PASSWORD, PEOPLE, WEST, World, each_world, id_of, try_sign_in,
};

fn v7(number: u16) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(1_795_312_800_000, &[number.to_be_bytes()[1]; 10])
        .into_uuid()
}

fn request(number: u16, login: &str, role: Role, scope: GrantScope) -> PersonRequest {
    PersonRequest {
        id: PersonId(v7(number)),
        login: login.to_owned(),
        name: "新人".to_owned(),
        phone: None,
        password: "a password to begin with".to_owned().into(),
        grants: vec![terms(role, scope)],
    }
}

fn new_grant(number: u16, role: Role, scope: GrantScope) -> NewGrant {
    NewGrant {
        id: GrantId(v7(number)),
        terms: terms(role, scope),
        valid_from: None,
        valid_until: None,
        temporary_reason: None,
    }
}

/// The version that somebody has now.
async fn version_of(app: &App, id: PersonId) -> i64 {
    let found = app.db.read(move |tx| people::by_id(tx.conn(), id));
    found.await.unwrap().map_or(0, |person| person.version)
}

/// As [`super::grant`], by somebody who has just looked.
async fn grant(
    app: &App,
    asker: PersonId,
    person: PersonId,
    new: NewGrant,
) -> Result<(Grant, bool), Failure> {
    super::grant(app, asker, person, version_of(app, person).await, new).await
}

/// As [`super::end_grant`], by somebody who has just looked.
async fn end_grant(
    app: &App,
    asker: PersonId,
    person: PersonId,
    id: GrantId,
) -> Result<(), Failure> {
    super::end_grant(app, asker, person, version_of(app, person).await, id).await
}

/// As [`super::disable`], by somebody who has just looked.
async fn disable(
    app: &App,
    asker: PersonId,
    person: PersonId,
    reason: &str,
) -> Result<PersonView, Failure> {
    super::disable(app, asker, person, version_of(app, person).await, reason).await
}

async fn logins_seen_by(world: &World, login: &str) -> Vec<String> {
    let of_whom = OfWhom::HoldsARole;
    let seen = list(&world.app, id_of(login), of_whom, None, 200)
        .await
        .unwrap();
    seen.into_iter().map(|person| person.login).collect()
}

fn code<T: std::fmt::Debug>(answer: Result<T, Failure>) -> String {
    match answer.unwrap_err() {
        Failure::Refused(refusal) => refusal.code.as_str().to_owned(),
        Failure::NotFound(_) => "NOT_FOUND".to_owned(),
        Failure::Forbidden(_) => "FORBIDDEN".to_owned(),
        Failure::IdReused => "ID_REUSED".to_owned(),
        Failure::Conflict(_) => "CONFLICT".to_owned(),
        Failure::CertificateTaken => "CERTIFICATE_TAKEN".to_owned(),
        Failure::PreconditionFailed { current } => format!("STALE {current}"),
        Failure::Invalid { field, .. } => format!("INVALID {field}"),
        other => panic!("{other}"),
    }
}

#[test]
fn everybody_sees_exactly_whom_they_answer_for() {
    each_world(|world| async move {
        let east = [
            "east-admin",
            "town-admin",
            "east-inspector",
            "east-supervisor",
            "principal",
            "worker",
        ];
        let town = ["town-admin", "principal", "worker"];
        let all: Vec<&str> = PEOPLE.iter().map(|(login, _, _)| *login).collect();
        for (login, seen) in [
            ("city-admin", all.as_slice()),
            ("east-admin", &east),
            ("east-supervisor", &east),
            ("town-admin", &town),
            ("west-admin", &["west-admin", "west-worker"]),
            ("principal", &["principal", "worker"]),
            ("east-inspector", &["east-inspector"]),
            ("worker", &["worker"]),
        ] {
            assert_eq!(logins_seen_by(&world, login).await, seen, "{login}");
            for (other, _, _) in PEOPLE {
                let answer = one(&world.app, id_of(login), id_of(other)).await;
                if seen.contains(&other) {
                    assert_eq!(answer.unwrap().login, other);
                } else {
                    assert_eq!(code(answer), "NOT_FOUND", "{login} looks at {other}");
                }
            }
        }
        assert_eq!(
            code(one(&world.app, id_of("city-admin"), PersonId(v7(1))).await),
            "NOT_FOUND"
        );
    });
}

#[test]
fn pages_by_id_cover_everybody_once() {
    each_world(|world| async move {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = list(
                &world.app,
                id_of("city-admin"),
                OfWhom::HoldsARole,
                after,
                2,
            )
            .await
            .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(page.into_iter().map(|person| person.login));
        }
        assert_eq!(seen, PEOPLE.map(|(login, _, _)| login));
    });
}

#[test]
fn what_is_not_theirs_is_not_shown() {
    each_world(|world| async move {
        let app = &world.app;
        let over_west = GrantScope::Jurisdiction(WEST);
        let second = NewGrant {
            valid_until: Some(app.clock.now().plus_millis(86_400_000)),
            temporary_reason: Some("交叉执法".to_owned()),
            ..new_grant(1, Role::Inspector, over_west)
        };
        grant(app, id_of("city-admin"), id_of("east-inspector"), second)
            .await
            .unwrap();
        let shown = one(app, id_of("east-admin"), id_of("east-inspector"))
            .await
            .unwrap();
        assert_eq!(shown.grants.len(), 1);
        assert_eq!(shown.grants[0].scope, GrantScope::Jurisdiction(EAST));
        assert_eq!(
            shown.phone, None,
            "they answer to another administrator too"
        );
        let all = one(app, id_of("city-admin"), id_of("east-inspector"))
            .await
            .unwrap();
        assert_eq!((all.grants.len(), all.phone.is_some()), (2, true));
        let themselves = one(app, id_of("east-inspector"), id_of("east-inspector")).await;
        assert_eq!(themselves.unwrap().grants.len(), 2);
    });
}

#[test]
fn administrators_add_people_within_their_own_subtree_only() {
    each_world(|world| async move {
        let app = &world.app;
        let over = GrantScope::Jurisdiction;
        let admin = id_of("east-admin");
        let new = request(1, "new", Role::Inspector, over(EAST_TOWN));
        let (person, created) = create(app, admin, new.clone()).await.unwrap();
        assert!(created);
        assert_eq!(
            (person.login.as_str(), person.grants.len(), person.version),
            ("new", 1, 1)
        );
        try_sign_in(app, "new", "a password to begin with", "192.0.2.1")
            .await
            .unwrap();
        let again = create(app, admin, new.clone()).await.unwrap();
        assert_eq!(again, (person, false));
        let mut other = new.clone();
        other.name = "别人".to_owned();
        assert_eq!(code(create(app, admin, other).await), "ID_REUSED");
        let mut other = new.clone();
        other.password = "another password".to_owned().into();
        assert_eq!(code(create(app, admin, other).await), "ID_REUSED");
        assert_eq!(
            code(create(app, id_of("city-admin"), new).await),
            "ID_REUSED"
        );
        let cases = [
            (
                admin,
                request(2, "x", Role::Inspector, over(WEST)),
                "OUT_OF_SCOPE",
            ),
            (
                admin,
                request(2, "x", Role::Administrator, over(CITY)),
                "OUT_OF_SCOPE",
            ),
            (
                admin,
                request(
                    2,
                    "x",
                    Role::Inspector,
                    over(hazardloop_domain::ids::JurisdictionId(v7(9))),
                ),
                "OUT_OF_SCOPE",
            ),
            (
                id_of("east-inspector"),
                request(2, "x", Role::Inspector, over(EAST)),
                "FORBIDDEN",
            ),
            (
                id_of("principal"),
                request(2, "x", Role::Employee, GrantScope::Enterprise(EAST_FIRM)),
                "FORBIDDEN",
            ),
            (
                admin,
                request(2, "worker", Role::Inspector, over(EAST)),
                "CONFLICT",
            ),
            (
                admin,
                request(2, "x", Role::Employee, over(EAST)),
                RefusalCode::InvalidField.as_str(),
            ),
            (
                admin,
                request(2, "two words", Role::Inspector, over(EAST)),
                "INVALID login",
            ),
            (
                admin,
                PersonRequest {
                    grants: Vec::new(),
                    ..request(2, "x", Role::Inspector, over(EAST))
                },
                "INVALID grants",
            ),
            (
                admin,
                PersonRequest {
                    password: "short".to_owned().into(),
                    ..request(2, "x", Role::Inspector, over(EAST))
                },
                "INVALID password",
            ),
            (
                admin,
                PersonRequest {
                    id: PersonId(Uuid::from_u128(7)),
                    ..request(2, "x", Role::Inspector, over(EAST))
                },
                "INVALID id",
            ),
        ];
        for (asker, request, expected) in cases {
            let shown = format!("{request:?}");
            assert_eq!(code(create(app, asker, request).await), expected, "{shown}");
        }
        assert!(
            !logins_seen_by(&world, "city-admin")
                .await
                .contains(&"x".to_owned())
        );
    });
}

#[test]
fn grants_begin_and_end_and_reach_the_persons_devices() {
    each_world(|world| async move {
        let app = &world.app;
        let (admin, worker) = (id_of("east-admin"), id_of("worker"));
        let feed_of = |person: PersonId| {
            app.db.read(move |tx| {
                // Not to the horizon: that waits for whatever runs beside this test.
                feed::changes(
                    tx.conn(),
                    Scope::Person(person),
                    Position::START,
                    i64::MAX,
                    10,
                )
            })
        };
        assert_eq!(feed_of(worker).await.unwrap()[0].version, 1);
        let new = new_grant(1, Role::SafetyOfficer, GrantScope::Enterprise(EAST_FIRM));
        let (made, created) = grant(app, admin, worker, new.clone()).await.unwrap();
        assert!(created && made.holds_at(app.clock.now()));
        assert_eq!(
            grant(app, admin, worker, new.clone()).await.unwrap(),
            (made, false)
        );
        assert_eq!(feed_of(worker).await.unwrap()[0].version, 2);
        world.pass(1_000);
        for (asker, expected) in [("west-admin", "NOT_FOUND"), ("principal", "FORBIDDEN")] {
            assert_eq!(
                code(end_grant(app, id_of(asker), worker, new.id).await),
                expected
            );
        }
        end_grant(app, admin, worker, new.id).await.unwrap();
        end_grant(app, admin, worker, new.id).await.unwrap();
        let seen = one(app, admin, worker).await.unwrap();
        let ended = seen.grants.iter().find(|grant| grant.id == new.id).unwrap();
        assert!(!ended.holds_at(app.clock.now()));
        assert_eq!(
            (seen.version, feed_of(worker).await.unwrap()[0].version),
            (3, 3)
        );
        let history = app
            .db
            .read(move |tx| events::history(tx.conn(), &worker.0, 0, 10))
            .await;
        let kinds: Vec<String> = history
            .unwrap()
            .into_iter()
            .map(|event| event.kind)
            .collect();
        assert_eq!(kinds, ["person_added", "grant_added", "grant_ended"]);
    });
}

#[test]
fn nobody_grants_beyond_what_they_administer() {
    each_world(|world| async move {
        let app = &world.app;
        let (worker, west) = (id_of("worker"), GrantScope::Jurisdiction(WEST));
        let city = GrantScope::Jurisdiction(CITY);
        let late = NewGrant {
            valid_until: Some(app.clock.now()),
            ..new_grant(3, Role::Inspector, GrantScope::Jurisdiction(EAST))
        };
        for (asker, whom, new, expected) in [
            (
                "east-admin",
                "worker",
                new_grant(3, Role::Inspector, west),
                "OUT_OF_SCOPE",
            ),
            (
                "town-admin",
                "town-admin",
                new_grant(3, Role::Administrator, city),
                "OUT_OF_SCOPE",
            ),
            (
                "west-admin",
                "worker",
                new_grant(3, Role::Inspector, west),
                "NOT_FOUND",
            ),
            (
                "east-supervisor",
                "worker",
                new_grant(3, Role::Inspector, GrantScope::Jurisdiction(EAST)),
                "FORBIDDEN",
            ),
            ("east-admin", "worker", late, "INVALID valid_until"),
        ] {
            let answer = grant(app, id_of(asker), id_of(whom), new).await;
            assert_eq!(code(answer), expected, "{asker}");
        }
        let taken = new_grant(4, Role::Inspector, GrantScope::Jurisdiction(EAST));
        grant(app, id_of("east-admin"), worker, taken.clone())
            .await
            .unwrap();
        let other = grant(app, id_of("east-admin"), id_of("principal"), taken).await;
        assert_eq!(code(other), "ID_REUSED");
    });
}

#[test]
fn a_disabled_account_is_out_at_once_and_neighbours_cannot_do_it() {
    each_world(|world| async move {
        let app = &world.app;
        let token = world.sign_in("east-inspector").await.tokens;
        let inspector = id_of("east-inspector");
        for (asker, expected) in [
            ("west-admin", "NOT_FOUND"),
            ("east-supervisor", "FORBIDDEN"),
            ("town-admin", "NOT_FOUND"),
            ("worker", "NOT_FOUND"),
        ] {
            let answer = disable(app, id_of(asker), inspector, "reason").await;
            assert_eq!(code(answer), expected, "{asker}");
        }
        let themselves = disable(app, id_of("east-admin"), id_of("east-admin"), "reason").await;
        assert_eq!(code(themselves), "CONFLICT");
        authenticate(app, &token.access_token).await.unwrap();
        let disabled = disable(app, id_of("east-admin"), inspector, "left")
            .await
            .unwrap();
        assert!(disabled.disabled_at.is_some());
        assert!(authenticate(app, &token.access_token).await.is_err());
        assert!(session::refresh(app, &token.refresh_token).await.is_err());
        assert!(
            try_sign_in(app, "east-inspector", PASSWORD, "192.0.2.3")
                .await
                .is_err()
        );
    });
}

#[test]
fn a_town_does_not_shut_out_who_also_serves_the_district() {
    each_world(|world| async move {
        let app = &world.app;
        let in_town = new_grant(1, Role::Inspector, GrantScope::Jurisdiction(EAST_TOWN));
        grant(app, id_of("east-admin"), id_of("east-inspector"), in_town)
            .await
            .unwrap();
        one(app, id_of("town-admin"), id_of("east-inspector"))
            .await
            .unwrap();
        let answer = disable(app, id_of("town-admin"), id_of("east-inspector"), "reason").await;
        assert_eq!(code(answer), "FORBIDDEN");
    });
}

#[test]
fn an_administrator_who_was_disabled_administers_nothing() {
    each_world(|world| async move {
        let app = &world.app;
        disable(app, id_of("city-admin"), id_of("east-admin"), "left")
            .await
            .unwrap();
        assert_eq!(logins_seen_by(&world, "east-admin").await, ["east-admin"]);
        let answer = disable(app, id_of("east-admin"), id_of("worker"), "reason").await;
        assert_eq!(code(answer), "NOT_FOUND");
    });
}

//! Signing in, refreshing and signing out, as a phone with a bad link would notice them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use super::session::{self, SignedIn};
use super::test_support::{PASSWORD, each_world, each_world_with, id_of, try_sign_in};
use super::{access_token::Bearer, authenticate};
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};

fn refused<T: std::fmt::Debug>(answer: Result<T, Failure>) -> Unauthenticated {
    match answer {
        Err(Failure::Unauthenticated(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn refresh(app: &App, token: &SignedIn) -> Result<SignedIn, Failure> {
    session::refresh(app, &token.tokens.refresh_token).await
}

#[test]
fn who_knows_the_password_gets_in_and_sees_their_roles() {
    each_world(|world| async move {
        let signed_in = world.sign_in("worker").await;
        assert_eq!(signed_in.person.id, id_of("worker"));
        assert_eq!(signed_in.person.grants.len(), 1);
        assert!(signed_in.tokens.refresh_token.starts_with("hlr_"));
        let bearer = authenticate(&world.app, &signed_in.tokens.access_token)
            .await
            .unwrap();
        assert_eq!(
            (bearer.person_id, bearer.session_id),
            (id_of("worker"), signed_in.session_id)
        );
    });
}

#[test]
fn wrong_names_and_wrong_passwords_are_one_answer() {
    each_world(|world| async move {
        let long = "x".repeat(100_000);
        for (login, password) in [
            ("worker", "wrong horse battery"),
            ("nobody", PASSWORD),
            ("worker\0", PASSWORD),
            ("", PASSWORD),
            ("worker", ""),
            (long.as_str(), PASSWORD),
            ("worker", long.as_str()),
        ] {
            let answer = try_sign_in(&world.app, login, password, "192.0.2.9").await;
            assert_eq!(refused(answer), Unauthenticated::WrongCredentials);
        }
    });
}

#[test]
fn an_attacker_waits_and_the_owner_does_not() {
    each_world(|world| async move {
        let mut waits = None;
        for _ in 0..10 {
            let attack = try_sign_in(&world.app, "worker", "guessing again", "198.51.100.7").await;
            if let Err(Failure::RateLimited { retry_after_s }) = attack {
                waits = Some(retry_after_s);
                break;
            }
        }
        assert_eq!(waits, Some(2));
        let right = try_sign_in(&world.app, "worker", PASSWORD, "198.51.100.7").await;
        assert!(
            matches!(right, Err(Failure::RateLimited { .. })),
            "{right:?}"
        );
        try_sign_in(&world.app, "worker", PASSWORD, "192.0.2.1")
            .await
            .unwrap();
        world.pass(2_000);
        try_sign_in(&world.app, "worker", PASSWORD, "198.51.100.7")
            .await
            .unwrap();
    });
}

#[test]
fn one_network_may_try_so_often_a_minute() {
    let set = |settings: &mut crate::settings::Settings| settings.sign_in.attempts_per_minute = 3;
    each_world_with(set, |world| async move {
        for login in ["a", "b", "c"] {
            let answer = try_sign_in(&world.app, login, PASSWORD, "198.51.100.7").await;
            assert_eq!(refused(answer), Unauthenticated::WrongCredentials);
        }
        let fourth = try_sign_in(&world.app, "worker", PASSWORD, "198.51.100.7").await;
        let Err(Failure::RateLimited { retry_after_s }) = fourth else {
            panic!("{fourth:?}");
        };
        world.pass(i64::try_from(retry_after_s).unwrap() * 1_000);
        try_sign_in(&world.app, "worker", PASSWORD, "198.51.100.7")
            .await
            .unwrap();
    });
}

#[test]
fn a_flood_of_wrong_names_does_not_shut_out_who_works_behind_the_same_address() {
    let set = |settings: &mut crate::settings::Settings| settings.sign_in.attempts_per_minute = 3;
    each_world_with(set, |world| async move {
        for login in ["worker", "principal", "west-worker", "east-admin", "worker"] {
            try_sign_in(&world.app, login, PASSWORD, "198.51.100.7")
                .await
                .unwrap();
        }
        for number in 0..10 {
            let login = format!("nobody-{number}");
            let answer = try_sign_in(&world.app, &login, PASSWORD, "198.51.100.7").await;
            assert!(answer.is_err());
        }
        let flooded = try_sign_in(&world.app, "nobody", PASSWORD, "198.51.100.7").await;
        assert!(matches!(flooded, Err(Failure::RateLimited { .. })));
        for login in ["worker", "east-admin"] {
            try_sign_in(&world.app, login, PASSWORD, "198.51.100.7")
                .await
                .unwrap();
        }
    });
}

#[test]
fn a_lost_answer_locks_nobody_out() {
    each_world(|world| async move {
        let app = &world.app;
        let first = world.sign_in("worker").await;
        let _lost = refresh(app, &first).await.unwrap();
        let _lost_too = refresh(app, &first).await.unwrap();
        world.pass(86_400_000);
        let arrived = refresh(app, &first).await.unwrap();
        assert_eq!(arrived.session_id, first.session_id);
        let next = refresh(app, &arrived).await.unwrap();
        authenticate(app, &next.tokens.access_token).await.unwrap();
    });
}

#[test]
fn a_token_in_two_hands_ends_the_whole_session() {
    each_world(|world| async move {
        let app = &world.app;
        let first = world.sign_in("worker").await;
        let untouched = world.sign_in("worker").await;
        let second = refresh(app, &first).await.unwrap();
        let third = refresh(app, &second).await.unwrap();
        assert_eq!(
            refused(refresh(app, &first).await),
            Unauthenticated::SessionEnded
        );
        assert_eq!(
            refused(refresh(app, &third).await),
            Unauthenticated::SessionEnded
        );
        let access = authenticate(app, &third.tokens.access_token).await;
        assert_eq!(refused(access), Unauthenticated::SessionEnded);
        refresh(app, &untouched).await.unwrap();
    });
}

#[test]
fn a_sibling_of_the_token_in_use_is_void_and_later_an_alarm() {
    each_world(|world| async move {
        let app = &world.app;
        let first = world.sign_in("worker").await;
        let lost = refresh(app, &first).await.unwrap();
        let used = refresh(app, &first).await.unwrap();
        let next = refresh(app, &used).await.unwrap();
        assert_eq!(refused(refresh(app, &lost).await), Unauthenticated::Invalid);
        let next = refresh(app, &next).await.unwrap();
        world.pass(61_000);
        assert_eq!(
            refused(refresh(app, &lost).await),
            Unauthenticated::SessionEnded
        );
        assert_eq!(
            refused(refresh(app, &next).await),
            Unauthenticated::SessionEnded
        );
    });
}

#[test]
fn eight_refreshes_at_once_lock_nobody_out_and_leave_one_family() {
    each_world(|world| async move {
        let first = world.sign_in("worker").await;
        let at_once = |tokens: Vec<SignedIn>| {
            let asked = tokens.into_iter().map(|token| {
                let app = world.app.clone();
                tokio::spawn(async move { refresh(&app, &token).await })
            });
            let asked: Vec<_> = asked.collect();
            async move {
                let mut answers = Vec::new();
                for answer in asked {
                    answers.push(answer.await.unwrap());
                }
                answers
            }
        };
        let successors = at_once(vec![first; 8]).await;
        let successors: Vec<SignedIn> = successors.into_iter().map(Result::unwrap).collect();
        let distinct: BTreeSet<_> = successors
            .iter()
            .map(|answer| answer.tokens.refresh_token.clone())
            .collect();
        assert_eq!(distinct.len(), 8);
        let answers = at_once(successors).await;
        let (live, void): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(live.len(), 1, "one family goes on: {void:?}");
        for answer in void {
            assert_eq!(refused(answer), Unauthenticated::Invalid);
        }
        let live = live.into_iter().next().unwrap().unwrap();
        refresh(&world.app, &live).await.unwrap();
    });
}

#[test]
fn tokens_that_were_never_given_out_or_have_expired_are_refused() {
    each_world(|world| async move {
        let app = &world.app;
        let token = world.sign_in("worker").await;
        for wrong in [
            "",
            "hlr_",
            "hlr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "xyz",
        ] {
            assert_eq!(
                refused(session::refresh(app, wrong).await),
                Unauthenticated::Invalid
            );
        }
        world.pass(app.settings.sign_in.refresh_token_s * 1_000);
        assert_eq!(
            refused(refresh(app, &token).await),
            Unauthenticated::Expired
        );
    });
}

#[test]
fn signing_out_ends_both_kinds_of_token_here_and_soon_elsewhere() {
    each_world(|world| async move {
        let (app, other) = (&world.app, world.another_server().await);
        let token = world.sign_in("worker").await;
        let bearer = authenticate(app, &token.tokens.access_token).await.unwrap();
        session::current(app, bearer).await.unwrap();
        session::sign_out(app, bearer).await.unwrap();
        session::sign_out(app, bearer).await.unwrap();
        let access = &token.tokens.access_token;
        assert_eq!(
            refused(authenticate(app, access).await),
            Unauthenticated::SessionEnded
        );
        assert_eq!(
            refused(refresh(app, &token).await),
            Unauthenticated::SessionEnded
        );
        assert_eq!(
            refused(session::current(app, bearer).await),
            Unauthenticated::SessionEnded
        );
        authenticate(&other, access).await.unwrap();
        let now = other.clock.now();
        other
            .sign_in
            .catch_up(&other.db, &other.settings, now)
            .await
            .unwrap();
        assert_eq!(
            refused(authenticate(&other, access).await),
            Unauthenticated::SessionEnded
        );
    });
}

#[test]
fn used_tokens_do_not_pile_up() {
    each_world(|world| async move {
        let app = &world.app;
        let mut token = world.sign_in("worker").await;
        for _ in 0..40 {
            world.pass(6 * 3_600_000);
            token = refresh(app, &token).await.unwrap();
            let _lost = refresh(app, &token).await.unwrap();
        }
        let life = app.settings.sign_in.refresh_token_s * 1_000;
        let later = app.clock.now().plus_millis(life + 1);
        let rows = app.db.write_blocking(move |tx| {
            crate::store::sessions::sweep(tx, later, 1_000).map_err(Failure::from)
        });
        let rows = rows.unwrap();
        assert!(
            (1..=20).contains(&rows),
            "{rows} rows for 80 refreshes in ten days"
        );
    });
}

#[test]
fn a_person_who_asks_too_often_is_told_how_long_to_wait() {
    let set = |settings: &mut crate::settings::Settings| {
        settings.http.requests_per_second = 1;
        settings.http.request_burst = 3;
    };
    each_world_with(set, |world| async move {
        let token = world.sign_in("worker").await.tokens.access_token;
        for _ in 0..3 {
            authenticate(&world.app, &token).await.unwrap();
        }
        let fourth = authenticate(&world.app, &token).await;
        assert_eq!(fourth, Err(Failure::RateLimited { retry_after_s: 1 }));
        let other = world.sign_in("principal").await.tokens.access_token;
        authenticate(&world.app, &other).await.unwrap();
        world.pass(1_000);
        let again: Bearer = authenticate(&world.app, &token).await.unwrap();
        assert_eq!(again.person_id, id_of("worker"));
    });
}

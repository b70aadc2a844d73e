//! Whoever asks for much at once waits for their own turn, and nobody else does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use hazardloop_sync_protocol::wire::MEDIA_TYPE_JSON;
use uuid::Uuid;

use super::test_client::*;
use crate::settings::Settings;
use crate::test_support::{NOW, TestDevice, TestServer, on_each_database_with, person};
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;

/// That of whoever asks in these tests.
const SESSION: Uuid = Uuid::from_u128(1);

fn few(settings: &mut Settings) {
    settings.http.requests_at_once = 2;
    settings.http.requests_waiting = 1;
    settings.sync.syncs_at_once = 1;
}

/// The list of hazards, asked for by somebody in a session of theirs.
fn list<'a>(server: &'a TestServer, login: &str, session_id: Uuid) -> Ask<'a> {
    let bearer = Bearer {
        person_id: person(login),
        session_id,
        install_id: None,
    };
    let (token, _) = session::access(&server.app, bearer, NOW).unwrap();
    let ask = anonymous(server, "GET", "/hazards");
    ask.with("Authorization", &format!("Bearer {token}"))
}

fn is_waiting<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(future.as_mut().poll(&mut context), Poll::Pending)
}

#[test]
fn a_persons_requests_beyond_their_turns_wait_and_their_neighbours_do_not() {
    on_each_database_with(few, async |server: TestServer| {
        let (turns, employee) = (&server.app.turns, person("employee"));
        let first = turns.request(SESSION, employee).await.unwrap();
        let _second = turns.request(SESSION, employee).await.unwrap();
        let mut third = Box::pin(ask(&server, "employee", "GET", "/hazards").answer());
        // As long as a neighbour takes, and longer: it has no turn.
        for _ in 0..20 {
            assert!(is_waiting(&mut third));
            let neighbour = list(&server, "safety", Uuid::from_u128(2)).answer();
            neighbour.await.expect(200);
        }
        // One may wait. The next one is told to come again.
        let fourth = ask(&server, "employee", "GET", "/hazards").answer().await;
        assert_eq!(fourth.header("retry-after"), "1");
        assert_eq!(fourth.problem(429), "RATE_LIMITED");
        drop(first);
        third.await.expect(200);
        // A turn ends with its request.
        for _ in 0..5 {
            let again = ask(&server, "employee", "GET", "/hazards").answer().await;
            again.expect(200);
        }
    });
}

#[test]
fn whoever_has_one_session_of_a_person_does_not_shut_that_person_out() {
    on_each_database_with(few, async |server: TestServer| {
        let (turns, employee) = (&server.app.turns, person("employee"));
        let stolen = Uuid::from_u128(7);
        let _first = turns.request(stolen, employee).await.unwrap();
        let _second = turns.request(stolen, employee).await.unwrap();
        let mut third = Box::pin(turns.request(stolen, employee));
        assert!(is_waiting(&mut third));
        assert!(turns.request(stolen, employee).await.is_err());
        for _ in 0..3 {
            let own = list(&server, "employee", SESSION).answer();
            own.await.expect(200);
        }
    });
}

#[test]
fn a_devices_pulls_wait_for_each_other_and_hold_up_nothing_else() {
    let four = |settings: &mut Settings| {
        settings.http.requests_at_once = 4;
        settings.sync.syncs_at_once = 1;
    };
    on_each_database_with(four, async |server: TestServer| {
        let device = TestDevice::enrol(&server.app, "employee", 1).await;
        let bearer = Bearer {
            person_id: person("employee"),
            session_id: SESSION,
            install_id: Some(device.install_id),
        };
        let (token, _) = session::access(&server.app, bearer, NOW).unwrap();
        let body = serde_json::to_vec(&device.pull(None, Vec::new())).unwrap();
        let pull = || {
            anonymous(&server, "POST", "/sync/pull")
                .with("Authorization", &format!("Bearer {token}"))
                .bytes(MEDIA_TYPE_JSON, body.clone())
                .answer()
        };
        let syncing = server.app.turns.sync(device.install_id).await.unwrap();
        let mut waiting = Box::pin(pull());
        for _ in 0..20 {
            assert!(is_waiting(&mut waiting));
            let list = ask(&server, "employee", "GET", "/hazards").answer().await;
            list.expect(200);
        }
        drop(syncing);
        waiting.await.expect(200);
    });
}

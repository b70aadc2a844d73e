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

use hazardloop_sync_protocol::wire::{MEDIA_TYPE_JSON, PROTOCOL_MAX};
use serde_json::json;

use super::test_client::*;
use crate::settings::Settings;
use crate::test_support::{TestServer, on_each_database_with, person};

fn few(settings: &mut Settings) {
    settings.http.requests_at_once = 2;
    settings.http.requests_waiting = 1;
    settings.sync.syncs_at_once = 1;
}

fn is_waiting<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(future.as_mut().poll(&mut context), Poll::Pending)
}

#[test]
fn a_persons_requests_beyond_their_turns_wait_and_their_neighbours_do_not() {
    on_each_database_with(few, async |server: TestServer| {
        let turns = &server.app.turns.requests;
        let employee = person("employee");
        let first = turns.turn(&employee).await.unwrap();
        let _second = turns.turn(&employee).await.unwrap();
        let mut third = Box::pin(ask(&server, "employee", "GET", "/hazards").answer());
        // As long as a neighbour takes, and longer: it has no turn.
        for _ in 0..20 {
            assert!(is_waiting(&mut third));
            let neighbour = ask(&server, "safety", "GET", "/hazards").answer().await;
            neighbour.expect(200);
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
fn a_persons_pulls_wait_for_each_other_and_hold_up_nothing_else() {
    on_each_database_with(few, async |server: TestServer| {
        let employee = person("employee");
        let syncing = server.app.turns.syncs.turn(&employee).await.unwrap();
        let nobodys = json!({
            "protocol": PROTOCOL_MAX,
            "install_id": new_id(1),
            "scopes": [],
        });
        let pull = |login: &'static str| {
            let ask = ask(&server, login, "POST", "/sync/pull");
            let body = nobodys.to_string().into_bytes();
            Box::pin(ask.bytes(MEDIA_TYPE_JSON, body).answer())
        };
        let mut waiting = pull("employee");
        for _ in 0..20 {
            assert!(is_waiting(&mut waiting));
            let list = ask(&server, "employee", "GET", "/hazards").answer().await;
            list.expect(200);
        }
        // This sign-in has no device: told so at once, as the neighbour has a turn.
        pull("safety").await.expect(403);
        drop(syncing);
        waiting.await.expect(403);
    });
}

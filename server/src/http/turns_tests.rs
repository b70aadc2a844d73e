//! Whoever asks for much at once waits for their own turn, and nobody else does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll, Waker};

use actix_web::dev::{Payload, Service as _};
use actix_web::error::PayloadError;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App as ActixApp, FromRequest as _, HttpMessage as _, web};
use futures_util::{Stream, stream};
use hazardloop_sync_protocol::wire::MEDIA_TYPE_JSON;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::auth::Caller;
use super::body::StrictJson;
use super::test_client::*;
use super::turn;
use crate::app::App;
use crate::held::Held;
use crate::settings::Settings;
use crate::store::StoreError;
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

fn bearer(login: &str) -> Bearer {
    Bearer {
        person_id: person(login),
        session_id: SESSION,
        install_id: None,
    }
}

/// The list of hazards, asked for by somebody in a session of theirs.
fn list<'a>(server: &'a TestServer, login: &str, session_id: Uuid) -> Ask<'a> {
    let bearer = Bearer {
        session_id,
        ..bearer(login)
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
            install_id: Some(device.install_id),
            ..bearer("employee")
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

/// A route whose work says that it has begun, and ends when it is told to.
struct Gate {
    begun: Mutex<Option<oneshot::Sender<()>>>,
    end: Mutex<mpsc::Receiver<()>>,
}

async fn work(app: web::Data<App>, gate: web::Data<Gate>, _caller: Caller) -> &'static str {
    let write = app.db.write(move |_| {
        if let Some(begun) = gate.begun.lock().unwrap().take() {
            begun.send(()).unwrap();
        }
        gate.end.lock().unwrap().recv().unwrap();
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
    "done"
}

#[test]
fn whoever_hangs_up_has_their_turn_until_the_work_that_they_began_is_over() {
    let one = |settings: &mut Settings| {
        settings.http.requests_at_once = 1;
        settings.http.requests_waiting = 1;
    };
    on_each_database_with(one, async |server: TestServer| {
        let ((begin, begun), (end, ended)) = (oneshot::channel(), mpsc::channel());
        let gate = Gate {
            begun: Mutex::new(Some(begin)),
            end: Mutex::new(ended),
        };
        let service = init_service(
            ActixApp::new()
                .app_data(web::Data::new(server.app.clone()))
                .app_data(web::Data::new(gate))
                .wrap(from_fn(turn::hold))
                .route("/work", web::post().to(work)),
        );
        let service = service.await;
        let (token, _) = session::access(&server.app, bearer("employee"), NOW).unwrap();
        let request = TestRequest::post().uri("/work");
        let request = request.insert_header(("Authorization", format!("Bearer {token}")));
        {
            let asked = pin!(service.call(request.to_request()));
            tokio::select! {
                _answer = asked => panic!("an answer before the work was done"),
                begun = begun => begun.unwrap(),
            }
            // It is dropped here, as that of a connection that is reset.
        }
        let turns = &server.app.turns;
        let mut next = Box::pin(turns.request(SESSION, person("employee")));
        assert!(is_waiting(&mut next));
        // However often they come again, no more than may wait do.
        for _ in 0..3 {
            let more = turns.request(SESSION, person("employee")).await;
            assert!(more.is_err());
        }
        end.send(()).unwrap();
        let _turn = next.await.unwrap();
    });
}

#[test]
fn a_body_is_read_when_the_turn_has_come() {
    on_each_database_with(few, async |server: TestServer| {
        let turns = &server.app.turns;
        let employee = person("employee");
        let first = turns.request(SESSION, employee).await.unwrap();
        let _second = turns.request(SESSION, employee).await.unwrap();
        let (token, _) = session::access(&server.app, bearer("employee"), NOW).unwrap();
        let request = TestRequest::post()
            .insert_header(("Authorization", format!("Bearer {token}")))
            .insert_header(("Content-Type", "application/json"))
            .app_data(web::Data::new(server.app.clone()))
            .to_http_request();
        request.extensions_mut().insert(Held::default());
        let asked_for = Rc::new(Cell::new(false));
        let asked = asked_for.clone();
        let body = stream::once(async move {
            asked.set(true);
            Ok::<_, PayloadError>(web::Bytes::from_static(b"{}"))
        });
        let mut payload = Payload::from(
            Box::pin(body) as Pin<Box<dyn Stream<Item = Result<web::Bytes, PayloadError>>>>
        );
        // The body first: the order in which a handler names them must not matter.
        type Both = (StrictJson<serde_json::Value>, Caller);
        let mut both = Box::pin(Both::from_request(&request, &mut payload));
        for _ in 0..20 {
            assert!(is_waiting(&mut both));
        }
        assert!(!asked_for.get(), "read while it waits");
        drop(first);
        let (body, _caller) = both.await.ok().unwrap();
        assert_eq!(body.0, serde_json::json!({}));
    });
}

#[test]
fn whoever_waits_for_no_turn_has_their_body_read_at_once() {
    on_each_database_with(few, async |server: TestServer| {
        let refused = anonymous(&server, "POST", "/hazards");
        let refused = refused.json(&serde_json::json!({})).answer().await;
        assert_eq!(refused.problem(401), "UNAUTHENTICATED");
        let signing_in = anonymous(&server, "POST", "/sessions");
        let signing_in = signing_in.json(&serde_json::json!({})).answer().await;
        assert_eq!(signing_in.problem(422), "INVALID_FIELD");
    });
}

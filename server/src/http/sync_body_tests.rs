//! Push and pull over HTTP in every form and coding: the same answers, and refusals that say what to send instead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::Action;
use hazardloop_sync_protocol::codec::{decode_strict, encode};
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::wire::{
    LeanPull, LeanPullResponse, LeanPush, MEDIA_TYPE_CBOR, MEDIA_TYPE_JSON, MEDIA_TYPE_LEAN,
    PullResponse, PushResponse, ScopeUpdate,
};
use uuid::Uuid;

use crate::http::test_client::{Answer, anonymous};
use crate::test_support::{
    TestDevice, TestServer, hazard_id, on_each_database, report, until_safe,
};
use crate::usecases::pull_tests::cursors;
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;

/// One message of this device's, with these headers.
async fn send(
    server: &TestServer,
    device: &TestDevice,
    path: &str,
    media_type: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Answer {
    let bearer = Bearer {
        person_id: device.person_id,
        session_id: Uuid::from_u128(1),
        install_id: Some(device.install_id),
    };
    // What another test's transaction holds up would be in one answer and not in the next.
    until_safe(&server.app).await;
    let (token, _) = session::access(&server.app, bearer, server.app.clock.now()).unwrap();
    let mut ask = anonymous(server, "POST", path).with("Authorization", &format!("Bearer {token}"));
    for (name, value) in headers {
        ask = ask.with(name, value);
    }
    ask.bytes(media_type, body).answer().await
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(answer: &Answer) -> T {
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let coding = answer.header("content-encoding");
    let body = match coding {
        "" => answer.body.clone(),
        name => compress::decode(name, &answer.body, 8 << 20).unwrap(),
    };
    decode_strict(&body, 16).unwrap()
}

fn reports(device: &mut TestDevice, count: u8) -> hazardloop_sync_protocol::wire::PushRequest {
    let commands = (1..=count)
        .map(|number| device.seal(hazard_id(number.into()), Action::Report(report("粉尘"))))
        .collect();
    device.push(commands)
}

#[test]
fn a_push_may_come_lean_and_coded_and_is_answered_as_the_asker_can_read() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let request = reports(&mut device, 9);
        let lean = encode(&LeanPush::of(&request).unwrap());
        for coding in Coding::ALL {
            let coded = compress::encode(coding, &lean).unwrap();
            let headers = [
                ("Content-Encoding", coding.name()),
                ("Accept-Encoding", coding.name()),
            ];
            let answer = send(
                &server,
                &device,
                "/sync/push",
                MEDIA_TYPE_LEAN,
                &headers,
                coded,
            )
            .await;
            assert_eq!(answer.header("content-type"), MEDIA_TYPE_CBOR);
            assert_eq!(answer.header("content-encoding"), coding.name());
            assert_eq!(read::<PushResponse>(&answer).results.len(), 9);
        }
        // In full, plain, and to somebody who reads no coding.
        for headers in [
            &[][..],
            &[("Accept-Encoding", "gzip, *")],
            &[("Content-Encoding", "identity")],
        ] {
            let body = encode(&request);
            let answer = send(
                &server,
                &device,
                "/sync/push",
                MEDIA_TYPE_CBOR,
                headers,
                body,
            )
            .await;
            assert_eq!(answer.header("content-encoding"), "");
            assert_eq!(read::<PushResponse>(&answer).last, 9);
        }
        let json = serde_json::to_vec(&request).unwrap();
        let headers = [
            ("Accept-Encoding", Coding::ACCEPTED),
            ("Accept", MEDIA_TYPE_LEAN),
        ];
        let answer = send(
            &server,
            &device,
            "/sync/push",
            MEDIA_TYPE_JSON,
            &headers,
            json,
        )
        .await;
        assert_eq!(answer.header("content-type"), MEDIA_TYPE_JSON);
    });
}

#[test]
fn what_cannot_be_unpacked_is_refused_by_name() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let body = encode(&reports(&mut device, 9));
        let coded = compress::encode(Coding::Zstd, &body).unwrap();
        let cut = coded[..coded.len() - 9].to_vec();
        let mut huge = coded.clone();
        // Its size in 4 bytes, one segment, no dictionary; then a size of 2 GiB.
        huge.splice(4.., [0xa0, 0, 0, 0, 0x80, 1, 0, 0]);
        for (name, body, status, code) in [
            ("hl-zh3", coded.clone(), 415, "CONTENT_CODING_UNKNOWN"),
            ("hl-zh2", coded.clone(), 400, "MALFORMED"),
            ("gzip", coded.clone(), 415, "CONTENT_CODING_UNKNOWN"),
            ("hl-zh1", coded.clone(), 400, "MALFORMED"),
            ("zstd", cut, 400, "MALFORMED"),
            ("zstd", body, 400, "MALFORMED"),
            ("zstd", huge, 413, "PAYLOAD_TOO_LARGE"),
        ] {
            let headers = [("Content-Encoding", name)];
            let answer = send(
                &server,
                &device,
                "/sync/push",
                MEDIA_TYPE_CBOR,
                &headers,
                body,
            )
            .await;
            assert_eq!(answer.problem(status), code, "{name}");
        }
        // Nothing was recorded of any of them.
        let empty = encode(&device.push(Vec::new()));
        let answer = send(&server, &device, "/sync/push", MEDIA_TYPE_CBOR, &[], empty).await;
        assert_eq!(read::<PushResponse>(&answer).last, 0);
    });
}

#[test]
fn a_run_that_is_not_signed_is_asked_for_in_full() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let mut lean = LeanPush::of(&reports(&mut device, 2)).unwrap();
        lean.commands.reverse();
        let body = encode(&lean);
        let answer = send(&server, &device, "/sync/push", MEDIA_TYPE_LEAN, &[], body).await;
        assert_eq!(answer.problem(409), "SAY_IN_FULL");
    });
}

#[test]
fn a_pull_brings_its_records_in_columns_to_whoever_accepts_that() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let body = encode(&reports(&mut device, 12));
        send(&server, &device, "/sync/push", MEDIA_TYPE_CBOR, &[], body).await;
        let request = encode(&device.pull(None, Vec::new()));
        let plain = send(
            &server,
            &device,
            "/sync/pull",
            MEDIA_TYPE_CBOR,
            &[],
            request.clone(),
        )
        .await;
        assert_eq!(plain.header("content-type"), MEDIA_TYPE_CBOR);
        let full: PullResponse = read(&plain);
        let accepted = format!("{MEDIA_TYPE_LEAN}, {MEDIA_TYPE_CBOR}");
        let headers = [
            ("Accept", accepted.as_str()),
            ("Accept-Encoding", Coding::ACCEPTED),
        ];
        let answer = send(
            &server,
            &device,
            "/sync/pull",
            MEDIA_TYPE_CBOR,
            &headers,
            request,
        )
        .await;
        assert_eq!(answer.header("content-type"), MEDIA_TYPE_LEAN);
        assert!(
            answer.body.len() < plain.body.len() / 2,
            "{}",
            answer.body.len()
        );
        let lean: LeanPullResponse = read(&answer);
        let again = lean.in_full(8 << 20).unwrap();
        let records = |response: &PullResponse| {
            let pages = response.answers.iter().map(|answer| match &answer.update {
                ScopeUpdate::Page(page) => page.records.clone(),
                ScopeUpdate::Drop { .. } => panic!("dropped"),
            });
            pages.collect::<Vec<_>>()
        };
        assert_eq!(records(&again), records(&full));
    });
}

#[test]
fn whether_anything_is_new_is_asked_and_answered_in_100_bytes() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let request = encode(&device.pull(None, Vec::new()));
        let answer = send(
            &server,
            &device,
            "/sync/pull",
            MEDIA_TYPE_CBOR,
            &[],
            request,
        )
        .await;
        let first: PullResponse = read(&answer);
        let held = device.pull(Some(first.epoch.clone()), cursors(&first));
        let Some(question) = LeanPull::of(&held) else {
            // A transaction of another test was in flight: not every scope is complete.
            return;
        };
        let question = encode(&question);
        assert!(question.len() <= 100, "{}", question.len());
        let headers = [("Accept-Encoding", Coding::ACCEPTED)];
        for _ in 0..10_000 {
            let body = question.clone();
            let answer = send(
                &server,
                &device,
                "/sync/pull",
                MEDIA_TYPE_LEAN,
                &headers,
                body,
            )
            .await;
            if answer.status == 409 {
                continue;
            }
            assert!(answer.body.len() <= 100, "{}", answer.body.len());
            assert_eq!(answer.header("content-type"), MEDIA_TYPE_CBOR);
            assert!(read::<PullResponse>(&answer).answers.is_empty());
            break;
        }
        let body = encode(&reports(&mut device, 1));
        send(&server, &device, "/sync/push", MEDIA_TYPE_CBOR, &[], body).await;
        let answer = send(
            &server,
            &device,
            "/sync/pull",
            MEDIA_TYPE_LEAN,
            &[],
            question,
        )
        .await;
        assert_eq!(answer.problem(409), "SAY_IN_FULL");
    });
}

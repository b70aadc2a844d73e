//! Clients that send slowly, stop halfway, or talk no HTTP: they wait for nobody, and nobody waits for them.

use std::io::ErrorKind;

use hazardloop_tests::raw::{Connection, RawAnswer};
use hazardloop_tests::server::ServerOptions;

use super::{Site, plain, refuses_all};

fn impatient() -> ServerOptions {
    plain()
        .with("HAZARDLOOP_HTTP__HEAD_TIMEOUT_S", 1)
        .with("HAZARDLOOP_HTTP__BODY_TIMEOUT_S", 1)
}

/// Sends `bytes`, then nothing more; the server answers, or hangs up, before our own patience ends.
fn stalls(site: &Site, bytes: &[u8]) -> Option<RawAnswer> {
    let mut connection = Connection::open(site.server.address()).unwrap();
    connection.send(bytes).unwrap();
    match connection.answer() {
        Ok(answer) => Some(answer),
        Err(error) => {
            let hung_up = [
                ErrorKind::UnexpectedEof,
                ErrorKind::ConnectionReset,
                ErrorKind::BrokenPipe,
            ];
            assert!(
                hung_up.contains(&error.kind()),
                "the server waited longer than we do: {error}"
            );
            None
        }
    }
}

fn request(site: &Site, target: &str, fields: &str, body: &str) -> Vec<u8> {
    let token = site.employee.token();
    format!("{target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{fields}\r\n{body}").into_bytes()
}

#[test]
fn bodies_that_stop_halfway() {
    refuses_all(impatient, |site| {
        let json = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
        let cbor = "Content-Type: application/vnd.hazardloop.sync+cbor\r\nContent-Length: 1000\r\n";
        let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
        let part = "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 1000\r\n";
        let begun = site.employee.ask(
            "POST",
            "/api/v1/photos",
            &[("tus-resumable", "1.0.0"), ("upload-length", "1000")],
            None,
        );
        let patch = format!("PATCH {}", begun.field("location").unwrap());
        let cases = [
            ("a report", "POST /api/v1/hazards", json, "{\"id\":"),
            ("a sign-in", "POST /api/v1/sessions", json, "{\"login\":"),
            (
                "a chunked report",
                "POST /api/v1/hazards",
                chunked,
                "5\r\n{\"id\"",
            ),
            ("a part of a photo", patch.as_str(), part, "\u{7f}\u{7f}"),
        ];
        for (case, target, fields, body) in cases {
            let answer = stalls(site, &request(site, target, fields, body))
                .unwrap_or_else(|| panic!("{case}: no answer"));
            assert_eq!(answer.status, 408, "{case}: {}", answer.head);
            assert!(
                answer
                    .head
                    .to_ascii_lowercase()
                    .contains("application/problem+json"),
                "{case}: {}",
                answer.head
            );
        }
        // A token of no device is refused before the body is waited for, or the body is: both in time.
        let answer = stalls(
            site,
            &request(site, "POST /api/v1/sync/push", cbor, "\u{1}"),
        );
        assert!(answer.is_some_and(|answer| [403, 408].contains(&answer.status)));
    });
}

#[test]
fn heads_that_stop_halfway_and_heads_that_are_none() {
    refuses_all(impatient, |site| {
        let huge = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n",
            "a".repeat(1_000_000)
        );
        let many = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            "X-More: a\r\n".repeat(20_000)
        );
        let cases: [(&str, &[u8]); 10] = [
            ("nothing at all", b""),
            ("half a line", b"GET /api/v1/haz"),
            ("half a head", b"GET /api/v1/hazards HTTP/1.1\r\nHost: local"),
            ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            ("HTTP of the future", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"),
            ("a length below nothing", b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"),
            ("two lengths", b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
            ("length and chunks", b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("a huge field", huge.as_bytes()),
            ("many fields", many.as_bytes()),
        ];
        for (case, bytes) in cases {
            let mut connection = Connection::open(site.server.address()).unwrap();
            // The server may hang up while we are still sending.
            let _hung_up = connection.send(bytes);
            match connection.answer() {
                Ok(answer) => assert!(
                    (400..500).contains(&answer.status) || answer.status == 505,
                    "{case}: {}",
                    answer.head
                ),
                Err(error) => assert!(
                    !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                    "{case}: the server waited longer than we do"
                ),
            }
        }
    });
}

#[test]
fn a_hundred_stalled_clients_stand_in_nobodys_way() {
    refuses_all(impatient, |site| {
        let stalled: Vec<Connection> = (0..100)
            .map(|_| {
                let mut connection = Connection::open(site.server.address()).unwrap();
                connection.send(b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n").unwrap();
                connection
            })
            .collect();
        assert_eq!(site.employee.get("/api/v1/hazards").status, 200);
        drop(stalled);
    });
}

//! More clients at once than the settings allow: they wait, nobody is refused, and those within are served meanwhile.

use std::io::ErrorKind;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::raw::Connection;
use hazardloop_tests::server::{DEMO_PASSWORD, Server, ServerOptions};
use serde_json::json;

/// Connections that the server takes at once.
const CONNECTIONS: usize = 8;

/// Who signs in, all at once and each several times: far more than hashes at once, fewer than may wait. One account
/// alone would be slowed down for its own sake.
const PEOPLE: [&str; 8] = [
    "employee",
    "safety",
    "principal",
    "grid",
    "inspector1",
    "reviewer",
    "supervisor",
    "admin",
];
const TIMES: usize = 3;

/// Memory of one password hash, KiB.
const HASH_KIB: u64 = 64 * 1024;

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn connections_beyond_the_limit_wait_until_one_is_free_and_the_others_go_on() {
    let database = TestDatabase::sqlite();
    let options = ServerOptions::default()
        .with("HAZARDLOOP_HTTP__CONNECTIONS", CONNECTIONS)
        .with("HAZARDLOOP_HTTP__WORKERS", 1)
        // Whoever says nothing is not sent away while this test looks.
        .with("HAZARDLOOP_HTTP__HEAD_TIMEOUT_S", 600);
    let server = Server::start(database.url(), options);
    // All places but one are held by those who say nothing, after one answer: they are in.
    let mut silent: Vec<Connection> = (1..CONNECTIONS)
        .map(|_| {
            let mut connection = Connection::open(server.address()).unwrap();
            assert_eq!(
                connection.ask("GET", "/healthz", "", b"").unwrap().status,
                200
            );
            connection.send(b"GET /healthz HTTP/1.1\r\n").unwrap();
            connection
        })
        .collect();
    let mut within = Connection::open(server.address()).unwrap();
    assert_eq!(within.ask("GET", "/readyz", "", b"").unwrap().status, 200);

    // The network takes their connection and their request; nobody answers yet.
    let mut beyond = TcpStream::connect(server.address()).unwrap();
    beyond.write_all(ASK).unwrap();
    beyond.set_nonblocking(true).unwrap();
    for _ in 0..200 {
        assert_eq!(within.ask("GET", "/readyz", "", b"").unwrap().status, 200);
        let heard = beyond.peek(&mut [0; 1]);
        assert_eq!(heard.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    // One leaves, and the one who waited is served.
    drop(silent.pop());
    beyond.set_nonblocking(false).unwrap();
    let mut head = [0; 12];
    beyond.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
}

#[test]
fn a_crowd_that_signs_in_at_once_is_answered_within_the_memory_of_a_few_hashes() {
    let database = TestDatabase::sqlite();
    let options = ServerOptions::default()
        .with("HAZARDLOOP_SIGN_IN__ARGON2_MEMORY_KIB", HASH_KIB)
        .with("HAZARDLOOP_SIGN_IN__ARGON2_PASSES", 1)
        .with("HAZARDLOOP_SIGN_IN__ARGON2_AT_ONCE", 2);
    let server = Server::start(database.url(), options);
    let before = server.peak_memory();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let sign_in = |login: &str| {
            let body = json!({ "login": login, "password": DEMO_PASSWORD }).to_string();
            let mut connection = Connection::open(server.address()).unwrap();
            let fields = "Content-Type: application/json\r\n";
            let asked = connection.ask("POST", "/api/v1/sessions", fields, body.as_bytes());
            asked.unwrap().status
        };
        let logins = PEOPLE.iter().cycle().take(PEOPLE.len() * TIMES);
        let threads: Vec<_> = logins
            .map(|login| scope.spawn(move || sign_in(login)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    assert_eq!(statuses, [201; PEOPLE.len() * TIMES]);
    // Two hashes, and what the allocator keeps of some that are over; not two dozen.
    let grown = server.peak_memory().saturating_sub(before);
    assert!(grown < 8 * HASH_KIB * 1024, "{grown} bytes more");
}

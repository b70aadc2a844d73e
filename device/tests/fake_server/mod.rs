//! A server on the loopback for one test: sessions, devices, push, pull, tus; and mishaps.

mod offer;

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use hazardloop_domain::access::{Grant, GrantScope, PersonRecord, Role};
use hazardloop_domain::ids::{EnterpriseId, GrantId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::*;
use serde_json::json;
use uuid::Uuid;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It is answered.
    None,
    /// The connection is closed without an answer.
    Refuse,
    /// 200 with a sign-in page.
    Portal,
    /// 302 to a sign-in page.
    PortalRedirect,
    /// 502 with a proxy's page.
    BadGateway,
    /// Done, but the answer breaks off.
    Truncated,
    /// The right bytes under a wrong media type.
    WrongType,
    /// The right media type over wrong bytes.
    Garbage,
    /// 401 from our server.
    ExpiredToken,
    /// 413 of a proxy.
    TooLarge,
    /// Says through the first channel that it came, and is answered when told by the second.
    Hang,
}

impl Inner {
    fn last_of(&self, install: Uuid) -> i64 {
        let seqs = self.accepted.range((install, 0)..=(install, i64::MAX));
        seqs.last().map_or(0, |((_, seq), _)| *seq)
    }
}

#[derive(Default)]
struct Inner {
    mishaps: VecDeque<Mishap>,
    enrolled: bool,
    accepted: std::collections::BTreeMap<(Uuid, i64), Envelope>,
    batches: Vec<usize>,
    refreshes: usize,
    uploaded: Vec<u8>,
    received: usize,
    hanging: Option<(Sender<()>, Receiver<()>)>,
    /// A command with a longer payload is answered with our own 413.
    payload_limit: Option<usize>,
    /// PIN keys that were registered, and the paths of those that were revoked.
    keys: Vec<serde_json::Value>,
    keys_revoked: Vec<String>,
    /// What a GET of a path is answered with: a status and a body.
    pages: std::collections::BTreeMap<String, (&'static str, serde_json::Value)>,
    /// Paths that were read.
    read: Vec<String>,
    revoked: offer::Revoked,
}

/// The server; it ends with its test.
pub struct FakeServer {
    address: String,
    inner: Arc<Mutex<Inner>>,
}

struct Reply {
    status: &'static str,
    media_type: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl FakeServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One request a connection; a device that gives up closes it.
                drop(serve(stream, &shared));
            }
        });
        Self { address, inner }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }
    pub fn mishap(&self, mishap: Mishap) {
        self.inner.lock().unwrap().mishaps.push_back(mishap);
    }
    /// The next request hangs; gives what tells that it has come, and what lets it go on.
    pub fn hang(&self) -> (Receiver<()>, Sender<()>) {
        let (came, has_come) = channel();
        let (go, may_go) = channel();
        self.mishap(Mishap::Hang);
        self.inner.lock().unwrap().hanging = Some((came, may_go));
        (has_come, go)
    }
    pub fn limit_payloads(&self, most: usize) {
        self.inner.lock().unwrap().payload_limit = Some(most);
    }
    pub fn accepted(&self) -> Vec<Envelope> {
        self.inner
            .lock()
            .unwrap()
            .accepted
            .values()
            .cloned()
            .collect()
    }
    pub fn batches(&self) -> Vec<usize> {
        self.inner.lock().unwrap().batches.clone()
    }
    pub fn keys(&self) -> Vec<serde_json::Value> {
        self.inner.lock().unwrap().keys.clone()
    }
    pub fn keys_revoked(&self) -> Vec<String> {
        self.inner.lock().unwrap().keys_revoked.clone()
    }
    /// A GET of this path (with its query) is answered with this from now on.
    pub fn page(&self, path: &str, body: serde_json::Value) {
        let mut inner = self.inner.lock().unwrap();
        inner.pages.insert(path.to_owned(), ("200 OK", body));
    }
    /// A GET of this path is refused with this status and code.
    pub fn refuse(&self, path: &str, status: &'static str, code: &str) {
        let body = json!({ "type": "about:blank", "title": "x", "code": code });
        let mut inner = self.inner.lock().unwrap();
        inner.pages.insert(path.to_owned(), (status, body));
    }
    /// The paths that were read by GET, in order.
    pub fn read(&self) -> Vec<String> {
        self.inner.lock().unwrap().read.clone()
    }
    pub fn refreshes(&self) -> usize {
        self.inner.lock().unwrap().refreshes
    }
    pub fn uploaded(&self) -> Vec<u8> {
        self.inner.lock().unwrap().uploaded.clone()
    }
    pub fn bytes_received(&self) -> usize {
        self.inner.lock().unwrap().received
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Inner>) -> std::io::Result<()> {
    let (head, body) = read_request(&mut stream)?;
    if let Some(reply) = unread(&head) {
        return send(stream, Mishap::None, reply, &head);
    }
    let mut inner = shared.lock().unwrap();
    let mishap = inner.mishaps.pop_front().unwrap_or(Mishap::None);
    let hanging = (mishap == Mishap::Hang)
        .then(|| inner.hanging.take())
        .flatten();
    if let Some((came, may_go)) = hanging {
        drop(inner);
        came.send(()).ok();
        may_go.recv().ok();
        return finish(stream, shared, mishap, &head, &body);
    }
    drop(inner);
    finish(stream, shared, mishap, &head, &body)
}

fn finish(
    stream: TcpStream,
    shared: &Mutex<Inner>,
    mishap: Mishap,
    head: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let mut inner = shared.lock().unwrap();
    if mishap == Mishap::Refuse {
        return Ok(());
    }
    let early = match mishap {
        Mishap::Portal => Some(page("200 OK", "")),
        Mishap::PortalRedirect => Some(page("302 Found", "location: http://127.0.0.1:9/login\r\n")),
        Mishap::BadGateway => Some(page("502 Bad Gateway", "")),
        Mishap::ExpiredToken => Some(problem("401 Unauthorized", "UNAUTHENTICATED")),
        Mishap::TooLarge => {
            if let Ok(push) = codec::decode_strict::<PushRequest>(body, 16) {
                inner.batches.push(push.commands.len());
            }
            Some(page("413 Payload Too Large", ""))
        }
        _ => None,
    };
    let mut reply = match early {
        Some(reply) => reply,
        None => answer(&mut inner, head, body),
    };
    match mishap {
        Mishap::WrongType => reply.media_type = "text/html",
        Mishap::Garbage => reply.body = vec![0xff; 40],
        _ => {}
    }
    send(stream, mishap, reply, head)
}

/// As an older server, it asks for what comes in the lean form or coded once more; no mishap is spent on that.
fn unread(head: &str) -> Option<Reply> {
    let coded = header(head, "content-encoding").map(|_| CODING_UNKNOWN);
    let newer = [MEDIA_TYPE_LEAN, MEDIA_TYPE_PACKED];
    let lean = header(head, "content-type").filter(|stated| newer.contains(&stated.as_str()));
    let code = coded.or(lean.map(|_| "UNSUPPORTED_MEDIA_TYPE"))?;
    Some(problem("415 Unsupported Media Type", code))
}

fn send(mut stream: TcpStream, mishap: Mishap, reply: Reply, head: &str) -> std::io::Result<()> {
    let head_only = head.starts_with("HEAD ");
    let length = if head_only {
        String::new()
    } else {
        format!("content-length: {}\r\n", reply.body.len())
    };
    let mut text = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\ncontent-type: {}\r\n{length}{}\r\n",
        reply.status, reply.media_type, reply.headers
    )
    .into_bytes();
    if reply.status.starts_with("204") {
        text = format!(
            "HTTP/1.1 {}\r\nconnection: close\r\n{}\r\n",
            reply.status, reply.headers
        )
        .into_bytes();
    } else if !head_only {
        text.extend(&reply.body);
    }
    if mishap == Mishap::Truncated {
        // Within the head when there is hardly a body.
        let cut = if reply.body.len() > 8 {
            5
        } else {
            text.len() - 12
        };
        text.truncate(text.len() - cut);
    }
    stream.write_all(&text)
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 65536];
    let end = loop {
        let read = stream.read(&mut part)?;
        bytes.extend(&part[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_string();
    let length: usize = header(&head, "content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let read = stream.read(&mut part)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        body.extend(&part[..read]);
    }
    Ok((head, body))
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim().to_owned())
}

fn page(status: &'static str, headers: &str) -> Reply {
    let body = b"<html>please sign in</html>".to_vec();
    Reply {
        status,
        media_type: "text/html",
        headers: headers.to_owned(),
        body,
    }
}

fn problem(status: &'static str, code: &str) -> Reply {
    let body =
        json!({ "type": "about:blank", "title": "x", "status": 401, "code": code }).to_string();
    let media_type = "application/problem+json";
    Reply {
        status,
        media_type,
        headers: String::new(),
        body: body.into_bytes(),
    }
}

fn reply(status: &'static str, media_type: &'static str, body: Vec<u8>) -> Reply {
    Reply {
        status,
        media_type,
        headers: String::new(),
        body,
    }
}

fn person(login: &str) -> PersonRecord {
    let grant = Grant {
        id: GrantId(Uuid::from_u128(5)),
        role: Role::Principal,
        scope: GrantScope::Enterprise(EnterpriseId(Uuid::from_u128(4))),
        valid_from: Timestamp::from_millis(946_684_800_000),
        valid_until: None,
        sectors: Vec::new(),
        certificate: None,
        temporary_reason: None,
    };
    let id = PersonId(Uuid::from_u128(if login == "li" { 2 } else { 3 }));
    PersonRecord {
        id,
        login: login.into(),
        name: login.into(),
        grants: vec![grant],
        version: 1,
    }
}

fn session(login: &str, tokens: usize) -> serde_json::Value {
    json!({
        "person": person(login),
        "access_token": format!("access-{login}-{tokens}"),
        "access_expires_at": "2026-11-22T00:10:00.000Z",
        "refresh_token": format!("refresh-{login}-{tokens}"),
        "refresh_expires_at": "2026-12-22T00:00:00.000Z",
    })
}

fn answer(inner: &mut Inner, head: &str, body: &[u8]) -> Reply {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let json_of = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    if let Some(reply) = offer::answer(inner, path, body) {
        return reply;
    }
    let as_json = |status, value: serde_json::Value| {
        reply(status, "application/json", value.to_string().into())
    };
    match (method, path) {
        ("POST", "/api/v1/sessions") => as_json(
            "201 Created",
            session(json_of(body)["login"].as_str().unwrap(), 0),
        ),
        ("POST", "/api/v1/devices") => {
            inner.enrolled = true;
            let bearer = header(head, "authorization").unwrap();
            let login = if bearer.contains("-li-") {
                "li"
            } else {
                "wang"
            };
            as_json(
                "201 Created",
                json!({ "device": {}, "session": session(login, 1) }),
            )
        }
        ("POST", "/api/v1/people/me/keys") => {
            let key = json_of(body);
            inner.keys.push(key.clone());
            as_json("201 Created", key)
        }
        ("GET", path) if inner.pages.contains_key(path) => {
            inner.read.push(path.to_owned());
            let (status, body) = inner.pages[path].clone();
            let media_type = match status {
                "200 OK" => "application/json",
                _ => "application/problem+json",
            };
            reply(status, media_type, body.to_string().into())
        }
        ("DELETE", "/api/v1/sessions/current") => reply("204 No Content", "", Vec::new()),
        ("DELETE", path) if path.starts_with("/api/v1/people/") => {
            inner.keys_revoked.push(path.to_owned());
            reply("204 No Content", "", Vec::new())
        }
        ("POST", "/api/v1/sessions/refresh") => {
            inner.refreshes += 1;
            as_json("200 OK", session("li", 1 + inner.refreshes))
        }
        ("POST", "/api/v1/sync/push") if exceeds(inner, body) => {
            problem("413 Payload Too Large", "PAYLOAD_TOO_LARGE")
        }
        ("POST", "/api/v1/sync/push") => reply("200 OK", MEDIA_TYPE_CBOR, push(inner, body)),
        ("POST", "/api/v1/sync/pull") => reply("200 OK", MEDIA_TYPE_CBOR, pull(inner, body)),
        ("POST", "/api/v1/photos") => tus("201 Created", "location: /api/v1/photos/1\r\n"),
        ("HEAD", "/api/v1/photos/1") => tus(
            "200 OK",
            &format!("upload-offset: {}\r\n", inner.uploaded.len()),
        ),
        ("PATCH", "/api/v1/photos/1") => {
            inner.received += body.len();
            let offset: usize = header(head, "upload-offset").unwrap().parse().unwrap();
            if offset != inner.uploaded.len() {
                return tus("409 Conflict", "");
            }
            inner.uploaded.extend(body);
            tus(
                "204 No Content",
                &format!("upload-offset: {}\r\n", inner.uploaded.len()),
            )
        }
        _ => problem("404 Not Found", "NOT_FOUND"),
    }
}

fn tus(status: &'static str, headers: &str) -> Reply {
    let headers = format!("tus-resumable: 1.0.0\r\n{headers}");
    Reply {
        status,
        media_type: "text/plain",
        headers,
        body: Vec::new(),
    }
}

fn exceeds(inner: &mut Inner, body: &[u8]) -> bool {
    let push: PushRequest = codec::decode_strict(body, 16).unwrap();
    let Some(most) = inner.payload_limit else {
        return false;
    };
    let exceeds = push.commands.iter().any(|c| c.payload.0.len() > most);
    if exceeds {
        inner.batches.push(push.commands.len());
    }
    exceeds
}

fn push(inner: &mut Inner, body: &[u8]) -> Vec<u8> {
    let push: PushRequest = codec::decode_strict(body, 16).unwrap();
    inner.batches.push(push.commands.len());
    let mut results = Vec::new();
    for envelope in push.commands {
        let known = inner.accepted.get(&(push.install_id.0, envelope.seq));
        if known.is_some_and(|known| *known != envelope) {
            results.push(PushResult::IdReused { seq: envelope.seq });
            continue;
        }
        results.push(PushResult::Receipt(Receipt {
            seq: envelope.seq,
            received_at: Timestamp::from_millis(1_795_305_600_000),
            outcome: Outcome::Applied { version: 1 },
        }));
        let place = (push.install_id.0, envelope.seq);
        inner.accepted.insert(place, envelope);
    }
    codec::encode(&PushResponse {
        protocol: 1,
        epoch: "e".into(),
        server_time: Timestamp::from_millis(1_795_305_600_000),
        last: inner.last_of(push.install_id.0),
        results,
        expected: None,
        missing_photos: vec![],
        anchor: None,
    })
}

fn pull(inner: &Inner, body: &[u8]) -> Vec<u8> {
    let pull: PullRequest = codec::decode_strict(body, 16).unwrap();
    codec::encode(&PullResponse {
        protocol: 1,
        epoch: "e".into(),
        digest_key: pull.epoch.is_none().then(|| Bytes(vec![1; 16])),
        server_time: Timestamp::from_millis(1_795_305_600_000),
        last: inner.last_of(pull.install_id.0),
        answers: vec![],
        more: false,
        missing_photos: vec![],
        anchor: None,
    })
}

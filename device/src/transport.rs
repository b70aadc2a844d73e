//! HTTP to one server. Only a typed body from that server counts as an answer; everything else
//! (captive portals, proxies' error pages, cut bodies) is a failure that settles nothing.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hazardloop_sync_protocol::compress;
use hazardloop_sync_protocol::device::{Failure, Request, ResponseBody};
use hazardloop_sync_protocol::wire::SpokenVersions;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{HeaderMap, StatusCode};

use crate::connection;
use crate::thrift::Thrift;

#[path = "transport_offer.rs"]
mod offer;
#[path = "transport_sync.rs"]
mod sync;

/// Most bytes of one answer that are read.
pub const ANSWER_BYTES: u64 = 8 * 1024 * 1024;
/// Time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time to send one body: a chunk of 128 KiB at 9.6 kbit/s takes 110 s.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(300);
/// Time until the answer begins.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Time until the answer ends.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// Wait asked for by a 429 or 503 that does not say how long, milliseconds.
const UNSTATED_WAIT_MS: i64 = 5_000;

const PROBLEM: &str = "application/problem+json";
const TUS_VERSION: &str = "1.0.0";

/// A connection to one server.
pub struct Transport {
    agent: ureq::Agent,
    server: String,
    thrift: Thrift,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The part of a problem document (RFC 9457) that matters here.
#[derive(Debug, Deserialize)]
struct ProblemDocument {
    code: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    protocol_min: Option<u16>,
    #[serde(default)]
    protocol_max: Option<u16>,
}

impl ProblemDocument {
    /// The versions of the protocol that the server speaks, where it says so.
    fn spoken(&self) -> Option<SpokenVersions> {
        Some(SpokenVersions {
            oldest: self.protocol_min?,
            newest: self.protocol_max?,
        })
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn media_type(&self) -> &str {
        let stated = self.header("content-type").unwrap_or_default();
        stated.split(';').next().unwrap_or_default().trim()
    }

    fn problem(&self) -> Option<ProblemDocument> {
        let stated = self.media_type() == PROBLEM;
        stated
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }

    /// The body without its content coding; one that unpacks to more than is read of any, or to something
    /// else than it says, is no answer.
    fn uncoded(&self) -> Result<Cow<'_, [u8]>, Failure> {
        let most = usize::try_from(ANSWER_BYTES).unwrap_or(usize::MAX);
        match self.header("content-encoding").map(str::trim) {
            None | Some("" | "identity") => Ok(Cow::Borrowed(&self.body)),
            Some(name) => compress::decode(name, &self.body, most)
                .map(Cow::Owned)
                .map_err(|_| Failure::NotOurs),
        }
    }

    /// Only our server states its tus version; answers to HEAD have no body to tell by.
    fn is_tus(&self) -> bool {
        self.header("tus-resumable") == Some(TUS_VERSION)
    }

    fn offset(&self) -> Result<u64, Failure> {
        let stated = self.header("upload-offset").filter(|_| self.is_tus());
        stated
            .and_then(|text| text.parse().ok())
            .ok_or(Failure::NotOurs)
    }

    fn failure(&self) -> Failure {
        let status = self.status.as_u16();
        let problem = self.problem();
        // Whoever says so, smaller batches do no harm; more follows only from our server's word.
        if status == 413 {
            let ours = problem.is_some_and(|problem| problem.code == "PAYLOAD_TOO_LARGE");
            return Failure::PayloadTooLarge { ours };
        }
        // An answer to HEAD has no body: its media type is all there is.
        let bodiless = self.body.is_empty() && self.media_type() == PROBLEM;
        if problem.is_none() && !bodiless && !self.is_tus() {
            return Failure::NotOurs;
        }
        let seconds = self
            .header("retry-after")
            .and_then(|text| text.parse::<i64>().ok());
        let retry_after_ms = seconds.map_or(UNSTATED_WAIT_MS, |s| s.saturating_mul(1_000));
        let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
        match status {
            401 => Failure::Unauthorized,
            403 if code == "DEVICE_REVOKED" => Failure::Revoked,
            409 if code == "OFFSET_MISMATCH" => Failure::OffsetMismatch,
            426 => Failure::UpgradeRequired {
                spoken: problem.as_ref().and_then(ProblemDocument::spoken),
            },
            429 | 503 => Failure::RateLimited { retry_after_ms },
            460 => Failure::ChecksumMismatch,
            _ if code == "PHOTO_HASH_MISMATCH" => Failure::PhotoHashMismatch,
            408 | 500..=599 => Failure::ServerError,
            _ => match problem {
                Some(ProblemDocument { code, detail, .. }) => Failure::Refused {
                    code,
                    detail: detail.unwrap_or_default(),
                },
                None => Failure::NotOurs,
            },
        }
    }
}

impl Transport {
    /// A transport to the server at this base address.
    pub fn new(server: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A portal's redirect is not followed: nothing of ours goes anywhere else.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_send_body(Some(SEND_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_recv_body(Some(BODY_TIMEOUT))
            .user_agent(concat!("hazardloop-device/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: connection::agent(config),
            server: server.to_owned(),
            thrift: Thrift::default(),
        }
    }

    /// Sends one request of the engine.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn send(&self, token: &str, request: &Request) -> Result<ResponseBody, Failure> {
        self.send_after(token, request, None)
    }

    /// Sends one request of the engine; of a push, `before` is [`Engine::before`] it.
    ///
    /// # Errors
    /// [`Failure`].
    ///
    /// [`Engine::before`]: hazardloop_sync_protocol::device::Engine::before
    pub fn send_after(
        &self,
        token: &str,
        request: &Request,
        before: Option<&[u8]>,
    ) -> Result<ResponseBody, Failure> {
        match request {
            Request::Push(push) => self.push(token, push, before).map(ResponseBody::Push),
            Request::Pull(pull) => self.pull(token, pull).map(ResponseBody::Pull),
            Request::CreateUpload {
                sha256,
                size,
                media_type,
            } => {
                let metadata = format!(
                    "sha256 {},filetype {}",
                    STANDARD.encode(sha256.to_string()),
                    STANDARD.encode(media_type)
                );
                self.create_upload(token, *size, &metadata)
            }
            Request::UploadStatus { upload } => {
                let request = self
                    .agent
                    .head(self.address(upload))
                    .header("tus-resumable", TUS_VERSION)
                    .header("authorization", bearer(token));
                let answer = read(request.call())?;
                expect_upload(&answer, &[200, 204])?;
                Ok(ResponseBody::UploadOffset {
                    offset: answer.offset()?,
                })
            }
            Request::PatchChunk {
                upload,
                offset,
                checksum,
                bytes,
            } => {
                let request = self
                    .agent
                    .patch(self.address(upload))
                    .header("tus-resumable", TUS_VERSION)
                    .header("authorization", bearer(token))
                    .header("content-type", "application/offset+octet-stream")
                    .header("upload-offset", offset.to_string())
                    .header(
                        "upload-checksum",
                        format!("sha256 {}", STANDARD.encode(checksum.as_bytes())),
                    );
                let answer = read(request.send(bytes.as_slice()))?;
                expect_upload(&answer, &[204])?;
                Ok(ResponseBody::UploadOffset {
                    offset: answer.offset()?,
                })
            }
        }
    }

    fn create_upload(
        &self,
        token: &str,
        size: u64,
        metadata: &str,
    ) -> Result<ResponseBody, Failure> {
        let request = self
            .agent
            .post(self.address("/api/v1/photos"))
            .header("tus-resumable", TUS_VERSION)
            .header("authorization", bearer(token))
            .header("upload-length", size.to_string())
            .header("upload-metadata", metadata);
        let answer = read(request.send_empty())?;
        expect(&answer, &[200, 201])?;
        if !answer.is_tus() {
            return Err(Failure::NotOurs);
        }
        let offset = answer.offset().unwrap_or(0);
        let location = answer.header("location").map(path_of).unwrap_or_default();
        if location.is_empty() && offset < size {
            return Err(Failure::NotOurs);
        }
        Ok(ResponseBody::UploadCreated {
            upload: location,
            offset,
        })
    }

    /// Posts JSON and reads JSON, for sessions and enrolment.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn post_json<T: DeserializeOwned>(
        &self,
        token: Option<&str>,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Failure> {
        let mut request = self
            .agent
            .post(self.address(path))
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", bearer(token));
        }
        let answer = read(request.send(body.to_string().as_bytes()))?;
        expect(&answer, &[200, 201])?;
        if answer.media_type() != "application/json" {
            return Err(Failure::NotOurs);
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failure::NotOurs)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn get_json<T: DeserializeOwned>(&self, token: &str, path: &str) -> Result<T, Failure> {
        let request = self
            .agent
            .get(self.address(path))
            .header("authorization", bearer(token))
            .header("accept", "application/json");
        let answer = read(request.call())?;
        expect(&answer, &[200])?;
        if answer.media_type() != "application/json" {
            return Err(Failure::NotOurs);
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failure::NotOurs)
    }

    /// Deletes; there is nothing to read.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn delete(&self, token: &str, path: &str) -> Result<(), Failure> {
        let request = self
            .agent
            .delete(self.address(path))
            .header("authorization", bearer(token));
        expect(&read(request.call())?, &[204])
    }

    fn address(&self, path: &str) -> String {
        let origin = match path.starts_with("/api/") {
            true => self.server.as_str(),
            // An upload's address is the server's own path, from its root.
            false => origin_of(&self.server),
        };
        format!("{origin}{path}")
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Scheme and authority of an address.
fn origin_of(address: &str) -> &str {
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address
        .get(start..)
        .and_then(|rest| rest.find('/'))
        .map_or(address.len(), |at| start + at);
    address.get(..end).unwrap_or(address)
}

/// The path of a `Location`, relative or absolute: tokens never follow it to another host.
fn path_of(location: &str) -> String {
    if location.contains("://") {
        let origin = origin_of(location).len();
        return location.get(origin..).unwrap_or_default().to_owned();
    }
    if location.starts_with('/') {
        location.to_owned()
    } else {
        format!("/api/v1/photos/{location}")
    }
}

fn expect(answer: &Answer, statuses: &[u16]) -> Result<(), Failure> {
    if statuses.contains(&answer.status.as_u16()) {
        Ok(())
    } else {
        Err(answer.failure())
    }
}

/// As [`expect`], of an upload that was begun: it may be gone, or stand elsewhere.
fn expect_upload(answer: &Answer, statuses: &[u16]) -> Result<(), Failure> {
    let ours = answer.is_tus() || answer.media_type() == PROBLEM;
    match answer.status.as_u16() {
        404 | 410 if ours => Err(Failure::UploadGone),
        409 if ours => Err(Failure::OffsetMismatch),
        _ => expect(answer, statuses),
    }
}

/// Reads the whole answer; one that breaks off is none.
fn read(called: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, Failure> {
    let response = called.map_err(|error| match error {
        ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
            Failure::NotOurs
        }
        _ => Failure::Offline,
    })?;
    let (parts, mut body) = response.into_parts();
    let body = body
        .with_config()
        .limit(ANSWER_BYTES)
        .read_to_vec()
        .map_err(|_| Failure::NotOurs)?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;

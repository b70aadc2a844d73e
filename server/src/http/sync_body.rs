//! The bodies of push and pull: read within their limits, with or without a content coding, and written as
//! the asker can read them.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::compress::{self, Coding, CodingError};
use hazardloop_sync_protocol::wire::{
    LeanPullResponse, MEDIA_TYPE_CBOR, MEDIA_TYPE_JSON, MEDIA_TYPE_LEAN, MEDIA_TYPE_PACKED,
    PROTOCOL_MAX, PROTOCOL_MIN, PackedPullResponse, PullResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pace::{Pace, Paced, TooSlow};
use super::problem::{Problem, ProblemCode};
use crate::app::App;
use crate::failure::Failure;

/// In which form a message comes; its answer goes in the same, and that to a lean or packed one as CBOR.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Cbor,
    Lean,
    Packed,
    Json,
}

fn stated<'a>(http: &'a HttpRequest, name: &header::HeaderName) -> &'a str {
    let value = http.headers().get(name).and_then(|v| v.to_str().ok());
    value.unwrap_or_default().trim()
}

impl Form {
    pub(super) fn of(http: &HttpRequest) -> Result<Self, Problem> {
        let media_type = stated(http, &header::CONTENT_TYPE);
        match media_type.split(';').next().unwrap_or_default().trim() {
            MEDIA_TYPE_CBOR => Ok(Self::Cbor),
            MEDIA_TYPE_LEAN => Ok(Self::Lean),
            MEDIA_TYPE_PACKED => Ok(Self::Packed),
            MEDIA_TYPE_JSON => Ok(Self::Json),
            _ => Err(Self::unknown()),
        }
    }

    /// As [`Self::of`], of what has no packed form.
    pub(super) fn of_pull(http: &HttpRequest) -> Result<Self, Problem> {
        match Self::of(http)? {
            Self::Packed => Err(Self::unknown()),
            form => Ok(form),
        }
    }

    fn unknown() -> Problem {
        Problem::new(
            ProblemCode::UnsupportedMedia,
            format!(
                "expected {MEDIA_TYPE_CBOR}, {MEDIA_TYPE_LEAN} or {MEDIA_TYPE_JSON}; of a push {MEDIA_TYPE_PACKED} too"
            ),
        )
    }

    pub(super) fn read<T>(self, app: &App, body: &[u8]) -> Result<T, Problem>
    where
        T: DeserializeOwned + for<'b> minicbor::Decode<'b, ()>,
    {
        let malformed = |error: &dyn std::fmt::Display| {
            Problem::new(
                ProblemCode::Malformed,
                format!("the body cannot be read: {error}"),
            )
        };
        match self {
            Self::Cbor | Self::Lean | Self::Packed => {
                codec::decode_strict(body, app.settings.wire_limits().depth)
                    .map_err(|error| malformed(&error))
            }
            Self::Json => serde_json::from_slice(body).map_err(|error| malformed(&error)),
        }
    }

    /// The answer to a pull: with its records packed, or in columns, for whoever takes that.
    pub(super) fn write_pull(
        self,
        http: &HttpRequest,
        message: PullResponse,
    ) -> Result<HttpResponse, Problem> {
        let accepts = |media_type: &str| {
            let mut accepted = stated(http, &header::ACCEPT).split(',');
            accepted.any(|one| one.split(';').next().unwrap_or_default().trim() == media_type)
        };
        if self != Self::Cbor {
            return self.write(http, &message);
        }
        let mut message = message;
        if accepts(MEDIA_TYPE_PACKED) {
            match PackedPullResponse::of(message) {
                Ok(packed) => return Ok(answer(http, MEDIA_TYPE_PACKED, codec::encode(&packed))),
                Err(whole) => message = *whole,
            }
        }
        if accepts(MEDIA_TYPE_LEAN) {
            match LeanPullResponse::of(message) {
                Ok(lean) => return Ok(answer(http, MEDIA_TYPE_LEAN, codec::encode(&lean))),
                Err(whole) => message = *whole,
            }
        }
        self.write(http, &message)
    }

    pub(super) fn write<T: Serialize + minicbor::Encode<()>>(
        self,
        http: &HttpRequest,
        message: &T,
    ) -> Result<HttpResponse, Problem> {
        match self {
            Self::Cbor | Self::Lean | Self::Packed => {
                Ok(answer(http, MEDIA_TYPE_CBOR, codec::encode(message)))
            }
            Self::Json => {
                let text = serde_json::to_vec(message)
                    .map_err(|error| Problem::from(Failure::Internal(error.to_string())))?;
                Ok(answer(http, MEDIA_TYPE_JSON, text))
            }
        }
    }
}

fn answer(http: &HttpRequest, media_type: &'static str, body: Vec<u8>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((
            "Hazardloop-Protocol",
            format!("{PROTOCOL_MIN}-{PROTOCOL_MAX}"),
        ));
    let coding = Coding::best_of(stated(http, &header::ACCEPT_ENCODING));
    let coded = coding.and_then(|c| Some((c.name(), compress::encode(c, &body)?)));
    match coded {
        Some((name, coded)) => {
            answer.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(name)));
            answer.body(coded)
        }
        None => answer.body(body),
    }
}

/// Reads a body up to the limit on sync messages, as long as it keeps up its pace, and without its content
/// coding. The limit is on what comes of it too.
pub(super) async fn read(
    app: &App,
    http: &HttpRequest,
    payload: web::Payload,
) -> Result<Vec<u8>, Problem> {
    let most = app.settings.sync.body_bytes;
    let too_large = || {
        Problem::new(
            ProblemCode::PayloadTooLarge,
            format!("a message has at most {most} bytes"),
        )
    };
    let too_slow = |TooSlow| Problem::new(ProblemCode::Timeout, "the body came too slowly");
    let reading = async {
        let mut body = Vec::new();
        let mut paced = Paced::new(payload, Pace::of(&app.settings.http));
        while let Some(chunk) = paced.next().await.map_err(too_slow)? {
            let chunk = chunk.map_err(|error| {
                Problem::new(
                    ProblemCode::Malformed,
                    format!("the body broke off: {error}"),
                )
            })?;
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    let body = reading.await?;
    match stated(http, &header::CONTENT_ENCODING) {
        "" | "identity" => Ok(body),
        name => compress::decode(name, &body, most).map_err(|error| {
            let code = match &error {
                CodingError::Unknown(_) => ProblemCode::CodingUnknown,
                CodingError::TooLarge { .. } => ProblemCode::PayloadTooLarge,
                CodingError::Frame(_) | CodingError::Damaged => ProblemCode::Malformed,
            };
            Problem::new(code, error.to_string())
        }),
    }
}

#[cfg(test)]
#[path = "sync_body_tests.rs"]
mod tests;

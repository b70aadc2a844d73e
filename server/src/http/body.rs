//! What comes in with a request: JSON bodies, path and query parameters, read strictly.
//!
//! Whatever cannot be read is a [`Problem`] that says where: line and column of a body, or the
//! parameter.

mod strict;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::auth;
use super::problem::{Problem, ProblemCode};
use super::turn;
use crate::failure::Failure;
use crate::settings::HttpLimits;

pub use strict::{DEEPEST, read_json};

/// A JSON body: `application/json` in UTF-8, within `http.json_bytes` and `http.body_timeout_s`,
/// nested at most [`DEEPEST`] deep, no key twice, no NUL, no lone surrogate. Types say
/// `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for StrictJson<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = auth::app(request).map(|app| app.settings.http.clone());
        let announced = check_headers(request);
        let (payload, request) = (payload.take(), request.clone());
        Box::pin(async move {
            let (limits, announced) = (limits?, announced?);
            turn::came(&request).await;
            let most = limits.json_bytes;
            let body = read(payload, announced, most, &limits).await?;
            read_json(&body).map(Self).map_err(|problem| *problem)
        })
    }
}

/// The announced length, once type and coding are as they must be.
fn check_headers(request: &HttpRequest) -> Result<Option<u64>, Failure> {
    let refused = |why: &str| Failure::UnsupportedMedia(why.to_owned());
    let media_type = request.content_type().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(refused("the body must be application/json"));
    }
    let charset = request.encoding();
    if !charset.is_ok_and(|charset| charset.name() == "UTF-8") {
        return Err(refused("the body must be in UTF-8"));
    }
    announced_length(request)
}

/// The announced length of a body that is not compressed.
pub(super) fn announced_length(request: &HttpRequest) -> Result<Option<u64>, Failure> {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding.as_bytes() != b"identity") {
        let why = "the body must not be compressed";
        return Err(Failure::UnsupportedMedia(why.to_owned()));
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()))
}

/// Reads a body of at most `most` bytes within `http.body_timeout_s`.
pub(super) async fn read(
    mut payload: Payload,
    announced: Option<u64>,
    most: usize,
    limits: &HttpLimits,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        Problem::from(Failure::TooLarge {
            what: "the body, in bytes,",
            limit: u64::try_from(most).unwrap_or(u64::MAX),
        })
    };
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |n| n > most)) {
        return Err(too_large());
    }
    let reading = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    let detail = format!("the body did not come whole: {error}");
                    return Err(Problem::new(ProblemCode::Malformed, detail));
                }
            };
            if body.len().saturating_add(chunk.len()) > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    let patience = Duration::from_secs(limits.body_timeout_s);
    match tokio::time::timeout(patience, reading).await {
        Ok(read) => read,
        Err(_elapsed) => {
            let detail = format!("the body did not come within {} s", limits.body_timeout_s);
            Err(Problem::new(ProblemCode::Timeout, detail))
        }
    }
}

/// Path parameters; 400 when they are not of their type.
#[derive(Debug)]
pub struct StrictPath<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for StrictPath<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = web::Path::<T>::from_request(request, payload).into_inner();
        std::future::ready(match read {
            Ok(parameters) => Ok(Self(parameters.into_inner())),
            Err(error) => Err(malformed("path", &error.to_string())),
        })
    }
}

/// Query parameters; 400 when one is unknown, given twice, malformed or holds a NUL.
#[derive(Debug)]
pub struct StrictQuery<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for StrictQuery<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.query_string();
        let read = if text.contains("%00") {
            Err(malformed("query", "holds a NUL character"))
        } else {
            web::Query::<T>::from_query(text)
                .map(|parameters| Self(parameters.into_inner()))
                .map_err(|error| malformed("query", &error.to_string()))
        };
        std::future::ready(read)
    }
}

fn malformed(part: &str, why: &str) -> Problem {
    Problem {
        field: Some(part.to_owned()),
        ..Problem::new(ProblemCode::Malformed, format!("{part}: {why}"))
    }
}

#[cfg(test)]
mod tests;

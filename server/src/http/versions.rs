//! Versions of records in headers: ETag, If-Match, If-None-Match (RFC 9110). A version counts the
//! changes of a record, so it is a strong validator.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::IntoParams;

use super::problem::{Problem, ProblemCode};

/// The ETag of a version: `"7"`.
pub fn etag(version: i64) -> (HeaderName, HeaderValue) {
    let text = format!("\"{version}\"");
    let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"0\""));
    (header::ETAG, value)
}

/// The header of a change, for the description of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
pub struct SeenVersion {
    /// The ETag of the record that the caller saw
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: String,
}

/// The header of a read, for the description of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
pub struct HeldVersion {
    /// An ETag that the caller holds
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// A record in this version; 304 to whoever holds it already.
pub fn answer_unless_held<T: Serialize>(
    request: &HttpRequest,
    version: i64,
    body: impl FnOnce() -> T,
) -> HttpResponse {
    if is_held(request, version) {
        return HttpResponse::NotModified()
            .insert_header(etag(version))
            .finish();
    }
    HttpResponse::Ok()
        .insert_header(etag(version))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(body())
}

/// Begins the answer to a create: 201 and where the record is, or 200 when it was there before.
pub fn created_or_known(created: bool, path: &str) -> HttpResponseBuilder {
    if !created {
        return HttpResponse::Ok();
    }
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("{}{path}", super::API_ROOT)));
    answer
}

/// What a request insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing.
    Absent,
    /// That there is a record (`*`).
    Any,
    /// This version.
    Version(i64),
}

impl IfMatch {
    /// The version, where one is insisted on.
    pub fn version(self) -> Option<i64> {
        match self {
            Self::Version(version) => Some(version),
            Self::Absent | Self::Any => None,
        }
    }
}

fn quoted_version(text: &str) -> Option<i64> {
    let digits = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Reads If-Match.
///
/// # Errors
/// 400 when it is given twice, or is neither `*` nor one version in quotes.
pub fn if_match(request: &HttpRequest) -> Result<IfMatch, Problem> {
    let mut values = request.headers().get_all(header::IF_MATCH);
    let Some(value) = values.next() else {
        return Ok(IfMatch::Absent);
    };
    let malformed = || Problem {
        field: Some("If-Match".to_owned()),
        ..Problem::new(
            ProblemCode::Malformed,
            "If-Match must be one ETag, such as \"7\"",
        )
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?.trim();
    if text == "*" {
        return Ok(IfMatch::Any);
    }
    quoted_version(text)
        .map(IfMatch::Version)
        .ok_or_else(malformed)
}

/// The version that the request insists on, where it must.
///
/// # Errors
/// 428 without If-Match (or with `*`, which would overwrite blindly), 400 for a malformed one.
pub fn required_version(request: &HttpRequest) -> Result<i64, Problem> {
    if_match(request)?.version().ok_or_else(|| {
        let detail = "send If-Match with the ETag of the record that you changed";
        Problem::new(ProblemCode::PreconditionRequired, detail)
    })
}

/// Whether the asker holds this version already (If-None-Match, weak comparison).
pub fn is_held(request: &HttpRequest, version: i64) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| {
            tag == "*" || quoted_version(tag.strip_prefix("W/").unwrap_or(tag)) == Some(version)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::test::TestRequest;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> HttpRequest {
        TestRequest::default()
            .insert_header((name, value))
            .to_http_request()
    }

    #[test]
    fn if_match_is_one_quoted_version() {
        assert_eq!(
            if_match(&with("If-Match", "\"7\"")),
            Ok(IfMatch::Version(7))
        );
        assert_eq!(if_match(&with("If-Match", "*")), Ok(IfMatch::Any));
        assert_eq!(if_match(&with("Accept", "*/*")), Ok(IfMatch::Absent));
        for wrong in [
            "7",
            "\"a\"",
            "W/\"7\"",
            "\"7\", \"8\"",
            "\"-1\"",
            "\"+1\"",
            "\"99999999999999999999\"",
            "",
        ] {
            assert_eq!(
                if_match(&with("If-Match", wrong)).unwrap_err().status,
                400,
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_change_without_a_version_is_asked_for_one() {
        assert_eq!(
            required_version(&with("Accept", "*/*")).unwrap_err().status,
            428
        );
        assert_eq!(
            required_version(&with("If-Match", "*")).unwrap_err().status,
            428
        );
    }

    #[test]
    fn what_is_held_is_recognised_among_others() {
        assert!(is_held(&with("If-None-Match", "\"6\", W/\"7\""), 7));
        assert!(is_held(&with("If-None-Match", "*"), 7));
        assert!(!is_held(&with("If-None-Match", "\"70\", nonsense"), 7));
    }
}

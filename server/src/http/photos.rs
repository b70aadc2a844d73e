//! Photos go out: originals, thumbnails and what the camera wrote, each to whom may see it.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, get, route, web};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;
use serde::Deserialize;

use super::answers::{DeviceMayBeRevoked, Hidden, SignedIn, Unreadable};
use super::auth::Caller;
use super::binary::Binary;
use super::body::{StrictPath, StrictQuery};
use super::problem::{Problem, ProblemCode};
use crate::app::App;
use crate::failure::Failure;
use crate::photos::exif::Metadata;
use crate::usecases::photos::{self, PhotoContent, PhotoSize, Served, THUMBNAIL_RETRY_S};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(read_photo).service(read_metadata);
}

/// Which form of a photo.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    /// The bytes as they came.
    #[default]
    Original,
    /// A JPEG with a longer edge of at most 320 pixels (a setting), without metadata.
    Thumbnail,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PhotoQuery {
    /// Which form; the original where nothing is said.
    #[param(inline)]
    size: Option<Size>,
}

/// Read a photo, document or clip
///
/// For whoever may see a hazard, an inspection or the like that names it, for whoever brought it, and for whoever settles a
/// quarantined command that names it. The original never changes, so its ETag is its SHA-256. A thumbnail is made shortly
/// after a photo came; until then the answer is 404 with `Retry-After`. Documents and clips have none: 404.
/// Documents are to be saved, not shown in place (`Content-Disposition: attachment`).
#[utoipa::path(
    tag = "photos",
    operation_id = "readPhoto",
    params(
        ("sha256" = Digest, Path, description = "The photo's SHA-256, 64 hexadecimal digits"),
        PhotoQuery,
        ("Range" = Option<String>, Header, description = "One range of bytes of an original"),
    ),
    responses(
        (status = 200, description = "The photo", content(
            (Binary = "image/jpeg"), (Binary = "image/png"), (Binary = "image/webp"),
            (Binary = "application/pdf"), (Binary = "video/mp4"),
        ), headers(("ETag" = String, description = "The SHA-256 in quotes"))),
        (status = 206, description = "The asked part of it", content(
            (Binary = "image/jpeg"), (Binary = "image/png"), (Binary = "image/webp"),
            (Binary = "application/pdf"), (Binary = "video/mp4"),
        ), headers(("Content-Range" = String, description = "Which part"))),
        (status = 304, description = "The caller has it (`If-None-Match`)"),
        (status = 404, description = "No such photo that the caller may see, or no thumbnail (yet, with `Retry-After`)", body = Problem, content_type = "application/problem+json"),
        SignedIn, Unreadable, DeviceMayBeRevoked,
    ),
    security(("bearer" = []))
)]
#[route("/photos/{sha256}", method = "GET", method = "HEAD")]
async fn read_photo(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    sha256: StrictPath<String>,
    query: StrictQuery<PhotoQuery>,
) -> Result<HttpResponse, Problem> {
    serve(
        &app,
        &caller,
        &http,
        &sha256.0,
        query.0.size.unwrap_or_default(),
    )
    .await
}

/// Read what the camera wrote into a photo
///
/// Time, place and device, for inspectors, reviewers and supervisors in whose scope a hazard shows
/// the photo, and for whoever brought it.
#[utoipa::path(
    tag = "photos",
    operation_id = "readPhotoMetadata",
    params(("sha256" = Digest, Path, description = "The photo's SHA-256, 64 hexadecimal digits")),
    responses(
        (status = 200, description = "What EXIF said", body = Metadata),
        (status = 403, description = "The caller may see the picture only, or the device was revoked", body = Problem, content_type = "application/problem+json"),
        SignedIn, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/photos/{sha256}/metadata")]
async fn read_metadata(
    app: web::Data<App>,
    caller: Caller,
    sha256: StrictPath<String>,
) -> Result<HttpResponse, Problem> {
    let metadata = photos::metadata(&app, caller.person_id, digest(&sha256.0)?).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(metadata))
}

fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|_| Failure::NotFound("photo"))
}

async fn serve(
    app: &App,
    caller: &Caller,
    http: &HttpRequest,
    sha256: &str,
    size: Size,
) -> Result<HttpResponse, Problem> {
    let sha256 = digest(sha256)?;
    let (form, etag) = match size {
        Size::Original => (PhotoSize::Original, format!("\"{sha256}\"")),
        Size::Thumbnail => (PhotoSize::Thumbnail, format!("\"{sha256}-thumbnail\"")),
    };
    let range = match size {
        Size::Original => asked_range(http.headers(), &etag),
        Size::Thumbnail => None,
    };
    match photos::open(app, caller.person_id, sha256, form, range).await? {
        // The rights were asked first: a caller without them learns nothing from a 304.
        Served::Content(_) if is_held(http.headers(), &etag) => {
            let mut response = HttpResponse::NotModified();
            response.insert_header((header::ETAG, etag));
            Ok(response.finish())
        }
        Served::Content(content) => Ok(picture(content, etag)),
        Served::NotYet => Err(Problem {
            retry_after_s: Some(THUMBNAIL_RETRY_S),
            ..Problem::new(ProblemCode::NotFound, "the thumbnail is not made yet")
        }),
        Served::Never => {
            let detail = "no thumbnail can be made of this photo";
            Err(Problem::new(ProblemCode::NotFound, detail))
        }
    }
}

fn picture(content: PhotoContent, etag: String) -> HttpResponse {
    let length = content.range.end - content.range.start;
    let whole = length == content.size;
    let mut response = HttpResponse::build(if whole {
        StatusCode::OK
    } else {
        StatusCode::PARTIAL_CONTENT
    });
    if !whole {
        let (first, last) = (content.range.start, content.range.end.saturating_sub(1));
        let range = format!("bytes {first}-{last}/{}", content.size);
        response.insert_header((header::CONTENT_RANGE, range));
    }
    // A document may hold programs and links: it is opened by whoever saves it, not in our name.
    let disposition = match content.media_type == MediaType::Pdf.as_str() {
        true => "attachment",
        false => "inline",
    };
    // Bytes of strangers: whatever a browser believes to see in them, it runs nothing of it.
    response
        .insert_header((header::CONTENT_TYPE, content.media_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        // It never changes, but whoever may see it does: asked again, it costs no bytes.
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::VARY, "Authorization"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, etag))
        // Pictures, documents and clips are compressed already.
        .insert_header(ContentEncoding::Identity)
        .body(SizedStream::new(length, content.bytes))
}

fn is_held(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The one range of bytes that is asked for. What is not understood is no range (RFC 9110, 14.2).
fn asked_range(headers: &HeaderMap, etag: &str) -> Option<Range<u64>> {
    let of_another = |value: &header::HeaderValue| value.to_str().is_ok_and(|tag| tag != etag);
    if headers.get(header::IF_RANGE).is_some_and(of_another) {
        return None;
    }
    let asked = headers.get(header::RANGE)?.to_str().ok()?;
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.trim().parse().ok()?;
    let end = match last.trim() {
        "" => u64::MAX,
        last => last.parse::<u64>().ok()?.saturating_add(1),
    };
    (first < end).then_some(first..end)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use actix_web::http::header::HeaderValue;

    use super::*;

    fn range(value: &'static str) -> Option<Range<u64>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(value));
        asked_range(&headers, "\"x\"")
    }

    #[test]
    fn one_plain_range_is_understood_and_anything_else_is_none() {
        assert_eq!(range("bytes=0-9"), Some(0..10));
        assert_eq!(range("bytes=5-"), Some(5..u64::MAX));
        assert_eq!(range("bytes=0-18446744073709551615"), Some(0..u64::MAX));
        for odd in [
            "bytes=-5",
            "bytes=9-5",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=a-b",
            "bytes=",
        ] {
            assert_eq!(range(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_range_of_another_picture_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"y\""));
        assert_eq!(asked_range(&headers, "\"x\""), None);
        assert_eq!(asked_range(&headers, "\"y\""), Some(0..10));
    }
}

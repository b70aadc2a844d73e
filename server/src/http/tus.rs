//! Photos come in: a tus 1.0.0 server (<https://tus.io/protocols/resumable-upload>).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue, HttpDate};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError, delete, head, options, patch, post, web,
};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use utoipa::IntoParams;
use uuid::Uuid;

use super::answers::{DeviceMayBeRevoked, OfUpload, OtherTus, SignedIn, WithPart};
use super::auth::Caller;
use super::binary::Binary;
use super::body::StrictPath;
use super::problem::{Problem, ProblemCode};
use super::tus_body::{drain, receive};
use super::tus_headers::{self as tus, TUS_EXTENSIONS, TUS_VERSION};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::upload::{
    self, Announcement, Append, Begun, ChecksumAlgorithm, Ending, UploadStatus,
};

/// Adds the routes of this file.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(capabilities)
        .service(begin)
        .service(read_status)
        .service(append_part)
        .service(give_up);
}

/// The header of every request that speaks tus, for the description of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
struct SpeaksTus {
    /// `1.0.0`
    #[param(rename = "Tus-Resumable", example = "1.0.0")]
    tus_resumable: String,
}

/// Which upload, for the description of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
struct OneUpload {
    /// The upload
    id: String,
}

/// The header that guards the bytes of a part, for the description of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
struct Checksum {
    /// `sha256` or `sha1`, a space, and base64 of the sum over this body
    #[param(rename = "Upload-Checksum")]
    upload_checksum: Option<String>,
}

/// Ask what uploads are possible
///
/// The version, extensions, largest size and checksums of this tus server.
#[utoipa::path(
    tag = "photos",
    operation_id = "uploadCapabilities",
    responses((status = 204, description = "See the headers", headers(
        ("Tus-Version" = String, description = "Versions spoken here"),
        ("Tus-Extension" = String, description = "Extensions offered"),
        ("Tus-Max-Size" = u64, description = "Bytes of the largest file of any type"),
        ("Tus-Checksum-Algorithm" = String, description = "Algorithms of `Upload-Checksum`"),
    ))),
)]
#[options("/photos")]
async fn capabilities(app: web::Data<App>) -> HttpResponse {
    let algorithms = ChecksumAlgorithm::ALL
        .map(ChecksumAlgorithm::as_str)
        .join(",");
    HttpResponse::NoContent()
        .insert_header(("Tus-Resumable", TUS_VERSION))
        .insert_header(("Tus-Version", TUS_VERSION))
        .insert_header(("Tus-Extension", TUS_EXTENSIONS))
        .insert_header(("Tus-Max-Size", app.settings.photos.largest().to_string()))
        .insert_header(("Tus-Checksum-Algorithm", algorithms))
        .finish()
}

/// Begin an upload
///
/// `Upload-Metadata` names the photo's `sha256` (base64 of 64 hexadecimal digits), with which a
/// photo that the caller has brought before costs no further bytes: the answer's
/// `Upload-Offset` then equals `Upload-Length`. Photos, documents (PDF) and clips (MP4) each have a
/// limit of their own; `filetype` (base64 of the media type) lets one that is too large be refused
/// before it is sent. What a file is, its content says. A body of type `application/offset+octet-stream`
/// is the first part.
#[utoipa::path(
    tag = "photos",
    operation_id = "createUpload",
    params(
        SpeaksTus,
        ("Upload-Length" = u64, Header, description = "Bytes of the whole file"),
        ("Upload-Metadata" = Option<String>, Header, description = "Pairs of key and base64 value, separated by commas: `sha256`, `filetype`"),
        Checksum,
    ),
    request_body(content = Binary, content_type = "application/offset+octet-stream", description = "The first part, or nothing"),
    responses(
        (status = 201, description = "Begun", headers(
            ("Location" = String, description = "The upload"),
            ("Upload-Offset" = u64, description = "Bytes already here"),
            ("Upload-Expires" = Option<String>, description = "When the unfinished upload will be gone"),
        )),
        (status = 409, description = "Too many unfinished uploads", body = Problem, content_type = "application/problem+json"),
        (status = 411, description = "No `Upload-Length`", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, OtherTus, WithPart,
    ),
    security(("bearer" = []))
)]
#[post("/photos")]
async fn begin(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    answer(created(&app, &caller, &http, payload).await)
}

async fn created(
    app: &App,
    caller: &Caller,
    http: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (headers, person) = (http.headers(), caller.person_id);
    require_tus(http)?;
    let length = tus::upload_length(headers)?;
    let metadata = tus::upload_metadata(headers)?;
    let has_part = tus::is_part(headers)?;
    let part = Append {
        offset: 0,
        declared: tus::content_length(headers)?,
        checksum: tus::upload_checksum(headers)?,
    };
    let announced = Announcement {
        length,
        media_type: metadata.media_type,
        sha256: metadata.sha256,
        metadata: metadata.raw,
        by: caller.install_id.map_or(caller.session_id, |id| id.0),
    };
    let Begun { mut status, is_new } = upload::create(app, person, announced).await?;
    if has_part && status.offset == 0 {
        match receive(app, person, status.id, part, payload).await {
            Ok(appended) => status = appended.status,
            Err(failure) if !is_new => return Err(failure.into()),
            Err(failure) => {
                // Nobody was told of this upload, so nobody can go on with it.
                if let Err(left) = upload::terminate(app, person, status.id).await {
                    tracing::debug!(upload = %status.id, %left, "was not taken back");
                }
                return Err(failure.into());
            }
        }
    } else if has_part {
        // The photo is here already: the part is let go by, so that the answer gets through.
        drain(payload).await;
    }
    let location = format!(
        "{}/uploads/{}",
        http.path().trim_end_matches('/'),
        status.id
    );
    let mut response = with_status(StatusCode::CREATED, status);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Ask how far an upload has come
#[utoipa::path(
    tag = "photos",
    operation_id = "uploadStatus",
    params(OneUpload, SpeaksTus),
    responses(
        (status = 200, description = "How it stands", headers(
            ("Upload-Offset" = u64, description = "Bytes durably received"),
            ("Upload-Length" = u64, description = "Bytes of the whole photo"),
            ("Upload-Expires" = Option<String>, description = "When the unfinished upload will be gone"),
        )),
        (status = 413, description = "All bytes are here, and the picture, document or clip is too large"),
        (status = 415, description = "All bytes are here, and they are neither a photo, a PDF nor an MP4"),
        (status = 422, description = "All bytes are here, and they do not have the announced hash, or are damaged"),
        SignedIn, DeviceMayBeRevoked, OfUpload, OtherTus,
    ),
    security(("bearer" = []))
)]
#[head("/photos/uploads/{id}")]
async fn read_status(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<String>,
) -> HttpResponse {
    let asked = async {
        require_tus(&http)?;
        let status = upload::status(&app, caller.person_id, upload_id(&id.0)?).await?;
        Ok(with_status(StatusCode::OK, status))
    };
    answer(asked.await)
}

/// Append to an upload
///
/// With `Upload-Checksum` the part is kept whole or not at all; without, a cut keeps what came.
/// The last byte stores the photo.
#[utoipa::path(
    tag = "photos",
    operation_id = "appendToUpload",
    params(
        OneUpload,
        SpeaksTus,
        ("Upload-Offset" = u64, Header, description = "Where the upload stands"),
        Checksum,
    ),
    request_body(content = Binary, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "Durably received; with the last byte: checked and stored", headers(
            ("Upload-Offset" = u64, description = "Where the upload stands now"),
            ("Upload-Expires" = Option<String>, description = "When the unfinished upload will be gone"),
        )),
        (status = 409, description = "The upload stands elsewhere, or another request is writing to it", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, OfUpload, OtherTus, WithPart,
    ),
    security(("bearer" = []))
)]
#[patch("/photos/uploads/{id}")]
async fn append_part(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<String>,
    payload: web::Payload,
) -> HttpResponse {
    answer(appended(&app, caller.person_id, &http, &id.0, payload).await)
}

async fn appended(
    app: &App,
    person: PersonId,
    http: &HttpRequest,
    id: &str,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let headers = http.headers();
    require_tus(http)?;
    let id = upload_id(id)?;
    if !tus::is_part(headers)? {
        let why = format!("a part is {}", tus::PART_TYPE);
        return Err(Failure::UnsupportedMedia(why).into());
    }
    let part = Append {
        offset: tus::upload_offset(headers)?,
        declared: tus::content_length(headers)?,
        checksum: tus::upload_checksum(headers)?,
    };
    let appended = receive(app, person, id, part, payload).await?;
    let kept = |code, detail: &str| Problem {
        upload_offset: Some(appended.status.offset),
        ..Problem::new(code, detail)
    };
    match appended.ending {
        Ending::Complete => Ok(with_status(StatusCode::NO_CONTENT, appended.status)),
        Ending::Cut => Err(kept(ProblemCode::Malformed, "the body was cut off")),
        Ending::TooSlow => Err(kept(ProblemCode::Timeout, "the body came too slowly")),
    }
}

/// Give an upload up
///
/// A finished upload cannot be given up: its photo is stored, and stays.
#[utoipa::path(
    tag = "photos",
    operation_id = "terminateUpload",
    params(OneUpload, SpeaksTus),
    responses(
        (status = 204, description = "Gone"),
        (status = 409, description = "Finished, or another request is writing to it", body = Problem, content_type = "application/problem+json"),
        SignedIn, DeviceMayBeRevoked, OfUpload, OtherTus,
    ),
    security(("bearer" = []))
)]
#[delete("/photos/uploads/{id}")]
async fn give_up(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<String>,
) -> HttpResponse {
    let asked = async {
        require_tus(&http)?;
        upload::terminate(&app, caller.person_id, upload_id(&id.0)?).await?;
        Ok(HttpResponse::NoContent().finish())
    };
    answer(asked.await)
}

/// Ids are UUIDs; whatever else stands there names nothing.
fn upload_id(text: &str) -> Result<Uuid, Failure> {
    Uuid::parse_str(text).map_err(|_| Failure::NotFound("upload"))
}

fn require_tus(http: &HttpRequest) -> Result<(), Problem> {
    if tus::speaks_tus(http.headers()) {
        return Ok(());
    }
    let detail = format!("Tus-Resumable must be {TUS_VERSION}");
    Err(Problem::new(ProblemCode::PreconditionFailed, detail))
}

/// Every answer names the version of the protocol.
fn answer(result: Result<HttpResponse, Problem>) -> HttpResponse {
    let version = HeaderValue::from_static(TUS_VERSION);
    let mut response = result.unwrap_or_else(|problem| {
        let mut response = problem.error_response();
        if problem.status == ProblemCode::PreconditionFailed.status() {
            let name = HeaderName::from_static("tus-version");
            response.headers_mut().insert(name, version.clone());
        }
        response
    });
    let name = HeaderName::from_static("tus-resumable");
    response.headers_mut().insert(name, version);
    response
}

fn with_status(code: StatusCode, status: UploadStatus) -> HttpResponse {
    let mut response = HttpResponse::build(code);
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("Upload-Offset", status.offset.to_string()));
    if code == StatusCode::OK {
        response.insert_header(("Upload-Length", status.length.to_string()));
    }
    if let Some(expires_at) = status.expires_at {
        response.insert_header(("Upload-Expires", http_date(expires_at)));
    }
    response.finish()
}

fn http_date(at: Timestamp) -> String {
    let since = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or_default());
    HttpDate::from(std::time::UNIX_EPOCH + since).to_string()
}

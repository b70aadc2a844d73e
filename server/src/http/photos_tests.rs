//! Photos over HTTP: in by tus 1.0.0, out with the rights of their hazards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App as ActixApp, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::tus_headers::PART_TYPE;
use super::{photos, turn, tus};
use crate::jobs::run_due;
use crate::photos::samples;
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;
use crate::usecases::upload::test_support::*;

/// What came back.
struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Status and problem code.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        (
            self.status.as_u16(),
            problem["code"].as_str().unwrap().to_owned(),
        )
    }
}

/// One request, as `by`.
struct Ask<'a> {
    world: &'a World,
    request: TestRequest,
}

fn ask<'a>(world: &'a World, by: PersonId, method: Method, path: &str) -> Ask<'a> {
    let bearer = Bearer {
        person_id: by,
        session_id: Uuid::from_u128(1),
        install_id: None,
    };
    let (token, _) = session::access(&world.app, bearer, world.now()).unwrap();
    let request = TestRequest::default()
        .method(method)
        .uri(path)
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("Tus-Resumable", "1.0.0"));
    Ask { world, request }
}

impl Ask<'_> {
    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.request = self.request.insert_header((name, value.to_string()));
        self
    }

    fn part(mut self, bytes: &[u8]) -> Self {
        self.request = self
            .request
            .insert_header(("Content-Type", PART_TYPE))
            .insert_header(("Content-Length", bytes.len().to_string()))
            .set_payload(bytes.to_vec());
        self
    }

    async fn answer(self) -> Answer {
        let app = self.world.app.clone();
        let actix = ActixApp::new().app_data(web::Data::new(app));
        let service = init_service(actix.wrap(from_fn(turn::hold)).configure(
            |cfg: &mut web::ServiceConfig| {
                let api = utoipa_actix_web::scope("/api/v1")
                    .configure(|cfg: &mut ServiceConfig<'_>| tus::routes(cfg))
                    .configure(|cfg: &mut ServiceConfig<'_>| photos::routes(cfg));
                ServiceConfig::new(cfg).service(api);
            },
        ))
        .await;
        answer_of(call_service(&service, self.request.to_request()).await).await
    }
}

async fn answer_of<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    Answer {
        status,
        headers,
        body: read_body(response).await.to_vec(),
    }
}

const PHOTOS: &str = "/api/v1/photos";

fn announce(bytes: &[u8]) -> String {
    let hash = STANDARD.encode(Digest::sha256(bytes).to_string());
    format!("sha256 {hash},filetype {}", STANDARD.encode("image/jpeg"))
}

async fn begin(world: &World, by: PersonId, bytes: &[u8]) -> String {
    let begun = ask(world, by, Method::POST, PHOTOS)
        .with("Upload-Length", bytes.len())
        .with("Upload-Metadata", announce(bytes));
    let begun = begun.answer().await;
    assert_eq!(
        begun.status,
        201,
        "{:?}",
        String::from_utf8_lossy(&begun.body)
    );
    begun.header("location").to_owned()
}

async fn bring(world: &World, by: PersonId, bytes: &[u8]) {
    let brought = ask(world, by, Method::POST, PHOTOS)
        .with("Upload-Length", bytes.len())
        .with("Upload-Metadata", announce(bytes))
        .part(bytes);
    let brought = brought.answer().await;
    assert_eq!(
        brought.status,
        201,
        "{:?}",
        String::from_utf8_lossy(&brought.body)
    );
    assert_eq!(brought.header("upload-offset"), bytes.len().to_string());
}

fn of(bytes: &[u8]) -> String {
    format!("{PHOTOS}/{}", Digest::sha256(bytes))
}

#[test]
fn the_server_says_what_it_offers_to_anybody() {
    each_world(|world| async move {
        let offered = ask(&world, WORKER, Method::OPTIONS, PHOTOS).answer().await;
        assert_eq!(offered.status, 204);
        assert_eq!(offered.header("tus-version"), "1.0.0");
        let extensions = "creation,creation-with-upload,checksum,expiration,termination";
        assert_eq!(offered.header("tus-extension"), extensions);
        assert_eq!(offered.header("tus-checksum-algorithm"), "sha1,sha256");
        assert_eq!(
            offered.header("tus-max-size"),
            (64 * 1024 * 1024).to_string()
        );
    });
}

#[test]
fn a_photo_goes_in_by_parts_and_comes_out_unaltered() {
    each_world(|world| async move {
        let photo = samples::jpeg(200, 150);
        let upload = begin(&world, WORKER, &photo).await;
        let first = ask(&world, WORKER, Method::PATCH, &upload)
            .with("Upload-Offset", 0)
            .with(
                "Upload-Checksum",
                format!(
                    "sha256 {}",
                    STANDARD.encode(Digest::sha256(&photo[..500]).as_bytes())
                ),
            )
            .part(&photo[..500]);
        let first = first.answer().await;
        assert_eq!(
            (first.status.as_u16(), first.header("upload-offset")),
            (204, "500")
        );
        assert_eq!(first.header("tus-resumable"), "1.0.0");
        assert!(first.header("upload-expires").ends_with(" GMT"));

        let stands = ask(&world, WORKER, Method::HEAD, &upload).answer().await;
        assert_eq!(stands.header("upload-offset"), "500");
        assert_eq!(stands.header("upload-length"), photo.len().to_string());
        assert_eq!(stands.header("cache-control"), "no-store");

        let last = ask(&world, WORKER, Method::PATCH, &upload).with("Upload-Offset", 500);
        let last = last.part(&photo[500..]).answer().await;
        assert_eq!(
            (last.status.as_u16(), last.header("upload-expires")),
            (204, "")
        );

        let read = ask(&world, WORKER, Method::GET, &of(&photo)).answer().await;
        assert_eq!((read.status.as_u16(), &read.body), (200, &photo));
        assert_eq!(read.header("content-type"), "image/jpeg");
        assert_eq!(
            read.header("etag"),
            format!("\"{}\"", Digest::sha256(&photo))
        );
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        assert_eq!(
            read.header("content-security-policy"),
            "default-src 'none'; sandbox"
        );
        assert!(read.header("cache-control").starts_with("private"));
    });
}

#[test]
fn parts_and_unchanged_photos_are_answered_shortly() {
    each_world(|world| async move {
        let photo = samples::jpeg(200, 150);
        bring(&world, WORKER, &photo).await;
        let part = ask(&world, WORKER, Method::GET, &of(&photo)).with("Range", "bytes=10-19");
        let part = part.answer().await;
        assert_eq!(
            (part.status.as_u16(), &part.body[..]),
            (206, &photo[10..20])
        );
        assert_eq!(
            part.header("content-range"),
            format!("bytes 10-19/{}", photo.len())
        );
        let beyond = ask(&world, WORKER, Method::GET, &of(&photo)).with("Range", "bytes=999999-");
        assert_eq!(beyond.answer().await.body, photo);
        let etag = format!("\"{}\"", Digest::sha256(&photo));
        let held = ask(&world, WORKER, Method::GET, &of(&photo)).with("If-None-Match", &etag);
        let held = held.answer().await;
        assert_eq!((held.status.as_u16(), held.body.len()), (304, 0));
        let hidden = ask(&world, STRANGER, Method::GET, &of(&photo)).with("If-None-Match", &etag);
        assert_eq!(
            hidden.answer().await.problem(),
            (404, "NOT_FOUND".to_owned())
        );
        let head = ask(&world, WORKER, Method::HEAD, &of(&photo))
            .answer()
            .await;
        assert_eq!(
            (head.status.as_u16(), head.header("etag")),
            (200, etag.as_str())
        );
    });
}

#[test]
fn a_thumbnail_is_said_to_come_and_comes() {
    each_world(|world| async move {
        let photo = samples::jpeg_with(640, 480, Some(samples::phone_exif()));
        bring(&world, WORKER, &photo).await;
        let small = format!("{}?size=thumbnail", of(&photo));
        let early = ask(&world, WORKER, Method::GET, &small).answer().await;
        assert_eq!(early.problem().0, 404);
        assert_eq!(early.header("retry-after"), "2");
        run_due(&world.app).await.unwrap();
        let thumbnail = ask(&world, WORKER, Method::GET, &small).answer().await;
        assert_eq!(
            (thumbnail.status.as_u16(), thumbnail.header("content-type")),
            (200, "image/jpeg")
        );
        assert!(!thumbnail.body.windows(4).any(|bytes| bytes == b"Exif"));
        let hidden = ask(&world, STRANGER, Method::GET, &small).answer().await;
        assert_eq!(hidden.problem().0, 404);
        assert_eq!(hidden.header("retry-after"), "");

        let metadata = format!("{}/metadata", of(&photo));
        let metadata = ask(&world, WORKER, Method::GET, &metadata).answer().await;
        let metadata: Value = serde_json::from_slice(&metadata.body).unwrap();
        assert_eq!(metadata["taken_at"]["at"], "2026-11-22T01:30:00.000Z");
        assert_eq!(metadata["position"]["reference"], "wgs84");
    });
}

#[test]
fn documents_and_clips_come_out_as_what_they_are_and_have_no_thumbnail() {
    each_world(|world| async move {
        let (minutes, clip) = (samples::pdf("minutes"), samples::mp4(3_000));
        for (bytes, media_type, disposition) in [
            (&minutes, "application/pdf", "attachment"),
            (&clip, "video/mp4", "inline"),
        ] {
            bring(&world, WORKER, bytes).await;
            let read = ask(&world, WORKER, Method::GET, &of(bytes)).answer().await;
            assert_eq!((read.status.as_u16(), &read.body), (200, bytes));
            assert_eq!(read.header("content-type"), media_type);
            assert_eq!(read.header("content-disposition"), disposition);
            assert_eq!(read.header("x-content-type-options"), "nosniff");
            let policy = "default-src 'none'; sandbox";
            assert_eq!(read.header("content-security-policy"), policy);
            let part = ask(&world, WORKER, Method::GET, &of(bytes)).with("Range", "bytes=0-9");
            assert_eq!(part.answer().await.status, 206);

            let small = format!("{}?size=thumbnail", of(bytes));
            let small = ask(&world, WORKER, Method::GET, &small).answer().await;
            assert_eq!(small.problem().0, 404);
            assert_eq!(small.header("retry-after"), "", "none will ever be made");
            let hidden = ask(&world, STRANGER, Method::GET, &of(bytes))
                .answer()
                .await;
            assert_eq!(hidden.problem().0, 404);
            let metadata = format!("{}/metadata", of(bytes));
            let metadata = ask(&world, WORKER, Method::GET, &metadata).answer().await;
            let metadata: Value = serde_json::from_slice(&metadata.body).unwrap();
            assert!(metadata["taken_at"].is_null() && metadata["position"].is_null());
        }
        assert_eq!(run_due(&world.app).await.unwrap(), 0, "no job was made");
    });
}

#[test]
fn requests_that_do_not_keep_the_protocol_are_told_how() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let upload = begin(&world, WORKER, &photo).await;
        let wrong = Ask::answer;

        let other = ask(&world, WORKER, Method::POST, PHOTOS).with("Tus-Resumable", "0.2.2");
        let other = wrong(other).await;
        assert_eq!(other.problem(), (412, "PRECONDITION_FAILED".to_owned()));
        assert_eq!(other.header("tus-version"), "1.0.0");

        let lengths = [
            ("-1", 400),
            ("ten", 400),
            ("0", 422),
            ("99999999999999999999999", 413),
        ];
        for (length, status) in lengths {
            let begun = ask(&world, WORKER, Method::POST, PHOTOS).with("Upload-Length", length);
            assert_eq!(wrong(begun).await.problem().0, status, "{length}");
        }
        let none = ask(&world, WORKER, Method::POST, PHOTOS).with("Upload-Defer-Length", 1);
        assert_eq!(
            wrong(none).await.problem(),
            (411, "LENGTH_REQUIRED".to_owned())
        );
        let begun = ask(&world, WORKER, Method::POST, PHOTOS)
            .with("Upload-Length", 10)
            .with("Upload-Metadata", "sha256 !!!");
        assert_eq!(wrong(begun).await.problem().0, 400);

        let untyped = ask(&world, WORKER, Method::PATCH, &upload)
            .with("Upload-Offset", 0)
            .part(&photo)
            .with("Content-Type", "application/octet-stream");
        assert_eq!(wrong(untyped).await.problem().0, 415);
        let part = |offset: &str| {
            ask(&world, WORKER, Method::PATCH, &upload)
                .with("Upload-Offset", offset)
                .part(&photo)
        };
        assert_eq!(wrong(part("x")).await.problem().0, 400);
        let elsewhere = wrong(part("7")).await;
        assert_eq!(elsewhere.problem(), (409, "OFFSET_MISMATCH".to_owned()));
        assert_eq!(elsewhere.header("upload-offset"), "0");
        let sum = STANDARD.encode([0; 32]);
        let altered = part("0").with("Upload-Checksum", format!("sha256 {sum}"));
        assert_eq!(
            wrong(altered).await.problem(),
            (460, "CHECKSUM_MISMATCH".to_owned())
        );
        let unknown = part("0").with("Upload-Checksum", format!("md5 {sum}"));
        assert_eq!(wrong(unknown).await.problem().0, 400);
        assert_eq!(wrong(part("0")).await.status, 204);
    });
}

#[test]
fn ids_that_are_paths_name_nothing() {
    each_world(|world| async move {
        for id in ["..", "..%2F..%2Fetc%2Fpasswd", "%00", "x", "0190-"] {
            let path = format!("{PHOTOS}/uploads/{id}");
            let patched = ask(&world, WORKER, Method::PATCH, &path).with("Upload-Offset", 0);
            assert_eq!(patched.part(b"x").answer().await.status, 404, "{id}");
            let read = ask(&world, WORKER, Method::GET, &format!("{PHOTOS}/{id}"))
                .answer()
                .await;
            assert_eq!(read.status, 404, "{id}");
        }
    });
}

#[test]
fn what_is_refused_with_its_creation_leaves_no_upload() {
    each_world(|world| async move {
        let page = b"<!DOCTYPE html>".to_vec();
        let bring = |named: &[u8], sent: &[u8]| {
            ask(&world, WORKER, Method::POST, PHOTOS)
                .with("Upload-Length", sent.len())
                .with("Upload-Metadata", announce(named))
                .part(sent)
        };
        let refused = bring(&page, &page).answer().await;
        assert_eq!(
            refused.problem(),
            (415, "UNSUPPORTED_MEDIA_TYPE".to_owned())
        );
        let refused = bring(&samples::another_jpeg(1), &samples::another_jpeg(2))
            .answer()
            .await;
        assert_eq!(refused.problem(), (422, "PHOTO_HASH_MISMATCH".to_owned()));
        let photo = samples::jpeg(64, 64);
        let altered = bring(&photo, &photo).with(
            "Upload-Checksum",
            format!("sha256 {}", STANDARD.encode([0; 32])),
        );
        assert_eq!(altered.answer().await.problem().0, 460);
        assert_eq!((world.files("uploads"), world.files("objects")), (0, 0));
    });
}

#[test]
fn an_upload_can_be_given_up_by_its_own_person() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let upload = begin(&world, WORKER, &photo).await;
        let others = ask(&world, COLLEAGUE, Method::DELETE, &upload)
            .answer()
            .await;
        assert_eq!(others.problem(), (404, "NOT_FOUND".to_owned()));
        assert_eq!(
            ask(&world, WORKER, Method::DELETE, &upload)
                .answer()
                .await
                .status,
            204
        );
        assert_eq!(
            ask(&world, WORKER, Method::HEAD, &upload)
                .answer()
                .await
                .status,
            404
        );
    });
}

#[test]
fn nobody_gets_anything_without_signing_in() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        bring(&world, WORKER, &photo).await;
        for (method, path) in [
            (Method::POST, PHOTOS.to_owned()),
            (Method::GET, of(&photo)),
            (Method::GET, format!("{}/metadata", of(&photo))),
            (
                Method::PATCH,
                format!("{PHOTOS}/uploads/{}", Uuid::from_u128(1)),
            ),
            (
                Method::DELETE,
                format!("{PHOTOS}/uploads/{}", Uuid::from_u128(1)),
            ),
        ] {
            let anonymous = ask(&world, WORKER, method, &path).with("Authorization", "Basic eDp5");
            assert_eq!(anonymous.answer().await.status, 401, "{path}");
        }
    });
}

//! Uploads over real connections that are cut, stall, or are refused while they still send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::net::SocketAddr;

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use hazardloop_domain::ids::PersonId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{turn, tus};
use crate::failure::Failure;
use crate::photos::samples;
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;
use crate::usecases::upload::test_support::*;
use crate::usecases::upload::{UploadStatus, status};

/// The uploads of `world` at an address of their own.
fn serve(world: &World) -> SocketAddr {
    let app = world.app.clone();
    let server = HttpServer::new(move || {
        let app = app.clone();
        ActixApp::new()
            .app_data(web::Data::new(app))
            .wrap(from_fn(turn::hold))
            .configure(|cfg: &mut web::ServiceConfig| {
                let api = utoipa_actix_web::scope("/api/v1")
                    .configure(|cfg: &mut ServiceConfig<'_>| tus::routes(cfg));
                ServiceConfig::new(cfg).service(api);
            })
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

/// A connection that has sent the head of a PATCH and nothing of its body.
async fn patching(world: &World, by: PersonId, upload: &UploadStatus, length: usize) -> TcpStream {
    let bearer = Bearer {
        person_id: by,
        session_id: Uuid::from_u128(1),
        install_id: None,
    };
    let (token, _) = session::access(&world.app, bearer, world.now()).unwrap();
    let head = format!(
        "PATCH /api/v1/photos/uploads/{} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
         Tus-Resumable: 1.0.0\r\nUpload-Offset: {}\r\nContent-Length: {length}\r\n\
         Content-Type: application/offset+octet-stream\r\n\r\n",
        upload.id, upload.offset,
    );
    let mut line = TcpStream::connect(serve(world)).await.unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    line
}

async fn answer(line: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = line.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        if read == 0 || bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

#[test]
fn what_came_before_the_line_was_cut_is_kept() {
    each_world(|world| async move {
        let photo = samples::jpeg(400, 300);
        let upload = world.begin(WORKER, &photo).await;
        let mut line = patching(&world, WORKER, &upload, photo.len()).await;
        line.write_all(&photo[..1000]).await.unwrap();
        line.shutdown().await.unwrap();
        drop(line);
        // The server notices on its own time; what it then knows must be all that was sent.
        let offset = loop {
            let offset = status(&world.app, WORKER, upload.id).await.unwrap().offset;
            if offset > 0 {
                break offset;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(offset, 1000);
        // The first request may hold the upload a moment longer; who is told so asks again.
        loop {
            match world.send(WORKER, upload.id, 1000, &photo[1000..]).await {
                Err(Failure::Conflict(_)) => tokio::task::yield_now().await,
                sent => {
                    sent.unwrap();
                    break;
                }
            }
        }
    });
}

#[test]
fn a_body_that_stalls_is_not_waited_for_and_what_came_is_kept() {
    each_world_with(
        |settings| settings.http.body_timeout_s = 1,
        |world| async move {
            let photo = samples::jpeg(400, 300);
            let upload = world.begin(WORKER, &photo).await;
            let mut line = patching(&world, WORKER, &upload, photo.len()).await;
            line.write_all(&photo[..700]).await.unwrap();
            let answer = answer(&mut line).await.to_lowercase();
            assert!(answer.starts_with("http/1.1 408"), "{answer}");
            assert!(answer.contains("upload-offset: 700"), "{answer}");
            assert_eq!(
                status(&world.app, WORKER, upload.id).await.unwrap().offset,
                700
            );
        },
    );
}

#[test]
fn a_refused_sender_gets_to_read_why() {
    each_world(|world| async move {
        let photo = samples::jpeg(400, 300);
        let upload = world.begin(WORKER, &photo).await;
        let mut line = patching(&world, STRANGER, &upload, photo.len()).await;
        line.write_all(&photo).await.unwrap();
        let answer = answer(&mut line).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    });
}

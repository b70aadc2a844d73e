//! Which answers count, and where nothing of ours ever goes.

use super::sync::{read_pull, read_push};
use super::*;
use hazardloop_sync_protocol::wire::{MEDIA_TYPE_CBOR, MEDIA_TYPE_LEAN, MEDIA_TYPE_PACKED};

#[test]
fn a_location_never_leads_to_another_host() {
    assert_eq!(
        path_of("https://evil.example/api/v1/photos/1"),
        "/api/v1/photos/1"
    );
    assert_eq!(path_of("/api/v1/photos/1"), "/api/v1/photos/1");
    assert_eq!(path_of("1"), "/api/v1/photos/1");
    let transport = Transport::new("http://127.0.0.1:8080/base");
    assert_eq!(
        transport.address("/elsewhere/1"),
        "http://127.0.0.1:8080/elsewhere/1"
    );
}

fn coded(name: &str, body: Vec<u8>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", name.parse().unwrap());
    Answer {
        status: StatusCode::OK,
        headers,
        body,
    }
}

#[test]
fn an_answer_is_unpacked_within_bounds_or_is_none_of_our_servers() {
    let body = "除尘器未装泄爆片".repeat(40).into_bytes();
    for coding in compress::Coding::ALL {
        let packed = compress::encode(coding, &body).unwrap();
        let answer = coded(coding.name(), packed.clone());
        assert_eq!(answer.uncoded().unwrap().into_owned(), body);
        let cut = coded(coding.name(), packed[..packed.len() - 1].to_vec());
        assert_eq!(cut.uncoded(), Err(Failure::NotOurs));
    }
    assert_eq!(
        coded("identity", body.clone())
            .uncoded()
            .unwrap()
            .into_owned(),
        body
    );
    for name in ["gzip", "hl-zh3", "zstd"] {
        assert_eq!(coded(name, body.clone()).uncoded(), Err(Failure::NotOurs));
    }
}

#[test]
fn an_answer_of_another_form_is_none() {
    for media_type in [MEDIA_TYPE_PACKED, MEDIA_TYPE_LEAN] {
        assert_eq!(read_push(media_type, &[0xa0]), Err(Failure::NotOurs));
    }
    for media_type in [
        MEDIA_TYPE_PACKED,
        MEDIA_TYPE_LEAN,
        MEDIA_TYPE_CBOR,
        "text/html",
    ] {
        assert_eq!(read_pull(media_type, b"<html>"), Err(Failure::NotOurs));
    }
}

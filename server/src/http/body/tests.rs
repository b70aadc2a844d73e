//! Bodies and parameters that must be refused, each with its status and its place.
#![allow(clippy::unwrap_used)]

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    #[serde(default)]
    tags: Vec<serde_json::Value>,
}

fn refusal(body: &[u8]) -> (String, String) {
    let problem = read_json::<Example>(body).unwrap_err();
    (problem.code, problem.detail)
}

#[test]
fn a_good_body_is_read() {
    let read: Example =
        read_json(r#" {"name":"粉尘","tags":[1,2.5,null,{"a":[]}]} "#.as_bytes()).unwrap();
    assert_eq!((read.name.as_str(), read.tags.len()), ("粉尘", 4));
}

#[test]
fn what_is_not_strict_json_is_malformed_and_says_where() {
    let cases: [(&[u8], &str); 13] = [
        (b"", "line 1"),
        (b"{\"name\":\"a\"", "line 1 column 11"),
        (b"{\"name\":\"a\"} x", "line 1 column 14"),
        (
            b"{\n\"name\":\"a\",\n\"name\":\"b\"}",
            "same key twice at line 3",
        ),
        (
            b"{\"name\":\"a\",\"tags\":[{\"x\":1,\"x\":2}]}",
            "same key twice",
        ),
        (b"{\"name\":\"a\\u0000b\"}", "NUL"),
        (b"{\"name\":\"a\",\"tags\":[{\"\\u0000\":1}]}", "NUL"),
        (b"{\"name\":\"\\ud800\"}", "line 1"),
        (b"{\"name\":\"\\udc00\\ud800\"}", "line 1"),
        (b"{\"name\":\"\xff\"}", "not UTF-8 from byte 9"),
        (b"{\"name\":NaN}", "line 1"),
        (b"{\"name\":\"a\",\"tags\":[1e999]}", "out of range"),
        (b"{'name':'a'}", "line 1"),
    ];
    for (body, place) in cases {
        let (code, detail) = refusal(body);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(code, "MALFORMED", "{shown}: {detail}");
        assert!(detail.contains(place), "{shown}: {detail}");
    }
}

#[test]
fn json_of_another_shape_is_invalid_and_names_the_field() {
    for (body, named) in [
        (r#"{"tags":[]}"#, "name"),
        (r#"{"name":1}"#, "line 1"),
        (r#"{"name":"a","other":1}"#, "other"),
        (r#"[]"#, "line 1"),
    ] {
        let (code, detail) = refusal(body.as_bytes());
        assert_eq!(code, "INVALID_FIELD", "{body}");
        assert!(detail.contains(named), "{detail}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| {
        format!(
            r#"{{"name":"a","tags":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert!(read_json::<Example>(nested(DEEPEST - 1).as_bytes()).is_ok());
    let (code, detail) = refusal(nested(DEEPEST + 1).as_bytes());
    assert_eq!(code, "MALFORMED");
    assert!(detail.contains("nested deeper"), "{detail}");
    assert_eq!(refusal(nested(100_000).as_bytes()).0, "MALFORMED");
}

type Chunk = Result<web::Bytes, actix_web::error::PayloadError>;

async fn status_of(
    chunks: impl futures_util::Stream<Item = Chunk> + 'static,
    patience_s: u64,
) -> u16 {
    let limits = HttpLimits {
        body_timeout_s: patience_s,
        json_bytes: 10,
        ..HttpLimits::default()
    };
    let chunks: Pin<Box<dyn futures_util::Stream<Item = Chunk>>> = Box::pin(chunks);
    let payload = Payload::Stream { payload: chunks };
    read(payload, None, limits.json_bytes, &limits)
        .await
        .unwrap_err()
        .status
}

#[tokio::test]
async fn bodies_that_are_too_slow_too_long_or_cut_are_given_up() {
    use futures_util::stream;

    let chunk = || Ok(web::Bytes::from_static(b"{{{"));
    let stuck = stream::iter([chunk()]).chain(stream::pending());
    assert_eq!(status_of(stuck, 0).await, 408);
    assert_eq!(status_of(stream::repeat_with(chunk), 60).await, 413);
    let cut = actix_web::error::PayloadError::Incomplete(None);
    assert_eq!(status_of(stream::iter([chunk(), Err(cut)]), 60).await, 400);
}

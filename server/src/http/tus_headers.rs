//! The headers of tus 1.0.0 (resumable uploads), read strictly and within limits.

use actix_web::http::header::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hash::Digest;

use super::problem::{Problem, ProblemCode};
use crate::failure::Failure;
use crate::usecases::upload::{Checksum, ChecksumAlgorithm};

/// The version of the protocol that is spoken here.
pub const TUS_VERSION: &str = "1.0.0";
/// The extensions that are offered.
pub const TUS_EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
/// The media type of parts.
pub const PART_TYPE: &str = "application/offset+octet-stream";
/// Bytes of `Upload-Metadata`.
pub const METADATA_BYTES: usize = 4096;
/// Pairs in `Upload-Metadata`.
pub const METADATA_PAIRS: usize = 16;

/// What is used of `Upload-Metadata`; other pairs are kept as they came, and never used as names
/// of anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadMetadata {
    /// The hash that the whole file will have.
    pub sha256: Option<Digest>,
    /// What the file is said to be (`filetype`), where it is one of the accepted types.
    pub media_type: Option<MediaType>,
    /// The header as it came.
    pub raw: String,
}

fn malformed(header: &str, why: &str) -> Problem {
    Problem {
        field: Some(header.to_owned()),
        ..Problem::new(ProblemCode::Malformed, format!("{header}: {why}"))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed(name, "is there twice"));
    }
    let value = value
        .to_str()
        .map_err(|_| malformed(name, "is not plain text"))?;
    Ok(Some(value.trim()))
}

/// Whether the request speaks a version of tus that is spoken here.
pub fn speaks_tus(headers: &HeaderMap) -> bool {
    matches!(text(headers, "Tus-Resumable"), Ok(Some(TUS_VERSION)))
}

/// A count of bytes in decimal digits. One too large for 64 bits is the largest, and so beyond
/// every limit.
fn count(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Problem> {
    let Some(value) = text(headers, name)? else {
        return Ok(None);
    };
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(name, "is not a count of bytes"));
    }
    Ok(Some(value.parse().unwrap_or(u64::MAX)))
}

/// `Upload-Length`.
///
/// # Errors
/// 411 when it is missing, also when it is to follow later; 400 when it is no count.
pub fn upload_length(headers: &HeaderMap) -> Result<u64, Problem> {
    count(headers, "Upload-Length")?.ok_or_else(|| {
        Problem::new(
            ProblemCode::LengthRequired,
            "Upload-Length is required; Upload-Defer-Length is not offered",
        )
    })
}

/// `Upload-Offset`.
///
/// # Errors
/// 400 when it is missing or no count.
pub fn upload_offset(headers: &HeaderMap) -> Result<u64, Problem> {
    count(headers, "Upload-Offset")?.ok_or_else(|| malformed("Upload-Offset", "is required"))
}

/// `Content-Length`, where there is one.
///
/// # Errors
/// 400 when it is no count.
pub fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    count(headers, "Content-Length")
}

/// Whether the body is a part of an upload.
///
/// # Errors
/// 415 for a body of another type.
pub fn is_part(headers: &HeaderMap) -> Result<bool, Problem> {
    match text(headers, "Content-Type")? {
        None => Ok(false),
        Some(kind) if kind.eq_ignore_ascii_case(PART_TYPE) => Ok(true),
        Some(_) => Err(Failure::UnsupportedMedia(format!("a part is {PART_TYPE}")).into()),
    }
}

/// `Upload-Checksum`, where there is one.
///
/// # Errors
/// 400 for an unknown algorithm (as tus 1.0.0 demands) or a malformed sum.
pub fn upload_checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    const NAME: &str = "Upload-Checksum";
    let Some(value) = text(headers, NAME)? else {
        return Ok(None);
    };
    let (name, sum) = value
        .split_once(' ')
        .ok_or_else(|| malformed(NAME, "is not an algorithm and a sum"))?;
    let algorithm = ChecksumAlgorithm::from_name(name)
        .ok_or_else(|| malformed(NAME, "its algorithm is neither sha1 nor sha256"))?;
    let sum = STANDARD
        .decode(sum.trim())
        .ok()
        .filter(|sum| sum.len() == algorithm.bytes())
        .ok_or_else(|| malformed(NAME, "its sum is not base64 of the algorithm's length"))?;
    Ok(Some(Checksum { algorithm, sum }))
}

/// `Upload-Metadata`: pairs `key base64`, separated by commas. `sha256` is base64 of the hash in
/// 64 hexadecimal digits, `filetype` of a media type.
///
/// # Errors
/// 400 for anything malformed, a repeated key or more than the limits.
pub fn upload_metadata(headers: &HeaderMap) -> Result<UploadMetadata, Problem> {
    const NAME: &str = "Upload-Metadata";
    let Some(raw) = text(headers, NAME)?.filter(|raw| !raw.is_empty()) else {
        return Ok(UploadMetadata::default());
    };
    if raw.len() > METADATA_BYTES {
        return Err(malformed(NAME, "is too long"));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut metadata = UploadMetadata {
        sha256: None,
        media_type: None,
        raw: raw.to_owned(),
    };
    for pair in raw.split(',') {
        let pair = pair.trim();
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if key.is_empty() || !seen.insert(key) || seen.len() > METADATA_PAIRS {
            return Err(malformed(NAME, "a key is empty, repeated or one too many"));
        }
        let value = STANDARD
            .decode(value.trim())
            .map_err(|_| malformed(NAME, "a value is not base64"))?;
        if key == "sha256" {
            metadata.sha256 = Some(announced(&value)?);
        } else if key == "filetype" {
            let named = std::str::from_utf8(&value).ok();
            metadata.media_type = named.and_then(MediaType::from_name);
        }
    }
    Ok(metadata)
}

fn announced(value: &[u8]) -> Result<Digest, Problem> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("Upload-Metadata", "sha256 is not 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn with(name: &str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_bytes(name.to_lowercase().as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
        headers
    }

    #[test]
    fn lengths_that_are_no_counts_are_refused_and_endless_ones_are_beyond_every_limit() {
        for wrong in ["-1", "+1", "1.5", "0x10", "", " ", "1e3", "一"] {
            let refused = upload_length(&with("Upload-Length", wrong)).unwrap_err();
            assert_eq!(refused.status, 400, "{wrong:?}");
        }
        let endless = "9".repeat(400);
        assert_eq!(
            upload_length(&with("Upload-Length", &endless)),
            Ok(u64::MAX)
        );
        assert_eq!(upload_length(&HeaderMap::new()).unwrap_err().status, 411);
        assert_eq!(upload_length(&with("Upload-Length", "12")), Ok(12));
    }

    #[test]
    fn a_header_that_comes_twice_is_refused() {
        let mut headers = with("Upload-Offset", "1");
        headers.append(
            HeaderName::from_static("upload-offset"),
            HeaderValue::from_static("2"),
        );
        assert_eq!(upload_offset(&headers).unwrap_err().status, 400);
    }

    #[test]
    fn metadata_names_the_hash_and_keeps_the_rest_unused() {
        let digest = Digest::sha256(b"abc");
        let hash = STANDARD.encode(digest.to_string());
        let path = STANDARD.encode("../../etc/passwd");
        let raw = format!("filename {path},sha256 {hash},is_private");
        let read = upload_metadata(&with("Upload-Metadata", &raw)).unwrap();
        assert_eq!(
            read,
            UploadMetadata {
                sha256: Some(digest),
                media_type: None,
                raw
            }
        );
        assert_eq!(
            upload_metadata(&HeaderMap::new()),
            Ok(UploadMetadata::default())
        );
    }

    #[test]
    fn a_declared_type_counts_where_it_is_an_accepted_one() {
        let of = |name: &str| {
            let raw = format!("filetype {}", STANDARD.encode(name));
            let read = upload_metadata(&with("Upload-Metadata", &raw));
            read.unwrap().media_type
        };
        assert_eq!(of("application/pdf"), Some(MediaType::Pdf));
        assert_eq!(of("text/html"), None);
    }

    #[test]
    fn malformed_metadata_is_refused() {
        let short = STANDARD.encode("abc");
        let raw_digest = STANDARD.encode(Digest::sha256(b"abc").as_bytes());
        let many = (0..17)
            .map(|n| format!("k{n}"))
            .collect::<Vec<_>>()
            .join(",");
        for wrong in [
            ",",
            "a,a",
            "a YQ==,,b",
            "a !!!",
            "sha256",
            &format!("sha256 {short}"),
            &format!("sha256 {raw_digest}"),
            &many,
            &format!("a {}", "Y".repeat(METADATA_BYTES)),
        ] {
            let refused = upload_metadata(&with("Upload-Metadata", wrong));
            assert_eq!(refused.unwrap_err().status, 400, "{wrong:?}");
        }
    }

    #[test]
    fn checksums_are_of_a_known_kind_and_length() {
        let sum = STANDARD.encode([7; 20]);
        let read = upload_checksum(&with("Upload-Checksum", &format!("sha1 {sum}"))).unwrap();
        let expected = Checksum {
            algorithm: ChecksumAlgorithm::Sha1,
            sum: vec![7; 20],
        };
        assert_eq!(read, Some(expected));
        for wrong in [
            format!("sha256 {sum}"),
            format!("md5 {sum}"),
            "sha1".to_owned(),
            "sha1 ???".to_owned(),
            String::new(),
        ] {
            let refused = upload_checksum(&with("Upload-Checksum", &wrong));
            assert_eq!(refused.unwrap_err().status, 400, "{wrong:?}");
        }
    }

    #[test]
    fn only_the_offered_version_is_spoken() {
        assert!(speaks_tus(&with("Tus-Resumable", "1.0.0")));
        assert!(!speaks_tus(&with("Tus-Resumable", "0.2.2")));
        assert!(!speaks_tus(&HeaderMap::new()));
    }
}

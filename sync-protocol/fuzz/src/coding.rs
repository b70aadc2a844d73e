//! Coded bodies, with and without the dictionary.

use hazardloop_sync_protocol::compress::{self, ALWAYS_ALLOWED, Coding, MOST_TIMES};

/// Most bytes that a body may unpack to here.
const MOST: usize = 256 * 1024;

/// The first byte says which coding, the rest is the body.
pub fn run(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else {
        return;
    };
    let coding = match which % 3 {
        0 => Coding::ReportsZh1,
        1 => Coding::Zstd,
        _ => Coding::ReportsZh2,
    };
    if let Ok(content) = compress::decode(coding.name(), body, MOST) {
        // What follows a frame counts once.
        let packed = body.len().saturating_mul(MOST_TIMES).max(ALWAYS_ALLOWED);
        let most = packed.saturating_add(body.len());
        assert!(content.len() <= MOST.min(most), "{} bytes", content.len());
        there_and_back(coding, &content);
    }
    there_and_back(coding, body);
}

fn there_and_back(coding: Coding, content: &[u8]) {
    if let Some(coded) = compress::encode(coding, content) {
        let back = compress::decode(coding.name(), &coded, content.len());
        assert_eq!(back.as_deref(), Ok(content));
    }
}

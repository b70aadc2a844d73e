//! What a server gives out with its time, so that a device can show later that it knew that time.

use crate::hex_bytes::HexBytes;

/// Bytes of a token that a server of this build gives out.
pub const ANCHOR_TOKEN_LENGTH: usize = 8;

/// An anchor's token. One that fits nothing is a fact to be kept, so its length is nearly anybody's.
pub type AnchorToken = HexBytes<1, 32>;

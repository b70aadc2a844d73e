//! How large messages may be; both ends refuse more before they read it.

/// Limits of one message. Configuration; these are the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// Bytes of one message body.
    pub body_bytes: usize,
    /// Commands in one push.
    pub commands: usize,
    /// Bytes of one command's payload.
    pub payload_bytes: usize,
    /// Scopes in one pull.
    pub scopes: usize,
    /// Records in one pull answer, over all scopes.
    pub records: usize,
    /// Depth of nesting in CBOR and JSON.
    pub depth: usize,
    /// Co-signatures of one command.
    pub co_signatures: usize,
}

impl Default for WireLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            commands: 500,
            payload_bytes: 64 * 1024,
            scopes: 128,
            records: 1_000,
            depth: 16,
            co_signatures: 4,
        }
    }
}

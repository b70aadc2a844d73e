//! Whose device this is, and the tokens with which it speaks to its server.

use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::ids::InstallId;

/// The account of one device.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Base address of the server, without a trailing slash.
    pub server: String,
    /// The name they sign in with.
    pub login: String,
    /// This installation.
    pub install_id: InstallId,
    /// Who, as the server told last.
    pub person: PersonRecord,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
}

/// Tokens never reach a log.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("server", &self.server)
            .field("login", &self.login)
            .field("install_id", &self.install_id)
            .finish_non_exhaustive()
    }
}

//! Sign-in, enrolment and renewal of tokens. New tokens are stored durably before they are used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, KeyId};
use hazardloop_sync_protocol::device::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::store::Account;
use crate::transport::Transport;

/// Separates enrolment proofs from every other signature of the same key.
const PROOF_DOMAIN: &[u8] = b"hazardloop enrolment v1";

/// Separates proofs of keys under a PIN.
const KEY_PROOF_DOMAIN: &[u8] = b"hazardloop pin key v1";

/// The parts of a session that a device needs.
#[derive(Clone, Deserialize)]
pub struct Session {
    /// Whose.
    pub person: PersonRecord,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("person", &self.person.id)
            .finish_non_exhaustive()
    }
}

/// The server binds the session that asked: what is absent stays as it was.
#[derive(Deserialize)]
struct Enrolled {
    session: BoundSession,
}

#[derive(Deserialize)]
struct BoundSession {
    access_token: String,
    refresh_token: Option<String>,
}

/// Signs in with a password.
///
/// # Errors
/// [`Failure::Unauthorized`] for a wrong login or password, and the transport's failures.
pub fn sign_in(transport: &Transport, login: &str, password: &str) -> Result<Session, Failure> {
    let body = json!({ "login": login, "password": password });
    transport.post_json(None, "/api/v1/sessions", &body)
}

/// Registers this install and its public key; the answer's session is bound to the install.
///
/// # Errors
/// [`Failure`].
pub fn enrol(
    transport: &Transport,
    session: &Session,
    install_id: InstallId,
    key: &SigningKey,
    device_name: &str,
) -> Result<Session, Failure> {
    let public_key = key.verifying_key().to_bytes();
    let digest = Digest::sha256_of_parts(&[
        PROOF_DOMAIN,
        install_id.as_bytes(),
        session.person.id.as_bytes(),
        &public_key,
    ]);
    let proof = key.sign(digest.as_bytes()).to_bytes();
    let body = json!({
        "install_id": install_id,
        "device_name": device_name,
        "key_algorithm": "ed25519",
        "public_key": URL_SAFE_NO_PAD.encode(public_key),
        "proof": URL_SAFE_NO_PAD.encode(proof),
    });
    let enrolled: Enrolled =
        transport.post_json(Some(&session.access_token), "/api/v1/devices", &body)?;
    let refresh_token = enrolled.session.refresh_token;
    Ok(Session {
        person: session.person.clone(),
        access_token: enrolled.session.access_token,
        refresh_token: refresh_token.unwrap_or_else(|| session.refresh_token.clone()),
    })
}

/// Exchanges the refresh token. The old one stays good until the new one is first used, so a
/// lost answer costs nothing.
///
/// # Errors
/// [`Failure::Unauthorized`] when the session has ended: sign in again.
pub fn refresh(transport: &Transport, account: &Account) -> Result<Account, Failure> {
    let body = json!({ "refresh_token": account.refresh_token });
    let session: Session = transport.post_json(None, "/api/v1/sessions/refresh", &body)?;
    // Another person's session must never take over this queue.
    if session.person.id != account.person.id {
        return Err(Failure::NotOurs);
    }
    Ok(Account {
        person: session.person,
        access_token: session.access_token,
        refresh_token: session.refresh_token,
        ..account.clone()
    })
}

/// Ends a sign-in that was for one thing only.
///
/// # Errors
/// [`Failure`].
pub fn sign_out(transport: &Transport, session: &Session) -> Result<(), Failure> {
    transport.delete(&session.access_token, "/api/v1/sessions/current")
}

/// Registers a key that is kept on the installation `host`, for whoever is signed in.
///
/// # Errors
/// [`Failure`].
pub fn register_key(
    transport: &Transport,
    session: &Session,
    key_id: KeyId,
    host: InstallId,
    key: &SigningKey,
) -> Result<(), Failure> {
    let public_key = key.verifying_key().to_bytes();
    let digest = Digest::sha256_of_parts(&[
        KEY_PROOF_DOMAIN,
        key_id.as_bytes(),
        session.person.id.as_bytes(),
        host.as_bytes(),
        &public_key,
    ]);
    let body = json!({
        "id": key_id,
        "host_install": host,
        "algorithm": "ed25519",
        "public_key": URL_SAFE_NO_PAD.encode(public_key),
        "proof": URL_SAFE_NO_PAD.encode(key.sign(digest.as_bytes()).to_bytes()),
    });
    let token = Some(session.access_token.as_str());
    let _: serde_json::Value = transport.post_json(token, "/api/v1/people/me/keys", &body)?;
    Ok(())
}

/// Revokes a key of whoever is signed in.
///
/// # Errors
/// [`Failure`].
pub fn revoke_key(transport: &Transport, session: &Session, key_id: KeyId) -> Result<(), Failure> {
    let path = format!("/api/v1/people/{}/keys/{key_id}", session.person.id);
    transport.delete(&session.access_token, &path)
}

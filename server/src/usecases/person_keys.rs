//! Keys under a PIN: people who sign on somebody else's device register the public half here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, KeyId, PersonId};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use serde::Serialize;

use super::key_proof::{Claimed, ED25519, ED25519_NUMBER};
use super::people::{Occurrence, Standing, wake_audit};
use crate::app::App;
use crate::failure::Failure;
use crate::store::person_keys::{self, PersonKey};
use crate::store::{Conn, ReadTx, StoreError, WriteTx, installs};

/// Separates proofs of these keys from every other signature.
const PROOF_DOMAIN: &[u8] = b"hazardloop pin key v1";

/// Keys of one person that are not revoked.
pub const MOST_KEYS: i64 = 20;

/// A request to register a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Made by the device that keeps the private half, UUIDv7; the same id again is the same
    /// request again.
    pub id: KeyId,
    /// The installation that keeps the private half.
    pub host_install: InstallId,
    /// The kind of key: `ed25519`.
    pub algorithm: String,
    /// The public half, 32 bytes as base64url without padding.
    pub public_key: String,
    /// Signature over [`proof_message`], 64 bytes as base64url without padding.
    pub proof: String,
}

/// A key as its owner and administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Key {
    /// Which.
    pub id: KeyId,
    /// Whose.
    pub person_id: PersonId,
    /// The installation that keeps the private half.
    pub host_install: InstallId,
    /// The kind of key.
    #[schema(example = "ed25519")]
    pub algorithm: String,
    /// The public half, base64url without padding.
    #[schema(example = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik")]
    pub public_key: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Since when it signs no more: it was revoked, or the installation that keeps it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
}

impl From<PersonKey> for Key {
    fn from(key: PersonKey) -> Self {
        Self {
            id: key.id,
            person_id: key.person_id,
            host_install: key.host_install,
            algorithm: ED25519.to_owned(),
            public_key: URL_SAFE_NO_PAD.encode(key.public_key),
            registered_at: key.registered_at,
            revoked_at: key.revoked_at,
            revoked_reason: key.revoked_reason,
        }
    }
}

/// What the new key signs to prove that the private half is there, for whom and where.
pub fn proof_message(id: KeyId, person: PersonId, host: InstallId, public_key: &[u8]) -> Digest {
    Digest::sha256_of_parts(&[
        PROOF_DOMAIN,
        id.as_bytes(),
        person.as_bytes(),
        host.as_bytes(),
        public_key,
    ])
}

/// Registers a key for the person who is signed in. The same request again is answered again; the
/// second part says whether this one (and not an earlier one) registered it.
///
/// # Errors
/// [`Failure::Invalid`] for a bad key or proof; [`Failure::NotFound`] for an unknown
/// installation, [`Failure::DeviceRevoked`] for a revoked one; [`Failure::IdReused`]; [`Failure::Conflict`] beyond [`MOST_KEYS`].
pub async fn register(app: &App, person: PersonId, new: NewKey) -> Result<(Key, bool), Failure> {
    let public_key = check(&new, person)?;
    let (shared, now) = (app.clone(), app.clock.now());
    let key = PersonKey {
        id: new.id,
        person_id: person,
        host_install: new.host_install,
        algorithm: ED25519_NUMBER,
        public_key,
        registered_at: now,
        revoked_at: None,
        revoked_reason: None,
    };
    let registered = app.db.write(move |tx| {
        if let Some(known) = person_keys::by_id(tx.conn(), key.id)? {
            let same = known.person_id == key.person_id
                && known.host_install == key.host_install
                && known.public_key == key.public_key;
            return match same {
                true => Ok((Key::from(known), false)),
                false => Err(Failure::IdReused),
            };
        }
        insert(tx, &key, now)?;
        wake_audit(tx, &shared);
        Ok::<_, Failure>((Key::from(key.clone()), true))
    });
    registered.await
}

/// The public key, once everything about the request is as it must be.
fn check(new: &NewKey, person: PersonId) -> Result<Vec<u8>, Failure> {
    if !new.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    let claimed = Claimed {
        algorithm: ("algorithm", &new.algorithm),
        public_key: &new.public_key,
        proof: &new.proof,
    };
    claimed.proven(|key| proof_message(new.id, person, new.host_install, key))
}

fn insert(tx: &mut WriteTx<'_>, key: &PersonKey, now: Timestamp) -> Result<(), Failure> {
    // An installation's key goes by the installation's id: the two must not be confused.
    if installs::by_id(tx.conn(), InstallId(key.id.0))?.is_some() {
        return Err(Failure::IdReused);
    }
    if !installs::hold(tx, key.host_install)? {
        let known = installs::by_id(tx.conn(), key.host_install)?;
        return Err(match known {
            Some(_) => Failure::DeviceRevoked,
            None => Failure::NotFound("device"),
        });
    }
    if person_keys::count_active(tx.conn(), key.person_id)? >= MOST_KEYS {
        let why = format!("at most {MOST_KEYS} keys; revoke one that is not in use");
        return Err(Failure::Conflict(why));
    }
    person_keys::insert(tx, key).map_err(|error| match error.is_duplicate_in("person_keys") {
        // Somebody was faster with the same id: look again at whose it is.
        true => StoreError::Stale { what: "key" },
        false => error,
    })?;
    let public = URL_SAFE_NO_PAD.encode(&key.public_key);
    let (person, host) = (key.person_id.to_string(), key.host_install.to_string());
    let fields = [
        ("person_id", person.as_str()),
        ("host_install", host.as_str()),
        ("algorithm", ED25519),
        ("public_key", public.as_str()),
    ];
    record(tx, key.id, "key_registered", key.person_id, &fields, now)?;
    Ok(())
}

fn record(
    tx: &mut WriteTx<'_>,
    id: KeyId,
    kind: &str,
    actor: PersonId,
    fields: &[(&str, &str)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let occurrence = Occurrence {
        subject: ("person_key", &id.0),
        kind,
        actor: Some(actor),
        fields,
    };
    occurrence.record(tx, now)
}

/// A person's keys, revoked ones too, with ids after `after`, at most `limit` (and no more than a
/// page of the settings).
///
/// # Errors
/// [`Failure::NotFound`] for people elsewhere; [`Failure::Forbidden`] for others than the owner
/// and administrators of all that the owner is.
pub async fn list(
    app: &App,
    asker: PersonId,
    owner: PersonId,
    after: Option<KeyId>,
    limit: usize,
) -> Result<Vec<Key>, Failure> {
    let now = app.clock.now();
    let limit = i64::try_from(limit.min(app.settings.http.page_rows)).unwrap_or(i64::MAX);
    let listed = app.db.read(move |tx: &mut ReadTx<'_>| {
        require_over(tx.conn(), asker, owner, now)?;
        let found = person_keys::of_person(tx.conn(), owner, after, limit)?;
        Ok::<_, Failure>(found.into_iter().map(Key::from).collect())
    });
    listed.await
}

/// Revokes a key: what it signs from now on is good for nothing. One that is revoked stays so. A
/// reason may be blank.
///
/// # Errors
/// As [`list`]; [`Failure::NotFound`] also for a key that is not this person's.
pub async fn revoke(
    app: &App,
    asker: PersonId,
    owner: PersonId,
    id: KeyId,
    reason: &str,
) -> Result<(), Failure> {
    text::optional("reason", Some(reason), SHORT_TEXT_MAX)?;
    let (shared, now, reason) = (app.clone(), app.clock.now(), reason.to_owned());
    let revoked = app.db.write(move |tx| {
        require_over(tx.conn(), asker, owner, now)?;
        let key = person_keys::by_id(tx.conn(), id)?;
        if key.is_none_or(|key| key.person_id != owner) {
            return Err(Failure::NotFound("key"));
        }
        if person_keys::revoke(tx, id, &reason, now)? {
            let fields = [("reason", reason.as_str())];
            record(tx, id, "key_revoked", asker, &fields, now)?;
            wake_audit(tx, &shared);
        }
        Ok::<_, Failure>(())
    });
    revoked.await
}

/// Refuses all but the owner and the administrators of all that the owner is.
fn require_over(
    conn: &mut Conn,
    asker: PersonId,
    owner: PersonId,
    now: Timestamp,
) -> Result<(), Failure> {
    if asker == owner {
        return Ok(());
    }
    let standing = Standing::of(conn, asker, now)?;
    let (_, grants) = standing.find(conn, owner)?;
    standing.require_all_of(&grants)
}

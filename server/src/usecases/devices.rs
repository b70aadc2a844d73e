//! Devices: enrolling one with its key, listing, revoking.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::installs::{self, Install};
use crate::store::people::PeopleList;
use crate::store::sessions::{self, Ending};
use crate::store::{ReadTx, StoreError, WriteTx, uploads};
use crate::usecases::key_proof::{Claimed, ED25519, ED25519_NUMBER};
use crate::usecases::people::{Occurrence, OfWhom, Standing, wake_audit};
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;

/// Separates proofs of enrolment from every other use of the same key.
const PROOF_DOMAIN: &[u8] = b"hazardloop enrolment v1";

/// Devices of one person that are not revoked.
pub const MOST_DEVICES: usize = 50;

/// The longest device name, in characters.
pub const LONGEST_DEVICE_NAME: usize = 100;

/// A request to enrol a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDevice {
    /// Made by the device, once per installation.
    pub install_id: InstallId,
    /// What its owner calls it.
    pub device_name: String,
    /// The kind of key: [`ED25519`].
    pub key_algorithm: String,
    /// The public half, 32 bytes as base64url without padding.
    pub public_key: String,
    /// Signature over [`proof_message`], 64 bytes as base64url without padding.
    pub proof: String,
}

/// A device as its owner and administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Device {
    /// The installation.
    pub install_id: InstallId,
    /// Whose.
    pub person_id: PersonId,
    /// What its owner calls it.
    #[schema(example = "检查组手机 3")]
    pub device_name: String,
    /// The kind of key.
    #[schema(example = "ed25519")]
    pub key_algorithm: String,
    /// The public half, base64url without padding.
    #[schema(example = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik")]
    pub public_key: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When it last refreshed its sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    /// It was lost or stolen: nothing that it has not sent is taken any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub stolen: bool,
}

impl From<Install> for Device {
    fn from(install: Install) -> Self {
        Self {
            install_id: install.id,
            person_id: install.person_id,
            device_name: install.device_name,
            key_algorithm: ED25519.to_owned(),
            public_key: URL_SAFE_NO_PAD.encode(install.public_key),
            enrolled_at: install.enrolled_at,
            last_seen_at: install.last_seen_at,
            revoked_at: install.revoked_at,
            revoked_reason: install.revoked_reason,
            stolen: install.stolen,
        }
    }
}

/// What the device signs to prove that it has the private half, and for whom it enrols.
pub fn proof_message(install: InstallId, person: PersonId, public_key: &[u8]) -> Digest {
    Digest::sha256_of_parts(&[
        PROOF_DOMAIN,
        install.as_bytes(),
        person.as_bytes(),
        public_key,
    ])
}

/// An enrolled device.
#[derive(Clone)]
pub struct Enrolled {
    /// The device.
    pub device: Device,
    /// A token of the session, which is bound to the device from now on.
    pub access_token: String,
    /// Until when.
    pub access_expires_at: Timestamp,
    /// Whether this request (and not an earlier one) enrolled it.
    pub created: bool,
}

/// Enrols a device and binds the session to it. The same request again is answered again.
///
/// # Errors
/// [`Failure::Invalid`] for a bad key or proof; [`Failure::IdReused`] when the id is another
/// person's or another key's, which of them is not told; [`Failure::DeviceRevoked`];
/// [`Failure::Conflict`] when the session is bound to another device.
pub async fn enrol(app: &App, bearer: Bearer, new: NewDevice) -> Result<Enrolled, Failure> {
    let public_key = check(&new, bearer.person_id)?;
    let (shared, now) = (app.clone(), app.clock.now());
    let install = Install {
        id: new.install_id,
        person_id: bearer.person_id,
        device_name: new.device_name,
        key_algorithm: ED25519_NUMBER,
        public_key,
        enrolled_at: now,
        last_seen_at: None,
        revoked_at: None,
        revoked_reason: None,
        stolen: false,
    };
    let enrolled = app
        .db
        .write(move |tx| enrol_in(tx, &shared, bearer, &install, now));
    let (install, created) = enrolled.await?;
    let bound = Bearer {
        install_id: Some(install.id),
        ..bearer
    };
    let (access_token, access_expires_at) = session::access(app, bound, now)?;
    Ok(Enrolled {
        device: install.into(),
        access_token,
        access_expires_at,
        created,
    })
}

/// The public key, once everything about the request is as it must be.
fn check(new: &NewDevice, person: PersonId) -> Result<Vec<u8>, Failure> {
    // Version 8: computed, as those of calendars and packs are, whose first import would find it taken.
    let id = new.install_id.0;
    if id.is_nil() || id.is_max() || id.get_version_num() == 8 {
        return Err(Failure::invalid(
            "install_id",
            "must be a random or time-ordered UUID",
        ));
    }
    text::required("device_name", &new.device_name, LONGEST_DEVICE_NAME)?;
    let claimed = Claimed {
        algorithm: ("key_algorithm", &new.key_algorithm),
        public_key: &new.public_key,
        proof: &new.proof,
    };
    claimed.proven(|key| proof_message(new.install_id, person, key))
}

fn enrol_in(
    tx: &mut WriteTx<'_>,
    app: &App,
    bearer: Bearer,
    install: &Install,
    now: Timestamp,
) -> Result<(Install, bool), Failure> {
    if !sessions::hold(tx, bearer.session_id, now)? {
        return Err(Failure::Unauthenticated(Unauthenticated::SessionEnded));
    }
    let created = match installs::by_id(tx.conn(), install.id)? {
        Some(known) => {
            let same =
                known.person_id == install.person_id && known.public_key == install.public_key;
            if !same {
                return Err(Failure::IdReused);
            }
            if !installs::hold(tx, install.id)? {
                return Err(Failure::DeviceRevoked);
            }
            false
        }
        None => {
            insert(tx, install, now)?;
            wake_audit(tx, app);
            true
        }
    };
    if !sessions::bind(tx, bearer.session_id, install.id)? {
        let why = "this sign-in belongs to another device; sign in again";
        return Err(Failure::Conflict(why.to_owned()));
    }
    let stored = installs::by_id(tx.conn(), install.id)?.ok_or(StoreError::Missing)?;
    Ok((stored, created))
}

fn insert(tx: &mut WriteTx<'_>, install: &Install, now: Timestamp) -> Result<(), Failure> {
    let owner = install.person_id;
    if installs::count_active(tx.conn(), owner)? >= i64::try_from(MOST_DEVICES).unwrap_or(i64::MAX)
    {
        let why = format!("at most {MOST_DEVICES} devices; revoke one that is not in use");
        return Err(Failure::Conflict(why));
    }
    installs::insert(tx, install).map_err(|error| match error.is_duplicate_in("installs") {
        // Somebody was faster with the same id: look again at whose it is.
        true => StoreError::Stale { what: "device" },
        false => error,
    })?;
    let person = owner.to_string();
    let key = URL_SAFE_NO_PAD.encode(&install.public_key);
    let fields = [
        ("person_id", person.as_str()),
        ("device_name", install.device_name.as_str()),
        ("key_algorithm", ED25519),
        ("public_key", key.as_str()),
    ];
    record(tx, install.id, "device_enrolled", owner, &fields, now)?;
    Ok(())
}

fn record(
    tx: &mut WriteTx<'_>,
    install: InstallId,
    kind: &str,
    actor: impl Into<Option<PersonId>>,
    fields: &[(&str, &str)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let occurrence = Occurrence {
        subject: ("device", &install.0),
        kind,
        actor: actor.into(),
        fields,
    };
    occurrence.record(tx, now)
}

/// Own devices, and for administrators those of the people in their jurisdiction; or, of whoever
/// holds no role any more, those of the people who held their last one there. With ids after
/// `after`, at most `limit` (and no more than a page of the settings).
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    asker: PersonId,
    of_whom: OfWhom,
    after: Option<InstallId>,
    limit: usize,
) -> Result<Vec<Device>, Failure> {
    let now = app.clock.now();
    let limit = i64::try_from(limit.min(app.settings.http.page_rows)).unwrap_or(i64::MAX);
    let listed = app.db.read(move |tx: &mut ReadTx<'_>| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let found = installs::in_view(
            tx.conn(),
            &PeopleList {
                view: &standing.administered_view(),
                of_whom,
                now,
                after: after.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
                limit,
            },
        )?;
        Ok::<_, Failure>(found.into_iter().map(Device::from).collect())
    });
    listed.await
}

/// Why a device is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// In words; may be blank.
    pub reason: String,
    /// It was lost or stolen: nothing that it still offers is kept.
    pub stolen: bool,
}

impl From<&str> for Revocation {
    fn from(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            stolen: false,
        }
    }
}

/// Revokes a device: its sessions end, and what it pushes from now on is refused. One that is
/// revoked stays so; that it was stolen may become known later, and is not taken back.
///
/// # Errors
/// [`Failure::NotFound`] for devices of people elsewhere as for none; [`Failure::Forbidden`] for
/// others than the owner and administrators of all that the owner is.
pub async fn revoke(
    app: &App,
    asker: PersonId,
    id: InstallId,
    revocation: impl Into<Revocation>,
) -> Result<(), Failure> {
    let revocation = revocation.into();
    text::optional("reason", Some(&revocation.reason), SHORT_TEXT_MAX)?;
    let (shared, now) = (app.clone(), app.clock.now());
    let revoked = app.db.write(move |tx| {
        let unknown = || Failure::NotFound("device");
        let install = installs::by_id(tx.conn(), id)?.ok_or_else(unknown)?;
        if install.person_id != asker {
            let standing = Standing::of(tx.conn(), asker, now)?;
            let found = standing.find(tx.conn(), install.person_id);
            let (_, grants) = found.map_err(|failure| match failure {
                Failure::NotFound(_) => unknown(),
                other => other,
            })?;
            standing.require_all_of(&grants)?;
        }
        revoke_in(tx, &shared, &install, asker, &revocation, now)?;
        Ok::<_, Failure>(())
    });
    revoked.await
}

/// Revokes it, where it is not revoked yet; answers whether it was. Its sessions are the caller's to end.
fn revoke_row(
    tx: &mut WriteTx<'_>,
    install: &Install,
    actor: Option<PersonId>,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !installs::revoke(tx, install.id, reason, now)? {
        return Ok(false);
    }
    let fields = [("reason", reason)];
    record(tx, install.id, "device_revoked", actor, &fields, now)?;
    // Else they would take the places of the uploads that this person's other devices begin.
    uploads::end_of(tx.conn(), (install.person_id, install.id.0), now)?;
    Ok(true)
}

/// Devices that are looked at in one statement.
const DEVICES_AT_ONCE: i64 = 100;

/// Revokes all devices of whoever is to use none any more, whose sessions the caller ends: they drop what they hold at
/// their next contact, and hand over what they have not sent.
///
/// # Errors
/// When the database does not answer.
pub(super) fn revoke_all_of(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    actor: Option<PersonId>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = installs::of_person(tx.conn(), person, after, DEVICES_AT_ONCE)?;
        for install in &page {
            revoke_row(tx, install, actor, reason, now)?;
        }
        match page.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}

fn revoke_in(
    tx: &mut WriteTx<'_>,
    app: &App,
    install: &Install,
    asker: PersonId,
    Revocation { reason, stolen }: &Revocation,
    now: Timestamp,
) -> Result<(), StoreError> {
    let revoked = revoke_row(tx, install, Some(asker), reason, now)?;
    if *stolen && installs::report_stolen(tx, install.id)? {
        let fields = [("reason", reason.as_str())];
        record(tx, install.id, "device_stolen", asker, &fields, now)?;
        wake_audit(tx, app);
    }
    if !revoked {
        return Ok(());
    }
    let (ending, owner) = (Ending::OfInstall(install.id), install.person_id);
    let ended = session::end_in(tx, ending, owner, Some(asker), "device_revoked", now)?;
    session::void_after_commit(tx, app, ended, now);
    let (shared, id): (App, Uuid) = (app.clone(), install.id.0);
    tx.after_commit(Box::new(move || {
        shared.sign_in.ended.add_installs([(id, now)]);
    }));
    wake_audit(tx, app);
    Ok(())
}

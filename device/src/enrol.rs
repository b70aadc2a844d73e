//! Enrolment: a password becomes a bound session, an install and its key; all of it durable.

use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::EARLIEST;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Failure, Identity, Output, State, StoreOp, successor,
};

use crate::ambient::Ambient;
use crate::data_key::DataKey;
use crate::driver::DeviceError;
use crate::home::{DATABASE, HomeError, Profile};
use crate::store::{Account, Store};
use crate::transport::Transport;
use crate::vault::{self, Keyring};
use crate::{sealing, session, wipe};

/// Enrols: signs in, registers install and key, keeps everything durably. Enrolling the same
/// person again keeps install and queue, unless the stream was found in use elsewhere (restored
/// phone): then a new install takes over what has no receipt.
///
/// # Errors
/// [`EnrolError`].
pub fn enrol(
    profile: &Profile,
    transport: &Transport,
    password: &str,
    device_name: &str,
    keyring: &Keyring<'_>,
    ambient: &mut Ambient,
) -> Result<Account, EnrolError> {
    let here = |error: HomeError| EnrolError::from(DeviceError::from(error));
    profile
        .enter_network(|ms| ambient.clock.sleep_ms(ms))
        .map_err(here)?;
    // Positions below zero: an enrolment must not draw what a command draws.
    ambient.stir(&profile.owner.login, -1);
    // First of all: without a sign-in nothing of a profile comes to be.
    let opened = profile
        .away(|| session::sign_in(transport, &profile.owner.login, password))
        .map_err(here)?
        .map_err(|failure| match failure {
            Failure::Unauthorized => EnrolError::WrongPassword,
            other => EnrolError::Server(other),
        })?;
    wipe::forget_note(profile).map_err(here)?;
    let data_key = vault::unlock(profile, keyring, ambient).map_err(DeviceError::from)?;
    sealing::seal(profile, &data_key, ambient.generator())?;
    let (known, state) = kept(profile, &data_key, ambient)?;
    if known
        .as_ref()
        .is_some_and(|account| account.person.id != opened.person.id)
    {
        return Err(EnrolError::OtherPerson);
    }
    let before = known.as_ref().map(|account| account.install_id);
    let (mut install_id, mut key) = install(profile, known, &state, &data_key, ambient)?;
    let mut rng = ambient.generator();
    let mut register = |install_id, key: &SigningKey| {
        profile
            .keep_key(install_id, key, (&data_key, &mut rng))
            .map_err(here)?;
        let bound =
            profile.away(|| session::enrol(transport, &opened, install_id, key, device_name));
        bound.map_err(here)?.map_err(EnrolError::Server)
    };
    let mut bound = register(install_id, &key);
    if state.meta.must_rekey && matches!(bound, Err(EnrolError::Server(Failure::Revoked))) {
        // Another copy of this phone took it, and was revoked. That must not keep this one's work for ever.
        (install_id, key) = new_install(&profile.owner.login, &state, ambient);
        bound = register(install_id, &key);
    }
    let bound = bound?;
    let account = Account {
        server: profile.owner.server.clone(),
        login: profile.owner.login.clone(),
        install_id,
        person: bound.person,
        access_token: bound.access_token,
        refresh_token: bound.refresh_token,
    };
    let path = profile.dir.join(DATABASE);
    let mut store = Store::open(&path, &data_key, rng).map_err(DeviceError::from)?;
    // Read again: others may have queued while the server was waited for.
    let state = store.load().map_err(DeviceError::from)?;
    let mut ops = Vec::new();
    if state.meta.must_rekey {
        ops = resealed(&account, before, key, state);
    }
    store
        .apply_with_account(&ops, Some(&account))
        .map_err(DeviceError::from)?;
    Ok(account)
}

/// What an earlier enrolment left; no database is made for asking.
fn kept(
    profile: &Profile,
    data_key: &DataKey,
    ambient: &mut Ambient,
) -> Result<(Option<Account>, State), DeviceError> {
    let path = profile.dir.join(DATABASE);
    if !path.exists() {
        return Ok((None, State::default()));
    }
    let mut store = Store::open(&path, data_key, ambient.generator())?;
    let (state, account) = store.load_all()?;
    Ok((account, state))
}

/// The install that goes on, the one that takes over, or a new one.
fn install(
    profile: &Profile,
    known: Option<Account>,
    state: &State,
    data_key: &DataKey,
    ambient: &mut Ambient,
) -> Result<(InstallId, SigningKey), DeviceError> {
    let Some(account) = known else {
        return Ok(new_install(&profile.owner.login, state, ambient));
    };
    let key = profile.key(account.install_id, data_key)?;
    if !state.meta.must_rekey {
        return Ok((account.install_id, key));
    }
    let next = successor(state, account.install_id, &key);
    Ok(next.unwrap_or_else(|| new_install(&profile.owner.login, state, ambient)))
}

/// An install that never was.
fn new_install(login: &str, state: &State, ambient: &mut Ambient) -> (InstallId, SigningKey) {
    if state.meta.must_rekey {
        let position = state.highest_seq().saturating_neg().saturating_sub(2);
        ambient.stir(login, position);
    }
    let key = SigningKey::from_bytes(&ambient.bytes());
    (InstallId(ambient.uuid_v7()), key)
}

/// The queue sealed anew, as one write together with the new account. `before` is the install under which the server
/// has what was sent: choices about that name it.
fn resealed(
    account: &Account,
    before: Option<InstallId>,
    key: SigningKey,
    state: State,
) -> Vec<StoreOp> {
    let install_id = account.install_id;
    let identity = Identity {
        install_id: before.unwrap_or(install_id),
        person_id: account.person.id,
        person: None,
    };
    let mut engine = Engine::new(identity, key.clone(), EngineConfig::default(), state, 0);
    engine.handle_rekeyed(install_id, key);
    match engine.poll_output_of(EARLIEST, &[]) {
        Some(Output::Write { ops, .. }) => ops,
        _ => Vec::new(),
    }
}

/// Why enrolment failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// This directory holds another person's work.
    #[error("this device holds the work of another person under this login")]
    OtherPerson,
    /// The server does not know this login with this password.
    #[error("wrong login or password")]
    WrongPassword,
    /// The server did not take part.
    #[error("the server did not enrol this device: {0:?}")]
    Server(Failure),
    /// This device did not.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl From<Failure> for EnrolError {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

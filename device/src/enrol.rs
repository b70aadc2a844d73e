//! Enrolment: a password becomes a bound session, an install and its key; all of it durable.

use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::EARLIEST;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Failure, Identity, Output, State, StoreOp,
};

use crate::ambient::Ambient;
use crate::driver::DeviceError;
use crate::home::{DATABASE, HomeError, Profile};
use crate::session;
use crate::store::{Account, Store};
use crate::transport::Transport;

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
    let (known, state) = kept(profile)?;
    if known
        .as_ref()
        .is_some_and(|account| account.person.id != opened.person.id)
    {
        return Err(EnrolError::OtherPerson);
    }
    let (install_id, key) = install(profile, known, &state, ambient)?;
    profile.keep_key(install_id, &key).map_err(here)?;
    let bound = profile
        .away(|| session::enrol(transport, &opened, install_id, &key, device_name))
        .map_err(here)??;
    let account = Account {
        server: profile.owner.server.clone(),
        login: profile.owner.login.clone(),
        install_id,
        person: bound.person,
        access_token: bound.access_token,
        refresh_token: bound.refresh_token,
    };
    let mut store = Store::open(&profile.dir.join(DATABASE)).map_err(DeviceError::from)?;
    // Read again: others may have queued while the server was waited for.
    let state = store.load().map_err(DeviceError::from)?;
    let mut ops = Vec::new();
    if state.meta.must_rekey {
        ops = resealed(&account, install_id, key, state);
    }
    store
        .apply_with_account(&ops, Some(&account))
        .map_err(DeviceError::from)?;
    Ok(account)
}

/// What an earlier enrolment left; no database is made for asking.
fn kept(profile: &Profile) -> Result<(Option<Account>, State), DeviceError> {
    let path = profile.dir.join(DATABASE);
    if !path.exists() {
        return Ok((None, State::default()));
    }
    let mut store = Store::open(&path)?;
    Ok((store.account()?, store.load()?))
}

/// The install that goes on, or a new one.
fn install(
    profile: &Profile,
    known: Option<Account>,
    state: &State,
    ambient: &mut Ambient,
) -> Result<(InstallId, SigningKey), DeviceError> {
    if let Some(account) = known.filter(|_| !state.meta.must_rekey) {
        return Ok((account.install_id, profile.key(account.install_id)?));
    }
    if state.meta.must_rekey {
        let position = state.highest_seq().saturating_neg().saturating_sub(2);
        ambient.stir(&profile.owner.login, position);
    }
    let key = SigningKey::from_bytes(&ambient.bytes());
    Ok((InstallId(ambient.uuid_v7()), key))
}

/// The queue sealed anew, as one write together with the new account.
fn resealed(
    account: &Account,
    install_id: InstallId,
    key: SigningKey,
    state: State,
) -> Vec<StoreOp> {
    let identity = Identity {
        install_id,
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

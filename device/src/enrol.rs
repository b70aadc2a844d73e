//! Enrolment: a password becomes a bound session, an install and its key; all of it durable.

use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::EARLIEST;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Failure, Identity, Output, State, StoreOp,
};

use crate::ambient::Ambient;
use crate::driver::DeviceError;
use crate::home::{DATABASE, Profile};
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
    let mut store = Store::open(&profile.dir.join(DATABASE)).map_err(DeviceError::from)?;
    let known = store.account().map_err(DeviceError::from)?;
    let state = store.load().map_err(DeviceError::from)?;
    // Positions below zero: an enrolment must not draw what a command draws.
    ambient.stir(&profile.owner.login, -1);
    let opened = session::sign_in(transport, &profile.owner.login, password)?;
    if known
        .as_ref()
        .is_some_and(|account| account.person.id != opened.person.id)
    {
        return Err(EnrolError::OtherPerson);
    }
    let kept = known.filter(|_| !state.meta.must_rekey);
    let (install_id, key) = match &kept {
        Some(account) => {
            let key = profile.key(account.install_id).map_err(DeviceError::from)?;
            (account.install_id, key)
        }
        None => {
            if state.meta.must_rekey {
                let position = state.highest_seq().saturating_neg().saturating_sub(2);
                ambient.stir(&profile.owner.login, position);
            }
            let key = SigningKey::from_bytes(&ambient.bytes());
            (InstallId(ambient.uuid_v7()), key)
        }
    };
    profile
        .keep_key(install_id, &key)
        .map_err(DeviceError::from)?;
    let bound = session::enrol(transport, &opened, install_id, &key, device_name)?;
    let account = Account {
        server: profile.owner.server.clone(),
        login: profile.owner.login.clone(),
        install_id,
        person: bound.person,
        access_token: bound.access_token,
        refresh_token: bound.refresh_token,
    };
    let mut ops = Vec::new();
    if state.meta.must_rekey {
        ops = resealed(&account, install_id, key, state);
    }
    store
        .apply_with_account(&ops, Some(&account))
        .map_err(DeviceError::from)?;
    Ok(account)
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

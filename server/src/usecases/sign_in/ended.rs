//! Sessions and devices that were ended while access tokens of theirs may still be about.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use crate::failure::{Failure, Unauthenticated};

/// What was ended, until every access token from before has expired. Grows with the number of
/// ends in that time only.
#[derive(Default)]
pub struct Ended(RwLock<Sets>);

#[derive(Default)]
struct Sets {
    sessions: HashMap<Uuid, Timestamp>,
    installs: HashMap<Uuid, Timestamp>,
}

impl Ended {
    /// Adds sessions that ended.
    pub fn add_sessions(&self, ended: impl IntoIterator<Item = (Uuid, Timestamp)>) {
        self.write().sessions.extend(ended);
    }

    /// Adds devices that were revoked.
    pub fn add_installs(&self, revoked: impl IntoIterator<Item = (Uuid, Timestamp)>) {
        self.write().installs.extend(revoked);
    }

    /// Forgets what ended before `before`.
    pub fn forget(&self, before: Timestamp) {
        let mut sets = self.write();
        sets.sessions.retain(|_, at| *at >= before);
        sets.installs.retain(|_, at| *at >= before);
    }

    /// Refuses tokens of ended sessions and revoked devices.
    ///
    /// # Errors
    /// [`Failure::DeviceRevoked`], or [`Unauthenticated::SessionEnded`].
    pub fn check(&self, session: Uuid, install: Option<InstallId>) -> Result<(), Failure> {
        let sets = self.read();
        if install.is_some_and(|id| sets.installs.contains_key(&id.0)) {
            return Err(Failure::DeviceRevoked);
        }
        if sets.sessions.contains_key(&session) {
            return Err(Failure::Unauthenticated(Unauthenticated::SessionEnded));
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Sets> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Sets> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

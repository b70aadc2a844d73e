//! Two devices that witness each other: each keeps in its own chain how far the other's was.

use hazardloop_sync_protocol::device::WitnessError;
use hazardloop_sync_protocol::witness::{ChainHead, ShownHead};

use crate::ambient::Ambient;
use crate::driver::{Device, DeviceError, Queued, reading};

/// Why a head was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotWitnessed {
    /// For what it is.
    #[error(transparent)]
    Head(#[from] WitnessError),
    /// This device cannot keep it.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl Device {
    /// How far this device's chain is, for another one to take; `None`: nothing was queued yet.
    pub fn shown_head(&self) -> Option<ShownHead> {
        Some(ShownHead {
            server: self.account.server.clone(),
            epoch: self.engine.state().meta.epoch.clone(),
            head: self.engine.chain_head()?,
        })
    }

    /// Whether a head is of this device's server.
    pub fn is_of_this_server(&self, shown: &ShownHead) -> bool {
        let epoch = self.engine.state().meta.epoch.as_deref();
        shown.is_of(&self.account.server, epoch)
    }

    /// Takes another device's head into this one's chain; on return it is durable.
    ///
    /// # Errors
    /// [`NotWitnessed`].
    pub fn witness(
        &mut self,
        ambient: &Ambient,
        shown: &ChainHead,
    ) -> Result<Queued, NotWitnessed> {
        let (now, made) = (ambient.clock.now(), reading(ambient));
        let ticket = self.engine.handle_witness(now, made, shown)?;
        let queued = self.stored(ambient, ticket)?;
        // Every command that is taken gets a sequence.
        Ok(queued.ok_or_else(|| DeviceError::NotKept(String::new()))?)
    }

    /// As [`Self::witness`], for a head that came along with something else: whether it is taken changes nothing
    /// about that. Says whether it was.
    pub fn witness_along(&mut self, ambient: &Ambient, shown: Option<&ChainHead>) -> bool {
        shown.is_some_and(|head| self.witness(ambient, head).is_ok())
    }
}

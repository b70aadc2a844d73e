//! What a person chooses to do about a command that took no effect.

use crate::ambient::Ambient;
use crate::driver::{Device, DeviceError, Queued, reading};

impl Device {
    /// Sends a command again that took no effect; on return it is durable.
    ///
    /// # Errors
    /// [`DeviceError::Choice`], [`DeviceError::Refused`], [`DeviceError::NotKept`].
    pub fn retry(&mut self, ambient: &Ambient, seq: i64) -> Result<Option<Queued>, DeviceError> {
        let (now, made) = (ambient.clock.now(), reading(ambient));
        let ticket = self.engine.handle_retry(now, made, seq)?;
        self.stored(ambient, ticket)
    }

    /// Gives a command up that took no effect; on return that is durable. `None`: the server has nothing of it,
    /// so there is nothing to send.
    ///
    /// # Errors
    /// [`DeviceError::Choice`], [`DeviceError::Refused`] for a reason that is none, [`DeviceError::NotKept`].
    pub fn give_up(
        &mut self,
        ambient: &Ambient,
        seq: i64,
        reason: &str,
    ) -> Result<Option<Queued>, DeviceError> {
        let (now, made) = (ambient.clock.now(), reading(ambient));
        let ticket = self.engine.handle_given_up(now, made, seq, reason)?;
        self.stored(ambient, ticket)
    }
}

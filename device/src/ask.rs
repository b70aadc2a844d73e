//! Asks the server, by this device's own session, for what no replica holds. Read-only: whatever
//! changes a record is a signed command of the queue.

use hazardloop_sync_protocol::device::Failure;
use serde::de::DeserializeOwned;

use crate::driver::{Device, DeviceError, RunReport};
use crate::transport::Transport;

impl Device {
    /// The answer to a GET of `path` (from `/api/` on), or why the server was of no use. A session
    /// that has run out is renewed once. The profile's store is released while the server is waited
    /// for; the process must be the one that speaks to it ([`crate::home::Profile::enter_network`]).
    ///
    /// # Errors
    /// [`DeviceError`] when the device's own disk fails.
    pub fn ask<T: DeserializeOwned>(
        &mut self,
        transport: &Transport,
        path: &str,
    ) -> Result<Result<T, Failure>, DeviceError> {
        let token = self.account.access_token.clone();
        let first = self.profile.away(|| transport.get_json(&token, path))?;
        if !matches!(first, Err(Failure::Unauthorized)) {
            return Ok(first);
        }
        let mut run = RunReport::default();
        self.renew(transport, &mut run)?;
        if let Some(failure) = run.failure {
            return Ok(Err(failure));
        }
        let token = self.account.access_token.clone();
        Ok(self.profile.away(|| transport.get_json(&token, path))?)
    }
}

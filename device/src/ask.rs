//! Asks the server, by this device's own session, for what no replica holds, and the little that is
//! no record of the queue (a hand-over). Whatever changes a hazard or an inspection is a signed
//! command of the queue.

use hazardloop_sync_protocol::device::Failure;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
        self.in_session(transport, |token| transport.get_json(token, path))
    }

    /// The same for a POST of `body`. An answer may be lost after the server has done what was asked:
    /// `body` holds an id by which it knows the request again.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn submit<T: DeserializeOwned>(
        &mut self,
        transport: &Transport,
        path: &str,
        body: &Value,
    ) -> Result<Result<T, Failure>, DeviceError> {
        self.in_session(transport, |token| {
            transport.post_json(Some(token), path, body)
        })
    }

    fn in_session<T>(
        &mut self,
        transport: &Transport,
        ask: impl Fn(&str) -> Result<T, Failure>,
    ) -> Result<Result<T, Failure>, DeviceError> {
        let token = self.account.access_token.clone();
        let first = self.profile.away(|| ask(&token))?;
        if !matches!(first, Err(Failure::Unauthorized)) {
            return Ok(first);
        }
        let mut run = RunReport::default();
        self.renew(transport, &mut run)?;
        if let Some(failure) = run.failure {
            return Ok(Err(failure));
        }
        let token = self.account.access_token.clone();
        Ok(self.profile.away(|| ask(&token))?)
    }
}

//! What the simulated hub takes from revoked phones.

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::device::Failure;
use hazardloop_sync_protocol::wire::{OfferRequest, OfferResponse, PushRequest};

use crate::hub::{Hub, OFFERED};
use crate::variant::Variant;

impl Hub {
    /// An install is revoked, as one that was stolen or otherwise.
    pub fn revoke(&mut self, install_id: InstallId, stolen: bool) {
        self.set_revoked(install_id, true);
        if stolen {
            self.stolen.insert(install_id);
        }
    }

    /// Whether an install is revoked.
    pub fn is_revoked(&self, install_id: InstallId) -> bool {
        let install = self.memory.tables.installs.get(&install_id);
        install.is_some_and(|install| install.revoked)
    }

    pub(crate) fn set_revoked(&mut self, install_id: InstallId, revoked: bool) {
        if let Some(install) = self.memory.tables.installs.get_mut(&install_id) {
            install.revoked = revoked;
        }
    }

    /// Takes an offer.
    ///
    /// # Errors
    /// As the device is told of them.
    pub fn offer(&mut self, request: &OfferRequest) -> Result<OfferResponse, Failure> {
        let install_id = request.install_id;
        if !self.is_revoked(install_id) {
            return Err(Failure::NotOurs);
        }
        if self.stolen.contains(&install_id) {
            return Err(Failure::Revoked);
        }
        if self.variant() == Variant::CarriesOutOffers {
            return self.carry_out_offer(request);
        }
        let loses = self.variant() == Variant::LosesOffers;
        let before = loses.then(|| self.memory.tables.clone());
        let known = self.last_of(install_id);
        if self.variant() == Variant::TakesLessThanItMay {
            self.memory.offered_commands = 1;
        }
        let answer = self.memory.offer(request, self.now);
        for seq in known + 1..=self.last_of(install_id) {
            self.offered.insert(SentCommand { install_id, seq });
        }
        if let Some(before) = before {
            self.memory.tables = before;
        }
        answer.map_err(|_| Failure::ServerError)
    }

    /// Whether it has of a revoked install what it keeps of one.
    pub(crate) fn has_its_fill_of(&self, install_id: InstallId) -> bool {
        let install = self.memory.tables.installs.get(&install_id);
        install.is_some_and(|install| install.offered >= OFFERED)
    }

    fn last_of(&self, install_id: InstallId) -> i64 {
        let install = self.memory.tables.installs.get(&install_id);
        install.map_or(0, |install| install.stream.last_seq)
    }

    /// [`Variant::CarriesOutOffers`]: it is taken as a push.
    fn carry_out_offer(&mut self, request: &OfferRequest) -> Result<OfferResponse, Failure> {
        let install_id = request.install_id;
        let install = self.memory.tables.installs.get(&install_id);
        let author = install.ok_or(Failure::ServerError)?.person_id;
        let push = PushRequest {
            protocol: request.protocol,
            install_id,
            commands: request.commands.clone(),
            settled: Vec::new(),
        };
        self.memory.rules.carries_out = Some(install_id);
        self.set_revoked(install_id, false);
        let answer = self.memory.push(author, &push, self.now);
        self.set_revoked(install_id, true);
        self.memory.rules.carries_out = None;
        let answer = answer.map_err(|_| Failure::ServerError)?;
        Ok(OfferResponse {
            protocol: answer.protocol,
            server_time: answer.server_time,
            last: answer.last,
            results: answer.results,
            expected: answer.expected,
            full: false,
        })
    }
}

//! Proof of time in a schedule: devices witness each other, and nothing may be proven that was not so.

use std::collections::BTreeMap;

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::device::StoreOp;

use super::World;
use crate::dice::Dice;
use crate::hub::Hub;
use crate::oracle::Found;

/// The true time at which each link of each chain came to be.
pub(super) type Born = BTreeMap<Digest, Timestamp>;

impl World {
    /// One device takes the head of another one's chain, as that is on its disk.
    pub(super) fn witness(&mut self, number: usize, dice: &mut Dice) {
        let other = dice.below(self.devices.len());
        let Some(shown) = self.devices[other].profile.engine.chain_head() else {
            return;
        };
        let device = &mut self.devices[number];
        let (wall, clocks) = (device.wall(self.hub.now), device.clocks(self.hub.now));
        // Its own, or one that it has.
        if device
            .profile
            .engine
            .handle_witness(wall, clocks, &shown)
            .is_ok()
        {
            self.pump(number, false, dice);
        }
    }

    /// Notes which commands are about to be on a disk.
    pub(super) fn note_births(&mut self, number: usize, ops: &[StoreOp]) {
        let install = self.devices[number].profile.engine.identity().install_id;
        // What is sealed anew is written before its identity is the device's own.
        let (next, _) = self.devices[number].profile.enrolment();
        for op in ops {
            if let StoreOp::PutCommand(command) = op {
                for install in [install, next] {
                    let link = link_hash(install, &command.envelope);
                    self.born.entry(link).or_insert(self.hub.now);
                }
            }
        }
        self.note_said([install, next], ops);
    }
}

/// Invariant 21: no command is proven to have been there before it was made, nor to have been made after it was.
pub(super) fn check(hub: &Hub, born: &Born) -> Vec<Found> {
    let mut found = Vec::new();
    for (install_id, install) in &hub.memory.tables.installs {
        for (seq, stored) in &install.receipts {
            let command = SentCommand {
                install_id: *install_id,
                seq: *seq,
            };
            let Some(proof) = hub.memory.tables.time_proof(command) else {
                continue;
            };
            let Some(born) = born.get(&stored.link_hash) else {
                let what = format!("{command:?} came from nowhere");
                found.push(Found::new(21, what));
                continue;
            };
            if proof.proven_at.is_none_or(|proven| proven < *born)
                || proof.not_before.is_some_and(|after| after > *born)
            {
                let what = format!("{command:?} was made at {born}: {proof:?}");
                found.push(Found::new(21, what));
            }
        }
    }
    found
}

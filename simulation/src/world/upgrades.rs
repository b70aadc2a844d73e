//! Phones whose build is newer than the hub's, and people who share a phone.

use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::device::{StoreOp, StoredCommand};

use super::World;
use super::acts::Told;
use crate::builds;
use crate::dice::Dice;
use crate::network::NetFault;
use crate::variant::Variant;

impl World {
    /// The app is stopped, and begins anew as a newer build.
    pub(super) fn upgrade_phone(&mut self, number: usize) {
        self.count("phone upgraded");
        let device = &mut self.devices[number];
        device.newer = true;
        device.restart();
    }

    /// The next of its people signs in.
    pub(super) fn sign_in_next(&mut self, number: usize) {
        self.count("signed in");
        let device = &mut self.devices[number];
        let before = device.profile.disk.commands.clone();
        if self.variant == Variant::ForgetsAtSignIn {
            let commands = &mut device.profile.disk.commands;
            commands.retain(|_, command| !command.is_unsent());
        }
        device.sign_in_next();
        self.forget_replica(number);
        if self.variant == Variant::SharesTheQueue {
            let unsent = before.values().filter(|command| command.is_unsent());
            let unsent: Vec<StoredCommand> = unsent.cloned().collect();
            for command in unsent {
                self.seal_as_newest(number, &command);
            }
        }
    }

    /// Its requests are still under way when the next of its people signs in and syncs.
    pub(super) fn hand_on(&mut self, number: usize, dice: &mut Dice) {
        let faults = &mut self.devices[number].faults;
        faults.push_front(NetFault::Late);
        faults.push_front(NetFault::Late);
        self.sync(number, dice);
        self.sign_in_next(number);
        self.sync(number, dice);
    }

    /// [`Variant::SharesTheQueue`]: what another queued, under this one's install.
    fn seal_as_newest(&mut self, number: usize, of: &StoredCommand) {
        let payload = of.envelope.payload.0.clone();
        let kind = of.envelope.kind.clone();
        let subject = HazardId(of.subject_id.0);
        self.queue(number, subject, &kind, payload);
    }

    /// A newer build queues a command: with fields that the hub does not know, and now and then of a kind that it
    /// does not know. It is another process over the same store, as far as the engine is concerned.
    pub(super) fn act_newer(
        &mut self,
        number: usize,
        id: HazardId,
        action: Action,
        told: Told,
        dice: &mut Dice,
    ) {
        self.touch(number, id);
        let device = &mut self.devices[number];
        let (wall, clocks) = (device.wall(self.hub.now), device.clocks(self.hub.now));
        let engine = &device.profile.engine;
        let fits = engine.check_commands(wall, &clocks, id.into(), std::slice::from_ref(&action));
        // The disk is full, or it dies at this write: nothing was kept, and nobody was told that it was.
        if fits.is_err() || device.disk_full > 0 || device.crash.is_some() {
            return;
        }
        let known = action.kind().as_str();
        let payload = builds::newer_payload(clocks, &Command::new(id, action));
        if dice.one_in(4) {
            return self.queue(number, id, builds::UNKNOWN_KIND, payload);
        }
        self.queue(number, id, known, payload);
        self.attempt(number, id, told);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.acknowledged = true;
        }
    }

    fn queue(&mut self, number: usize, id: HazardId, kind: &str, payload: Vec<u8>) {
        let device = &mut self.devices[number];
        let queued_at = device.wall(self.hub.now);
        let (install_id, _) = device.profile.enrolment();
        let newest = device.profile.disk.commands.last_key_value();
        let newest = newest.filter(|(seq, _)| **seq > 0);
        let (seq, previous) = newest.map_or((1, Digest::ZERO), |(seq, command)| {
            (seq + 1, link_hash(install_id, &command.envelope))
        });
        let command = StoredCommand {
            envelope: device.profile.seal(seq, kind, previous, payload),
            subject_id: id.into(),
            queued_at,
            receipt: None,
            awaiting_pull: false,
            oversize: None,
            earlier: None,
            chosen: None,
        };
        let ops = [StoreOp::PutCommand(command.clone())];
        self.note_births(number, &ops);
        let profile = &mut self.devices[number].profile;
        profile.disk.apply(&ops);
        let engine = &mut profile.engine;
        engine.handle_queued_elsewhere(vec![command], Vec::new());
        self.after_write(number, &ops);
    }
}

//! What must hold after every step and not only in the end, where that is cheap to see: invariants 1, 2, 8, 11, 16 and 21.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use hazardloop_domain::command_fate::Choice;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::device::StoreOp;
use hazardloop_sync_protocol::wire::{CommandPayload, Envelope, GiveUp, WireLimits};

use super::{World, time};
use crate::device::Profile;
use crate::hub_rules::marker_of;
use crate::oracle::{self, Found};
use crate::schedule::{DeviceNo, Step};

/// Findings after which nothing more is looked for step by step: they say the same again and again.
const ENOUGH: usize = 8;

/// What was seen up to the last step.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What did not hold.
    pub found: Vec<Found>,
    /// How many effects.
    effects: usize,
    /// How many statements of how far chains are, and receipts.
    proofs: (usize, usize),
    /// Which attempt a marker is of.
    pub attempts: BTreeMap<String, usize>,
    /// What each payload says that was written to a disk.
    said: HashMap<Vec<u8>, Rc<Said>>,
    /// What each command says, by its link.
    pub links: HashMap<Digest, Rc<Said>>,
}

/// What a command says, as far as it is looked at here.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// By what it is found again.
    pub marker: Option<String>,
    /// What it says of an earlier one.
    pub choice: Option<Choice>,
}

/// Whose disk a step may change.
const fn device_of(step: Step) -> Option<DeviceNo> {
    match step {
        Step::Report(device)
        | Step::Photograph(device)
        | Step::SignIn(device)
        | Step::HandOn(device)
        | Step::UpgradePhone(device)
        | Step::Note(device)
        | Step::Amend(device)
        | Step::Confirm(device)
        | Step::Withdraw(device)
        | Step::Choose(device, _)
        | Step::HeldUp(device, _)
        | Step::Witness(device)
        | Step::Sync(device)
        | Step::RestorePhone(device) => Some(device),
        _ => None,
    }
}

fn said_by(envelope: &Envelope) -> Said {
    let depth = WireLimits::default().depth;
    let (kind, version, payload) = (&envelope.kind, envelope.version, &envelope.payload.0);
    if let Ok(opened) = CommandPayload::open(kind, version, payload, depth) {
        return Said {
            marker: marker_of(&opened.command.action).map(str::to_owned),
            choice: opened.choice,
        };
    }
    let given_up = GiveUp::open(version, payload, depth);
    Said {
        marker: None,
        choice: given_up.ok().map(|read| read.choice),
    }
}

impl World {
    /// Remembers what the commands say that are about to be on a disk.
    pub(super) fn note_said(&mut self, installs: [InstallId; 2], ops: &[StoreOp]) {
        for op in ops {
            let StoreOp::PutCommand(command) = op else {
                continue;
            };
            let content = command.content();
            let said = match self.seen.said.get(&content.payload.0) {
                Some(said) => Rc::clone(said),
                None => {
                    let said = Rc::new(said_by(content));
                    let payload = content.payload.0.clone();
                    self.seen.said.insert(payload, Rc::clone(&said));
                    said
                }
            };
            for install in installs {
                let link = link_hash(install, &command.envelope);
                // A placeholder whose command has moved elsewhere is still what that one said in its place.
                self.seen
                    .links
                    .entry(link)
                    .or_insert_with(|| Rc::clone(&said));
            }
        }
    }

    /// What a payload says, if it was ever on a disk.
    pub(super) fn said(&self, payload: &[u8]) -> Option<&Said> {
        self.seen.said.get(payload).map(Rc::as_ref)
    }

    /// After a step.
    pub(super) fn look(&mut self, number: u64, step: Step) {
        if self.seen.found.len() >= ENOUGH {
            return;
        }
        let mut found = Vec::new();
        self.look_at_effects(&mut found);
        self.look_at_proofs(&mut found);
        self.look_for_readers(&mut found);
        self.look_for_ended_roles(&mut found);
        self.hub.look_at_merger(&mut found);
        if let Some(device) = device_of(step) {
            let profile = &self.devices[device].profile;
            if profile.engine.state() != &profile.disk {
                let what = format!("device {device}: memory and disk differ");
                found.push(Found::new(11, what));
            }
            self.look_for_acknowledged(device, &mut found);
        } else if matches!(step, Step::RestoreHub) {
            for device in 0..self.devices.len() {
                self.look_for_acknowledged(device, &mut found);
            }
        }
        let found = found.into_iter().map(|found| {
            let what = format!("after step {number}: {}", found.what);
            Found::new(found.invariant, what)
        });
        self.seen.found.extend(found);
    }

    /// Invariants 2 and 16 of what took effect since the last step.
    fn look_at_effects(&mut self, found: &mut Vec<Found>) {
        let effects = &self.hub.memory.rules.effects;
        for (person, marker) in effects.iter().skip(self.seen.effects) {
            let attempt = self.seen.attempts.get(marker);
            let Some(attempt) = attempt.and_then(|at| self.attempts.get(*at)) else {
                continue;
            };
            if attempt.person != *person {
                found.push(Found::new(16, format!("{marker} as {person:?}")));
            }
            let times = oracle::effects_of(&self.hub, attempt);
            if times > 1 {
                let what = format!("{marker} took effect {times} times");
                found.push(Found::new(2, what));
            }
        }
        self.seen.effects = effects.len();
    }

    /// Invariant 21, where anything may be proven that was not before.
    fn look_at_proofs(&mut self, found: &mut Vec<Found>) {
        let tables = &self.hub.memory.tables;
        let installs = tables.installs.values();
        let receipts = installs.map(|install| install.receipts.len()).sum();
        let proofs = (tables.statements.len(), receipts);
        if std::mem::replace(&mut self.seen.proofs, proofs) != proofs {
            found.extend(time::check(&self.hub, &self.born));
        }
    }

    /// Invariant 1: what was acknowledged on a device is there or at the hub.
    fn look_for_acknowledged(&self, device: DeviceNo, found: &mut Vec<Found>) {
        let profiles = self.devices[device].profiles();
        let there: BTreeSet<(PersonId, &str)> =
            profiles.flat_map(|own| self.on_disk(own)).collect();
        let own = self.attempts.iter();
        for attempt in own.filter(|a| a.device == device && a.acknowledged && !a.undone) {
            let kept = there.contains(&(attempt.person, attempt.marker.as_str()));
            let handed_over = || attempt.wiped && self.received().contains(&attempt.marker);
            if !kept && oracle::effects_of(&self.hub, attempt) == 0 && !handed_over() {
                let what = format!("{} was acknowledged and is nowhere", attempt.marker);
                found.push(Found::new(1, what));
            }
        }
    }

    fn on_disk<'a>(&'a self, own: &'a Profile) -> impl Iterator<Item = (PersonId, &'a str)> {
        let payloads = own.disk.commands.values();
        let payloads = payloads.map(|command| &command.content().payload.0);
        let markers = payloads.filter_map(|payload| self.said(payload)?.marker.as_deref());
        markers.map(|marker| (own.person.id, marker))
    }
}

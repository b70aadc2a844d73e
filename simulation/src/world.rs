//! One schedule, from its first step until nothing moves any more.
#![allow(
    clippy::indexing_slicing,
    reason = "schedules name the devices that there are; a simulator that stops at another has found its own fault"
)]

mod acts;
mod choices;
mod ended;
mod hub_steps;
mod photos;
mod revoked;
mod stepwise;
mod time;
mod traffic;
mod upgrades;

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::ids::{HazardId, PersonId};

use choices::listed;

use crate::cast;
use crate::device::{Device, Profile};
use crate::dice::Dice;
use crate::hub::Hub;
use crate::network::OVERTAKING;
use crate::oracle::{self, Attempt, Found};
use crate::schedule::{DEVICES, Schedule, Step};
use crate::trace::Writes;
use crate::twin;
use crate::variant::Variant;

/// What came of a schedule.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What did not hold.
    pub found: Vec<Found>,
    /// Commands that were acknowledged.
    pub commands: usize,
    /// Faults that happened, by name.
    pub faults: BTreeMap<String, usize>,
    /// Simulated time, milliseconds, of all devices together.
    pub device_ms: i64,
    /// What took effect, in order, by its marker.
    pub effects: Vec<String>,
    /// What was acknowledged, by its marker, on records of which the hub found nothing too large, about which nobody
    /// chose anything, and that nobody touched whose phone was revoked: when it says so, and what there is to choose, is a matter of time, as waits are.
    pub acknowledged: BTreeSet<String>,
}

pub(crate) struct World {
    pub(crate) hub: Hub,
    devices: Vec<Device>,
    attempts: Vec<Attempt>,
    faults: BTreeMap<String, usize>,
    variant: Variant,
    /// What commands were about that the hub would not take for their size.
    aside: BTreeSet<HazardId>,
    choices: Vec<choices::Made>,
    /// What commands were about of which somebody chose what is to become.
    chosen_about: BTreeSet<HazardId>,
    /// Whose phones were revoked, or whose roles end at times of their own.
    revoked: BTreeSet<PersonId>,
    /// What somebody did something about.
    touched: BTreeMap<PersonId, BTreeSet<HazardId>>,
    born: time::Born,
    seen: stepwise::Seen,
    chunks: photos::Chunks,
    /// What became durable, where that is recorded.
    pub(crate) writes: Option<Writes>,
}

/// What of one device stands still once nothing moves any more.
#[derive(PartialEq, Eq)]
struct Standstill {
    commands: usize,
    unsent: usize,
    scopes: Vec<(String, bool)>,
    photos: usize,
    at_the_hub: (usize, usize),
}

/// Rounds of syncing in which everything must come to rest once the network has healed.
const ROUNDS: usize = 60;

/// Outputs of one device in one go, beyond which it is taken to run in circles.
const OUTPUTS: usize = 20_000;

/// Plays a schedule, and plays it again with no clock ever wrong: invariant 15 says that nothing else comes of it.
/// Compared is what was acknowledged both times: waits, and with them the write at which an app dies, may fall elsewhere.
pub fn play(schedule: &Schedule, variant: Variant) -> Report {
    let mut report = run(schedule, variant);
    if variant == Variant::AltersOneReceipt {
        report.found.extend(twin::play_twice(schedule, variant));
    }
    let mut right = schedule.clone();
    let mut clocks = 0;
    for (_, step) in &mut right.steps {
        if matches!(step, Step::Clock(..)) {
            // As much time passes at the hub, and a merger gets as far: else it would be other roles that judge.
            *step = Step::Wait(0);
            clocks += 1;
        }
    }
    if clocks > 0 {
        let without = run(&right, variant);
        let both = report.acknowledged.intersection(&without.acknowledged);
        let both: BTreeSet<&String> = both.collect();
        let kept = |effects: &[String]| -> Vec<String> {
            let kept = effects.iter().filter(|marker| both.contains(marker));
            kept.cloned().collect()
        };
        let (with, without) = (kept(&report.effects), kept(&without.effects));
        if with != without {
            let mut places = 0..with.len().max(without.len());
            let at = places.find(|at| with.get(*at) != without.get(*at));
            let at = at.map(|at| (at, with.get(at), without.get(at)));
            let what = format!("effects with and without wrong clocks: {at:?}");
            report.found.push(Found::new(15, what));
        }
    }
    report
}

/// Plays a schedule once.
pub fn run(schedule: &Schedule, variant: Variant) -> Report {
    let mut world = World::new(variant);
    let at_rest = world.go(schedule);
    let mut found = world.hub.take_found();
    found.append(&mut world.seen.found);
    found.extend(time::check(&world.hub, &world.born));
    found.extend(photos::check_resent(&world));
    if at_rest {
        found.extend(choices::check(&world));
        found.extend(world.hub.check_merger());
        found.extend(oracle::check_quiet(
            &world.hub,
            &world.devices,
            &world.attempts,
            &world.received(),
        ));
    } else {
        found.push(Found::new(5, "it does not come to rest"));
    }
    let effects = world.hub.memory.rules.effects.iter();
    let passed = cast::BEGIN.as_millis();
    let touched = world.touched_by_revoked();
    let acknowledged = world.attempts.iter().filter(|a| a.acknowledged);

    Report {
        found,
        commands: acknowledged.clone().count(),
        acknowledged: acknowledged
            .filter(|a| {
                !world.aside.contains(&a.hazard)
                    && !world.chosen_about.contains(&a.hazard)
                    && !touched.contains(&a.hazard)
            })
            .map(|a| a.marker.clone())
            .collect(),
        faults: world.faults,
        device_ms: (world.hub.now.as_millis() - passed) * i64::try_from(DEVICES).unwrap_or(1),
        effects: effects.map(|(_, marker)| marker.clone()).collect(),
    }
}

impl World {
    pub(crate) fn new(variant: Variant) -> Self {
        let mut hub = Hub::new(variant);
        let people = cast::people();
        let users = |phone| {
            let users = cast::users_of(phone);
            let users = users.map(|id| people.iter().find(|person| person.id == id).cloned());
            users.into_iter().flatten().collect()
        };
        let phones = 0..DEVICES;
        let devices: Vec<Device> = phones.filter_map(|no| Device::new(no, users(no))).collect();
        for profile in devices.iter().flat_map(Device::profiles) {
            let (install_id, key) = profile.enrolment();
            hub.enrol(install_id, profile.person.id, key);
        }
        Self {
            hub,
            devices,
            attempts: Vec::new(),
            faults: BTreeMap::new(),
            variant,
            aside: BTreeSet::new(),
            choices: Vec::new(),
            chosen_about: BTreeSet::new(),
            revoked: BTreeSet::new(),
            touched: BTreeMap::new(),
            born: time::Born::new(),
            seen: stepwise::Seen::default(),
            chunks: photos::Chunks::new(),
            writes: None,
        }
    }

    /// All steps, and then until nothing changes; `false`: it never comes to rest.
    pub(crate) fn go(&mut self, schedule: &Schedule) -> bool {
        for (number, step) in &schedule.steps {
            let mut dice = Dice::of(schedule.seed, *number);
            self.step(*number, *step, &mut dice);
            self.look(*number, *step);
        }
        self.heal(&mut Dice::of(schedule.seed, u64::MAX))
    }

    pub(crate) fn count(&mut self, fault: &str) {
        *self.faults.entry(fault.to_owned()).or_default() += 1;
    }

    fn step(&mut self, number: u64, step: Step, dice: &mut Dice) {
        self.hub.now = self.hub.now.plus_millis(1_000);
        self.hub.advance_merger();
        match step {
            Step::Report(device) => self.report(number, device, false, dice),
            Step::Photograph(device) => self.report(number, device, true, dice),
            Step::SignIn(device) => self.sign_in_next(device),
            Step::HandOn(device) => self.hand_on(device, dice),
            Step::SpoilPhoto(device) => self.spoil_photo(device, dice),
            Step::UpgradePhone(device) => self.upgrade_phone(device),
            Step::Note(device) => self.note(number, device, dice),
            Step::Amend(device) => self.amend(number, device, dice),
            Step::Confirm(device) => self.confirm(device, dice),
            Step::Withdraw(device) => self.withdraw(device, dice),
            Step::Choose(device, how) => self.choose(number, device, how, listed, dice),
            Step::HeldUp(device, how) => self.hold_up(number, device, how, dice),
            Step::Sync(device) => self.sync(device, dice),
            Step::Witness(device) => self.witness(device, dice),
            Step::Net(device, fault, times) => {
                let faults = &mut self.devices[device].faults;
                faults.extend(std::iter::repeat_n(fault, times));
            }
            Step::Chunk(device, chunks, fault) => {
                self.devices[device].chunk_fault = Some((chunks, fault));
            }
            Step::TooLarge(device, times) => self.devices[device].too_large = times,
            Step::PhotoTooLarge(device) => self.devices[device].photo_too_large = true,
            Step::Wait(ms) => self.hub.now = self.hub.now.plus_millis(ms),
            Step::Hours(hours) => self.pass_hours(hours),
            Step::Crash(device, writes, durable) => {
                self.devices[device].crash = Some((writes, durable));
            }
            Step::DiskFull(device, writes) => self.devices[device].disk_full = writes,
            Step::Clock(device, skew_ms) => {
                self.count("clock");
                self.devices[device].skew_ms = skew_ms;
            }
            Step::MoveFirm(_)
            | Step::MoveInspector(_)
            | Step::EndRole(_)
            | Step::MergeInto(_)
            | Step::ChangeCatalog
            | Step::BackUpHub
            | Step::RestoreHub
            | Step::UpgradeHub
            | Step::ForgetRemovals => self.hub_step(number, step, dice),
            Step::Revoke(device, stolen) => self.revoke(device, stolen),
            Step::BackUpPhone(device) => {
                self.devices[device].back_up((self.attempts.len(), self.choices.len()))
            }
            Step::RestorePhone(device) => self.restore_phone(device, dice),
        }
    }

    /// Faults end, everybody syncs until nothing changes; `false`: it never does.
    fn heal(&mut self, dice: &mut Dice) -> bool {
        for device in &mut self.devices {
            device.faults.clear();
            device.chunk_fault = None;
            device.crash = None;
            device.disk_full = 0;
            for straggler in &mut device.stragglers {
                straggler.behind = straggler.behind.min(OVERTAKING);
            }
            device.too_large = 0;
            device.held_up = 0;
            device.offer_held_up = false;
            device.photo_too_large = false;
        }
        self.hub.pass_roles();
        let mut before = None;
        for _ in 0..ROUNDS {
            self.hub.keep_windows();
            for number in 0..self.devices.len() {
                self.hub.advance_merger();
                for _ in 0..self.devices[number].profiles().count() {
                    self.sync(number, dice);
                    self.devices[number].sign_in_next();
                }
            }
            // Longer than any wait of a device.
            self.hub.now = self.hub.now.plus_millis(660_000);
            let now = self.snapshot();
            let mut profiles = self.devices.iter().flat_map(Device::profiles);
            let rekeying = profiles.any(|profile| profile.engine.state().meta.must_rekey);
            let mut devices = self.devices.iter();
            let arriving = devices.any(|device| !device.stragglers.is_empty());
            let moving = rekeying || arriving || self.hub.is_merging();
            if before.as_ref() == Some(&now) && !moving {
                return true;
            }
            before = Some(now);
        }
        false
    }

    /// What would differ if anything still moved.
    fn snapshot(&self) -> Vec<Standstill> {
        let of = |profile: &Profile| {
            let disk = &profile.disk;
            let scopes = disk.scopes.iter();
            let scopes = scopes.map(|(scope, state)| {
                let sum = state.held.map(|held| (held.count, held.digest));
                (format!("{scope} {sum:?}"), state.complete)
            });
            let unsent = disk.commands.values().filter(|c| c.is_unsent()).count();
            Standstill {
                commands: disk.commands.len(),
                unsent,
                scopes: scopes.collect(),
                photos: disk.photos.len(),
                at_the_hub: self.hub.photos.sum(),
            }
        };
        let profiles = self.devices.iter().flat_map(Device::profiles);
        profiles.map(of).collect()
    }
}

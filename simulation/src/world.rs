//! One schedule, from its first step until nothing moves any more.
#![allow(
    clippy::indexing_slicing,
    reason = "schedules name the devices that there are; a simulator that stops at another has found its own fault"
)]

mod hub_steps;
mod time;

use std::collections::BTreeMap;

use hazardloop_domain::command::Action;
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_sync_protocol::device::{Failure, Notice, Output, Request, ResponseBody};

use crate::cast;
use crate::device::{Device, Straggler};
use crate::dice::Dice;
use crate::hub::Hub;
use crate::network::{self, NetFault};
use crate::oracle::{self, Attempt, Found};
use crate::schedule::{DEVICES, Schedule, Step};
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
}

pub(crate) struct World {
    pub(crate) hub: Hub,
    devices: Vec<Device>,
    attempts: Vec<Attempt>,
    faults: BTreeMap<String, usize>,
    variant: Variant,
    born: time::Born,
}

/// What of one device stands still once nothing moves any more.
#[derive(PartialEq, Eq)]
struct Standstill {
    commands: usize,
    unsent: usize,
    scopes: Vec<(String, bool)>,
}

/// Rounds of syncing in which everything must come to rest once the network has healed.
const ROUNDS: usize = 60;

/// Outputs of one device in one go, beyond which it is taken to run in circles.
const OUTPUTS: usize = 20_000;

/// Plays a schedule, and plays it again with no clock ever wrong: invariant 15 says that nothing else comes of it.
pub fn play(schedule: &Schedule, variant: Variant) -> Report {
    let mut report = run(schedule, variant);
    let mut right = schedule.clone();
    right
        .steps
        .retain(|(_, step)| !matches!(step, Step::Clock(..)));
    if right.steps.len() < schedule.steps.len() {
        let effects = run(&right, variant).effects;
        let mut pairs = report.effects.iter().zip(&effects);
        if report.effects != effects {
            let first = pairs.find(|(with, without)| with != without);
            let what = format!("with and without wrong clocks: {first:?}");
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
    found.extend(time::check(&world.hub, &world.born));
    if at_rest {
        found.extend(oracle::check_quiet(
            &world.hub,
            &world.devices,
            &world.attempts,
        ));
    } else {
        found.push(Found::new(5, "it does not come to rest"));
    }
    let effects = world.hub.memory.rules.effects.iter();
    let passed = cast::BEGIN.as_millis();
    Report {
        found,
        commands: world.attempts.iter().filter(|a| a.acknowledged).count(),
        faults: world.faults,
        device_ms: (world.hub.now.as_millis() - passed) * i64::try_from(DEVICES).unwrap_or(1),
        effects: effects.map(|(_, marker)| marker.clone()).collect(),
    }
}

impl World {
    pub(crate) fn new(variant: Variant) -> Self {
        let mut hub = Hub::new(variant);
        let people = cast::people().into_iter().enumerate();
        let devices: Vec<Device> = people.map(|(no, person)| Device::new(no, person)).collect();
        for device in &devices {
            let (install_id, key) = device.enrolment();
            hub.enrol(install_id, device.person_id(), key);
        }
        Self {
            hub,
            devices,
            attempts: Vec::new(),
            faults: BTreeMap::new(),
            variant,
            born: time::Born::new(),
        }
    }

    /// All steps, and then until nothing changes; `false`: it never comes to rest.
    pub(crate) fn go(&mut self, schedule: &Schedule) -> bool {
        for (number, step) in &schedule.steps {
            let mut dice = Dice::of(schedule.seed, *number);
            self.step(*number, *step, &mut dice);
        }
        self.heal(&mut Dice::of(schedule.seed, u64::MAX))
    }

    pub(crate) fn count(&mut self, fault: &str) {
        *self.faults.entry(fault.to_owned()).or_default() += 1;
    }

    fn step(&mut self, number: u64, step: Step, dice: &mut Dice) {
        self.hub.now = self.hub.now.plus_millis(1_000);
        match step {
            Step::Report(device) => self.report(number, device, dice),
            Step::Note(device) => self.note(number, device, dice),
            Step::Amend(device) => self.amend(number, device, dice),
            Step::Confirm(device) => self.confirm(device, dice),
            Step::Withdraw(device) => self.withdraw(device, dice),
            Step::Sync(device) => self.sync(device, dice),
            Step::Witness(device) => self.witness(device, dice),
            Step::Net(device, fault, times) => {
                let faults = &mut self.devices[device].faults;
                faults.extend(std::iter::repeat_n(fault, times));
            }
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
            | Step::BackUpHub
            | Step::RestoreHub
            | Step::ForgetRemovals => self.hub_step(number, step),
            Step::BackUpPhone(device) => self.devices[device].back_up(self.attempts.len()),
            Step::RestorePhone(device) => self.restore_phone(device),
        }
    }

    fn restore_phone(&mut self, number: usize) {
        let Some(since) = self.devices[number].restore() else {
            return;
        };
        self.count("phone restored");
        // What the hub had by then is not only the phone's.
        let hub = &self.hub;
        for attempt in self.attempts.iter_mut().skip(since) {
            let only_there = oracle::effects_of(hub, attempt) == 0;
            attempt.undone |= attempt.device == number && only_there;
        }
    }

    fn report(&mut self, step: u64, number: usize, dice: &mut Dice) {
        let own = number < cast::FIRMS;
        let firm = cast::firm(if own { number } else { dice.below(cast::FIRMS) });
        let marker = format!("report {step}");
        let action = cast::report(firm, own, self.hub.now, &marker);
        self.act(
            number,
            cast::hazard(step),
            action,
            Some((marker, true)),
            dice,
        );
    }

    /// Some hazard that the person sees, with its version.
    pub(crate) fn pick(
        &self,
        number: usize,
        dice: &mut Dice,
    ) -> Option<(HazardId, i64, Option<EnterpriseId>)> {
        let device = &self.devices[number];
        let mut seen = device.engine.hazards(device.wall(self.hub.now));
        if seen.is_empty() {
            return None;
        }
        let hazard = seen.swap_remove(dice.below(seen.len())).hazard;
        Some((hazard.id, hazard.version, hazard.enterprise_id))
    }

    fn note(&mut self, step: u64, number: usize, dice: &mut Dice) {
        if let Some((id, ..)) = self.pick(number, dice) {
            let marker = format!("note {step}");
            let action = cast::note(&marker);
            self.act(number, id, action, Some((marker, false)), dice);
        }
    }

    fn amend(&mut self, step: u64, number: usize, dice: &mut Dice) {
        if let Some((id, version, _)) = self.pick(number, dice) {
            let text = format!("amended {step}");
            self.act(number, id, cast::amend(version, &text), None, dice);
        }
    }

    fn confirm(&mut self, number: usize, dice: &mut Dice) {
        // Further ahead than any clock here, so that no device refuses it before it is queued.
        let due = self.hub.now.plus_millis(40 * 86_400_000).shanghai_date();
        if let Some((id, ..)) = self.pick(number, dice) {
            self.act(number, id, cast::confirm(due), None, dice);
        }
    }

    pub(crate) fn act(
        &mut self,
        number: usize,
        id: HazardId,
        action: Action,
        marker: Option<(String, bool)>,
        dice: &mut Dice,
    ) {
        let device = &mut self.devices[number];
        let (wall, clocks) = (device.wall(self.hub.now), device.clocks(self.hub.now));
        // What the device's own rules refuse was never taken.
        let Ok(ticket) = device.engine.handle_command(wall, clocks, id, action) else {
            return;
        };
        if let Some((marker, report)) = marker {
            device.tickets.insert(ticket, self.attempts.len());
            self.attempts.push(Attempt {
                device: number,
                marker,
                hazard: id,
                report,
                acknowledged: false,
                undone: false,
            });
        }
        self.pump(number, false, dice);
    }

    fn sync(&mut self, number: usize, dice: &mut Dice) {
        self.deliver_stragglers(number, dice);
        let device = &mut self.devices[number];
        // Asked of what is durable: the disk may have been full when it was sealed anew the last time.
        if device.engine.state().meta.must_rekey {
            device.rekey();
            let (install_id, key) = device.enrolment();
            let person = device.person_id();
            self.hub.enrol(install_id, person, key);
        }
        let device = &mut self.devices[number];
        device.engine.handle_credentials_renewed();
        device.engine.handle_online();
        device.engine.handle_pull_wanted();
        self.pump(number, true, dice);
    }

    fn deliver_stragglers(&mut self, number: usize, dice: &mut Dice) {
        for straggler in std::mem::take(&mut self.devices[number].stragglers) {
            drop(self.at_the_hub(straggler.push, &straggler.bytes, dice));
        }
    }

    /// Runs a device until it has nothing more to do, or dies.
    fn pump(&mut self, number: usize, online: bool, dice: &mut Dice) {
        use hazardloop_sync_protocol::device::LaneName;
        let lanes = if online { LaneName::ALL } else { &[] };
        for _ in 0..OUTPUTS {
            let wall = self.devices[number].wall(self.hub.now);
            let Some(output) = self.devices[number].engine.poll_output_of(wall, lanes) else {
                return;
            };
            match output {
                Output::Write { id, ops } => {
                    if !self.write(number, id, &ops) {
                        return;
                    }
                }
                Output::Notice(notice) => self.notice(number, notice),
                Output::Send { id, request } => self.send(number, id, &request, dice),
                Output::ReadPhoto { id, .. } => {
                    let device = &mut self.devices[number];
                    device.engine.handle_photo_unreadable(id, wall);
                }
            }
        }
        let what = format!("device {number} runs in circles");
        self.hub.find(Found::new(5, what));
    }

    /// `false`: the app died here.
    fn write(
        &mut self,
        number: usize,
        id: u64,
        ops: &[hazardloop_sync_protocol::device::StoreOp],
    ) -> bool {
        self.note_births(number, ops);
        let device = &mut self.devices[number];
        let wall = device.wall(self.hub.now);
        if device.disk_full > 0 {
            device.disk_full -= 1;
            device.engine.handle_store_failed(id, wall);
            self.count("disk full");
            return true;
        }
        let dies = match &mut device.crash {
            Some((1, durable)) => Some(*durable),
            Some((writes, _)) => {
                *writes -= 1;
                None
            }
            None => None,
        };
        match dies {
            Some(durable) => {
                if durable {
                    device.disk.apply(ops);
                } else if self.variant == Variant::AcknowledgesBeforeTheDisk {
                    device.engine.handle_stored(id);
                    self.tell_notices(number);
                }
                self.devices[number].restart();
                self.count("crash");
                false
            }
            None => {
                device.disk.apply(ops);
                device.engine.handle_stored(id);
                true
            }
        }
    }

    /// [`Variant::AcknowledgesBeforeTheDisk`]: the person reads what the app says in its last moment.
    fn tell_notices(&mut self, number: usize) {
        let wall = self.devices[number].wall(self.hub.now);
        while let Some(Output::Notice(notice)) =
            self.devices[number].engine.poll_output_of(wall, &[])
        {
            self.notice(number, notice);
        }
    }

    fn notice(&mut self, number: usize, notice: Notice) {
        let device = &mut self.devices[number];
        match notice {
            Notice::Queued { ticket, .. } => {
                let attempt = device.tickets.remove(&ticket);
                if let Some(attempt) = attempt.and_then(|at| self.attempts.get_mut(at)) {
                    attempt.acknowledged = true;
                }
            }
            Notice::CredentialsNeeded if self.variant == Variant::ForgetsAtUnauthorized => {
                device
                    .disk
                    .commands
                    .retain(|_, command| !command.is_unsent());
                device.restart();
            }
            _ => {}
        }
    }

    fn send(&mut self, number: usize, id: u64, request: &Request, dice: &mut Dice) {
        let fault = self.devices[number].faults.pop_front();
        if let Some(fault) = fault {
            self.count(&format!("{fault:?}"));
        }
        let push = matches!(request, Request::Push(_));
        let Some(bytes) = network::encode(request) else {
            return self.answer(number, id, Err(Failure::ServerError));
        };
        let arrives = fault.is_none_or(NetFault::arrives);
        let answer = match arrives {
            true => self.at_the_hub(push, &bytes, dice),
            false => Err(()),
        };
        let answer = answer.map_err(|()| Failure::ServerError);
        if fault == Some(NetFault::Doubled) {
            let first = answer.clone();
            let again = self.at_the_hub(push, &bytes, dice);
            self.answer(number, id, first);
            let again = again.map_err(|()| Failure::ServerError);
            return self.answer(number, id, again);
        }
        if fault == Some(NetFault::Late) {
            let straggler = Straggler { push, bytes };
            self.devices[number].stragglers.push(straggler);
        }
        let failure = fault.and_then(NetFault::failure);
        self.answer(number, id, failure.map_or(answer, Err));
    }

    fn answer(&mut self, number: usize, id: u64, answer: Result<ResponseBody, Failure>) {
        let device = &mut self.devices[number];
        let wall = device.wall(self.hub.now);
        match answer {
            Ok(body) => device.engine.handle_response(id, wall, body),
            Err(failure) => device.engine.handle_failure(id, wall, failure),
        }
    }

    fn at_the_hub(
        &mut self,
        push: bool,
        bytes: &[u8],
        dice: &mut Dice,
    ) -> Result<ResponseBody, ()> {
        let body = if push {
            let request = network::push_from(bytes).ok_or(())?;
            self.hub.push(&request).map(ResponseBody::Push)
        } else {
            let request = network::pull_from(bytes).ok_or(())?;
            self.hub.pull(&request, dice).map(ResponseBody::Pull)
        };
        self.hub.note_request(push, bytes, body.as_ref());
        body.and_then(|body| network::through_the_codec(&body))
            .ok_or(())
    }

    /// Faults end, everybody syncs until nothing changes; `false`: it never does.
    fn heal(&mut self, dice: &mut Dice) -> bool {
        for device in &mut self.devices {
            device.faults.clear();
            device.crash = None;
            device.disk_full = 0;
        }
        let mut before = None;
        for _ in 0..ROUNDS {
            self.hub.keep_windows();
            for number in 0..self.devices.len() {
                self.sync(number, dice);
            }
            // Longer than any wait of a device.
            self.hub.now = self.hub.now.plus_millis(660_000);
            let now = self.snapshot();
            let rekeying = self
                .devices
                .iter()
                .any(|device| device.engine.state().meta.must_rekey);
            if before.as_ref() == Some(&now) && !rekeying {
                return true;
            }
            before = Some(now);
        }
        false
    }

    /// What would differ if anything still moved.
    fn snapshot(&self) -> Vec<Standstill> {
        let of = |device: &Device| {
            let disk = &device.disk;
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
            }
        };
        self.devices.iter().map(of).collect()
    }
}

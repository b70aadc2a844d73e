//! What people do on their phones.

use hazardloop_domain::command::Action;
use hazardloop_domain::ids::{EnterpriseId, HazardId};

use super::World;
use crate::cast;
use crate::dice::Dice;
use crate::network::NetFault;
use crate::oracle::{self, Attempt, Pictured};

/// By what a command is found again.
pub(super) struct Told {
    /// See [`Attempt::marker`].
    pub marker: String,
    /// See [`Attempt::report`].
    pub report: bool,
    /// See [`Attempt::photo`].
    pub photo: Option<Pictured>,
}

impl World {
    /// Notes what somebody tries.
    pub(super) fn attempt(&mut self, number: usize, hazard: HazardId, told: Told) {
        let marker = told.marker.clone();
        self.seen.attempts.insert(marker, self.attempts.len());
        self.attempts.push(Attempt {
            device: number,
            person: self.devices[number].person_id(),
            marker: told.marker,
            hazard,
            report: told.report,
            photo: told.photo,
            acknowledged: false,
            undone: false,
            chosen: false,
            wiped: false,
        });
    }

    pub(super) fn restore_phone(&mut self, number: usize, dice: &mut Dice) {
        let Some((since, choices)) = self.devices[number].restore() else {
            return;
        };
        if dice.one_in(2) {
            // What it sends at once may arrive when it has another name already.
            let faults = &mut self.devices[number].faults;
            faults.push_front(NetFault::Late);
            faults.push_front(NetFault::Late);
        }
        self.count("phone restored");
        for profile in self.devices[number].profiles() {
            let (install_id, _) = profile.enrolment();
            self.hub.given.forget_install(install_id);
        }
        self.sent_is_forgotten(number);
        self.undo_choices(number, choices);
        // What the hub had by then is not only the phone's.
        let hub = &self.hub;
        for attempt in self.attempts.iter_mut().skip(since) {
            let only_there = oracle::effects_of(hub, attempt) == 0;
            let here = attempt.device == number;
            attempt.undone |= here && only_there;
            if let Some(photo) = attempt.photo.as_mut().filter(|_| here) {
                photo.undone |= !hub.photos.holds(&photo.sha256);
            }
        }
    }

    pub(super) fn report(&mut self, step: u64, number: usize, pictured: bool, dice: &mut Dice) {
        let of = cast::own_firm(self.devices[number].person_id());
        let firm = of.unwrap_or_else(|| cast::firm(dice.below(cast::FIRMS)));
        let marker = format!("report {step}");
        let photo = pictured.then(|| self.take_photo(step, number, dice));
        let reference = photo.as_ref().map(|(reference, _)| reference.clone());
        let action = cast::report(firm, of.is_some(), self.hub.now, &marker, reference);
        let told = Told {
            marker,
            report: true,
            photo: photo.map(|(_, photo)| photo),
        };
        self.act(number, cast::hazard(step), action, Some(told), dice);
    }

    /// Some hazard that the person sees, with its version.
    pub(super) fn pick(
        &self,
        number: usize,
        dice: &mut Dice,
    ) -> Option<(HazardId, i64, Option<EnterpriseId>)> {
        let device = &self.devices[number];
        let mut seen = device.profile.engine.hazards(device.wall(self.hub.now));
        if seen.is_empty() {
            return None;
        }
        let hazard = seen.swap_remove(dice.below(seen.len())).hazard;
        Some((hazard.id, hazard.version, hazard.enterprise_id))
    }

    pub(super) fn note(&mut self, step: u64, number: usize, dice: &mut Dice) {
        if let Some((id, ..)) = self.pick(number, dice) {
            let marker = format!("note {step}");
            let action = cast::note(&marker);
            let told = Told {
                marker,
                report: false,
                photo: None,
            };
            match self.devices[number].newer {
                true => self.act_newer(number, id, action, told, dice),
                false => self.act(number, id, action, Some(told), dice),
            }
        }
    }

    pub(super) fn amend(&mut self, step: u64, number: usize, dice: &mut Dice) {
        if let Some((id, version, _)) = self.pick(number, dice) {
            let text = format!("amended {step}");
            self.act(number, id, cast::amend(version, &text), None, dice);
        }
    }

    pub(super) fn confirm(&mut self, number: usize, dice: &mut Dice) {
        // Further ahead than any clock here, so that no device refuses it before it is queued.
        let due = self.hub.now.plus_millis(40 * 86_400_000).shanghai_date();
        if let Some((id, ..)) = self.pick(number, dice) {
            self.act(number, id, cast::confirm(due), None, dice);
        }
    }

    /// Somebody takes a report back.
    pub(super) fn withdraw(&mut self, number: usize, dice: &mut Dice) {
        if let Some((id, ..)) = self.pick(number, dice) {
            self.act(number, id, cast::withdraw(), None, dice);
        }
    }

    /// Somebody does something about a hazard.
    pub(super) fn touch(&mut self, number: usize, id: HazardId) {
        let whose = self.devices[number].person_id();
        self.touched.entry(whose).or_default().insert(id);
    }

    pub(super) fn act(
        &mut self,
        number: usize,
        id: HazardId,
        action: Action,
        told: Option<Told>,
        dice: &mut Dice,
    ) {
        self.touch(number, id);
        let device = &mut self.devices[number];
        let (wall, clocks) = (device.wall(self.hub.now), device.clocks(self.hub.now));
        // What the device's own rules refuse was never taken.
        let engine = &mut device.profile.engine;
        let Ok(ticket) = engine.handle_command(wall, clocks, id, action) else {
            return;
        };
        if let Some(told) = told {
            device.profile.tickets.insert(ticket, self.attempts.len());
            self.attempt(number, id, told);
        }
        self.pump(number, false, dice);
    }
}

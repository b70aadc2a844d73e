//! Phones that are revoked: what they have not sent is offered, and then they are wiped. Invariant 23.

use std::collections::BTreeSet;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::device::{Failure, NextOffer, OfferEnd, StoreOp};
use hazardloop_sync_protocol::wire::{Envelope, OfferResponse};

use super::World;
use crate::dice::Dice;
use crate::network::{self, NetFault};
use crate::oracle::{Attempt, Found};
use crate::variant::Variant;

/// Numbers of what is queued while an offer is away: beyond those of all steps.
const MEANWHILE: u64 = 1_000_000;

impl World {
    /// Whoever is signed in has this phone revoked, as one that was stolen or otherwise.
    pub(super) fn revoke(&mut self, number: usize, stolen: bool) {
        self.count(if stolen { "stolen" } else { "revoked" });
        let profile = &self.devices[number].profile;
        let (install_id, _) = profile.enrolment();
        self.revoked.insert(profile.person.id);
        self.hub.revoke(install_id, stolen);
        // Some of them are behind a proxy that lets little through.
        self.devices[number].offer_held_up = self.revoked.len() % 2 == 1;
    }

    /// What was touched by people whose phones were revoked: what still arrived before is a matter of time.
    pub(super) fn touched_by_revoked(&self) -> BTreeSet<HazardId> {
        let people = self.revoked.iter();
        let touched = people.filter_map(|person| self.touched.get(person));
        touched.flatten().copied().collect()
    }

    /// A phone that was told that it is revoked offers what it has not sent, and is wiped. Its owner enrols it anew.
    pub(super) fn conclude(&mut self, number: usize, dice: &mut Dice) {
        if !self.devices[number].profile.told_revoked {
            return;
        }
        if self.variant != Variant::KeepsWhatItMayNotRead {
            let profile = &mut self.devices[number].profile;
            profile.drop_replica();
            self.hub.given.forget_install(profile.enrolment().0);
        }
        let mut offering = self.devices[number].profile.offering();
        let end = loop {
            let state = self.devices[number].profile.disk.clone();
            let (commands, photos) = match offering.next(&state) {
                NextOffer::Ended(end) => break end,
                NextOffer::Offer { .. } if self.variant == Variant::WipesBeforeOffering => {
                    break OfferEnd::Done;
                }
                NextOffer::Offer { commands, photos } => (commands, photos),
                NextOffer::Store(ops) => match self.keep_offered(number, &ops) {
                    true => continue,
                    false => return,
                },
            };
            let answer = self.offer(number, commands, photos, dice);
            if !self.queue_meanwhile(number, dice) {
                return;
            }
            let state = self.devices[number].profile.disk.clone();
            if answer.is_err()
                && !self
                    .hub
                    .is_revoked(self.devices[number].profile.enrolment().0)
            {
                // It was restored to before that, and says so: the phone pushes.
                self.devices[number].profile.told_revoked = false;
            }
            let ops = offering.handle_answer(&state, answer);
            if !self.keep_offered(number, &ops) {
                return;
            }
        };
        match end {
            // What is too large stays until it is let go of, and everything until the next contact.
            OfferEnd::Failed(_) | OfferEnd::TooLarge => self.devices[number].restart(),
            OfferEnd::Done => {
                let mut left = self.devices[number].profile.disk.commands.values();
                let full = left.any(|command| command.is_unsent());
                if full {
                    self.count("offered enough");
                }
                // Whoever is told that the hub keeps no more of it is told of what is lost; others have nothing to lose.
                let install_id = self.devices[number].profile.enrolment().0;
                let taken = !full || !self.hub.has_its_fill_of(install_id);
                self.wipe(number, !taken);
            }
            OfferEnd::Refused => self.wipe(number, true),
        }
    }

    /// Now and then somebody queues something while an offer is away. `false`: the app died over that.
    fn queue_meanwhile(&mut self, number: usize, dice: &mut Dice) -> bool {
        if !dice.one_in(4) {
            return true;
        }
        // Another process, which reads what is on the disk by now.
        let device = &mut self.devices[number];
        let (dies, before) = (device.crash, device.profile.disk.highest_seq());
        device.restart();
        device.crash = dies;
        let step = MEANWHILE + self.attempts.len() as u64;
        self.report(step, number, false, dice);
        let device = &self.devices[number];
        let died = dies.is_some() && device.crash.is_none();
        if device.profile.disk.highest_seq() > before {
            self.count("queued during an offer");
        }
        !died
    }

    /// Receipts of an offer become durable; `false`: this contact ends here.
    fn keep_offered(&mut self, number: usize, ops: &[StoreOp]) -> bool {
        self.note_births(number, ops);
        let device = &mut self.devices[number];
        if device.disk_full > 0 {
            device.disk_full -= 1;
            device.restart();
            self.count("disk full");
            return false;
        }
        let dies = device.crash.take();
        if dies.is_none_or(|(_, durable)| durable) {
            device.profile.disk.apply(ops);
        }
        if dies.is_some() {
            device.restart();
            self.count("crash");
        }
        dies.is_none()
    }

    fn offer(
        &mut self,
        number: usize,
        commands: Vec<Envelope>,
        photos: Vec<Digest>,
        dice: &mut Dice,
    ) -> Result<OfferResponse, Failure> {
        let device = &mut self.devices[number];
        let fault = match std::mem::take(&mut device.offer_held_up) {
            true => Some(NetFault::ProxyTooLarge),
            false => device.faults.pop_front(),
        };
        let offer = device.profile.offer(commands, photos);
        let unread = || Failure::ServerError;
        let read = network::through_bytes(&offer).ok_or_else(unread)?;
        if let Some(fault) = fault {
            self.count(&format!("{fault:?}"));
        }
        if fault == Some(NetFault::ProxyTooLarge) {
            self.count("offer held up");
        }
        if self.devices[number].too_large > 0 {
            self.devices[number].too_large -= 1;
            self.count("offer found too large");
            return Err(Failure::PayloadTooLarge { ours: true });
        }
        let arrives = fault.is_none_or(NetFault::arrives);
        let mut answer = Err(Failure::ServerError);
        for _ in 0..if arrives {
            1 + usize::from(dice.one_in(4))
        } else {
            0
        } {
            answer = self.hub.offer(&read);
        }
        let answer = fault.and_then(NetFault::failure).map_or(answer, Err)?;
        network::through_bytes(&answer).ok_or_else(unread)
    }

    /// All that the phone keeps of its person goes. What it could hand over to nobody is lost, and they are told so.
    fn wipe(&mut self, number: usize, refused: bool) {
        self.count("wiped");
        let profile = &self.devices[number].profile;
        let person = profile.person.id;
        let told = profile.disk.commands.values();
        let told =
            told.filter(|command| command.oversize.is_some() || (refused && command.is_unsent()));
        let told = told.filter_map(|command| {
            let said = self.said(&command.content().payload.0)?;
            said.marker.clone()
        });
        let told: BTreeSet<String> = told.collect();
        let received = self.received();
        let own = |attempt: &Attempt| attempt.device == number && attempt.person == person;
        for attempt in self.attempts.iter_mut().filter(|attempt| own(attempt)) {
            attempt.wiped = true;
            attempt.undone |= told.contains(&attempt.marker);
            // Its phone may have been the only one that had it still, when the hub was restored.
            attempt.undone |= refused && !received.contains(&attempt.marker);
            if let Some(photo) = &mut attempt.photo {
                photo.undone = true;
            }
        }
        self.wipe_choices(number, person);
        let install = self.devices[number].wipe();
        let (install_id, key) = install;
        self.hub.enrol(install_id, person, key);
        self.sent_is_forgotten(number);
    }

    /// The hub has gone back to a backup: what phones that were wiped since had handed over is nowhere.
    pub(super) fn forget_handed_over(&mut self) {
        let received = self.received();
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.wiped) {
            attempt.undone |= !received.contains(&attempt.marker);
        }
    }

    /// What the hub has received, by its marker.
    pub(super) fn received(&self) -> BTreeSet<String> {
        let installs = self.hub.memory.tables.installs.values();
        let stored = installs.flat_map(|install| install.receipts.values());
        let said = stored.filter_map(|stored| self.seen.links.get(&stored.link_hash));
        said.filter_map(|said| said.marker.clone()).collect()
    }

    /// Invariant 23: a phone that knows that it is revoked shows nothing any more.
    pub(super) fn look_for_readers(&self, found: &mut Vec<Found>) {
        for device in &self.devices {
            for profile in device.profiles() {
                if profile.told_revoked && !profile.disk.rows.is_empty() {
                    let what = format!("device {} is revoked and reads", device.number);
                    found.push(Found::new(23, what));
                }
            }
        }
    }
}

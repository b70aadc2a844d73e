//! What goes between phones, their disks and the hub.

use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_sync_protocol::device::{Failure, Notice, Output, Request, ResponseBody, StoreOp};
use hazardloop_sync_protocol::wire::SAY_IN_FULL;

use super::{OUTPUTS, World};
use crate::dice::Dice;
use crate::network::{self, Carried, Form, LONGEST, LateAnswer, NetFault, OVERTAKING, Straggler};
use crate::oracle::Found;
use crate::variant::Variant;

impl World {
    pub(super) fn sync(&mut self, number: usize, dice: &mut Dice) {
        let device = &mut self.devices[number];
        // Asked of what is durable: the disk may have been full when it was sealed anew the last time.
        if device.profile.engine.state().meta.must_rekey {
            let hub = &self.hub;
            device.rekey(|install_id| hub.is_revoked(install_id));
            let (install_id, key) = device.profile.enrolment();
            let person = device.person_id();
            self.hub.enrol(install_id, person, key);
            // It begins with what is on the disk, whatever a copy of this phone has been given under the same name.
            self.hub.given.forget_install(install_id);
        }
        let device = &mut self.devices[number];
        device.profile.engine.handle_credentials_renewed();
        device.profile.engine.handle_online();
        device.profile.engine.handle_pull_wanted();
        self.pump(number, true, dice);
        self.conclude(number, dice);
    }

    /// What was under way longer than others arrives, if it is time. Requests do as from whoever is signed in by now:
    /// whose they are is for the hub to see. Answers come to an app that has asked for something else meanwhile.
    fn deliver_late(&mut self, number: usize, dice: &mut Dice) {
        let bearer = self.devices[number].person_id();
        for mut straggler in std::mem::take(&mut self.devices[number].stragglers) {
            if straggler.behind > 0 {
                straggler.behind -= 1;
                straggler.overtaken = true;
                self.devices[number].stragglers.push(straggler);
                continue;
            }
            if straggler.overtaken {
                self.count("reordered");
            }
            let installs = self.devices[number].profiles();
            let mut installs = installs.map(|own| own.enrolment().0);
            let rekeyed = !installs.any(|install_id| install_id == straggler.install_id);
            drop(installs);
            if rekeyed {
                self.count("reordered past a rekey");
            }
            let by = (bearer, straggler.install_id);
            drop(self.at_the_hub(by, &straggler.carried, dice));
        }
        for mut late in std::mem::take(&mut self.devices[number].profile.late) {
            if late.behind > 0 {
                late.behind -= 1;
                self.devices[number].profile.late.push(late);
                continue;
            }
            self.count("late answer");
            self.answer(number, late.to, late.answer);
        }
    }

    /// Runs a device until it has nothing more to do, or dies.
    pub(super) fn pump(&mut self, number: usize, online: bool, dice: &mut Dice) {
        use hazardloop_sync_protocol::device::LaneName;
        let lanes = if online { LaneName::ALL } else { &[] };
        for _ in 0..OUTPUTS {
            let wall = self.devices[number].wall(self.hub.now);
            let Some(output) = self.devices[number]
                .profile
                .engine
                .poll_output_of(wall, lanes)
            else {
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
                Output::ReadPhoto {
                    id,
                    sha256,
                    offset,
                    len,
                } => self.read_photo(number, id, (sha256, offset, len)),
            }
        }
        let what = format!("device {number} runs in circles");
        self.hub.find(Found::new(5, what));
    }

    /// `false`: the app died here.
    fn write(&mut self, number: usize, id: u64, ops: &[StoreOp]) -> bool {
        self.note_births(number, ops);
        let device = &mut self.devices[number];
        let wall = device.wall(self.hub.now);
        if device.disk_full > 0 {
            device.disk_full -= 1;
            // An answer may have been waiting for its own write.
            device.interrupted += 1;
            match self.variant {
                Variant::GoesOnFromMemory => device.profile.engine.handle_stored(id),
                _ => device.profile.engine.handle_store_failed(id, wall),
            }
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
        device.interrupted += usize::from(dies.is_some());
        match dies {
            Some(durable) => {
                if durable {
                    device.profile.disk.apply(ops);
                    self.after_write(number, ops);
                } else if self.variant == Variant::AcknowledgesBeforeTheDisk {
                    device.profile.engine.handle_stored(id);
                    self.tell_notices(number);
                }
                self.devices[number].restart();
                self.forget_replica(number);
                self.count("crash");
                false
            }
            None => {
                device.profile.disk.apply(ops);
                device.profile.engine.handle_stored(id);
                self.after_write(number, ops);
                true
            }
        }
    }

    /// [`Variant::ReadsAnewAtEveryStart`]: what it has read was in memory only.
    pub(super) fn forget_replica(&mut self, number: usize) {
        if self.variant != Variant::ReadsAnewAtEveryStart {
            return;
        }
        let profile = &mut self.devices[number].profile;
        profile.disk.scopes.clear();
        profile.disk.members.clear();
        profile.disk.staged.clear();
        profile.disk.rows.clear();
        profile.restart();
    }

    /// [`Variant::AcknowledgesBeforeTheDisk`]: the person reads what the app says in its last moment.
    fn tell_notices(&mut self, number: usize) {
        let wall = self.devices[number].wall(self.hub.now);
        while let Some(Output::Notice(notice)) = self.devices[number]
            .profile
            .engine
            .poll_output_of(wall, &[])
        {
            self.notice(number, notice);
        }
    }

    fn notice(&mut self, number: usize, notice: Notice) {
        let device = &mut self.devices[number];
        match notice {
            Notice::Queued { ticket, .. } => {
                let attempt = device.profile.tickets.remove(&ticket);
                let choice = device.profile.choices.remove(&ticket);
                if let Some(attempt) = attempt.and_then(|at| self.attempts.get_mut(at)) {
                    attempt.acknowledged = true;
                }
                self.choice_is_kept(choice);
            }
            Notice::Revoked => device.profile.told_revoked = true,
            Notice::ChoiceNoted { ticket } => {
                let choice = device.profile.choices.remove(&ticket);
                self.choice_is_kept(choice);
            }
            Notice::CredentialsNeeded if self.variant == Variant::ForgetsAtUnauthorized => {
                device
                    .profile
                    .disk
                    .commands
                    .retain(|_, command| !command.is_unsent());
                device.restart();
            }
            _ => {}
        }
    }

    fn send(&mut self, number: usize, id: u64, request: &Request, dice: &mut Dice) {
        self.deliver_late(number, dice);
        if self.devices[number].is_too_large(request) {
            self.count("too large for the hub");
            let failure = Failure::PayloadTooLarge { ours: true };
            self.note_chunk(number, request, Some(&failure));
            return self.answer(number, id, Err(failure));
        }
        let fault = match self.devices[number].is_held_up(request) {
            true => Some(NetFault::ProxyTooLarge),
            false => self.devices[number].next_fault(request),
        };
        if let Some(fault) = fault {
            self.count(&format!("{fault:?}"));
            let pull = matches!(request, Request::Pull(_));
            self.devices[number].interrupted += usize::from(pull);
        }
        let Some(mut carried) = self.carried(number, request) else {
            return self.answer(number, id, Err(Failure::ServerError));
        };
        let photo = matches!(carried, Carried::Photo(_));
        let arrives = fault.is_none_or(NetFault::arrives);
        let damaged = fault == Some(NetFault::Damaged) && photo;
        if damaged {
            carried.damage();
        }
        let (install_id, _) = self.devices[number].profile.enrolment();
        let by = (self.devices[number].person_id(), install_id);
        let answer = match arrives || damaged {
            true => self.at_the_hub(by, &carried, dice),
            false => Err(Failure::ServerError),
        };
        let answer = match answer {
            // At once, as the same exchange goes on.
            Err(Failure::Refused { code, .. }) if code == SAY_IN_FULL => {
                self.count("said in full");
                let Some(full) = Carried::of(request) else {
                    return self.answer(number, id, Err(Failure::ServerError));
                };
                carried = full;
                self.at_the_hub(by, &carried, dice)
            }
            answer => answer,
        };
        if fault == Some(NetFault::Doubled) {
            self.note_chunk(number, request, answer.as_ref().err());
            let first = answer.clone();
            let again = self.at_the_hub(by, &carried, dice);
            self.answer(number, id, first);
            return self.answer(number, id, again);
        }
        if fault == Some(NetFault::Late) {
            let most = if dice.one_in(3) { LONGEST } else { OVERTAKING };
            self.devices[number].stragglers.push(Straggler {
                carried,
                install_id,
                behind: dice.below(most + 1),
                overtaken: false,
            });
        }
        if fault == Some(NetFault::AnswerLate) {
            self.devices[number].profile.late.push(LateAnswer {
                to: id,
                answer: answer.clone(),
                behind: dice.below(OVERTAKING),
            });
        }
        if let (Some(NetFault::AnswerCut), Ok(body)) = (fault, &answer)
            && let Some(read) = self.read_cut(number, id, body)
        {
            return self.answer(number, id, Ok(read));
        }
        let failure = fault.and_then(NetFault::failure).filter(|_| !damaged);
        let answer = failure.map_or(answer, Err);
        self.note_chunk(number, request, answer.as_ref().err());
        self.answer(number, id, answer);
    }

    /// Invariant 11: what a device reads of an answer that was cut is nothing.
    fn read_cut(&mut self, number: usize, id: u64, body: &ResponseBody) -> Option<ResponseBody> {
        // Numbers of its own, so that all else that befalls the device stays as it was.
        let seed = u64::try_from(self.hub.now.as_millis()).unwrap_or(0);
        let mut dice = Dice::of(seed, id);
        let read = match self.variant {
            Variant::ReadsWhatWasCut => network::through_the_codec(body),
            _ => network::cut(body, &mut dice),
        };
        if read.is_some() {
            let what = format!("device {number} reads an answer that was cut");
            self.hub.find(Found::new(11, what));
        }
        read
    }

    fn answer(&mut self, number: usize, id: u64, answer: Result<ResponseBody, Failure>) {
        let device = &mut self.devices[number];
        let wall = device.wall(self.hub.now);
        match answer {
            Ok(body) => device.profile.engine.handle_response(id, wall, body),
            Err(failure) => device.profile.engine.handle_failure(id, wall, failure),
        }
    }

    fn at_the_hub(
        &mut self,
        (bearer, install_id): (PersonId, InstallId),
        carried: &Carried,
        dice: &mut Dice,
    ) -> Result<ResponseBody, Failure> {
        let gives = self.variant == Variant::GivesToRevoked && matches!(carried, Carried::Pull(_));
        if self.hub.is_revoked(install_id) && !gives {
            return Err(Failure::Revoked);
        }
        let unread = || Failure::ServerError;
        let body = match carried {
            Carried::Push(bytes) => {
                let request = network::push_from(bytes).ok_or_else(unread)?;
                self.hub.push(bearer, &request).map(ResponseBody::Push)
            }
            Carried::Pull(bytes) => {
                let request = network::pull_from(bytes).ok_or_else(unread)?;
                let answer = self.hub.pull(bearer, &request, dice);
                answer.map(ResponseBody::Pull)
            }
            Carried::Lean(_) | Carried::Packed(_) => {
                let request = self.hub.in_full(install_id, carried);
                let request = request.ok_or_else(|| Failure::Refused {
                    code: SAY_IN_FULL.to_owned(),
                    detail: String::new(),
                })?;
                self.hub.push(bearer, &request).map(ResponseBody::Push)
            }
            Carried::Photo(request) => return self.hub.photo(request),
        };
        self.hub.note_request(bearer, carried, body.as_ref());
        let read = match body {
            // About every second pull asks for the packed form.
            Some(ResponseBody::Pull(answer)) if self.hub.now.as_millis() % 2 == 0 => {
                network::through_the_packed_form(answer).map(ResponseBody::Pull)
            }
            body => body.and_then(|body| network::through_the_codec(&body)),
        };
        read.ok_or_else(unread)
    }

    /// A request in the form in which its phone says it: each says it in its own. What is recorded is said in full.
    fn carried(&mut self, number: usize, request: &Request) -> Option<Carried> {
        let form = match number % 3 {
            _ if self.hub.trace.is_some() => Form::Full,
            0 => Form::Full,
            1 => Form::Lean,
            _ => Form::Packed,
        };
        let before = match request {
            Request::Push(push) => self.devices[number].profile.engine.before(push),
            _ => None,
        };
        let carried = Carried::in_form(request, form, before.as_deref())?;
        match carried {
            Carried::Lean(_) => self.count("lean"),
            Carried::Packed(_) => self.count("packed"),
            _ => {}
        }
        Some(carried)
    }
}

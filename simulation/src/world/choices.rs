//! What people choose to do about commands of theirs that took no effect, and what must hold of it: invariant 22.

use std::collections::BTreeMap;

use hazardloop_domain::command::Command;
use hazardloop_domain::command_fate::{ChoiceKind, CommandFate, SentCommand};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_sync_protocol::device::{Standing, StoredCommand};
use hazardloop_sync_protocol::hub::StoredReceipt;
use hazardloop_sync_protocol::wire::{Outcome, QuarantineReason, RecordKind};

use super::World;
use super::acts::Told;
use super::stepwise::Said;
use crate::cast;
use crate::device::{Device, Profile};
use crate::dice::Dice;
use crate::hub::Hub;
use crate::oracle::{self, Attempt, Found};

/// Why something is given up.
const REASON: &str = "已另行处理";

/// Numbers of reports that are held up: beyond those of all steps.
const HELD_UP: u64 = 2_000_000;

/// A choice that somebody made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// On which device.
    device: usize,
    /// What.
    how: ChoiceKind,
    /// About which attempt, where it is one that can be found again.
    attempt: Option<usize>,
    /// Nobody knew yet whether the hub had that.
    unanswered: bool,
    /// The person was told that it is kept.
    acknowledged: bool,
    /// The phone was set back to before it.
    undone: bool,
}

impl World {
    /// Something on the way lets a report not through, and its author chooses at once.
    pub(super) fn hold_up(&mut self, step: u64, number: usize, how: ChoiceKind, dice: &mut Dice) {
        self.report(HELD_UP + step, number, false, dice);
        self.devices[number].held_up = 1 + dice.below(4);
        self.sync(number, dice);
        let held_up = |profile: &Profile| {
            let mut listed = listed(profile);
            listed.retain(StoredCommand::is_unsent);
            listed
        };
        self.choose(step, number, how, held_up, dice);
    }

    /// Somebody chooses about one of the commands that the device lists.
    pub(super) fn choose(
        &mut self,
        step: u64,
        number: usize,
        how: ChoiceKind,
        among: impl Fn(&Profile) -> Vec<StoredCommand>,
        dice: &mut Dice,
    ) {
        let mut listed = among(&self.devices[number].profile);
        if listed.is_empty() {
            return;
        }
        let about = listed.swap_remove(dice.below(listed.len()));
        let said = self.said(&about.content().payload.0);
        let marker = said.and_then(|said| said.marker.as_ref());
        let attempt = marker.and_then(|marker| self.seen.attempts.get(marker).copied());
        let seq = about.envelope.seq;
        let of = attempt.and_then(|at| self.attempts.get(at)).cloned();
        let instead = (how == ChoiceKind::Amended)
            .then(|| self.instead(step, number, of.as_ref(), &about, dice));
        let device = &mut self.devices[number];
        let (wall, clocks) = (device.wall(self.hub.now), device.clocks(self.hub.now));
        let engine = &mut device.profile.engine;
        let held_up = about.is_unsent() && !about.is_replaced();
        let chosen = match (how, &instead) {
            (ChoiceKind::Retried, _) => engine.handle_retry(wall, clocks, seq),
            (ChoiceKind::Amended, Some((command, _))) => {
                engine.handle_amended(wall, clocks, seq, command, &[])
            }
            _ => engine.handle_given_up(wall, clocks, seq, REASON),
        };
        // What the rules refuse as things stand on the device was never taken.
        let Ok(ticket) = chosen else { return };
        if held_up && how == ChoiceKind::Retried {
            // It is the same command still: nothing is settled, and its photo goes with it.
            self.count("tried again");
            return match dice.one_in(2) {
                true => self.sync(number, dice),
                false => self.pump(number, false, dice),
            };
        }
        device.profile.choices.insert(ticket, self.choices.len());
        self.choices.push(Made {
            device: number,
            how,
            attempt,
            unanswered: about.is_unsent(),
            acknowledged: false,
            undone: false,
        });
        if let Some(attempt) = attempt.and_then(|at| self.attempts.get_mut(at)) {
            attempt.chosen = true;
            // Whatever else is sent has not this photo.
            if how != ChoiceKind::Retried
                && let Some(photo) = attempt.photo.as_mut()
            {
                photo.undone = true;
            }
        }
        if let Some((command, told)) = instead {
            let tickets = &mut self.devices[number].profile.tickets;
            tickets.insert(ticket, self.attempts.len());
            self.attempt(number, HazardId(command.subject_id.0), told);
        }
        self.chosen_about.insert(HazardId(about.subject_id.0));
        self.count(how.as_str());
        if about.is_unsent() {
            self.count(match held_up {
                true => "left out",
                false => "chosen before its receipt",
            });
        }
        self.pump(number, false, dice);
    }

    /// What somebody sends in the place of a command.
    fn instead(
        &self,
        step: u64,
        number: usize,
        of: Option<&Attempt>,
        about: &StoredCommand,
        dice: &mut Dice,
    ) -> (Command, Told) {
        let report = of.is_some_and(|attempt| attempt.report);
        let marker = match report {
            true => format!("report {step}"),
            false => format!("note {step}"),
        };
        let action = match report {
            true => {
                let own = cast::own_firm(self.devices[number].person_id());
                let firm = own.unwrap_or_else(|| cast::firm(dice.below(cast::FIRMS)));
                cast::report(firm, own.is_some(), self.hub.now, &marker, None)
            }
            false => cast::note(&marker),
        };
        let told = Told {
            marker,
            report,
            photo: None,
        };
        (Command::new(about.subject_id, action), told)
    }

    /// The person is told that a choice of theirs is kept.
    pub(super) fn choice_is_kept(&mut self, choice: Option<usize>) {
        if let Some(made) = choice.and_then(|at| self.choices.get_mut(at)) {
            made.acknowledged = true;
        }
    }

    /// A phone is as it was when there were so many choices.
    pub(super) fn undo_choices(&mut self, number: usize, since: usize) {
        let later = self.choices.iter_mut().skip(since);
        for made in later.filter(|made| made.device == number) {
            made.undone = true;
        }
    }

    /// What somebody chose on a phone that was wiped is known to the hub, as far as it arrived.
    pub(super) fn wipe_choices(&mut self, number: usize, person: PersonId) {
        for made in self.choices.iter_mut().filter(|made| made.device == number) {
            let attempt = made.attempt.and_then(|at| self.attempts.get(at));
            made.undone |= attempt.is_some_and(|attempt| attempt.person == person);
        }
    }

    fn said_of(&self, stored: &StoredReceipt) -> Option<&Said> {
        self.seen.links.get(&stored.link_hash).map(AsRef::as_ref)
    }
}

/// The commands that the device lists for its person to choose about.
pub(super) fn listed(profile: &Profile) -> Vec<StoredCommand> {
    let engine = &profile.engine;
    let commands = engine.state().commands.values();
    let listed = commands.filter(|command| engine.standing(command) == Standing::NeedsAttention);
    listed.cloned().collect()
}

fn stored_at(hub: &Hub, about: SentCommand) -> Option<(PersonId, &StoredReceipt)> {
    let install = hub.memory.tables.installs.get(&about.install_id)?;
    Some((install.person_id, install.receipts.get(&about.seq)?))
}

/// Whether the hub has a command without effect, and if so whose.
fn without_effect(hub: &Hub, about: SentCommand) -> Option<PersonId> {
    let (author, stored) = stored_at(hub, about)?;
    (!stored.receipt.outcome.took_effect()).then_some(author)
}

/// How many commands the hub was sent that say of one that took no effect what is to become of it.
fn said_at_the_hub(world: &World) -> BTreeMap<SentCommand, usize> {
    let mut said = BTreeMap::new();
    for (install_id, install) in &world.hub.memory.tables.installs {
        for (seq, stored) in &install.receipts {
            let command = SentCommand {
                install_id: *install_id,
                seq: *seq,
            };
            // What a revoked phone offers has no effect of any kind.
            if world.hub.offered.contains(&command) {
                continue;
            }
            let choice = world.said_of(stored).and_then(|said| said.choice.as_ref());
            let Some(choice) = choice else { continue };
            let counts = match (&stored.receipt.outcome, choice.how) {
                // What cannot be judged itself says so all the same, a placeholder too.
                (Outcome::Quarantined { reason, .. }, _) => !matches!(
                    reason,
                    QuarantineReason::BadSignature | QuarantineReason::BrokenChain
                ),
                (outcome, ChoiceKind::GivenUp) => outcome.took_effect(),
                _ => true,
            };
            if counts && without_effect(&world.hub, choice.about) == Some(install.person_id) {
                *said.entry(choice.about).or_default() += 1;
            }
        }
    }
    said
}

/// All that must hold of choices once nothing moves any more.
pub(super) fn check(world: &World) -> Vec<Found> {
    let mut wrong = Vec::new();
    let said = said_at_the_hub(world);
    let fates = &world.hub.memory.tables.fates;
    for (about, times) in &said {
        match fates.get(about) {
            None => wrong.push(format!("what was chosen about {about:?} is not recorded")),
            Some(fate) if fate.version > i64::try_from(*times).unwrap_or(i64::MAX) => {
                wrong.push(format!("chosen {times} times: {fate:?}"));
            }
            Some(_) => {}
        }
    }
    for (about, fate) in fates {
        if !said.contains_key(about) {
            wrong.push(format!("nobody chose this: {fate:?}"));
        }
        wrong.extend(untold(world, *about, fate));
        wrong.extend(carried_out(world, *about, fate));
    }
    for profile in world.devices.iter().flat_map(Device::profiles) {
        wrong.extend(wrongly_listed(world, profile));
    }
    wrong.extend(lost(world));
    wrong.extend(carried_out_after_all(world));
    wrong.into_iter().map(|what| Found::new(22, what)).collect()
}

/// The devices of its author that were not told of a choice.
fn untold(world: &World, about: SentCommand, fate: &CommandFate) -> Option<String> {
    let author = without_effect(&world.hub, about)?;
    let profiles = world.devices.iter().flat_map(Device::profiles);
    let mut own = profiles.filter(|profile| profile.person.id == author);
    let key = (RecordKind::CommandFate, about.fate_id());
    let knows = |profile: &Profile| {
        let row = profile.disk.rows.get(&key);
        row.is_some_and(|row| minicbor::decode(&row.body).ok().as_ref() == Some(fate))
    };
    let untold = own.find(|profile| !knows(profile))?;
    let install = untold.enrolment().0;
    Some(format!("{install:?} was not told of {fate:?}"))
}

/// What was given up and took effect all the same.
fn carried_out(world: &World, about: SentCommand, fate: &CommandFate) -> Option<String> {
    // Of what was sent again while nothing of it was at the hub, the placeholder is given up for another reason.
    let chosen = fate.chosen.as_ref()?;
    let given_up = chosen.how == ChoiceKind::GivenUp && chosen.reason.as_deref() == Some(REASON);
    let (_, stored) = stored_at(&world.hub, about).filter(|_| given_up)?;
    let marker = world.said_of(stored)?.marker.as_ref()?;
    let attempt = world.attempts.get(*world.seen.attempts.get(marker)?)?;
    // Another report of the same may have been sent in the place of an earlier one.
    let effects = oracle::effects_of(&world.hub, attempt);
    (effects > 0 && !attempt.report).then(|| format!("{marker} was given up and took effect"))
}

/// What its author gave up on a phone that still knows so, and took effect: at a hub that was restored, and judged it anew.
fn carried_out_after_all(world: &World) -> Vec<String> {
    let given_up = world
        .choices
        .iter()
        .filter(|made| made.how == ChoiceKind::GivenUp && made.acknowledged && !made.undone);
    let attempts = given_up.filter_map(|made| Some((made, world.attempts.get(made.attempt?)?)));
    // The hub had it already, and its author is told so.
    let attempts = attempts.filter(|(made, attempt)| {
        !(made.unanswered && stands(world, made.device, attempt, &[Standing::Arrived]))
    });
    // Another report of the same may have been sent in the place of an earlier one.
    let notes = attempts
        .map(|(_, attempt)| attempt)
        .filter(|attempt| !attempt.report);
    let effective = notes.filter(|attempt| oracle::effects_of(&world.hub, attempt) > 0);
    effective
        .map(|attempt| format!("{} was given up, and took effect after all", attempt.marker))
        .collect()
}

/// Commands that wait for their author and are not listed, or are listed and wait no more.
fn wrongly_listed(world: &World, profile: &Profile) -> Vec<String> {
    let (engine, fates) = (&profile.engine, &world.hub.memory.tables.fates);
    let mut wrong = Vec::new();
    for command in profile.disk.commands.values() {
        let now = SentCommand {
            install_id: profile.enrolment().0,
            seq: command.envelope.seq,
        };
        let about = command.earlier.or((now.seq > 0).then_some(now));
        let about = about.filter(|about| {
            command.receipt.is_some() && without_effect(&world.hub, *about).is_some()
        });
        let Some(about) = about else { continue };
        let listed = engine.standing(command) == Standing::NeedsAttention;
        if listed == fates.contains_key(&about) {
            let what = if listed {
                "is listed still"
            } else {
                "is not listed"
            };
            wrong.push(format!("{about:?} {what}: {:?}", command.chosen));
        }
    }
    wrong
}

/// Choices that were acknowledged, and of which their device knows nothing.
fn lost(world: &World) -> Vec<String> {
    let mut lost = Vec::new();
    for made in &world.choices {
        let attempt = made.attempt.and_then(|at| world.attempts.get(at));
        let Some(attempt) = attempt.filter(|_| made.acknowledged && !made.undone) else {
            continue;
        };
        let known = stands(
            world,
            made.device,
            attempt,
            &[Standing::Settled, Standing::Arrived],
        );
        if !known {
            lost.push(format!("what was chosen about {} is lost", attempt.marker));
        }
    }
    lost
}

/// Whether a command stands in one of these ways on its author's device.
fn stands(world: &World, device: usize, attempt: &Attempt, ways: &[Standing]) -> bool {
    let profiles = world.devices[device].profiles();
    let mut own = profiles.filter(|profile| profile.person.id == attempt.person);
    let marker = Some(attempt.marker.as_str());
    own.any(|profile| {
        let mut commands = profile.disk.commands.values();
        commands.any(|command| {
            let said = world.said(&command.content().payload.0);
            let same = said.is_some_and(|said| said.marker.as_deref() == marker);
            same && ways.contains(&profile.engine.standing(command))
        })
    })
}

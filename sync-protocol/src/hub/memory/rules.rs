//! The rules of the domain, over the tables of a hub in memory.
//!
//! It knows hazards. An inspection is not there as far as it is concerned; what a rule looks up elsewhere (criteria,
//! checklists, the hazards that a report repeats) counts as not looked up, as on a device that has not pulled it.

use hazardloop_domain::access::{Actor, Place};
use hazardloop_domain::command::{
    Action, ActionKind, CoSigner, Command, FollowEnterprise, Origin, Subject,
};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::{EventRecord, Facts, Hazard, Outcome as Effect, decide};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;

use super::{Rules, Sender, Tables};
use crate::cosign::check_co_signatures;
use crate::cosign_faults::Fault;
use crate::hub::outcome::Decision;
use crate::wire::{Opened, WireLimits};

/// The rules of the domain, with their default limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct DomainRules;

impl Rules for DomainRules {
    fn decide(&mut self, tables: &mut Tables, sender: &Sender, opened: &Opened) -> Decision {
        Self::decide_at(tables, sender, opened, sender.now)
    }
}

impl DomainRules {
    /// As [`Rules::decide`], by the roles and the limits of another time than that of receipt.
    pub fn decide_at(
        tables: &mut Tables,
        sender: &Sender,
        opened: &Opened,
        at: Timestamp,
    ) -> Decision {
        let co_signers = match co_signers_of(tables, sender.person_id, opened) {
            Ok(co_signers) => co_signers,
            Err(refusal) => return Decision::NotSigned(refusal),
        };
        let command = &opened.command;
        let Subject::Hazard(id) = command.subject() else {
            return Decision::NoSuch;
        };
        let current = tables.hazards.get(&id);
        if current.is_none() && command.action.kind() != ActionKind::Report {
            return Decision::NoSuch;
        }
        let (place, resolved) = place_of(tables, command, current);
        let actor = actor_over(tables, sender.person_id, &place, at);
        let seen = actor.is_any_of(Operation::ViewHazards.roles());
        let own = current.is_none_or(|hazard| hazard.reported_by == sender.person_id);
        if actor.is_outside() || !(seen || own) {
            let rule = "you hold no role over this hazard";
            return Decision::Refused(Refusal::new(RefusalCode::OutOfScope, rule));
        }
        let seconds = co_signers.iter();
        let seconds = seconds.map(|by| actor_over(tables, by.person_id, &place, at));
        let facts = Facts {
            made_at: Some(opened.made.made_at()),
            jurisdiction_id: resolved,
            sector: place.sector.clone(),
            seconds: seconds.collect(),
            ..Facts::at(at, Default::default(), Default::default())
        };
        let origin = Origin {
            install_id: Some(sender.install_id),
            seq: Some(sender.seq),
            made: Some(opened.made.clone()),
            co_signers,
        };
        let by = Author {
            actor: &actor,
            person_id: Some(sender.person_id),
            origin: &origin,
            received_at: sender.now,
        };
        match decided(current, command, &by, &facts) {
            Ok((hazard, effect)) => {
                let version = hazard.version;
                tables.put_hazard(hazard);
                Decision::TookEffect { version, effect }
            }
            Err(refusal) => Decision::Refused(refusal),
        }
    }
}

/// By whom a command is, in whichever role, and when it was received.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// As whom they act.
    pub actor: &'a Actor,
    /// Who; `None`: the hub itself.
    pub person_id: Option<PersonId>,
    /// By which door.
    pub origin: &'a Origin,
    /// When.
    pub received_at: Timestamp,
}

/// What the rules make of a hazard by one command: the hazard afterwards, and how it took effect.
///
/// # Errors
/// The [`Refusal`] of the rules.
pub fn decided(
    current: Option<&Hazard>,
    command: &Command,
    by: &Author<'_>,
    facts: &Facts,
) -> Result<(Hazard, Effect), Refusal> {
    let decision = decide(current, command, by.actor, facts)?;
    let mut hazard = current.cloned();
    for event in decision.events {
        let record = EventRecord {
            hazard_id: HazardId(command.subject_id.0),
            seq: hazard.as_ref().map_or(1, |hazard| hazard.version + 1),
            actor_id: by.person_id,
            recorded_at: by.received_at,
            origin: by.origin.clone(),
            event,
        };
        match &mut hazard {
            Some(hazard) => hazard.apply(&record),
            None => hazard = Hazard::begin(&record),
        }
    }
    let nothing = || Refusal::new(RefusalCode::NotFound, "there is no such hazard");
    Ok((hazard.ok_or_else(nothing)?, decision.outcome))
}

impl Tables {
    /// An enterprise moves, and its hazards with it.
    pub fn move_enterprise(&mut self, id: EnterpriseId, to: JurisdictionId, now: Timestamp) {
        let Some(firm) = self.enterprises.get(&id) else {
            return;
        };
        let moved = Enterprise {
            jurisdiction_id: to,
            version: firm.version + 1,
            ..firm.clone()
        };
        self.put_enterprise(moved);
        let concerned = self.hazards.values();
        let concerned = concerned.filter(|hazard| hazard.enterprise_id == Some(id));
        let concerned: Vec<Hazard> = concerned.cloned().collect();
        let facts = Facts::at(now, Default::default(), Default::default());
        let by = Author {
            actor: &Actor::System,
            person_id: None,
            origin: &Origin::DIRECT,
            received_at: now,
        };
        for hazard in concerned {
            let follow = Action::FollowEnterprise(FollowEnterprise {
                jurisdiction_id: to,
                merged_from: None,
            });
            let command = Command::new(hazard.id, follow);
            if let Ok((hazard, _)) = decided(Some(&hazard), &command, &by, &facts) {
                self.put_hazard(hazard);
            }
        }
    }
}

fn actor_over(tables: &Tables, person_id: PersonId, place: &Place, at: Timestamp) -> Actor {
    let person = tables.people.get(&person_id);
    let grants = person.map_or(&[][..], |person| &person.grants);
    Actor::over(person_id, grants, place, at)
}

/// Where the command's hazard stands; for a report, where it will stand, and who will answer for it.
fn place_of(
    tables: &Tables,
    command: &Command,
    current: Option<&Hazard>,
) -> (Place, Option<JurisdictionId>) {
    if let Some(hazard) = current {
        return (tables.place_of(hazard), None);
    }
    let enterprise_id = match &command.action {
        Action::Report(report) => report.enterprise_id,
        _ => None,
    };
    tables.place_of_new(enterprise_id)
}

/// The co-signers, where every signature is by an install of theirs that was not revoked. That none is used twice is
/// left to stores that keep a history.
fn co_signers_of(
    tables: &Tables,
    author: PersonId,
    opened: &Opened,
) -> Result<Vec<CoSigner>, Refusal> {
    let most = WireLimits::default().co_signatures;
    check_co_signatures(&opened.co_signatures, Some(author), most)?;
    let mut signers = Vec::with_capacity(opened.co_signatures.len());
    for (at, by) in opened.co_signatures.iter().enumerate() {
        let install = tables.installs.get(&InstallId(by.key_id.0));
        let own = install.filter(|install| install.person_id == by.person_id && !install.revoked);
        if !own.is_some_and(|own| opened.statement.fits(&own.stream.public_key, by)) {
            return Err(Fault::NotTheirs.refusal(Some(at)));
        }
        signers.push(opened.statement.record_of(by));
    }
    Ok(signers)
}

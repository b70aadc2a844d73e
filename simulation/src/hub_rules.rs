//! What the hub makes of one command: who its author is there, and what the real rules of the domain say.

use hazardloop_domain::access::{Actor, GrantScope, Place};
use hazardloop_domain::command::{Action, Command, Origin};
use hazardloop_domain::hazard::{EventRecord, Facts, Hazard, Outcome as Effect, decide};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{Outcome, QuarantineReason, Scope};

use crate::cast;
use crate::hub::Hub;

impl Hub {
    pub(crate) fn actor(&self, person: PersonId, command: &Command, at: Timestamp) -> Actor {
        let grants = self.tables.people.get(&person);
        let grants = grants.map_or(&[][..], |record| &record.grants);
        let place = self.place_of(command);
        Actor::over(person, grants, &place, at)
    }

    fn place_of(&self, command: &Command) -> Place {
        let id = HazardId(command.subject_id.0);
        if let Some(hazard) = self.tables.hazards.get(&id) {
            return hazard.place(vec![hazard.jurisdiction_id]);
        }
        let firm = match &command.action {
            Action::Report(report) => report.enterprise_id,
            _ => None,
        };
        Place {
            enterprise_id: firm,
            jurisdictions: self.town_of(firm).into_iter().collect(),
            sector: None,
        }
    }

    fn town_of(&self, firm: Option<EnterpriseId>) -> Option<JurisdictionId> {
        let firm = firm.and_then(|id| self.tables.firms.get(&id))?;
        Some(firm.jurisdiction_id)
    }

    pub(crate) fn carry_out(
        &mut self,
        command: &Command,
        actor: &Actor,
        by: Option<(Timestamp, PersonId)>,
        at: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let id = HazardId(command.subject_id.0);
        let current = self.tables.hazards.get(&id).cloned();
        let firm = match &command.action {
            Action::Report(report) => report.enterprise_id,
            _ => None,
        };
        let facts = Facts {
            made_at: by.map(|(made, _)| made),
            jurisdiction_id: self.town_of(firm),
            ..Facts::at(at, Default::default(), Default::default())
        };
        let decision = decide(current.as_ref(), command, actor, &facts)?;
        let mut hazard = current;
        for event in decision.events {
            let record = EventRecord {
                hazard_id: id,
                seq: hazard.as_ref().map_or(1, |hazard| hazard.version + 1),
                actor_id: by.map(|(_, person)| person),
                recorded_at: self.now,
                origin: Origin::DIRECT,
                event,
            };
            match &mut hazard {
                Some(hazard) => hazard.apply(&record),
                None => hazard = Hazard::begin(&record),
            }
        }
        let version = hazard.as_ref().map_or(0, |hazard| hazard.version);
        if let Some(hazard) = hazard {
            self.put_hazard(hazard);
        }
        Ok(match decision.outcome {
            Effect::Applied => Outcome::Applied { version },
            Effect::Merged => Outcome::Merged { version },
            Effect::Disputed(fields) => Outcome::Conflict {
                current: version,
                fields,
                refusal: None,
            },
        })
    }

    pub(crate) fn refused(
        &self,
        install_id: InstallId,
        person: PersonId,
        command: &Command,
        refusal: Refusal,
    ) -> Option<Outcome> {
        let id = HazardId(command.subject_id.0);
        if refusal.code == RefusalCode::OutOfScope {
            let ever = self.tables.people.get(&person)?.grants.iter();
            let mut ever = ever.map(|grant| scope_of(grant.scope));
            let ended = self.actor(person, command, cast::BEGIN).is_outside();
            if !ended || ever.any(|scope| self.tables.left.contains(&(scope, id))) {
                return Some(Outcome::Quarantined {
                    reason: QuarantineReason::Reassigned,
                    detail: "made while its author was responsible here".to_owned(),
                });
            }
        }
        let gone = matches!(
            refusal.code,
            RefusalCode::NotFound | RefusalCode::OutOfScope
        );
        let failed = self.tables.failed_reports.get(&(install_id, id));
        if let (true, Some(seq)) = (gone, failed) {
            return Some(Outcome::BlockedBy { seq: *seq });
        }
        Some(Outcome::Rejected { refusal })
    }
}

/// The scope that a grant opens.
pub fn scope_of(scope: GrantScope) -> Scope {
    match scope {
        GrantScope::Enterprise(id) => Scope::Enterprise(id),
        GrantScope::Jurisdiction(id) => Scope::Jurisdiction(id),
    }
}

/// The words by which a command is found again.
pub fn marker_of(action: &Action) -> Option<&str> {
    match action {
        Action::Report(report) => Some(&report.description),
        Action::Note(note) => Some(&note.text),
        _ => None,
    }
}

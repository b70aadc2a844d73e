//! The part of the one door that lets commands on inspections through.

use hazardloop_domain::access::{Actor, Place};
use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::ids::{InspectionId, JurisdictionId};
use hazardloop_domain::inspection::{
    Facts, Inspection, Knew, NamedHazards, decide, hazards_named, setup_of,
};
use hazardloop_domain::refusal::{Refusal, RefusalCode};

use super::authors::{beside_unfit, fit_or_not};
use super::beginnings::Where;
use super::{Done, Record, Sender, WorkingSet, already_here, reach};
use crate::failure::Failure;
use crate::store::{Conn, WriteTx};

/// Where an inspection stands; of a new one, where it will stand.
#[derive(Default)]
struct Target {
    place: Place,
    /// Who answers for a new one.
    resolved: Option<JurisdictionId>,
}

impl WorkingSet<'_> {
    pub(super) fn decide_on_inspection(
        &mut self,
        tx: &mut WriteTx<'_>,
        id: InspectionId,
        command: &Command,
        sender: &Sender,
    ) -> Result<Done, Failure> {
        let loaded = self.inspection(tx.conn(), id)?.cloned();
        if loaded.is_none() && setup_of(&command.action).is_none() {
            // Who may see it makes no difference: there is nothing to see.
            let rule = "there is no such inspection";
            return Err(Refusal::new(RefusalCode::NotFound, rule).into());
        }
        let target = self.target_of(tx.conn(), command, loaded.as_ref(), sender)?;
        let actor = self.actor(tx.conn(), sender, &target.place)?;
        if actor.is_outside() || (loaded.is_some() && !reach::sees(&actor)) {
            // Before anything is said about what else the command names.
            let rule = "you hold no role over this inspection";
            return Err(Refusal::new(RefusalCode::OutOfScope, rule).into());
        }
        if loaded.is_none() {
            self.require_free(tx.conn(), command)?;
        }
        let seconds = self.seconds(tx.conn(), &sender.origin.co_signers, &target.place)?;
        let (seconds, unfit) = fit_or_not(seconds);
        let people = std::iter::once(&actor).chain(&seconds);
        let ran_out = self.ran_out(tx.conn(), people, sender, &target.place)?;
        let facts = Facts {
            now: self.now(),
            made_at: sender.made_at,
            knew: match sender.made_at {
                Some(_) => Knew::AsOf(sender.heard_at),
                None => Knew::All,
            },
            jurisdiction_id: target.resolved,
            sector: target.place.sector.clone(),
            hazards: Some(self.hazards_of(tx.conn(), &command.action, sender)?),
            checklists: self.checklists_of(tx.conn(), loaded.as_ref(), &command.action)?,
            seconds,
            ran_out,
            limits: self.door().inspection_limits.clone(),
        };
        let current = loaded.as_ref();
        let decision = beside_unfit(decide(current, command, &actor, &facts), unfit)?;
        let inspection = self.record_inspection(id, &decision.events, sender)?;
        let done = Done {
            record: Record::Inspection(Box::new(inspection.clone())),
            outcome: decision.outcome,
            decided_on: current.map(|inspection| inspection.version),
        };
        let here = already_here(tx, current, &inspection, sender)?;
        self.count_photos(tx, command.subject_id, here, done)
    }

    fn target_of(
        &mut self,
        conn: &mut Conn,
        command: &Command,
        loaded: Option<&Inspection>,
        sender: &Sender,
    ) -> Result<Target, Failure> {
        if let Some(inspection) = loaded {
            let lineage = self.lineage(conn, inspection.jurisdiction_id)?;
            return Ok(Target {
                place: inspection.place(lineage.ancestors.clone()),
                resolved: None,
            });
        }
        let Some(setup) = setup_of(&command.action) else {
            return Ok(Target::default());
        };
        let at = Where {
            enterprise_id: setup.enterprise_id,
            position: setup.position,
        };
        let (place, resolved) = self.where_begins(conn, at, sender.into())?;
        Ok(Target { place, resolved })
    }

    /// Those of the hazards that the command names that exist and that the sender may see, each
    /// with its enterprise.
    fn hazards_of(
        &mut self,
        conn: &mut Conn,
        action: &Action,
        sender: &Sender,
    ) -> Result<NamedHazards, Failure> {
        let mut known = NamedHazards::new();
        for id in hazards_named(action) {
            let Some(hazard) = self.hazard(conn, id)?.cloned() else {
                continue;
            };
            let lineage = self.lineage(conn, hazard.jurisdiction_id)?;
            let place = hazard.place(lineage.ancestors.clone());
            let actor: Actor = self.actor(conn, sender, &place)?;
            if !actor.is_outside() {
                known.insert(id, hazard.enterprise_id);
            }
        }
        Ok(known)
    }
}

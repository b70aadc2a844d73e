//! Inspections on the device: decided by the rules before they are queued, and replayed.

use std::collections::BTreeSet;

use hazardloop_domain::access::{Actor, PersonRecord};
use hazardloop_domain::command::{Action, Command, SubjectKind};
use hazardloop_domain::ids::{InspectionId, JurisdictionId};
use hazardloop_domain::inspection::{
    Checklists, Facts, Inspection, InspectionEvent, InspectionEventRecord, Listed,
    checklists_named, decide, setup_of,
};
use hazardloop_domain::pack::Checklist;
use hazardloop_domain::refusal::Refusal;
use uuid::Uuid;

use crate::wire::RecordKind;

use super::replay::{Author, Making, Replayed};
use super::view::Reader;

impl Reader<'_> {
    /// Those of the checklists that a command names that this device holds; of others the server
    /// knows.
    fn checklists(&self, current: Option<&Inspection>, action: &Action) -> Checklists {
        let mut known = Checklists::default();
        for named in checklists_named(current, action) {
            let id = Checklist::id_of(named).0;
            if let Some(held) = self.record::<Checklist>(RecordKind::Checklist, id) {
                known.insert(named, Listed::Known(Box::new(held)));
            }
        }
        known
    }
}

impl Replayed for Inspection {
    type Event = InspectionEvent;
    const KIND: RecordKind = RecordKind::Inspection;
    const SUBJECT: SubjectKind = SubjectKind::Inspection;

    fn version(&self) -> i64 {
        self.version
    }

    fn judge(
        reader: &Reader<'_>,
        current: Option<&Self>,
        command: &Command,
        person: &PersonRecord,
        making: Making,
        seconds: Vec<Actor>,
    ) -> (Result<Vec<InspectionEvent>, Refusal>, bool) {
        let mut facts = Facts {
            now: reader.now,
            made_at: Some(making.at),
            knew: making.knew,
            jurisdiction_id: None,
            sector: None,
            // The hazard may be one that this device does not hold: the server looks.
            hazards: None,
            checklists: reader.checklists(current, &command.action),
            seconds,
            // Of the others nothing is known here.
            ran_out: BTreeSet::new(),
            limits: reader.limits().inspections,
        };
        let (actor, certain) = if let Some(inspection) = current {
            let (ancestors, certain) = reader.ancestors(inspection.jurisdiction_id);
            let place = inspection.place(ancestors);
            let actor = Actor::over(person.id, &person.grants, &place, reader.now);
            if actor.has_run_out_since(making.at, &person.grants, &place) {
                facts.ran_out.insert(person.id);
            }
            (actor, certain)
        } else {
            let enterprise_id = setup_of(&command.action).and_then(|setup| setup.enterprise_id);
            let begun = reader.where_it_begins(enterprise_id, person);
            facts.jurisdiction_id = begun.jurisdiction_id;
            facts.sector = begun.sector;
            (begun.actor, begun.certain)
        };
        let decided = decide(current, command, &actor, &facts);
        (decided.map(|decision| decision.events), certain)
    }

    fn blindly(command: Command) -> Option<InspectionEvent> {
        let nowhere = JurisdictionId(Uuid::nil());
        match command.action {
            Action::PlanInspection(plan) => Some(InspectionEvent::Planned {
                plan,
                jurisdiction_id: nowhere,
                sector: None,
            }),
            Action::StartInspection(start) if start.setup.is_some() => {
                Some(InspectionEvent::Started {
                    start,
                    jurisdiction_id: Some(nowhere),
                    sector: None,
                })
            }
            Action::SubmitSelfCheck(check) if check.start.setup.is_some() => {
                Some(InspectionEvent::Started {
                    start: *check.start,
                    jurisdiction_id: Some(nowhere),
                    sector: None,
                })
            }
            _ => None,
        }
    }

    fn after(current: Option<Self>, event: InspectionEvent, by: &Author<'_>) -> Option<Self> {
        let version = current.as_ref().map_or(0, |inspection| inspection.version);
        let record = InspectionEventRecord {
            inspection_id: InspectionId(by.signed.stored.subject_id.0),
            seq: version.saturating_add(1),
            actor_id: Some(by.identity.person_id),
            recorded_at: by.signed.stored.queued_at,
            origin: by.origin(),
            event,
        };
        match current {
            Some(mut inspection) => {
                inspection.apply(&record);
                Some(inspection)
            }
            None => Self::begin(&record),
        }
    }
}

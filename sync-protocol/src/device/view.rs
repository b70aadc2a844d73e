//! What a person sees: server rows, with the commands that they do not reflect yet on top.

use hazardloop_domain::access::{
    Actor, Grant, GrantScope, PersonRecord, Place, Role, highest_seat,
};
use hazardloop_domain::calendar::WorkdayCalendar;
use hazardloop_domain::calendar_year::CalendarYear;
use hazardloop_domain::command::{Action, ActionKind, Command, Grade, Report, SubjectKind};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::{Cited, Facts, Hazard, ListingSeat, MergeTarget, StatusName};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, SubjectId};
use hazardloop_domain::inspection::{self, Inspection, Knew, begins};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::pack::Criterion;
use hazardloop_domain::policy;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::rule_limits::RuleLimits;
use hazardloop_domain::time::Timestamp;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use crate::wire::{CoSignature, RecordKind, Scope};

use super::replay::{Making, Replay, Replayed};
use super::{EngineConfig, Identity, State, StoredCommand};

/// Levels of jurisdictions that are followed upwards; more means a circle in the data.
const MAX_LEVELS: usize = 16;

/// One hazard as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HazardView {
    /// The hazard with pending commands applied.
    pub hazard: Hazard,
    /// The version of the server's row; absent: the server's row has not come yet.
    pub server_version: Option<i64>,
    /// Commands whose effect is shown although the server has not taken them yet.
    pub pending: Vec<i64>,
    /// Commands that the server has taken and whose effect is shown, although the server's row
    /// that has it was not pulled yet.
    pub arrived: Vec<i64>,
    /// Pending commands that the rules would refuse as things stand now.
    pub doubtful: Vec<(i64, Refusal)>,
}

impl HazardView {
    /// Whether something shown has not reached the server.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

/// One inspection as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionView {
    /// The inspection with pending commands applied.
    pub inspection: Inspection,
    /// See [`HazardView::server_version`].
    pub server_version: Option<i64>,
    /// See [`HazardView::pending`].
    pub pending: Vec<i64>,
    /// See [`HazardView::arrived`].
    pub arrived: Vec<i64>,
    /// See [`HazardView::doubtful`].
    pub doubtful: Vec<(i64, Refusal)>,
}

impl InspectionView {
    /// Whether something shown has not reached the server.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

/// How a record came to look as it is shown.
pub(super) struct Overlay {
    server_version: Option<i64>,
    pending: Vec<i64>,
    arrived: Vec<i64>,
    doubtful: Vec<(i64, Refusal)>,
}

type Shown<T> = (T, Overlay);

impl From<Shown<Hazard>> for HazardView {
    fn from((hazard, overlay): Shown<Hazard>) -> Self {
        Self {
            hazard,
            server_version: overlay.server_version,
            pending: overlay.pending,
            arrived: overlay.arrived,
            doubtful: overlay.doubtful,
        }
    }
}

impl From<Shown<Inspection>> for InspectionView {
    fn from((inspection, overlay): Shown<Inspection>) -> Self {
        Self {
            inspection,
            server_version: overlay.server_version,
            pending: overlay.pending,
            arrived: overlay.arrived,
            doubtful: overlay.doubtful,
        }
    }
}

/// Who acts where something new begins, and who answers there, as this device knows it.
pub(super) struct Beginning {
    pub actor: Actor,
    pub jurisdiction_id: Option<JurisdictionId>,
    pub sector: Option<String>,
    /// Whether it knows for certain.
    pub certain: bool,
}

/// What the rules say on this device.
pub(super) enum LocalVerdict {
    /// Go on. Also when this device does not know enough to judge.
    Queue,
    /// No.
    Refuse(Refusal),
}

/// Reads the replica on behalf of one person.
pub(super) struct Reader<'a> {
    pub state: &'a State,
    pub identity: &'a Identity,
    pub config: &'a EngineConfig,
    /// The best estimate of the server's time.
    pub now: Timestamp,
    /// Scopes whose roles have ended by then; see `lapsed.rs`.
    pub lapsed: OnceCell<BTreeSet<Scope>>,
    /// As if the command of this number had never been made.
    pub without: Option<i64>,
}

impl Reader<'_> {
    pub(super) fn record<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        kind: RecordKind,
        id: Uuid,
    ) -> Option<T> {
        let row = self
            .state
            .rows
            .get(&(kind, id))
            .filter(|row| row.holders > 0)?;
        minicbor::decode(&row.body).ok()
    }

    pub(super) fn person(&self) -> Option<PersonRecord> {
        self.record(RecordKind::Person, self.identity.person_id.0)
            .or_else(|| self.identity.person.clone())
    }

    /// The jurisdictions from the root down to `id`, and whether the root was reached.
    pub(super) fn ancestors(&self, id: JurisdictionId) -> (Vec<JurisdictionId>, bool) {
        let (mut chain, mut next) = (Vec::new(), Some(id));
        while let Some(id) = next.filter(|_| chain.len() < MAX_LEVELS) {
            chain.push(id);
            let Some(node) = self.record::<Jurisdiction>(RecordKind::Jurisdiction, id.0) else {
                chain.reverse();
                return (chain, false);
            };
            next = node.parent_id;
        }
        chain.reverse();
        (chain, true)
    }

    fn enterprise(&self, id: EnterpriseId) -> Option<Enterprise> {
        self.record(RecordKind::Enterprise, id.0)
    }

    /// Decides before anything is queued.
    pub(super) fn judge(
        &self,
        command: &Command,
        made_at: Timestamp,
        seconds: Vec<Actor>,
    ) -> LocalVerdict {
        let Some(person) = self.person() else {
            return LocalVerdict::Queue;
        };
        let making = Making {
            at: made_at,
            knew: Knew::All,
        };
        match command.action.kind().subject() {
            SubjectKind::Hazard => self.judge_one::<Hazard>(command, &person, making, seconds),
            SubjectKind::Inspection => {
                self.judge_one::<Inspection>(command, &person, making, seconds)
            }
        }
    }

    fn judge_one<T: Replayed>(
        &self,
        command: &Command,
        person: &PersonRecord,
        making: Making,
        seconds: Vec<Actor>,
    ) -> LocalVerdict {
        let shown = self.shown::<T>(command.subject_id);
        let current = shown.as_ref().map(|(record, ..)| record);
        let begins = command.action.kind() == ActionKind::Report || begins(&command.action);
        if current.is_none() && !begins {
            return LocalVerdict::Queue;
        }
        match T::judge(self, current, command, person, making, seconds) {
            (Ok(_), _) => LocalVerdict::Queue,
            (Err(refusal), false) if is_about_place(&refusal) => LocalVerdict::Queue,
            (Err(refusal), _) => LocalVerdict::Refuse(refusal),
        }
    }

    /// Actor and facts as this device knows them, and whether it knows the place for certain.
    pub(super) fn circumstances(
        &self,
        current: Option<&Hazard>,
        command: &Command,
        person: &PersonRecord,
        made_at: Timestamp,
    ) -> (Actor, Facts, bool) {
        let (limits, calendar) = (self.limits().hazards, self.calendar());
        let mut facts = Facts {
            made_at: Some(made_at),
            merge_target: self.merge_target(&command.action),
            cited: self.cited(&command.action),
            ..Facts::at(self.now, limits, calendar)
        };
        if let Some(hazard) = current {
            let (ancestors, certain) = self.ancestors(hazard.jurisdiction_id);
            let named = match &command.action {
                Action::Amend(change) => change.enterprise_id.and_then(|id| self.enterprise(id)),
                _ => None,
            };
            let jurisdiction = named.as_ref().map(|named| named.jurisdiction_id);
            facts.jurisdiction_id = jurisdiction.or(Some(hazard.jurisdiction_id));
            facts.sector = named.map(|named| named.sector);
            let place = hazard.place(ancestors);
            let actor = Actor::over(person.id, &person.grants, &place, self.now);
            facts.listing_seat = self.listing_seat(person, &place);
            let from = hazard.handed_over_by().filter(|_| {
                actor.is_outside() && command.action.kind() == ActionKind::ReceiveTransfer
            });
            let Some(from) = from else {
                return (actor, facts, certain);
            };
            // Whoever handed it over may take it back while nobody has taken it.
            let (ancestors, certain) = self.ancestors(from);
            let place = hazard.place(ancestors);
            facts.acts_for_sender = true;
            let actor = Actor::over(person.id, &person.grants, &place, self.now);
            return (actor, facts, certain);
        }
        let enterprise_id = match &command.action {
            Action::Report(Report { enterprise_id, .. }) => *enterprise_id,
            _ => None,
        };
        let begun = self.where_it_begins(enterprise_id, person);
        facts.jurisdiction_id = begun.jurisdiction_id;
        facts.sector = begun.sector;
        (begun.actor, facts, begun.certain)
    }

    /// The highest body over `place` for which this person lists hazards.
    fn listing_seat(&self, person: &PersonRecord, place: &Place) -> Option<ListingSeat> {
        let down = highest_seat(&person.grants, Role::ListingAuthority, place, self.now)?;
        let jurisdiction_id = *down.first()?;
        let known = self.record::<Jurisdiction>(RecordKind::Jurisdiction, jurisdiction_id.0);
        Some(ListingSeat {
            jurisdiction_id,
            level: known.map(|known| known.level),
            down_to_hazard: down.to_vec(),
        })
    }

    /// Who acts where something new begins, at this enterprise where this device knows it.
    pub(super) fn where_it_begins(
        &self,
        enterprise_id: Option<EnterpriseId>,
        person: &PersonRecord,
    ) -> Beginning {
        if let Some(enterprise) = enterprise_id.and_then(|id| self.enterprise(id)) {
            let (jurisdictions, certain) = self.ancestors(enterprise.jurisdiction_id);
            let place = Place {
                enterprise_id: Some(enterprise.id),
                jurisdictions,
                sector: Some(enterprise.sector.clone()),
            };
            return Beginning {
                actor: Actor::over(person.id, &person.grants, &place, self.now),
                jurisdiction_id: Some(enterprise.jurisdiction_id),
                sector: Some(enterprise.sector),
                certain,
            };
        }
        // Only the server can tell who answers for a bare position: shown under the person's own.
        let held: Vec<&Grant> = person
            .grants
            .iter()
            .filter(|g| g.holds_at(self.now))
            .collect();
        Beginning {
            jurisdiction_id: Some(self.provisional_jurisdiction(&held)),
            actor: Actor::with(person.id, held.into_iter(), self.now),
            sector: None,
            certain: false,
        }
    }

    /// The limits of the server's rules, as it told them; its own configuration where it told none.
    pub(super) fn limits(&self) -> RuleLimits {
        let told = self.record::<RuleLimits>(RecordKind::RuleLimits, RuleLimits::ID);
        told.unwrap_or_else(|| RuleLimits {
            version: 0,
            hazards: self.config.rules.clone(),
            inspections: self.config.inspections.clone(),
        })
    }

    /// The working days that this build knows, with the tables that the server has published.
    pub(super) fn calendar(&self) -> Arc<WorkdayCalendar> {
        let of_kind = self.state.rows.range((RecordKind::Calendar, Uuid::nil())..);
        let of_kind = of_kind.take_while(|((kind, _), _)| *kind == RecordKind::Calendar);
        let held = of_kind.filter(|(_, row)| row.holders > 0);
        let tables: Vec<CalendarYear> = held
            .filter_map(|(_, row)| minicbor::decode(&row.body).ok())
            .collect();
        match tables.is_empty() {
            true => Arc::clone(&self.config.calendar),
            false => Arc::new(self.config.calendar.with_years(&tables)),
        }
    }

    /// The criterion named as a basis, where this device holds it; else the server looks.
    fn cited(&self, action: &Action) -> Cited {
        let held = action.cites().and_then(|reference| {
            self.record::<Criterion>(RecordKind::Criterion, Criterion::id_of(reference).0)
        });
        held.map_or(Cited::NotLookedUp, |held| Cited::Known(Box::new(held)))
    }

    /// The hazard that a merge names: as this device holds it, and where it does not, open for all
    /// that is known; the server decides.
    fn merge_target(&self, action: &Action) -> Option<MergeTarget> {
        let Action::Merge(merge) = action else {
            return None;
        };
        let held: Option<Hazard> = self.record(RecordKind::Hazard, merge.into.0);
        Some(held.map_or(
            MergeTarget {
                status: StatusName::Confirmed,
                grade: Grade::Major,
                enterprise_id: None,
            },
            |held| MergeTarget {
                status: held.status_name(),
                grade: held.grade,
                enterprise_id: held.enterprise_id,
            },
        ))
    }

    fn provisional_jurisdiction(&self, held: &[&Grant]) -> JurisdictionId {
        let of_grant = |grant: &&Grant| match grant.scope {
            GrantScope::Jurisdiction(id) => Some(id),
            GrantScope::Enterprise(id) => self.enterprise(id).map(|e| e.jurisdiction_id),
        };
        held.iter()
            .find_map(of_grant)
            .unwrap_or(JurisdictionId(Uuid::nil()))
    }

    /// One hazard as a person sees it.
    pub(super) fn hazard(&self, id: HazardId) -> Option<HazardView> {
        let shown = self.is_shown((RecordKind::Hazard, id.0));
        shown.then(|| self.shown(id.into()).map(HazardView::from))?
    }

    /// One inspection as a person sees it.
    pub(super) fn inspection(&self, id: InspectionId) -> Option<InspectionView> {
        let shown = self.is_shown((RecordKind::Inspection, id.0));
        shown.then(|| self.shown(id.into()).map(InspectionView::from))?
    }

    /// The steps that the rules allow this person on a record as it is shown.
    pub(super) fn allowed(&self, id: SubjectId) -> Vec<ActionKind> {
        let Some(person) = self.person() else {
            return Vec::new();
        };
        let over = |place: Place| Actor::over(person.id, &person.grants, &place, self.now);
        if let Some((hazard, _)) = self.shown::<Hazard>(id) {
            let (ancestors, _) = self.ancestors(hazard.jurisdiction_id);
            return policy::allowed_actions(Some(&hazard), &over(hazard.place(ancestors)));
        }
        let Some((inspection, _)) = self.shown::<Inspection>(id) else {
            return Vec::new();
        };
        let (ancestors, _) = self.ancestors(inspection.jurisdiction_id);
        let actor = over(inspection.place(ancestors));
        inspection::policy::allowed_actions(&inspection, &actor)
    }

    fn shown<T: Replayed>(&self, id: SubjectId) -> Option<Shown<T>> {
        let commands: Vec<_> = self
            .state
            .commands
            .values()
            .filter(|c| c.subject_id == id && Some(c.envelope.seq) != self.without)
            .collect();
        self.view(id, &commands)
    }

    /// The server's row with `commands` (all those on this subject, in order) on top.
    pub(super) fn view<T: Replayed>(
        &self,
        id: SubjectId,
        commands: &[&StoredCommand],
    ) -> Option<Shown<T>> {
        let row = self.state.rows.get(&(T::KIND, id.0));
        if row.is_some_and(|row| row.holders == 0) {
            // Revoked: hidden until its commands are settled, then removed.
            return None;
        }
        let base: Option<T> = row.and_then(|row| minicbor::decode(&row.body).ok());
        let server_version = base.as_ref().map(T::version);
        let mut replay = Replay {
            reader: self,
            record: base,
            pending: vec![],
            arrived: vec![],
            doubtful: vec![],
        };
        for command in commands {
            let reflected = match command.effect_version() {
                Some(version) => {
                    !command.awaiting_pull || server_version.is_some_and(|own| own >= version)
                }
                None => !command.is_unsent(),
            };
            if !reflected {
                replay.command(command);
            }
        }
        let Replay {
            record,
            pending,
            arrived,
            doubtful,
            ..
        } = replay;
        let overlay = Overlay {
            server_version,
            pending,
            arrived,
            doubtful,
        };
        Some((record?, overlay))
    }
}

/// The co-signers as the rules see them on this device. What they are is not known here, so each
/// is whatever a co-signer can be of use as; the server decides.
pub(super) fn taken_on_trust(co_signatures: &[CoSignature]) -> Vec<Actor> {
    let on_trust = |by: &CoSignature| Actor::Person {
        person_id: by.person_id,
        roles: vec![Role::Inspector, Role::DepartmentReviewer, Role::Principal],
        certified: true,
    };
    co_signatures.iter().map(on_trust).collect()
}

/// Refusals that a device with a partial tree of jurisdictions cannot be sure of.
pub(super) fn is_about_place(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        RefusalCode::OutOfScope | RefusalCode::JurisdictionUnknown
    )
}

//! Who may do what in which state of an inspection: the same kind of table as [`crate::policy`].
//!
//! Conditions beyond this table (signatures, mandatory items, whose signature) are in
//! [`crate::inspection::decide`], beside the step they guard.

use crate::access::{Actor, Role};
use crate::command::{ActionKind, InspectionKind, SubjectKind};
use crate::inspection::{Inspection, InspectionState};

/// Who among those with the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Those who carry out this inspection.
    OnTeam,
}

/// One row: in these states of inspections of these kinds, these roles may do this.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The action.
    pub action: ActionKind,
    /// The states it starts from.
    pub from: &'static [InspectionState],
    /// Which kinds of inspection.
    pub kinds: &'static [InspectionKind],
    /// Who among those with the role.
    pub who: Who,
    /// Which roles.
    pub roles: &'static [Role],
}

use ActionKind as A;
use InspectionKind as K;
use InspectionState as S;
use Role::{
    Administrator, DepartmentHead, DepartmentReviewer, Employee, Expert, GridWorker, Inspector,
    Principal, SafetyOfficer,
};
use Who::{Anyone, OnTeam};

/// Carried out by departments.
const DEPARTMENT: &[K] = &[
    K::Plan,
    K::Special,
    K::Tip,
    K::Recheck,
    K::Joint,
    K::DoubleRandom,
    K::OpenVisit,
    K::UnannouncedVisit,
];
const EXPERT: &[K] = &[K::ExpertVisit];
const SELF: &[K] = &[K::SelfCheck];
const GRID: &[K] = &[K::GridPatrol];
const ANY_KIND: &[K] = K::ALL;

const NEW: &[S] = &[S::Unknown];
const BEFORE: &[S] = &[S::Unknown, S::Planned];
const PLANNED: &[S] = &[S::Planned];
const ON_SITE: &[S] = &[S::InProgress];
/// Completed too: what was recorded offline before completion arrives after it.
const RECORDING: &[S] = &[S::InProgress, S::Completed];
const ANY: &[S] = S::EXISTING;

const OWN: &[Role] = &[Employee, SafetyOfficer, Principal];
const ANSWERABLE: &[Role] = &[SafetyOfficer, Principal];

const fn row(
    action: ActionKind,
    from: &'static [InspectionState],
    kinds: &'static [InspectionKind],
    who: Who,
    roles: &'static [Role],
) -> Row {
    Row {
        action,
        from,
        kinds,
        who,
        roles,
    }
}

/// The table. Shape: 安全生产法 Art. 62-69 (the plan, certified inspectors, the written record with
/// signatures, joint inspections); which roles stand for whom is this product's design.
pub const TABLE: &[Row] = &[
    row(
        A::PlanInspection,
        NEW,
        DEPARTMENT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead],
    ),
    row(
        A::PlanInspection,
        NEW,
        EXPERT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead, Expert],
    ),
    row(A::PlanInspection, NEW, SELF, Anyone, ANSWERABLE),
    row(
        A::PlanInspection,
        NEW,
        GRID,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead, GridWorker],
    ),
    row(A::StartInspection, BEFORE, DEPARTMENT, OnTeam, &[Inspector]),
    row(A::StartInspection, BEFORE, EXPERT, OnTeam, &[Expert]),
    row(A::StartInspection, BEFORE, SELF, Anyone, OWN),
    row(A::StartInspection, BEFORE, GRID, Anyone, &[GridWorker]),
    row(A::SubmitSelfCheck, BEFORE, SELF, Anyone, OWN),
    row(
        A::RecordResults,
        RECORDING,
        DEPARTMENT,
        OnTeam,
        &[Inspector, Expert],
    ),
    row(A::RecordResults, RECORDING, EXPERT, OnTeam, &[Expert]),
    row(A::RecordResults, RECORDING, SELF, Anyone, OWN),
    row(A::RecordResults, RECORDING, GRID, Anyone, &[GridWorker]),
    row(
        A::LinkFinding,
        RECORDING,
        DEPARTMENT,
        OnTeam,
        &[Inspector, Expert],
    ),
    row(A::LinkFinding, RECORDING, EXPERT, OnTeam, &[Expert]),
    row(A::LinkFinding, RECORDING, SELF, Anyone, OWN),
    row(A::LinkFinding, RECORDING, GRID, Anyone, &[GridWorker]),
    row(
        A::ConvertFinding,
        RECORDING,
        EXPERT,
        Anyone,
        &[SafetyOfficer, Principal, Inspector],
    ),
    row(
        A::RecordAttendance,
        ON_SITE,
        DEPARTMENT,
        OnTeam,
        &[Inspector],
    ),
    row(A::RecordAttendance, ON_SITE, EXPERT, OnTeam, &[Expert]),
    row(A::RecordAttendance, ON_SITE, SELF, Anyone, OWN),
    row(A::RecordAttendance, ON_SITE, GRID, Anyone, &[GridWorker]),
    row(
        A::SignInspection,
        ON_SITE,
        DEPARTMENT,
        OnTeam,
        &[Inspector, Expert],
    ),
    row(A::SignInspection, ON_SITE, DEPARTMENT, Anyone, ANSWERABLE),
    row(A::SignInspection, ON_SITE, EXPERT, OnTeam, &[Expert]),
    row(A::SignInspection, ON_SITE, EXPERT, Anyone, ANSWERABLE),
    row(A::SignInspection, ON_SITE, SELF, Anyone, OWN),
    row(
        A::SignInspection,
        ON_SITE,
        GRID,
        Anyone,
        &[GridWorker, SafetyOfficer, Principal],
    ),
    row(A::RecordRefusal, ON_SITE, DEPARTMENT, OnTeam, &[Inspector]),
    row(
        A::CompleteInspection,
        ON_SITE,
        DEPARTMENT,
        OnTeam,
        &[Inspector],
    ),
    row(A::CompleteInspection, ON_SITE, EXPERT, OnTeam, &[Expert]),
    row(A::CompleteInspection, ON_SITE, SELF, Anyone, OWN),
    row(A::CompleteInspection, ON_SITE, GRID, Anyone, &[GridWorker]),
    row(
        A::CancelInspection,
        PLANNED,
        DEPARTMENT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead],
    ),
    row(
        A::CancelInspection,
        PLANNED,
        EXPERT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead, Expert],
    ),
    row(A::CancelInspection, PLANNED, SELF, Anyone, ANSWERABLE),
    row(
        A::CancelInspection,
        PLANNED,
        GRID,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead, GridWorker],
    ),
    row(
        A::ChangeTeam,
        PLANNED,
        DEPARTMENT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead],
    ),
    row(A::ChangeTeam, ON_SITE, DEPARTMENT, OnTeam, &[Inspector]),
    row(
        A::ChangeTeam,
        ON_SITE,
        DEPARTMENT,
        Anyone,
        &[DepartmentReviewer, DepartmentHead],
    ),
    row(
        A::ChangeTeam,
        PLANNED,
        EXPERT,
        Anyone,
        &[Inspector, DepartmentReviewer, DepartmentHead, Expert],
    ),
    // An expert who has left would leave the visit without an end.
    row(
        A::ChangeTeam,
        ON_SITE,
        EXPERT,
        Anyone,
        &[DepartmentReviewer, DepartmentHead],
    ),
    row(
        A::AttachInspectionPhoto,
        ON_SITE,
        DEPARTMENT,
        OnTeam,
        &[Inspector, Expert],
    ),
    row(A::AttachInspectionPhoto, ON_SITE, EXPERT, OnTeam, &[Expert]),
    row(A::AttachInspectionPhoto, ON_SITE, SELF, Anyone, OWN),
    row(
        A::AttachInspectionPhoto,
        ON_SITE,
        GRID,
        Anyone,
        &[GridWorker],
    ),
    row(
        A::RecordInspectionPhotoLost,
        ANY,
        ANY_KIND,
        Anyone,
        &[Administrator],
    ),
];

/// Whether somebody with this role has to be on the team to do something that the table names: what such a team has to
/// do is theirs by name.
pub fn acts_on_team(role: Role) -> bool {
    let by_name = |row: &Row| row.who == OnTeam && row.roles.contains(&role);
    TABLE.iter().any(by_name)
}

/// Whether an inspection of this kind is carried out by those on its team and nobody else.
pub(super) fn has_team_by_name(kind: InspectionKind) -> bool {
    let by_name = |row: &Row| row.who == OnTeam && row.kinds.contains(&kind);
    TABLE.iter().any(by_name)
}

/// What the table is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The state.
    pub state: InspectionState,
    /// The kind of inspection.
    pub kind: InspectionKind,
    /// Whether the actor is one of those who inspect.
    pub on_team: bool,
}

impl Case {
    /// An inspection that exists, and one actor.
    pub fn of(inspection: &Inspection, actor: &Actor) -> Self {
        Self {
            state: inspection.state(),
            kind: inspection.kind,
            on_team: actor
                .person_id()
                .is_some_and(|person| inspection.is_on_team(person)),
        }
    }
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, as far as state, kind, role and team go.
    Allowed,
    /// Nobody could do this in this state.
    WrongState,
    /// Somebody could, this actor not.
    WrongRole,
    /// Those with this actor's role who inspect could; this one does not inspect.
    NotOnTeam,
}

/// Looks the action up.
pub fn verdict(action: ActionKind, case: Case, actor: &Actor) -> Verdict {
    if action.is_servers_own() {
        return match (actor, case.state) {
            (Actor::System, S::Unknown) => Verdict::WrongState,
            (Actor::System, _) => Verdict::Allowed,
            _ => Verdict::WrongRole,
        };
    }
    let mut verdict = Verdict::WrongState;
    for row in TABLE
        .iter()
        .filter(|row| row.action == action && row.from.contains(&case.state))
    {
        let fits = row.kinds.contains(&case.kind) && actor.is_any_of(row.roles);
        match (fits, row.who == Anyone || case.on_team) {
            (true, true) => return Verdict::Allowed,
            (true, false) => verdict = Verdict::NotOnTeam,
            (false, _) if verdict != Verdict::NotOnTeam => verdict = Verdict::WrongRole,
            (false, _) => {}
        }
    }
    verdict
}

/// The actions that the table allows this actor on this inspection now.
pub fn allowed_actions(inspection: &Inspection, actor: &Actor) -> Vec<ActionKind> {
    let case = Case::of(inspection, actor);
    A::ALL
        .iter()
        .copied()
        .filter(|action| action.subject() == SubjectKind::Inspection)
        .filter(|action| verdict(*action, case, actor) == Verdict::Allowed)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_people_may_take_has_a_row_and_no_other() {
        for action in A::ALL {
            let expected = action.subject() == SubjectKind::Inspection && !action.is_servers_own();
            let has_row = TABLE.iter().any(|row| row.action == *action);
            assert_eq!(has_row, expected, "{action:?}");
        }
    }

    #[test]
    fn every_kind_of_inspection_is_in_exactly_one_family() {
        for kind in K::ALL {
            let families = [DEPARTMENT, EXPERT, SELF, GRID];
            let count = families.iter().filter(|kinds| kinds.contains(kind)).count();
            assert_eq!(count, 1, "{kind:?}");
            assert_eq!(DEPARTMENT.contains(kind), kind.is_departments());
        }
    }
}

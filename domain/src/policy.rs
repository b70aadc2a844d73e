//! Who may do what in which state: one table that HTTP, sync, device and documents read.
//!
//! Conditions beyond this table (not the same person twice, enough photos, a due date in range)
//! are in [`crate::hazard::decide`], beside the step they guard.

use crate::access::{Actor, Role};
use crate::command::{ActionKind, Grade};
use crate::hazard::{Hazard, StatusName};

/// Which hazards a row speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Every hazard.
    Always,
    /// The actor reported it.
    ActorReportedIt,
    /// General grade.
    General,
    /// Major grade.
    Major,
    /// Found and told by the enterprise itself, general grade: as it stands and, for a
    /// confirmation, as confirmed. The enterprise may not talk a reported major hazard down.
    SelfFoundGeneral,
    /// Found and told by the enterprise itself, major grade.
    SelfFoundMajor,
    /// The actor reported it, general grade: a major hazard never disappears by the word of one.
    ActorReportedItGeneral,
    /// A confirmation that does not make less of the hazard than its report.
    NotLowered,
}

/// One row: in these states these roles may do this.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The action.
    pub action: ActionKind,
    /// The states it starts from; `None` inside stands for "not yet reported".
    pub from: &'static [StatusName],
    /// Which hazards.
    pub when: When,
    /// Who.
    pub roles: &'static [Role],
}

use ActionKind as A;
use Role::{
    Administrator, DepartmentReviewer, Employee, GridWorker, Inspector, Principal, SafetyOfficer,
    Supervisor,
};
use StatusName as S;

/// States in which work on the hazard goes on.
const OPEN: &[S] = &[
    S::Reported,
    S::Confirmed,
    S::Rectifying,
    S::PendingReinspection,
];
/// Every state of an existing hazard.
const ANY: &[S] = S::EXISTING;

const fn row(
    action: ActionKind,
    from: &'static [StatusName],
    when: When,
    roles: &'static [Role],
) -> Row {
    Row {
        action,
        from,
        when,
        roles,
    }
}

/// The table. Shape: lifecycle of Order 16 (2007) Art. 15-23 and 安全生产法 Art. 41, 65; which
/// roles stand for the authority is this product's design.
pub const TABLE: &[Row] = &[
    row(
        A::Report,
        &[S::Unreported],
        When::Always,
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
        ],
    ),
    row(
        A::Amend,
        &[S::Reported],
        When::ActorReportedIt,
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
        ],
    ),
    row(
        A::Amend,
        &[S::Reported],
        When::Always,
        &[SafetyOfficer, Principal],
    ),
    row(
        A::Amend,
        &[S::Reported, S::Confirmed, S::Rectifying],
        When::Always,
        &[Inspector, DepartmentReviewer],
    ),
    row(
        A::AttachPhoto,
        OPEN,
        When::Always,
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
        ],
    ),
    row(A::Confirm, &[S::Reported], When::NotLowered, &[Inspector]),
    row(
        A::Confirm,
        &[S::Reported],
        When::Always,
        &[DepartmentReviewer],
    ),
    row(
        A::Confirm,
        &[S::Reported],
        When::SelfFoundGeneral,
        &[SafetyOfficer, Principal],
    ),
    row(
        A::Confirm,
        &[S::Reported],
        When::SelfFoundMajor,
        &[Principal],
    ),
    row(
        A::Withdraw,
        &[S::Reported],
        When::ActorReportedItGeneral,
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
        ],
    ),
    row(
        A::Reject,
        &[S::Reported],
        When::Always,
        &[DepartmentReviewer],
    ),
    row(
        A::SubmitRectification,
        &[S::Confirmed, S::Rectifying],
        When::General,
        &[Employee, SafetyOfficer, Principal],
    ),
    row(
        A::SubmitRectification,
        &[S::Confirmed, S::Rectifying],
        When::Major,
        &[Principal],
    ),
    row(
        A::Reinspect,
        &[S::PendingReinspection],
        When::Always,
        &[Inspector],
    ),
    row(
        A::Reinspect,
        &[S::PendingReinspection],
        When::SelfFoundGeneral,
        &[SafetyOfficer, Principal],
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        When::Always,
        &[Inspector, DepartmentReviewer],
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        When::SelfFoundGeneral,
        &[SafetyOfficer, Principal],
    ),
    row(
        A::Reopen,
        &[S::Closed],
        When::Always,
        &[Inspector, DepartmentReviewer],
    ),
    row(
        A::Note,
        ANY,
        When::Always,
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
            Supervisor,
        ],
    ),
    row(A::RecordPhotoLost, ANY, When::Always, &[Administrator]),
];

/// What the table says of one action, actor and hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, as far as state and role go.
    Allowed,
    /// No role could do this in this state.
    WrongState,
    /// Somebody could, this actor not.
    WrongRole,
}

/// Looks the action up. `grade` is the grade that counts for this step (a confirmation's own).
pub fn verdict(
    action: ActionKind,
    hazard: Option<&Hazard>,
    actor: &Actor,
    grade: Grade,
) -> Verdict {
    let state = hazard.map_or(S::Unreported, Hazard::status_name);
    if matches!(action, A::ReceivePhoto | A::FollowEnterprise) {
        return match (actor, hazard) {
            (Actor::System, Some(_)) => Verdict::Allowed,
            (Actor::System, None) => Verdict::WrongState,
            _ => Verdict::WrongRole,
        };
    }
    let mut verdict = Verdict::WrongState;
    for row in TABLE
        .iter()
        .filter(|row| row.action == action && row.from.contains(&state))
    {
        if applies(row.when, hazard, actor, grade) && actor.is_any_of(row.roles) {
            return Verdict::Allowed;
        }
        verdict = Verdict::WrongRole;
    }
    verdict
}

/// The actions that the table allows this actor on this hazard now.
pub fn allowed_actions(hazard: Option<&Hazard>, actor: &Actor) -> Vec<ActionKind> {
    let grades = [Grade::General, Grade::Major];
    A::ALL
        .iter()
        .copied()
        .filter(|action| {
            let own = hazard.map(|h| h.grade);
            let mut grades = grades
                .iter()
                .filter(|g| *action == A::Confirm || own.is_none_or(|o| o == **g));
            grades.any(|grade| verdict(*action, hazard, actor, *grade) == Verdict::Allowed)
        })
        .collect()
}

fn applies(when: When, hazard: Option<&Hazard>, actor: &Actor, grade: Grade) -> bool {
    let self_found = hazard.is_some_and(|h| h.source.is_self_found());
    let reported_it = hazard.is_some_and(|h| Some(h.reported_by) == actor.person_id());
    let stands_general = hazard.is_some_and(|h| h.grade == Grade::General);
    match when {
        When::Always => true,
        When::ActorReportedIt => reported_it,
        When::ActorReportedItGeneral => reported_it && stands_general,
        When::NotLowered => stands_general || grade == Grade::Major,
        When::General => grade == Grade::General,
        When::Major => grade == Grade::Major,
        When::SelfFoundGeneral => self_found && stands_general && grade == Grade::General,
        When::SelfFoundMajor => self_found && grade == Grade::Major,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_people_may_take_has_a_row() {
        for action in A::ALL {
            let servers_own = matches!(action, A::ReceivePhoto | A::FollowEnterprise);
            assert_eq!(
                TABLE.iter().any(|row| row.action == *action),
                !servers_own,
                "{action:?}"
            );
        }
    }

    #[test]
    fn the_servers_own_steps_are_closed_to_every_role() {
        let actor = Actor::Person {
            person_id: crate::ids::PersonId(uuid::Uuid::from_u128(1)),
            roles: Role::ALL.to_vec(),
            certified: true,
        };
        for action in [A::ReceivePhoto, A::FollowEnterprise] {
            assert_eq!(
                verdict(action, None, &actor, Grade::General),
                Verdict::WrongRole
            );
        }
    }
}

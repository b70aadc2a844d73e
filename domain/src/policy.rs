//! Who may do what in which state: one table that HTTP, sync, device and documents read.
//!
//! Conditions beyond this table (not the same person twice, enough photos, a due date in range)
//! are in [`crate::hazard::decide`], beside the step they guard.

mod table;

pub use table::TABLE;

use crate::access::{Actor, Role};
use crate::command::{ActionKind, Grade};
use crate::hazard::{Authority, Hazard, StatusName};

/// What must hold of the hazard, or of the actor, beside state and role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The actor reported it.
    ActorReportedIt,
    /// General grade: the grade it has and, for a report or a confirmation, the one that this gives it.
    General,
    /// Major grade, likewise.
    Major,
    /// Its grade so far is general: a reported major hazard is not talked down.
    StandsGeneral,
    /// Found and told by the enterprise itself.
    SelfFound,
    /// A confirmation that does not make less of the hazard than its report.
    NotLowered,
    /// Under listed supervision.
    Listed,
    /// Not under listed supervision.
    NotListed,
    /// Its due date was set by the department.
    DueByDepartment,
    /// Its due date was set by the enterprise itself.
    DueByEnterprise,
    /// The actor holds an inspector's certificate that is valid now.
    Certified,
    /// Nobody knows which enterprise it is.
    NoEnterprise,
    /// Its finder says that it was fixed on the spot, and nobody has looked yet.
    OnlySaidToBeFixed,
    /// The extension that waits was asked for by the principal.
    AskedByPrincipal,
    /// Two values of one field stand beside each other.
    Disputed,
}

impl When {
    /// Every condition.
    pub const ALL: &'static [Self] = &[
        Self::ActorReportedIt,
        Self::General,
        Self::Major,
        Self::StandsGeneral,
        Self::SelfFound,
        Self::NotLowered,
        Self::Listed,
        Self::NotListed,
        Self::DueByDepartment,
        Self::DueByEnterprise,
        Self::Certified,
        Self::NoEnterprise,
        Self::OnlySaidToBeFixed,
        Self::AskedByPrincipal,
        Self::Disputed,
    ];

    /// What documents call it, in Chinese and in English.
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::ActorReportedIt => ("本人上报", "who reported it"),
            Self::General => ("一般隐患", "general"),
            Self::Major => ("重大隐患", "major"),
            Self::StandsGeneral => ("现为一般隐患", "stands as general"),
            Self::SelfFound => ("企业自查自报", "self-found"),
            Self::NotLowered => ("不降低等级", "grade not lowered"),
            Self::Listed => ("已挂牌", "listed"),
            Self::NotListed => ("未挂牌", "not listed"),
            Self::DueByDepartment => ("期限由部门确定", "due date set by the department"),
            Self::DueByEnterprise => ("期限由企业确定", "due date set by the enterprise"),
            Self::Certified => ("持有效执法证", "valid certificate"),
            Self::AskedByPrincipal => ("主要负责人本人申请", "asked for by the principal"),
            Self::Disputed => ("限有两种说法的内容", "only fields with two values"),
            Self::NoEnterprise => ("企业不明", "enterprise unknown"),
            Self::OnlySaidToBeFixed => ("即查即改尚未复查", "fixed on the spot, not re-inspected"),
        }
    }
}

/// One row: in these states, where all of these hold, these roles may do this.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The action.
    pub action: ActionKind,
    /// The states it starts from.
    pub from: &'static [StatusName],
    /// What must hold.
    pub when: &'static [When],
    /// Who.
    pub roles: &'static [Role],
}

/// What the table says of one action, actor and hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, as far as state and role go.
    Allowed,
    /// No role could do this in this state.
    WrongState,
    /// Somebody could, this actor not.
    WrongRole,
    /// This actor could, with a certificate that is valid now.
    Uncertified,
}

/// Looks the action up. `grade` is the grade that counts for this step (a confirmation's own).
pub fn verdict(
    action: ActionKind,
    hazard: Option<&Hazard>,
    actor: &Actor,
    grade: Grade,
) -> Verdict {
    let state = hazard.map_or(StatusName::Unreported, Hazard::status_name);
    if action.is_servers_own() {
        return match (actor, hazard) {
            (Actor::System, Some(_)) => Verdict::Allowed,
            (Actor::System, None) => Verdict::WrongState,
            _ => Verdict::WrongRole,
        };
    }
    if *actor == Actor::System && action == ActionKind::AssignSector {
        // The sector of its enterprise was corrected, or another department answers for it now: open hazards follow.
        let rows = TABLE.iter().filter(|row| row.action == action);
        let known = rows.into_iter().any(|row| row.from.contains(&state));
        return match known {
            true => Verdict::Allowed,
            false => Verdict::WrongState,
        };
    }
    let mut verdict = Verdict::WrongState;
    let disputed = hazard.is_some_and(|hazard| !hazard.disputed.is_empty());
    for row in TABLE
        .iter()
        .filter(|row| row.action == action && row.from.contains(&state))
        // Where there is nothing to settle, no role could: it is not the actor's that is wrong.
        .filter(|row| disputed || !row.when.contains(&When::Disputed))
    {
        let mut missing = row
            .when
            .iter()
            .filter(|when| !holds(**when, hazard, actor, grade))
            .peekable();
        if verdict == Verdict::WrongState {
            verdict = Verdict::WrongRole;
        }
        if !actor.is_any_of(row.roles) {
            continue;
        }
        if missing.peek().is_none() {
            return Verdict::Allowed;
        }
        if missing.all(|when| *when == When::Certified) {
            verdict = Verdict::Uncertified;
        }
    }
    verdict
}

/// The actions that the table allows this actor on this hazard now.
pub fn allowed_actions(hazard: Option<&Hazard>, actor: &Actor) -> Vec<ActionKind> {
    let grades = [Grade::General, Grade::Major];
    ActionKind::ALL
        .iter()
        .copied()
        .filter(|action| {
            let own = hazard.map(|h| h.grade);
            let mut grades = grades
                .iter()
                .filter(|g| *action == ActionKind::Confirm || own.is_none_or(|o| o == **g));
            grades.any(|grade| verdict(*action, hazard, actor, *grade) == Verdict::Allowed)
        })
        .collect()
}

fn holds(when: When, hazard: Option<&Hazard>, actor: &Actor, grade: Grade) -> bool {
    let stands_general =
        hazard.is_some_and(|h| h.grade == Grade::General && !h.is_proposed_as_major());
    let listed = hazard.is_some_and(Hazard::is_listed);
    let authority = hazard.and_then(Hazard::order).map(|order| order.authority);
    match when {
        When::ActorReportedIt => hazard.is_some_and(|h| Some(h.reported_by) == actor.person_id()),
        When::General => grade == Grade::General,
        When::Major => grade == Grade::Major,
        When::StandsGeneral => stands_general,
        When::SelfFound => hazard.is_some_and(Hazard::is_self_found),
        When::NotLowered => stands_general || grade == Grade::Major,
        When::Listed => listed,
        When::NotListed => !listed,
        When::DueByDepartment => authority == Some(Authority::Department),
        When::DueByEnterprise => authority == Some(Authority::Enterprise),
        When::Certified => actor.is_certified(),
        When::OnlySaidToBeFixed => hazard.is_some_and(Hazard::is_only_said_to_be_fixed),
        When::AskedByPrincipal => hazard
            .and_then(Hazard::extension_waiting)
            .is_some_and(|asked| asked.by_principal),
        When::Disputed => hazard.is_some_and(|h| !h.disputed.is_empty()),
        When::NoEnterprise => hazard.is_some_and(|h| h.enterprise_id.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::SubjectKind;

    #[test]
    fn every_action_that_people_may_take_has_a_row() {
        for action in ActionKind::ALL {
            let peoples = action.subject() == SubjectKind::Hazard && !action.is_servers_own();
            assert_eq!(
                TABLE.iter().any(|row| row.action == *action),
                peoples,
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
        let own = ActionKind::ALL.iter().filter(|kind| kind.is_servers_own());
        for action in own {
            assert_eq!(
                verdict(*action, None, &actor, Grade::General),
                Verdict::WrongRole
            );
        }
    }

    #[test]
    fn machines_and_the_public_decide_nothing() {
        let only_report = [
            ActionKind::Report,
            ActionKind::Amend,
            ActionKind::AttachPhoto,
            ActionKind::Withdraw,
        ];
        for row in TABLE
            .iter()
            .filter(|row| !only_report.contains(&row.action))
        {
            for role in [Role::Gateway, Role::Importer, Role::Public] {
                assert!(!row.roles.contains(&role), "{role:?} in {:?}", row.action);
            }
        }
    }
}

//! Every state x every action x every role has a stated outcome, for each family of inspections,
//! for those who carry it out and for those who do not.
//!
//! The outcomes are written out here and not read from the policy table: a change of the table
//! that nobody meant shows as a failure with its row.

use super::*;
use crate::command::{ActionKind, SubjectKind};
use ActionKind as A;

/// One column a role, in the order of [`Role::ALL`]: employee, safety officer, principal, grid
/// worker, inspector, department reviewer, supervisor, administrator, expert, department head,
/// listing authority, gateway, insurer, importer, public; then the server itself. `+` allowed,
/// `s` not in this state, `r` not with this role, `t` not on the team, `x` exists already, `n` not
/// found, `u` the record names no such photo.
type Outcomes = &'static str;

struct Row {
    action: ActionKind,
    states: &'static [InspectionState],
    kinds: &'static [InspectionKind],
    on_team: Outcomes,
    off_team: Outcomes,
}

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
const NOT_DEPARTMENT: &[K] = &[K::ExpertVisit, K::SelfCheck, K::GridPatrol];
const NOT_EXPERT: &[K] = &[
    K::Plan,
    K::Special,
    K::Tip,
    K::Recheck,
    K::Joint,
    K::DoubleRandom,
    K::OpenVisit,
    K::UnannouncedVisit,
    K::SelfCheck,
    K::GridPatrol,
];
const NOT_SELF: &[K] = &[
    K::Plan,
    K::Special,
    K::Tip,
    K::Recheck,
    K::Joint,
    K::DoubleRandom,
    K::OpenVisit,
    K::UnannouncedVisit,
    K::ExpertVisit,
    K::GridPatrol,
];
const SELF_OR_GRID: &[K] = &[K::SelfCheck, K::GridPatrol];
const EVERY_KIND: &[K] = K::ALL;

const NEW: &[S] = &[S::Unknown];
const BEFORE: &[S] = &[S::Unknown, S::Planned];
const PLANNED: &[S] = &[S::Planned];
const ON_SITE: &[S] = &[S::InProgress];
const RECORDING: &[S] = &[S::InProgress, S::Completed];
const BEGUN_OR_ENDED: &[S] = &[S::InProgress, S::Completed, S::Cancelled];
const NOT_RECORDING: &[S] = &[S::Planned, S::Cancelled];
const NOT_ON_SITE: &[S] = &[S::Planned, S::Completed, S::Cancelled];
const ENDED: &[S] = &[S::Completed, S::Cancelled];
const EVERY: &[S] = &[S::Planned, S::InProgress, S::Completed, S::Cancelled];

const NOBODY: Outcomes = "rrrrrrrrrrrrrrrr";
const NO_STATE: Outcomes = "ssssssssssssssss";
const NOT_THERE: Outcomes = "nnnnnnnnnnnnnnnn";
const THERE: Outcomes = "xxxxxxxxxxxxxxxx";

/// The same whether on the team or not.
const fn same(
    action: ActionKind,
    states: &'static [InspectionState],
    kinds: &'static [InspectionKind],
    all: Outcomes,
) -> Row {
    teamed(action, states, kinds, all, all)
}

const fn teamed(
    action: ActionKind,
    states: &'static [InspectionState],
    kinds: &'static [InspectionKind],
    on_team: Outcomes,
    off_team: Outcomes,
) -> Row {
    Row {
        action,
        states,
        kinds,
        on_team,
        off_team,
    }
}

// Columns: Em Sa Pr Gr In Re Su Ad Ex He Li Ga Is Im Pu, then the server.
const STATED: &[Row] = &[
    same(A::PlanInspection, NEW, DEPARTMENT, "rrrr++rrr+rrrrrr"),
    same(A::PlanInspection, NEW, EXPERT, "rrrr++rr++rrrrrr"),
    same(A::PlanInspection, NEW, SELF, "r++rrrrrrrrrrrrr"),
    same(A::PlanInspection, NEW, GRID, "rrr+++rrr+rrrrrr"),
    same(A::PlanInspection, EVERY, EVERY_KIND, THERE),
    teamed(
        A::StartInspection,
        BEFORE,
        DEPARTMENT,
        "rrrr+rrrrrrrrrrr",
        "rrrrtrrrrrrrrrrr",
    ),
    teamed(
        A::StartInspection,
        BEFORE,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::StartInspection, BEFORE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::StartInspection, BEFORE, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::StartInspection, BEGUN_OR_ENDED, EVERY_KIND, NO_STATE),
    same(A::SubmitSelfCheck, BEFORE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::SubmitSelfCheck, BEFORE, NOT_SELF, NOBODY),
    same(A::SubmitSelfCheck, BEGUN_OR_ENDED, EVERY_KIND, NO_STATE),
    same(A::RecordResults, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::RecordResults,
        RECORDING,
        DEPARTMENT,
        "rrrr+rrr+rrrrrrr",
        "rrrrtrrrtrrrrrrr",
    ),
    teamed(
        A::RecordResults,
        RECORDING,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::RecordResults, RECORDING, SELF, "+++rrrrrrrrrrrrr"),
    same(A::RecordResults, RECORDING, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::RecordResults, NOT_RECORDING, EVERY_KIND, NO_STATE),
    same(A::LinkFinding, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::LinkFinding,
        RECORDING,
        DEPARTMENT,
        "rrrr+rrr+rrrrrrr",
        "rrrrtrrrtrrrrrrr",
    ),
    teamed(
        A::LinkFinding,
        RECORDING,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::LinkFinding, RECORDING, SELF, "+++rrrrrrrrrrrrr"),
    same(A::LinkFinding, RECORDING, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::LinkFinding, NOT_RECORDING, EVERY_KIND, NO_STATE),
    same(A::ConvertFinding, NEW, EVERY_KIND, NOT_THERE),
    same(A::ConvertFinding, RECORDING, EXPERT, "r++r+rrrrrrrrrrr"),
    same(A::ConvertFinding, RECORDING, NOT_EXPERT, NOBODY),
    same(A::ConvertFinding, NOT_RECORDING, EVERY_KIND, NO_STATE),
    same(A::RecordAttendance, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::RecordAttendance,
        ON_SITE,
        DEPARTMENT,
        "rrrr+rrrrrrrrrrr",
        "rrrrtrrrrrrrrrrr",
    ),
    teamed(
        A::RecordAttendance,
        ON_SITE,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::RecordAttendance, ON_SITE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::RecordAttendance, ON_SITE, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::RecordAttendance, NOT_ON_SITE, EVERY_KIND, NO_STATE),
    same(A::SignInspection, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::SignInspection,
        ON_SITE,
        DEPARTMENT,
        "r++r+rrr+rrrrrrr",
        "r++rtrrrtrrrrrrr",
    ),
    teamed(
        A::SignInspection,
        ON_SITE,
        EXPERT,
        "r++rrrrr+rrrrrrr",
        "r++rrrrrtrrrrrrr",
    ),
    same(A::SignInspection, ON_SITE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::SignInspection, ON_SITE, GRID, "r+++rrrrrrrrrrrr"),
    same(A::SignInspection, NOT_ON_SITE, EVERY_KIND, NO_STATE),
    same(A::RecordRefusal, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::RecordRefusal,
        ON_SITE,
        DEPARTMENT,
        "rrrr+rrrrrrrrrrr",
        "rrrrtrrrrrrrrrrr",
    ),
    same(A::RecordRefusal, ON_SITE, NOT_DEPARTMENT, NOBODY),
    same(A::RecordRefusal, NOT_ON_SITE, EVERY_KIND, NO_STATE),
    same(A::CompleteInspection, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::CompleteInspection,
        ON_SITE,
        DEPARTMENT,
        "rrrr+rrrrrrrrrrr",
        "rrrrtrrrrrrrrrrr",
    ),
    teamed(
        A::CompleteInspection,
        ON_SITE,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::CompleteInspection, ON_SITE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::CompleteInspection, ON_SITE, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::CompleteInspection, NOT_ON_SITE, EVERY_KIND, NO_STATE),
    same(A::CancelInspection, NEW, EVERY_KIND, NOT_THERE),
    same(A::CancelInspection, PLANNED, DEPARTMENT, "rrrr++rrr+rrrrrr"),
    same(A::CancelInspection, PLANNED, EXPERT, "rrrr++rr++rrrrrr"),
    same(A::CancelInspection, PLANNED, SELF, "r++rrrrrrrrrrrrr"),
    same(A::CancelInspection, PLANNED, GRID, "rrr+++rrr+rrrrrr"),
    same(A::CancelInspection, BEGUN_OR_ENDED, EVERY_KIND, NO_STATE),
    same(A::AttachInspectionPhoto, NEW, EVERY_KIND, NOT_THERE),
    teamed(
        A::AttachInspectionPhoto,
        ON_SITE,
        DEPARTMENT,
        "rrrr+rrr+rrrrrrr",
        "rrrrtrrrtrrrrrrr",
    ),
    teamed(
        A::AttachInspectionPhoto,
        ON_SITE,
        EXPERT,
        "rrrrrrrr+rrrrrrr",
        "rrrrrrrrtrrrrrrr",
    ),
    same(A::AttachInspectionPhoto, ON_SITE, SELF, "+++rrrrrrrrrrrrr"),
    same(A::AttachInspectionPhoto, ON_SITE, GRID, "rrr+rrrrrrrrrrrr"),
    same(A::AttachInspectionPhoto, NOT_ON_SITE, EVERY_KIND, NO_STATE),
    same(A::RecordInspectionPhotoLost, NEW, EVERY_KIND, NOT_THERE),
    same(
        A::RecordInspectionPhotoLost,
        RECORDING,
        EVERY_KIND,
        "rrrrrrr+rrrrrrrr",
    ),
    same(
        A::RecordInspectionPhotoLost,
        NOT_RECORDING,
        EVERY_KIND,
        "rrrrrrrurrrrrrrr",
    ),
    same(A::ChangeTeam, NEW, EVERY_KIND, NOT_THERE),
    same(A::ChangeTeam, PLANNED, DEPARTMENT, "rrrr++rrr+rrrrrr"),
    same(A::ChangeTeam, PLANNED, EXPERT, "rrrr++rr++rrrrrr"),
    same(A::ChangeTeam, PLANNED, SELF_OR_GRID, NO_STATE_OF_THESE),
    teamed(
        A::ChangeTeam,
        ON_SITE,
        DEPARTMENT,
        "rrrr++rrr+rrrrrr",
        "rrrrt+rrr+rrrrrr",
    ),
    same(A::ChangeTeam, ON_SITE, EXPERT, "rrrrr+rrr+rrrrrr"),
    same(A::ChangeTeam, ON_SITE, SELF_OR_GRID, NOBODY),
    same(A::ChangeTeam, ENDED, EVERY_KIND, NO_STATE),
    same(A::InspectionFollowEnterprise, NEW, EVERY_KIND, NOT_THERE),
    same(
        A::InspectionFollowEnterprise,
        EVERY,
        EVERY_KIND,
        "rrrrrrrrrrrrrrr+",
    ),
    same(A::ReceiveInspectionPhoto, NEW, EVERY_KIND, NOT_THERE),
    same(
        A::ReceiveInspectionPhoto,
        RECORDING,
        EVERY_KIND,
        "rrrrrrrrrrrrrrr+",
    ),
    same(
        A::ReceiveInspectionPhoto,
        NOT_RECORDING,
        EVERY_KIND,
        "rrrrrrrrrrrrrrru",
    ),
];

/// Self-checks and patrols need no team: the table has no row for a change of theirs.
const NO_STATE_OF_THESE: Outcomes = NOBODY;

/// A command that is acceptable in every field, as this actor would send it.
fn sample(kind: ActionKind, case: &Case, of: InspectionKind, actor: &Actor, team: bool) -> Action {
    let mut what = setup(of);
    if !team {
        // Others than those who act here.
        what.team = vec![member(&inspector(80)), member(&inspector(81))];
    }
    let unplanned = case.inspection.is_none().then_some(what.clone());
    match kind {
        A::PlanInspection => Action::PlanInspection(PlanInspection {
            setup: what,
            window_from: date("2026-11-23"),
            window_to: date("2026-11-27"),
        }),
        A::StartInspection => start(unplanned),
        A::SubmitSelfCheck => Action::SubmitSelfCheck(self_check(unplanned)),
        A::RecordResults => all_ok(),
        A::LinkFinding => finding(of, 2),
        A::ConvertFinding => convert(1),
        A::RecordAttendance => Action::RecordAttendance(RecordAttendance {
            attendees: vec![attendee("赵敏")],
        }),
        A::SignInspection => sign(actor, of),
        A::RecordRefusal => refuse(),
        A::CompleteInspection => complete(false),
        A::CancelInspection => cancel(),
        A::AttachInspectionPhoto => attach(9),
        A::RecordInspectionPhotoLost => Action::RecordInspectionPhotoLost(RecordPhotoLost {
            sha256: Digest([1; 32]),
            reason: "手机落水".to_owned(),
        }),
        A::ChangeTeam => Action::ChangeTeam(ChangeTeam {
            team: team_without_expert(),
            reason: "专家有事".to_owned(),
        }),
        A::InspectionFollowEnterprise => follow(OTHER_TOWN),
        A::ReceiveInspectionPhoto => Action::ReceiveInspectionPhoto(ReceivePhoto {
            sha256: Digest([1; 32]),
        }),
        other => panic!("{other:?} acts on no inspection"),
    }
}

fn team_without_expert() -> Vec<TeamMember> {
    vec![member(&inspector(1)), member(&inspector(2))]
}

fn letter(outcome: &Result<Outcome, Refusal>) -> char {
    match outcome {
        Ok(_) => '+',
        Err(refusal) => match refusal.code {
            RefusalCode::NotAllowedInState => 's',
            RefusalCode::NotPermitted => 'r',
            RefusalCode::NotOnTeam => 't',
            RefusalCode::AlreadyExists => 'x',
            RefusalCode::NotFound => 'n',
            RefusalCode::PhotoUnknown => 'u',
            _ => '?',
        },
    }
}

/// Of every role the person with this number, and the server itself.
fn actors(number: u128) -> Vec<Actor> {
    let people = Role::ALL.into_iter().map(|role| person(role, number));
    people.chain([Actor::System]).collect()
}

#[test]
fn every_state_action_and_role_has_its_stated_outcome() {
    for row in STATED {
        for (state, kind) in row
            .states
            .iter()
            .flat_map(|state| row.kinds.iter().map(move |kind| (*state, *kind)))
        {
            let mut case = Case::in_state(state, kind);
            assert_eq!(case.state(), state);
            // Made on a device, before whatever the server has recorded since.
            case.facts.made_at = Some(NOW);
            case.facts.knew = Knew::AsOf(Some(NOW));
            for (team, number, stated) in [(true, 1, row.on_team), (false, 7, row.off_team)] {
                let got: String = actors(number)
                    .iter()
                    .map(|actor| {
                        let action = sample(row.action, &case, kind, actor, team);
                        letter(&case.clone().act(actor, action))
                    })
                    .collect();
                assert_eq!(
                    got, stated,
                    "{:?} on {state:?} {kind:?}, on the team: {team}",
                    row.action
                );
            }
        }
    }
}

#[test]
fn the_stated_outcomes_speak_of_every_state_kind_and_action_exactly_once() {
    let of_inspections = ActionKind::ALL
        .iter()
        .filter(|action| action.subject() == SubjectKind::Inspection);
    for action in of_inspections {
        for state in NEW.iter().chain(InspectionState::EXISTING) {
            for kind in InspectionKind::ALL {
                let rows = STATED.iter().filter(|row| {
                    row.action == *action && row.states.contains(state) && row.kinds.contains(kind)
                });
                assert_eq!(rows.count(), 1, "{action:?} on {state:?} {kind:?}");
            }
        }
    }
    for row in STATED {
        assert_eq!(row.on_team.len(), Role::ALL.len() + 1, "{:?}", row.action);
        assert_eq!(row.off_team.len(), Role::ALL.len() + 1, "{:?}", row.action);
    }
}

#[test]
fn who_holds_no_role_here_is_out_of_scope_and_learns_nothing() {
    let outsider = Actor::Person {
        person_id: id_of(&inspector(1)),
        roles: Vec::new(),
        certified: true,
    };
    for state in NEW.iter().chain(InspectionState::EXISTING) {
        let case = Case::in_state(*state, K::Plan);
        for kind in ActionKind::ALL
            .iter()
            .filter(|action| action.subject() == SubjectKind::Inspection)
        {
            let action = sample(*kind, &case, K::Plan, &outsider, true);
            let refusal = case.clone().refused(&outsider, action);
            assert_eq!(refusal.code, RefusalCode::OutOfScope, "{kind:?}");
            assert_eq!(refusal.from_inspection_state, None);
            assert!(refusal.allowed.is_empty());
        }
    }
}

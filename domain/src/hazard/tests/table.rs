//! Every state x every action x every role has a stated outcome, for each kind of hazard.
//!
//! The outcomes are written out here and not read from the policy table: a change of the table
//! that nobody meant shows as a failure with its row.

use super::*;
use crate::command::{ActionKind, FollowEnterprise};
use ActionKind as K;
use StatusName as S;

/// One column a role (employee, safety officer, principal, grid worker, inspector, department
/// reviewer, supervisor, administrator) and the server itself as the ninth. `+` allowed,
/// `s` not in this state, `r` not with this role, `x` exists already, `n` not found, `i` a field
/// is at fault (here: the photo is not awaited any more).
type Outcomes = &'static str;

struct Row {
    action: ActionKind,
    states: &'static [StatusName],
    self_general: Outcomes,
    self_major: Outcomes,
    inspector_general: Outcomes,
    inspector_major: Outcomes,
}

const fn same(action: ActionKind, states: &'static [StatusName], all: Outcomes) -> Row {
    differs(action, states, [all, all, all, all])
}

const fn differs(
    action: ActionKind,
    states: &'static [StatusName],
    outcomes: [Outcomes; 4],
) -> Row {
    let [self_general, self_major, inspector_general, inspector_major] = outcomes;
    Row {
        action,
        states,
        self_general,
        self_major,
        inspector_general,
        inspector_major,
    }
}

const NEW: &[S] = &[S::Unreported];
const EVERY: &[S] = &[
    S::Reported,
    S::Confirmed,
    S::Rectifying,
    S::PendingReinspection,
    S::Closed,
    S::Rejected,
    S::Withdrawn,
];

// Columns: Employee SafetyOfficer Principal GridWorker Inspector DepartmentReviewer Supervisor
// Administrator, then the server.
const STATED: &[Row] = &[
    // Who found it decides the source: the enterprise's own people or the others, never both.
    differs(
        K::Report,
        NEW,
        ["+++iiirrr", "+++iiirrr", "iii+++rrr", "iii+++rrr"],
    ),
    same(K::Report, EVERY, "xxxxxxxxx"),
    same(K::Amend, NEW, "nnnnnnnnn"),
    same(K::Amend, &[S::Reported], "r++r++rrr"),
    same(K::Amend, &[S::Confirmed, S::Rectifying], "rrrr++rrr"),
    same(
        K::Amend,
        &[S::PendingReinspection, S::Closed, S::Rejected, S::Withdrawn],
        "sssssssss",
    ),
    same(K::AttachPhoto, NEW, "nnnnnnnnn"),
    same(
        K::AttachPhoto,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
        ],
        "++++++rrr",
    ),
    same(
        K::AttachPhoto,
        &[S::Closed, S::Rejected, S::Withdrawn],
        "sssssssss",
    ),
    same(K::Confirm, NEW, "nnnnnnnnn"),
    differs(
        K::Confirm,
        &[S::Reported],
        ["r++r++rrr", "rr+r++rrr", "rrrr++rrr", "rrrr++rrr"],
    ),
    same(
        K::Confirm,
        &[
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::Reject, NEW, "nnnnnnnnn"),
    same(K::Reject, &[S::Reported], "rrrrr+rrr"),
    same(
        K::Reject,
        &[
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::SubmitRectification, NEW, "nnnnnnnnn"),
    differs(
        K::SubmitRectification,
        &[S::Confirmed, S::Rectifying],
        ["+++rrrrrr", "rr+rrrrrr", "+++rrrrrr", "rr+rrrrrr"],
    ),
    same(
        K::SubmitRectification,
        &[
            S::Reported,
            S::PendingReinspection,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::Reinspect, NEW, "nnnnnnnnn"),
    differs(
        K::Reinspect,
        &[S::PendingReinspection],
        ["r++r+rrrr", "rrrr+rrrr", "rrrr+rrrr", "rrrr+rrrr"],
    ),
    same(
        K::Reinspect,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::Close, NEW, "nnnnnnnnn"),
    differs(
        K::Close,
        &[S::PendingReinspection],
        ["r++r++rrr", "rrrr++rrr", "rrrr++rrr", "rrrr++rrr"],
    ),
    same(
        K::Close,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::Reopen, NEW, "nnnnnnnnn"),
    same(K::Reopen, &[S::Closed], "rrrr++rrr"),
    same(
        K::Reopen,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::Note, NEW, "nnnnnnnnn"),
    same(K::Note, EVERY, "+++++++rr"),
    same(K::RecordPhotoLost, NEW, "nnnnnnnnn"),
    same(
        K::RecordPhotoLost,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::Rejected,
            S::Withdrawn,
        ],
        "rrrrrrr+r",
    ),
    same(
        K::RecordPhotoLost,
        &[S::PendingReinspection, S::Closed],
        "rrrrrrrir",
    ),
    same(K::Withdraw, NEW, "nnnnnnnnn"),
    // Nobody here but its author takes a report back; see the story tests for the author.
    same(K::Withdraw, &[S::Reported], "rrrrrrrrr"),
    same(
        K::Withdraw,
        &[
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
            S::Rejected,
            S::Withdrawn,
        ],
        "sssssssss",
    ),
    same(K::ReceivePhoto, NEW, "nnnnnnnnn"),
    same(K::ReceivePhoto, EVERY, "rrrrrrrr+"),
    same(K::FollowEnterprise, NEW, "nnnnnnnnn"),
    same(K::FollowEnterprise, EVERY, "rrrrrrrr+"),
];

/// A command that is acceptable in every field.
fn sample(kind: ActionKind, case: &Case, source: Source, grade: Grade) -> Action {
    let version = case.hazard.as_ref().map_or(1, |hazard| hazard.version);
    match kind {
        K::Report => Action::Report(report(source, grade)),
        K::Amend => {
            let description = Some("除尘器泄爆口被钢板封堵".to_owned());
            Action::Amend(Amend {
                description,
                ..amend(version)
            })
        }
        K::AttachPhoto => attach(9),
        K::Confirm => confirm(grade),
        K::Reject => reject(),
        K::SubmitRectification => submit(9),
        K::Reinspect => pass(),
        K::Close => close(),
        K::Reopen => reopen(),
        K::Note => note("已电话提醒"),
        K::RecordPhotoLost => lose(1),
        K::Withdraw => withdraw(),
        K::ReceivePhoto => receive(1),
        K::FollowEnterprise => {
            let jurisdiction_id = JurisdictionId(Uuid::from_u128(0x72));
            Action::FollowEnterprise(FollowEnterprise { jurisdiction_id })
        }
    }
}

fn letter(outcome: &Result<Outcome, Refusal>) -> char {
    match outcome {
        Ok(_) => '+',
        Err(refusal) => match refusal.code {
            RefusalCode::NotAllowedInState => 's',
            RefusalCode::NotPermitted => 'r',
            RefusalCode::AlreadyExists => 'x',
            RefusalCode::NotFound => 'n',
            RefusalCode::InvalidField => 'i',
            _ => '?',
        },
    }
}

fn actors() -> Vec<Actor> {
    let people = Role::ALL.into_iter().map(|role| person(role, 1));
    people.chain([Actor::System]).collect()
}

fn check_kind(source: Source, grade: Grade, outcomes: fn(&Row) -> Outcomes) {
    for row in STATED {
        for state in row.states {
            let case = Case::in_state(*state, source, grade);
            assert_eq!(case.state(), *state);
            let action = sample(row.action, &case, source, grade);
            let got: String = actors()
                .iter()
                .map(|actor| letter(&case.clone().act(actor, action.clone())))
                .collect();
            assert_eq!(
                got,
                outcomes(row),
                "{:?} on {state:?}, {source:?} {grade:?}",
                row.action
            );
        }
    }
}

#[test]
fn general_hazards_that_the_enterprise_found() {
    check_kind(Source::EnterpriseSelfCheck, Grade::General, |row| {
        row.self_general
    });
}

#[test]
fn major_hazards_that_the_enterprise_found() {
    check_kind(Source::EmployeeReport, Grade::Major, |row| row.self_major);
}

#[test]
fn general_hazards_that_an_inspector_found() {
    check_kind(Source::DeptInspection, Grade::General, |row| {
        row.inspector_general
    });
}

#[test]
fn major_hazards_that_an_inspector_found() {
    check_kind(Source::UnannouncedVisit, Grade::Major, |row| {
        row.inspector_major
    });
}

#[test]
fn the_stated_outcomes_speak_of_every_state_and_action_exactly_once() {
    for action in ActionKind::ALL {
        for state in NEW.iter().chain(StatusName::EXISTING) {
            let rows = STATED
                .iter()
                .filter(|row| row.action == *action && row.states.contains(state));
            assert_eq!(rows.count(), 1, "{action:?} on {state:?}");
        }
    }
    for row in STATED {
        for outcomes in [
            row.self_general,
            row.self_major,
            row.inspector_general,
            row.inspector_major,
        ] {
            assert_eq!(outcomes.len(), Role::ALL.len() + 1, "{:?}", row.action);
        }
    }
}

#[test]
fn who_holds_no_role_here_is_out_of_scope_and_learns_nothing() {
    let outsider = Actor::Person {
        person_id: PersonId(Uuid::from_u128(7)),
        roles: Vec::new(),
        certified: true,
    };
    for state in NEW.iter().chain(StatusName::EXISTING) {
        let case = Case::in_state(*state, Source::Grid, Grade::General);
        for kind in ActionKind::ALL {
            let action = sample(*kind, &case, Source::Grid, Grade::General);
            let refusal = case.clone().refused(&outsider, action);
            assert_eq!(
                refusal.code,
                RefusalCode::OutOfScope,
                "{kind:?} on {state:?}"
            );
            assert_eq!(
                refusal.from_state, None,
                "an outsider is not told the state"
            );
            assert!(refusal.allowed.is_empty());
        }
    }
}

#[test]
fn the_enterprise_may_not_talk_a_reported_major_hazard_down() {
    for actor in [safety_officer(), principal()] {
        let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
        case.refused_as(RefusalCode::NotPermitted, &actor, confirm(Grade::General));
    }
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.must(&reviewer(), confirm(Grade::General));
    assert_eq!(case.hazard().grade, Grade::General);
}

#[test]
fn the_principal_may_declare_a_general_report_major_but_the_safety_officer_may_not() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.refused_as(
        RefusalCode::NotPermitted,
        &safety_officer(),
        confirm(Grade::Major),
    );
    case.must(&principal(), confirm(Grade::Major));
    assert_eq!(case.hazard().grade, Grade::Major);
    assert_eq!(case.hazard().passes_needed(), 2);
}

#[test]
fn an_inspector_alone_does_not_talk_a_reported_major_hazard_down() {
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.refused_as(
        RefusalCode::NotPermitted,
        &inspector(1),
        confirm(Grade::General),
    );
    case.must(&inspector(1), confirm(Grade::Major));
}

#[test]
fn its_author_takes_a_general_report_back_and_never_a_major_one() {
    let mut case = Case::reported(Source::EmployeeReport, Grade::General);
    let author = author(Source::EmployeeReport);
    case.refused_field(
        "reason",
        &author,
        Action::Withdraw(Withdraw {
            reason: " ".to_owned(),
        }),
    );
    case.must(&author, withdraw());
    assert_eq!(case.state(), S::Withdrawn);
    case.refused_as(
        RefusalCode::NotAllowedInState,
        &inspector(1),
        confirm(Grade::General),
    );
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.refused_as(RefusalCode::NotPermitted, &author, withdraw());
}

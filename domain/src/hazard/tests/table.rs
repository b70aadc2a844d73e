//! Every state x every action x every role has a stated outcome, for each kind of hazard.
//!
//! The outcomes are written out here and not read from the policy table: a change of the table
//! that nobody meant shows as a failure with its row.

use super::*;
use crate::command::{ActionKind, FollowEnterprise, SubjectKind};
use ActionKind as K;
use StatusName as S;

/// Who gets what. Letters of roles: E employee, S safety officer, P principal, G grid worker,
/// I inspector, R department reviewer, V supervisor, A administrator, X expert, H department head,
/// L listing authority, W gateway, U insurer, M importer, B public; `*` the server itself.
#[derive(Clone, Copy)]
pub(super) struct Outcomes {
    /// Allowed.
    may: &'static str,
    /// Something else than allowed or the rest: outcome, and who gets it.
    other: (char, &'static str),
    /// Everybody else: `s` not in this state, `r` not with this role, `x` exists already, `n` not
    /// found.
    rest: char,
}

pub(super) const LETTERS: &str = "ESPGIRVAXHLWUMB*";

impl Outcomes {
    fn of(self, letter: char) -> char {
        if self.may.contains(letter) {
            '+'
        } else if self.other.1.contains(letter) {
            self.other.0
        } else {
            self.rest
        }
    }

    pub(super) fn line(self) -> String {
        LETTERS.chars().map(|letter| self.of(letter)).collect()
    }
}

/// Everybody gets the same.
pub(super) const fn all(rest: char) -> Outcomes {
    Outcomes {
        may: "",
        other: (' ', ""),
        rest,
    }
}

/// These may; to the others it is not permitted.
pub(super) const fn only(may: &'static str) -> Outcomes {
    Outcomes {
        may,
        other: (' ', ""),
        rest: 'r',
    }
}

/// None may; these get `outcome`, the others are not permitted.
pub(super) const fn but(outcome: char, who: &'static str) -> Outcomes {
    Outcomes {
        may: "",
        other: (outcome, who),
        rest: 'r',
    }
}

/// These may, those get `outcome`; to the others it is not permitted.
pub(super) const fn split(may: &'static str, outcome: char, who: &'static str) -> Outcomes {
    Outcomes {
        may,
        other: (outcome, who),
        rest: 'r',
    }
}

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

/// The same for both sources; differs by grade.
const fn graded(
    action: ActionKind,
    states: &'static [StatusName],
    general: Outcomes,
    major: Outcomes,
) -> Row {
    differs(action, states, [general, major, general, major])
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
const EVERY: &[S] = S::EXISTING;

/// Outcomes in the states as they come about without any measure over them: nobody has asked for
/// an extension, nothing is listed or suspended, no plan waits. `o` nothing waits for a decision,
/// `f` not in force, `p` no acknowledged plan, `i` a field is at fault (here: who found it decides
/// the source; the photo is not awaited any more). What changes with a measure in force is stated
/// in `overlays.rs`.
const STATED: &[Row] = &[
    // Who found it decides the source: the enterprise's own people or the others, never both; an
    // expert, an insurer and the public speak for themselves alone.
    differs(
        K::Report,
        NEW,
        [
            split("ESP", 'i', "GIRHXUMB"),
            split("ESP", 'i', "GIRHXUMB"),
            split("GIRHM", 'i', "ESPXUB"),
            split("GIRHM", 'i', "ESPXUB"),
        ],
    ),
    same(K::Report, EVERY, all('x')),
    same(K::Amend, &[S::Reported], only("SPIRH")),
    same(K::Amend, &[S::Confirmed, S::Rectifying], only("IRH")),
    same(K::AttachPhoto, OPEN, only("ESPGIRHLXU")),
    differs(
        K::Confirm,
        &[S::Reported],
        [only("SPIRH"), only("PIRH"), only("IRH"), only("IRH")],
    ),
    same(K::DecideProposal, &[S::Reported], but('o', "IRH")),
    same(
        K::DecideProposal,
        &[S::Confirmed, S::Rectifying, S::PendingReinspection],
        but('o', "RH"),
    ),
    same(
        K::ChangeGrade,
        &[S::Confirmed, S::Rectifying, S::PendingReinspection],
        only("RH"),
    ),
    // Nobody here but its author takes a report back; see below for the author.
    same(K::Withdraw, &[S::Reported], only("")),
    same(K::Reject, &[S::Reported], only("RH")),
    // Only what its finder alone says to be fixed: see `not_alone.rs`.
    same(K::Reject, &[S::PendingReinspection], only("")),
    same(K::Merge, &[S::Reported], only("RH")),
    same(
        K::Transfer,
        &[S::Reported, S::Confirmed, S::Rectifying],
        only("RH"),
    ),
    same(K::ReceiveTransfer, &[S::Transferred], only("RH")),
    // The server where the sector of the enterprise was corrected.
    same(K::AssignSector, OPEN, only("RHV*")),
    graded(
        K::SubmitPlan,
        &[S::Confirmed, S::Rectifying],
        only("SP"),
        only("P"),
    ),
    graded(
        K::DecidePlan,
        &[S::Confirmed, S::Rectifying],
        only(""),
        but('o', "RH"),
    ),
    graded(
        K::RequestExtension,
        &[S::Confirmed, S::Rectifying],
        only("SP"),
        only("P"),
    ),
    // Between two bodies the due date runs on; these were handed over before they had one.
    graded(
        K::RequestExtension,
        &[S::Transferred],
        but('s', "SP"),
        but('s', "P"),
    ),
    // Whoever set the due date decides; here two inspectors have.
    same(
        K::DecideExtension,
        &[S::Confirmed, S::Rectifying],
        but('o', "RH"),
    ),
    graded(
        K::SubmitRectification,
        &[S::Confirmed],
        only("ESP"),
        but('p', "P"),
    ),
    graded(
        K::SubmitRectification,
        &[S::Rectifying],
        only("ESP"),
        only("P"),
    ),
    differs(
        K::Reinspect,
        &[S::PendingReinspection],
        [only("SPI"), only("I"), only("I"), only("I")],
    ),
    differs(
        K::Close,
        &[S::PendingReinspection],
        [only("SPIRH"), only("IRH"), only("IRH"), only("IRH")],
    ),
    same(K::Reopen, &[S::Closed], only("IRHL")),
    same(K::SpotCheck, &[S::Closed], only("IRH")),
    graded(
        K::ListSupervision,
        &[S::Confirmed, S::Rectifying, S::PendingReinspection],
        only(""),
        only("L"),
    ),
    same(
        K::Delist,
        &[
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
        ],
        but('f', "L"),
    ),
    same(K::OrderSuspension, STANDING, only("H")),
    same(K::RequestResumption, STANDING, but('f', "P")),
    same(K::DecideResumption, STANDING, but('o', "RH")),
    same(
        K::RecordPenalty,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
        ],
        only("RH"),
    ),
    same(K::Note, EVERY, only("ESPGIRVHLXU")),
    same(
        K::RecordPhotoLost,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::Rejected,
            S::Withdrawn,
            S::Merged,
            S::Transferred,
        ],
        only("A"),
    ),
    same(
        K::RecordPhotoLost,
        &[S::PendingReinspection, S::Closed],
        but('i', "A"),
    ),
    same(K::ReceivePhoto, EVERY, only("*")),
    same(K::FollowEnterprise, EVERY, only("*")),
    same(K::RecomputeDeadline, EVERY, only("*")),
];

const OPEN: &[S] = &[
    S::Reported,
    S::Confirmed,
    S::Rectifying,
    S::PendingReinspection,
];

const STANDING: &[S] = &[
    S::Reported,
    S::Confirmed,
    S::Rectifying,
    S::PendingReinspection,
    S::Transferred,
];

/// What is stated for this kind of hazard with no measure over it, in the order of [`LETTERS`].
pub(super) fn stated_line(
    action: ActionKind,
    state: StatusName,
    self_found: bool,
    grade: Grade,
) -> String {
    let of_kind: fn(&Row) -> Outcomes = match (self_found, grade) {
        (true, Grade::General) => |row| row.self_general,
        (true, Grade::Major) => |row| row.self_major,
        (false, Grade::General) => |row| row.inspector_general,
        (false, Grade::Major) => |row| row.inspector_major,
    };
    stated(action, state, of_kind).line()
}

/// The stated outcomes; where nothing is stated, a hazard that exists is in the wrong state for
/// everybody, and one that does not is not found.
fn stated(action: ActionKind, state: StatusName, outcomes: fn(&Row) -> Outcomes) -> Outcomes {
    let row = STATED
        .iter()
        .find(|row| row.action == action && row.states.contains(&state));
    let unstated = if state == S::Unreported { 'n' } else { 's' };
    row.map_or(all(unstated), outcomes)
}

/// A command that is acceptable in every field.
pub(super) fn sample(kind: ActionKind, case: &Case, source: Source, grade: Grade) -> Action {
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
            Action::FollowEnterprise(FollowEnterprise {
                jurisdiction_id,
                merged_from: None,
            })
        }
        K::SubmitPlan => submit_plan(),
        K::DecidePlan => decide_plan(true),
        K::RequestExtension => request_extension("2026-12-12"),
        K::DecideExtension => decide_extension(true),
        K::ChangeGrade => change_grade(match grade {
            Grade::General => Grade::Major,
            Grade::Major => Grade::General,
        }),
        K::DecideProposal => agree(),
        K::Merge => merge(),
        K::Transfer => transfer(None),
        K::ReceiveTransfer => receipt(true),
        K::ListSupervision => list(),
        K::Delist => delist(),
        K::OrderSuspension => suspend(),
        K::RequestResumption => ask_to_resume(),
        K::DecideResumption => resume(true),
        K::RecordPenalty => penalty(),
        K::AssignSector => assign_sector(),
        K::SpotCheck => spot_check(true),
        K::RecomputeDeadline => Action::RecomputeDeadline(RecomputeDeadline {}),
        other => panic!("{other:?} acts on no hazard"),
    }
}

/// The actions that act on hazards.
pub(super) fn of_hazards() -> impl Iterator<Item = &'static ActionKind> {
    let all = ActionKind::ALL.iter();
    all.filter(|action| action.subject() == SubjectKind::Hazard)
}

pub(super) fn letter(outcome: &Result<Outcome, Refusal>) -> char {
    match outcome {
        Ok(_) => '+',
        Err(refusal) => match refusal.code {
            RefusalCode::NotAllowedInState => 's',
            RefusalCode::NotPermitted => 'r',
            RefusalCode::AlreadyExists => 'x',
            RefusalCode::NotFound => 'n',
            RefusalCode::InvalidField => 'i',
            RefusalCode::NothingPending => 'o',
            RefusalCode::NotInForce => 'f',
            RefusalCode::PlanNotAcknowledged => 'p',
            RefusalCode::CertificateNeeded => 'c',
            RefusalCode::AlreadyPending => 'w',
            RefusalCode::AlreadyInForce => 'l',
            RefusalCode::SuspensionInForce => 'h',
            RefusalCode::TooFewReinspections => 't',
            _ => '?',
        },
    }
}

pub(super) fn actors() -> Vec<Actor> {
    let people = Role::ALL.into_iter().map(|role| person(role, 1));
    people.chain([Actor::System]).collect()
}

fn check_kind(source: Source, grade: Grade, outcomes: fn(&Row) -> Outcomes) {
    let mut wrong = Vec::new();
    for state in NEW.iter().chain(EVERY) {
        let case = Case::in_state(*state, source, grade);
        assert_eq!(case.state(), *state);
        for action in of_hazards() {
            let sample = sample(*action, &case, source, grade);
            let got: String = actors()
                .iter()
                .map(|actor| letter(&case.clone().act(actor, sample.clone())))
                .collect();
            let expected = stated(*action, *state, outcomes).line();
            if got != expected {
                wrong.push(format!("{action:?} on {state:?}: {got}, stated {expected}"));
            }
        }
    }
    let columns = LETTERS;
    assert!(
        wrong.is_empty(),
        "{source:?} {grade:?} {columns}\n{}",
        wrong.join("\n")
    );
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
fn no_state_and_action_are_stated_twice_and_every_letter_is_a_role() {
    for action in of_hazards() {
        for state in NEW.iter().chain(StatusName::EXISTING) {
            let rows = STATED
                .iter()
                .filter(|row| row.action == *action && row.states.contains(state));
            assert!(rows.count() <= 1, "{action:?} on {state:?}");
        }
        assert!(
            STATED.iter().any(|row| row.action == *action),
            "{action:?} is stated nowhere"
        );
    }
    assert_eq!(LETTERS.chars().count(), Role::ALL.len() + 1);
    for row in STATED {
        for outcomes in [row.self_general, row.self_major, row.inspector_general] {
            let named = outcomes.may.chars().chain(outcomes.other.1.chars());
            assert!(named.into_iter().all(|letter| LETTERS.contains(letter)));
        }
    }
}

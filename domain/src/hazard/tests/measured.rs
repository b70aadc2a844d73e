//! What a measure in force, or a fact about the hazard or the actor, changes: for each, every action x
//! every role. Only what differs from the plain hazard of that kind (`table.rs`) is written out; all
//! else must be as there.

use super::table::{
    LETTERS, Outcomes, actors, but, letter, of_hazards, only, sample, split, stated_line,
};
use super::*;
use crate::command::{ActionKind, FixedOnSpot};
use ActionKind as K;
use StatusName as S;

/// A hazard with something over it.
pub(super) struct Measure {
    pub zh: &'static str,
    pub en: &'static str,
    /// The state that the plain hazard of this kind is compared in.
    pub state: StatusName,
    pub source: Source,
    pub grade: Grade,
    pub case: fn() -> Case,
    /// Who acts, in the order of the roles.
    pub actors: fn() -> Vec<Actor>,
    /// What is not as without it. Letters as in `table.rs`; `c` a certificate is needed, `w` something
    /// waits already, `l` a measure is in force, `h` work stands still, `t` too few
    /// have passed it.
    differs: &'static [(ActionKind, Outcomes)],
}

const INSPECTED: Source = Source::DeptInspection;
const SELF_FOUND: Source = Source::EnterpriseSelfCheck;

fn major(state: StatusName, steps: Vec<(Actor, Action)>) -> Case {
    Case::after(state, INSPECTED, Grade::Major, steps)
}

fn asking() -> (Actor, Action) {
    (person(Role::Principal, 50), request_extension("2026-12-12"))
}

fn listing() -> (Actor, Action) {
    (person(Role::ListingAuthority, 50), list())
}

fn stopping() -> (Actor, Action) {
    (person(Role::DepartmentHead, 50), suspend())
}

/// A general hazard whose due date the enterprise has set itself, and asks to extend.
fn own_date_asked_by(actor: &Actor) -> Case {
    let mut case = Case::reported(SELF_FOUND, Grade::General);
    case.must(&person(Role::SafetyOfficer, 50), confirm(Grade::General));
    case.must(actor, request_extension("2026-12-12"));
    case
}

fn of_nobody() -> Case {
    let mut case = Case::new();
    let report = Report {
        enterprise_id: None,
        ..report(INSPECTED, Grade::General)
    };
    case.must(&author(INSPECTED), Action::Report(report));
    case.confirmed_by_inspectors(Grade::General);
    case
}

/// Said to be fixed by an employee of the enterprise; nobody has looked.
fn said_to_be_fixed() -> Case {
    let mut case = Case::new();
    let after = PhotoRef {
        kind: PhotoKind::After,
        ..photo(2)
    };
    let report = Report {
        photos: vec![photo(1), after],
        fixed_on_spot: Some(FixedOnSpot {
            measures: "移走堵塞通道的料箱".to_owned(),
            responsible_person: "王强".to_owned(),
            completed_at: NOW,
            cost_fen: None,
        }),
        ..report(SELF_FOUND, Grade::General)
    };
    case.must(&author(SELF_FOUND), Action::Report(report));
    for photo in [1, 2] {
        case.must(&Actor::System, receive(photo));
    }
    case
}

fn readdressed() -> Case {
    let mut case = Case::reported(SELF_FOUND, Grade::General);
    let other = Some(EnterpriseId(Uuid::from_u128(0xe2)));
    let change = Amend {
        enterprise_id: other,
        ..amend(1)
    };
    case.must(&inspector(50), Action::Amend(change));
    case.facts.merge_target = Some(MergeTarget {
        status: StatusName::Confirmed,
        grade: Grade::General,
        enterprise_id: other,
    });
    case
}

/// The same people with an inspector's certificate that has run out.
fn uncertified() -> Vec<Actor> {
    let mut actors = actors();
    for actor in &mut actors {
        if let Actor::Person { certified, .. } = actor {
            *certified = false;
        }
    }
    actors
}

/// The same roles, each held by whoever reported the hazard.
fn its_finder_in_every_role() -> Vec<Actor> {
    let finder = id_of(&author(INSPECTED));
    let mut actors = actors();
    for actor in &mut actors {
        if let Actor::Person { person_id, .. } = actor {
            *person_id = finder;
        }
    }
    actors
}

macro_rules! measures {
    ($($zh:literal, $en:literal, $state:expr, $source:expr, $grade:expr, $actors:expr, $case:expr,
        [$($kind:ident: $outcomes:expr),* $(,)?];)*) => {
        &[$(Measure {
            zh: $zh, en: $en, state: $state, source: $source, grade: $grade, actors: $actors, case: $case,
            differs: &[$((K::$kind, $outcomes)),*],
        }),*]
    };
}

pub(super) const MEASURES: &[Measure] = measures![
    "方案待审查", "a plan waits", S::Confirmed, INSPECTED, Grade::Major, actors,
        || major(S::Confirmed, vec![(person(Role::Principal, 50), submit_plan())]),
        [DecidePlan: only("RH")];
    "延期待审批", "an extension waits", S::Rectifying, INSPECTED, Grade::Major, actors,
        || major(S::Rectifying, vec![asking()]),
        [RequestExtension: but('w', "P"), DecideExtension: only("RH")];
    "已挂牌，延期待审批", "listed, an extension waits", S::Rectifying, INSPECTED, Grade::Major, actors,
        || major(S::Rectifying, vec![listing(), asking()]),
        [
            RequestExtension: but('w', "P"), DecideExtension: only("L"), ListSupervision: but('l', "L"),
            Delist: only("L"), ChangeGrade: but('l', "RH"), Transfer: but('l', "RH"),
        ];
    "已挂牌，待复查", "listed, passed by two", S::PendingReinspection, INSPECTED, Grade::Major, actors,
        || major(S::PendingReinspection, vec![listing()]),
        [
            Close: only("L"), ListSupervision: but('l', "L"), Delist: only("L"),
            ChangeGrade: but('l', "RH"),
        ];
    "停产停业中", "work ordered to stop", S::PendingReinspection, INSPECTED, Grade::Major, actors,
        || major(S::PendingReinspection, vec![stopping()]),
        [
            Close: but('h', "IRH"), OrderSuspension: but('l', "H"), RequestResumption: only("P"),
        ];
    "已申请恢复生产", "resuming asked for", S::PendingReinspection, INSPECTED, Grade::Major, actors,
        || major(S::PendingReinspection, vec![stopping(), (person(Role::Principal, 50), ask_to_resume())]),
        [
            Close: but('h', "IRH"), OrderSuspension: but('l', "H"), RequestResumption: but('w', "P"),
            DecideResumption: only("RH"),
        ];
    "降级待第二人复核", "a downgrade waits", S::Rectifying, INSPECTED, Grade::Major, actors,
        || major(S::Rectifying, vec![(person(Role::DepartmentReviewer, 50), change_grade(Grade::General))]),
        [ChangeGrade: but('w', "RH"), DecideProposal: only("RH")];
    "重大认定待第二人", "confirmed as major by one inspector", S::Reported, INSPECTED, Grade::Major, actors,
        || Case::after(S::Reported, INSPECTED, Grade::Major, [(inspector(50), confirm(Grade::Major))]),
        [Confirm: split("RH", 'w', "I"), DecideProposal: only("IRH")];
    "期限由企业确定，安全员申请延期", "its own due date, asked for by the safety officer",
        S::Confirmed, SELF_FOUND, Grade::General, actors,
        || own_date_asked_by(&person(Role::SafetyOfficer, 50)),
        [RequestExtension: but('w', "SP"), DecideExtension: only("P")];
    "期限由企业确定，主要负责人申请延期", "its own due date, asked for by the principal",
        S::Confirmed, SELF_FOUND, Grade::General, actors,
        || own_date_asked_by(&person(Role::Principal, 50)),
        [RequestExtension: but('w', "SP"), DecideExtension: only("PRH")];
    "企业不明", "of no known enterprise", S::Confirmed, INSPECTED, Grade::General, actors, of_nobody,
        [SubmitPlan: only("SPRH"), SubmitRectification: only("ESPRH")];
    "即查即改，无人复查", "fixed on the spot, nobody has looked", S::PendingReinspection, SELF_FOUND,
        Grade::General, actors, said_to_be_fixed,
        [Reject: only("RH"), Close: but('t', "SPIRH")];
    "自查自报后改属他企", "self-found, then another enterprise's", S::Reported, SELF_FOUND, Grade::General,
        actors, readdressed,
        [Confirm: only("IRH")];
    "执法证已过期：重大认定待第二人", "certificate run out: confirmed as major by one inspector", S::Reported,
        INSPECTED, Grade::Major, uncertified,
        || Case::after(S::Reported, INSPECTED, Grade::Major, [(inspector(50), confirm(Grade::Major))]),
        [Confirm: split("RH", 'c', "I"), DecideProposal: split("RH", 'c', "I")];
    "执法证已过期：待复查", "certificate run out: to be re-inspected", S::PendingReinspection, INSPECTED,
        Grade::Major, uncertified, || Case::in_state(S::PendingReinspection, INSPECTED, Grade::Major),
        [Reinspect: but('c', "I"), Close: split("RH", 'c', "I")];
    "执法证已过期：已销号", "certificate run out: closed", S::Closed, INSPECTED, Grade::Major, uncertified,
        || Case::in_state(S::Closed, INSPECTED, Grade::Major),
        [Reopen: split("RHL", 'c', "I"), SpotCheck: split("RH", 'c', "I")];
    "上报人本人：待认定", "whoever reported it: reported", S::Reported, INSPECTED, Grade::General,
        its_finder_in_every_role, || Case::in_state(S::Reported, INSPECTED, Grade::General),
        [
            Amend: only("ESPGIRHXUMB"), AttachPhoto: only("ESPGIRHLXUMB"), Withdraw: only("ESPGIRHXUMB"),
        ];
];

#[test]
fn each_changes_what_is_stated_and_nothing_else() {
    let mut wrong = Vec::new();
    for measure in MEASURES {
        let case = (measure.case)();
        assert_eq!(case.state(), measure.state, "{}", measure.en);
        let actors = (measure.actors)();
        for action in of_hazards() {
            let sample = sample(*action, &case, measure.source, measure.grade);
            let got: String = actors
                .iter()
                .map(|actor| letter(&case.clone().act(actor, sample.clone())))
                .collect();
            let differs = measure.differs.iter().find(|(kind, _)| kind == action);
            let plain = stated_line(
                *action,
                measure.state,
                measure.source.is_self_found(),
                measure.grade,
            );
            let expected = differs.map_or_else(|| plain.clone(), |(_, outcomes)| outcomes.line());
            if got != expected {
                wrong.push(format!(
                    "{} {action:?}: {got}, stated {expected}",
                    measure.en
                ));
            }
            if differs.is_some() && expected == plain {
                wrong.push(format!("{} {action:?}: {plain} as without it", measure.en));
            }
        }
    }
    assert!(wrong.is_empty(), "{LETTERS}\n{}", wrong.join("\n"));
}

#[test]
fn who_holds_no_role_here_is_out_of_scope_and_learns_nothing() {
    let outsider = Actor::Person {
        person_id: PersonId(Uuid::from_u128(7)),
        roles: Vec::new(),
        certified: true,
    };
    for state in [S::Unreported].iter().chain(StatusName::EXISTING) {
        let case = Case::in_state(*state, Source::Grid, Grade::General);
        for kind in of_hazards() {
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

//! What holds for every sequence of commands, whoever sends them and whatever they hold.

use super::hostile::hostile_actions;
use super::*;
use crate::command::{ActionKind, FollowEnterprise};
use crate::geography::{CoordinateReference, Position};
use crate::policy::{self, Verdict};
use proptest::prelude::*;

fn any_role() -> impl Strategy<Value = Role> {
    (0..Role::ALL.len()).prop_map(|index| Role::ALL[index])
}

/// Three people a role, now and then in two roles, nobody's, or the server itself.
fn any_actor() -> impl Strategy<Value = Actor> {
    let one = (any_role(), 1_u128..4)
        .prop_map(|(role, number)| person(role, number))
        .boxed();
    let two = (any_role(), any_role(), 1_u128..4).prop_map(|(role, other, number)| Actor::Person {
        person_id: id_of(&person(role, number)),
        roles: vec![role, other],
        certified: true,
    });
    let outsider = Just(Actor::Person {
        person_id: PersonId(Uuid::from_u128(7)),
        roles: Vec::new(),
        certified: true,
    });
    let busy = prop_oneof![
        (1_u128..4).prop_map(inspector),
        (1_u128..3).prop_map(|number| person(Role::Principal, number)),
    ];
    let author = Just(author(Source::EnterpriseSelfCheck));
    prop_oneof![
        8 => busy, 8 => one, 3 => two, 1 => outsider, 2 => Just(Actor::System), 3 => author,
    ]
}

fn any_grade() -> impl Strategy<Value = Grade> {
    prop_oneof![Just(Grade::General), Just(Grade::Major)]
}

fn any_source() -> impl Strategy<Value = Source> {
    (0..Source::ALL.len()).prop_map(|index| Source::ALL[index])
}

fn any_position() -> impl Strategy<Value = Position> {
    let longitude = -1_800_000_000_i32..=1_800_000_000;
    let latitude = -900_000_000_i32..=900_000_000;
    let accuracy = proptest::option::of(0_u32..=1_000_000);
    let altitude = proptest::option::of(-120_000_i32..=1_000_000);
    (longitude, latitude, accuracy, altitude).prop_map(|(x, y, accuracy, altitude)| {
        let reference = CoordinateReference::Gcj02;
        Position::from_stored(x, y, reference, accuracy, altitude, Some(NOW)).unwrap()
    })
}

/// Mostly acceptable commands, so that the sequences get far.
fn likely_action() -> impl Strategy<Value = Action> {
    let reports = (
        any_source(),
        any_grade(),
        proptest::option::of(any_position()),
    )
        .prop_map(|(source, grade, position)| {
            Action::Report(Report {
                position,
                ..report(source, grade)
            })
        });
    let amendments = (1_i64..8, any::<[bool; 4]>(), any_position(), 0_u8..3).prop_map(
        |(based_on, [text, place, measure, enterprise], position, value)| {
            let value_text = || format!("更正 {value}");
            Action::Amend(Amend {
                description: text.then(value_text),
                place_text: place.then(value_text),
                position: Some(position).filter(|_| value == 0),
                immediate_measure: measure.then(value_text),
                enterprise_id: enterprise.then(|| EnterpriseId(Uuid::from_u128(u128::from(value)))),
                ..amend(based_on)
            })
        },
    );
    let follows = (1_u128..4).prop_map(|id| {
        let jurisdiction_id = JurisdictionId(Uuid::from_u128(id));
        Action::FollowEnterprise(FollowEnterprise {
            jurisdiction_id,
            merged_from: None,
        })
    });
    prop_oneof![
        1 => reports,
        2 => amendments,
        1 => (1_u8..12).prop_map(attach),
        4 => any_grade().prop_map(confirm),
        1 => Just(reject()),
        2 => Just(withdraw()),
        6 => (1_u8..12).prop_map(submit),
        8 => Just(pass()),
        2 => Just(fail(None)),
        1 => Just(fail(Some(date("2026-12-24")))),
        8 => Just(close()),
        1 => Just(reopen()),
        1 => Just(note("备注")),
        2 => (1_u8..12).prop_map(lose),
        8 => (1_u8..12).prop_map(receive),
        1 => follows,
        8 => any_plan(),
        8 => any::<bool>().prop_map(decide_plan),
        2 => Just(request_extension("2026-12-12")),
        2 => any::<bool>().prop_map(decide_extension),
        1 => any_grade().prop_map(change_grade),
        6 => Just(agree()),
        2 => Just(merge()),
        1 => prop_oneof![Just(None), Just(Some(JurisdictionId(Uuid::from_u128(0x73))))].prop_map(transfer),
        2 => any::<bool>().prop_map(receipt),
        1 => Just(list()),
        1 => Just(delist()),
        1 => Just(suspend()),
        1 => Just(ask_to_resume()),
        1 => any::<bool>().prop_map(resume),
        1 => any::<bool>().prop_map(spot_check),
        1 => Just(penalty()),
        1 => Just(assign_sector()),
        1 => Just(Action::RecomputeDeadline(RecomputeDeadline {})),
    ]
}

/// One command by somebody.
#[derive(Clone, Debug)]
struct Step {
    actor: Actor,
    action: Action,
    /// Who signed it too.
    seconds: Vec<Actor>,
    /// Whether all awaited photos arrive before it.
    photos_arrive: bool,
    /// Days that pass before it.
    days: i64,
}

fn sequence() -> impl Strategy<Value = Vec<Step>> {
    let anybody = (any_actor(), likely_action()).boxed();
    let step = prop_oneof![3 => fitting_act(), 2 => anybody];
    let second = prop_oneof![
        2 => (1_u128..4).prop_map(inspector),
        1 => Just(reviewer()),
        1 => Just(employee()),
        1 => any_actor(),
    ];
    let seconds = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(second, 1..3)];
    let days = prop_oneof![9 => Just(0), 1 => Just(1_i64)];
    let step = (step, seconds, any::<bool>(), days).prop_map(
        |((actor, action), seconds, photos_arrive, days)| Step {
            actor,
            action,
            seconds,
            photos_arrive,
            days,
        },
    );
    proptest::collection::vec(step, 1..80)
}

/// Plans that end before, on and after the due date of the order.
fn any_plan() -> impl Strategy<Value = Action> {
    let day = prop_oneof![Just("2026-11-28"), Just("2026-12-02"), Just("2026-12-10")];
    day.prop_map(|day| {
        Action::SubmitPlan(SubmitPlan {
            due_date: date(day),
            ..plan()
        })
    })
}

/// Steps that set, move or ask for dates, now and then among all others.
fn dated_sequence() -> impl Strategy<Value = Vec<Step>> {
    let by = |actor: Actor, action: Action| Just((actor, action));
    let dated = prop_oneof![
        2 => any_plan().prop_map(|plan| (principal(), plan)),
        2 => any::<bool>().prop_map(|yes| (reviewer(), decide_plan(yes))),
        2 => by(principal(), request_extension("2026-12-12")),
        1 => by(principal(), request_extension("2026-12-20")),
        2 => any::<bool>().prop_map(|yes| (reviewer(), decide_extension(yes))),
        1 => by(inspector(1), fail(Some(date("2026-12-15")))),
        1 => (1_u8..60).prop_map(|number| (principal(), submit(number))),
        1 => fitting_act(),
    ];
    let step = dated.prop_map(|(actor, action)| Step {
        actor,
        action,
        seconds: Vec::new(),
        photos_arrive: true,
        days: 0,
    });
    proptest::collection::vec(step, 1..40)
}

/// Steps by people whose task they are, so that major hazards get to their end too.
fn fitting_act() -> impl Strategy<Value = (Actor, Action)> {
    let by = |actor: Actor, action: Action| Just((actor, action));
    let inspectors = || (1_u128..4).prop_map(inspector);
    prop_oneof![
        2 => any_grade().prop_map(|grade| (reviewer(), confirm(grade))),
        2 => (inspectors(), any_grade()).prop_map(|(who, grade)| (who, confirm(grade))),
        2 => inspectors().prop_map(|who| (who, agree())),
        1 => by(principal(), confirm(Grade::Major)),
        3 => any_plan().prop_map(|plan| (principal(), plan)),
        3 => by(reviewer(), decide_plan(true)),
        4 => (1_u8..60).prop_map(|number| (principal(), submit(number))),
        6 => inspectors().prop_map(|who| (who, pass())),
        2 => inspectors().prop_map(|who| (who, fail(None))),
        3 => inspectors().prop_map(|who| (who, close())),
        1 => by(listing_authority(), list()),
        1 => by(listing_authority(), close()),
        1 => by(principal(), request_extension("2026-12-12")),
        1 => by(reviewer(), decide_extension(true)),
        1 => by(head(), change_grade(Grade::General)),
        1 => by(reviewer(), receipt(true)),
        1 => by(reviewer(), reject()),
        1 => by(reviewer(), transfer(None)),
        1 => by(person(Role::DepartmentReviewer, 2), receipt(false)),
    ]
}

/// Takes one step and tells the state just before its command, and what came of it.
fn take(case: &mut Case, step: Step) -> (Hazard, Result<Outcome, Refusal>) {
    case.facts.now = case.facts.now.plus_millis(step.days * DAY_MS);
    case.facts.seconds = step.seconds;
    let named: Vec<Digest> = case
        .hazard()
        .photos
        .iter()
        .map(|photo| photo.reference.sha256)
        .collect();
    for sha256 in named.into_iter().filter(|_| step.photos_arrive) {
        case.must(
            &Actor::System,
            Action::ReceivePhoto(ReceivePhoto { sha256 }),
        );
    }
    let before = case.hazard().clone();
    let outcome = case.act(&step.actor, step.action);
    (before, outcome)
}

/// Whoever may stand for an inspector in this step.
fn inspectors_in(step: &Step) -> Vec<PersonId> {
    let all = step.seconds.iter().chain([&step.actor]);
    let fit = all.filter(|who| who.is_certified() && who.is_any_of(&[Role::Inspector]));
    fit.filter_map(Actor::person_id).collect()
}

fn check_closure(before: &Hazard, after: &Hazard, inspectors: &[PersonId]) {
    let Status::Closed {
        submission,
        closed_by,
        ..
    } = &after.status
    else {
        return;
    };
    if before.status_name() == StatusName::Closed {
        return;
    }
    let mut passed = submission.passed_by.clone();
    passed.sort_unstable();
    passed.dedup();
    assert!(passed.len() >= after.passes_needed(), "{passed:?}");
    if after.grade == Grade::Major {
        assert!(passed.len() >= 2, "{passed:?}");
        let none_else = passed.iter().all(|person| inspectors.contains(person));
        assert!(none_else, "{passed:?} of {inspectors:?}");
        assert!(after.plan.as_ref().unwrap().is_acknowledged());
        assert!(submission.self_acceptance.is_some());
    }
    assert!(!before.is_suspended());
    assert!(!passed.contains(&submission.submitted_by));
    assert_ne!(*closed_by, submission.submitted_by);
    assert_eq!(before.photos_awaited(), 0);
    let shows = |photo: &crate::hazard::Photo| {
        photo.state == PhotoState::Verified && submission.shown_by.contains(&photo.reference.sha256)
    };
    assert!(after.photos.iter().any(shows));
}

fn check_refusal(refusal: &Refusal, hazard: &Hazard, actor: &Actor) {
    if actor.is_outside() {
        assert_eq!(refusal.code, RefusalCode::OutOfScope);
        assert!(refusal.allowed.is_empty());
        return;
    }
    assert_eq!(
        refusal.from_state,
        Some(hazard.status_name()),
        "{refusal:?}"
    );
    for action in &refusal.allowed {
        let allowed = if *action == ActionKind::Confirm {
            Grade::ALL.iter().any(|grade| {
                policy::verdict(*action, Some(hazard), actor, *grade) == Verdict::Allowed
            })
        } else {
            policy::verdict(*action, Some(hazard), actor, hazard.grade) == Verdict::Allowed
        };
        assert!(
            allowed,
            "{action:?} is offered to {actor:?} in {:?}",
            hazard.status_name()
        );
    }
}

fn check_codecs(hazard: &Hazard) {
    let bytes = minicbor::to_vec(hazard).unwrap();
    let read: Hazard = minicbor::decode(&bytes).unwrap();
    assert_eq!(&read, hazard);
    assert_eq!(minicbor::to_vec(&read).unwrap(), bytes);
    let json = serde_json::to_string(hazard).unwrap();
    let read: Hazard = serde_json::from_str(&json).unwrap();
    assert_eq!(&read, hazard);
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
}

#[test]
fn the_sequences_reach_every_state_so_that_the_properties_say_something() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = std::collections::BTreeSet::new();
    for round in 0..800 {
        let grade = if round % 2 == 0 {
            Grade::General
        } else {
            Grade::Major
        };
        let mut case = match round % 4 {
            1 => Case::planned(Source::EnterpriseSelfCheck),
            _ => Case::reported(Source::EnterpriseSelfCheck, grade),
        };
        for step in sequence().new_tree(&mut runner).unwrap().current() {
            drop(take(&mut case, step));
            reached.insert((case.hazard().grade, case.state()));
        }
    }
    // Every state at both grades, but that no major hazard is ever withdrawn.
    assert_eq!(
        reached.len(),
        2 * StatusName::EXISTING.len() - 1,
        "{reached:?}"
    );
    assert!(!reached.contains(&(Grade::Major, StatusName::Withdrawn)));
}

/// 即查即改, by an employee.
fn fixed_on_spot() -> Case {
    let mut case = Case::new();
    let after = PhotoRef {
        kind: PhotoKind::After,
        ..photo(2)
    };
    let said = Report {
        photos: vec![photo(1), after],
        fixed_on_spot: Some(crate::command::FixedOnSpot {
            measures: "移走堵塞通道的料箱".to_owned(),
            responsible_person: "王强".to_owned(),
            completed_at: NOW,
            cost_fen: None,
        }),
        ..report(Source::EmployeeReport, Grade::General)
    };
    case.must(&author(Source::EmployeeReport), Action::Report(said));
    case
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_record_true(
        source in any_source(), grade in any_grade(), begins in 0..3, steps in sequence()
    ) {
        let (mut case, source) = match begins {
            0 => (Case::planned(source), source),
            1 => (fixed_on_spot(), Source::EmployeeReport),
            _ => (Case::reported(source, grade), source),
        };
        // Those by whom planned cases were brought here are among them.
        let mut inspectors: Vec<_> = (50..55).map(|number| id_of(&inspector(number))).collect();
        for step in steps {
            let actor = step.actor.clone();
            inspectors.extend(inspectors_in(&step));
            let (before, outcome) = take(&mut case, step);
            match outcome {
                Ok(_) => check_closure(&before, case.hazard(), &inspectors),
                Err(refusal) => {
                    check_refusal(&refusal, &before, &actor);
                    prop_assert_eq!(case.hazard(), &before);
                }
            }
            prop_assert_eq!(case.hazard().version, case.history.len() as i64);
        }
        prop_assert_eq!(Hazard::from_history(&case.history), case.hazard.clone());
        prop_assert_eq!(case.hazard().source, source);
        check_codecs(case.hazard());
    }

    #[test]
    fn no_path_loses_the_first_due_date(grade in any_grade(), steps in sequence()) {
        let mut case = Case::reported(Source::OpenVisit, grade);
        let mut first = None;
        for step in steps {
            drop(take(&mut case, step));
            let original = case.hazard().order().map(|order| order.due_date_original);
            prop_assert!(first.is_none() || original == first, "{:?}", case.state());
            first = original;
        }
    }

    /// What the principal declared is dated by its first acknowledged plan: earlier, and once.
    #[test]
    fn no_path_makes_the_first_due_date_later(
        declared in any::<bool>(), source in any_source(), grade in any_grade(), steps in dated_sequence()
    ) {
        let mut case = match declared {
            true => Case::reported(Source::EnterpriseSelfCheck, Grade::Major),
            false => Case::reported(source, grade),
        };
        if declared {
            case.must(&principal(), confirm(Grade::Major));
        }
        let original = |case: &Case| case.hazard().order().map(|order| order.due_date_original);
        let mut first = original(&case);
        for step in steps {
            let declared = case.hazard().order().is_some_and(|order| order.self_declared);
            drop(take(&mut case, step));
            let now = original(&case);
            if let (Some(first), Some(now)) = (first, now) {
                prop_assert!(now <= first, "{first} became {now}");
                prop_assert!(now == first || declared, "{first} became {now}");
            }
            first = now.or(first);
        }
    }

    #[test]
    fn every_event_reads_back_byte_for_byte(steps in sequence()) {
        let mut case = Case::reported(Source::Grid, Grade::General);
        for step in steps {
            drop(take(&mut case, step));
        }
        for record in &case.history {
            let bytes = minicbor::to_vec(record).unwrap();
            let read: EventRecord = minicbor::decode(&bytes).unwrap();
            prop_assert_eq!(&read, record);
            prop_assert_eq!(minicbor::to_vec(&read).unwrap(), bytes);
            let json = serde_json::to_string(record).unwrap();
            prop_assert_eq!(&serde_json::from_str::<EventRecord>(&json).unwrap(), record);
        }
    }

    #[test]
    fn no_field_content_makes_the_rules_panic(
        text in any::<String>(),
        numbers in any::<[i64; 3]>(),
        size in any::<u64>(),
        id in any::<u128>(),
        day in (1_i16..=9_999, 1_i8..=12, 1_i8..=28),
        state in 0_usize..=StatusName::EXISTING.len(),
        actor in any_actor(),
        now in any::<i64>(),
        made_at in any::<Option<i64>>(),
    ) {
        let [time, version, due_days] = numbers;
        let at = Timestamp::from_millis(time);
        let (year, month, day) = day;
        let due_date = LocalDate::new(jiff::civil::Date::new(year, month, day).unwrap());
        let mut photo = photo(9);
        photo.size = size;
        photo.media_type.clone_from(&text);
        photo.taken_at = Some(at);
        let state = StatusName::EXISTING.get(state).copied().unwrap_or(StatusName::Unreported);
        let mut case = Case::in_state(state, Source::EmployeeReport, Grade::Major);
        case.id = HazardId(Uuid::from_u128(id));
        case.facts.now = Timestamp::from_millis(now);
        case.facts.made_at = made_at.map(Timestamp::from_millis);
        case.facts.limits.due_days = due_days;
        case.facts.limits.clock_ahead_ms = due_days;
        for action in hostile_actions(&text, at, version, due_date, &photo) {
            drop(case.clone().act(&actor, action.clone()));
            let bytes = action.encode_fields();
            prop_assert_eq!(Action::decode_fields(action.kind(), &bytes).unwrap(), action);
        }
    }
}

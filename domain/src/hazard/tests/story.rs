//! The loop from beginning to end, as the people in it live it.

use super::*;

#[test]
fn a_general_hazard_is_reported_confirmed_corrected_reinspected_and_closed() {
    let mut case = Case::new();
    case.must(
        &employee(),
        Action::Report(report(Source::EmployeeReport, Grade::General)),
    );
    assert_eq!(case.state(), StatusName::Reported);
    assert_eq!(case.hazard().reported_by, id_of(&employee()));
    assert_eq!(case.hazard().jurisdiction_id, TOWN);
    assert_eq!(case.hazard().due_at(), None);

    case.must(&safety_officer(), confirm(Grade::General));
    assert_eq!(case.state(), StatusName::Confirmed);
    assert_eq!(
        case.hazard().due_at(),
        Some(date("2026-12-02").end_of_day())
    );
    assert!(!case.hazard().is_overdue(NOW));
    assert!(case.hazard().is_overdue(NOW.plus_millis(30 * DAY_MS)));

    case.must(&employee(), submit(2));
    assert_eq!(case.state(), StatusName::PendingReinspection);
    case.must(&safety_officer(), pass());
    assert_eq!(
        case.state(),
        StatusName::PendingReinspection,
        "a pass alone does not close"
    );
    case.must(&Actor::System, receive(1));
    case.must(&Actor::System, receive(2));
    case.must(&safety_officer(), close());
    assert_eq!(case.state(), StatusName::Closed);
    assert_eq!(case.hazard().due_at(), None);
    assert_eq!(case.hazard().version, 7);
}

#[test]
fn a_major_hazard_names_its_criterion_or_its_basis_in_words() {
    let without = |basis: Option<&str>| {
        let Action::Confirm(confirm) = confirm(Grade::Major) else {
            unreachable!()
        };
        let basis = basis.map(str::to_owned);
        Confirm {
            criterion: None,
            basis,
            ..confirm
        }
    };
    let mut case = Case::reported(Source::DeptInspection, Grade::Major);
    for basis in [None, Some(" \n")] {
        case.refused_as(
            RefusalCode::CriterionRequired,
            &reviewer(),
            Action::Confirm(without(basis)),
        );
    }
    let basis = without(Some("现有判定标准未列明"));
    case.refused_as(
        RefusalCode::ExpertOpinionRequired,
        &reviewer(),
        Action::Confirm(basis.clone()),
    );
    let expert_opinion = Some(ExpertOpinion {
        name: "周工".to_owned(),
        opinion: "专家组现场论证：构成重大隐患".to_owned(),
        given_on: None,
    });
    case.clone().must(
        &reviewer(),
        Action::Confirm(Confirm {
            expert_opinion,
            ..basis
        }),
    );
    case.must(&reviewer(), confirm(Grade::Major));
    assert_eq!(case.hazard().criterion.as_ref().unwrap().code, "GM-10-3-2");
}

#[test]
fn a_major_hazard_takes_the_principal_and_two_other_inspectors() {
    let mut case = Case::planned(Source::EnterpriseSelfCheck);
    case.refused_as(RefusalCode::NotPermitted, &safety_officer(), submit(2));
    case.must(&principal(), submit(2));
    case.must(&Actor::System, receive(1));
    case.must(&Actor::System, receive(2));
    case.refused_as(RefusalCode::TooFewReinspections, &inspector(1), close());
    case.must(&inspector(1), pass());
    case.refused_as(RefusalCode::SamePerson, &inspector(1), pass());
    case.refused_as(RefusalCode::TooFewReinspections, &inspector(1), close());
    case.must(&inspector(2), pass());
    case.refused_as(RefusalCode::NotPermitted, &principal(), close());
    case.must(&inspector(1), close());
    assert_eq!(case.state(), StatusName::Closed);
}

#[test]
fn a_general_hazard_needs_one_pass_before_closure() {
    let mut case = Case::in_state(
        StatusName::Confirmed,
        Source::EnterpriseSelfCheck,
        Grade::General,
    );
    case.must(&employee(), submit(2));
    case.refused_as(RefusalCode::TooFewReinspections, &safety_officer(), close());
}

#[test]
fn a_failed_reinspection_gives_a_new_deadline_but_the_original_one_stays() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), fail(Some(date("2026-12-20"))));
    let Status::Rectifying {
        order,
        returned_because,
        returns,
    } = &case.hazard().status
    else {
        panic!("{:?}", case.hazard().status);
    };
    assert_eq!(order.due_date_original, date("2026-12-02"));
    assert_eq!(order.due_date, date("2026-12-20"));
    assert_eq!(
        (returned_because.as_deref(), *returns),
        (Some("泄爆片规格不符"), 1)
    );

    case.must(&principal(), submit(3));
    let Status::PendingReinspection { submission, .. } = &case.hazard().status else {
        panic!("{:?}", case.hazard().status);
    };
    assert!(
        submission.passed_by.is_empty(),
        "passes of the first submission do not count again"
    );
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
}

#[test]
fn a_new_deadline_goes_with_a_return_and_not_with_a_pass() {
    let mut case = Case::in_state(
        StatusName::PendingReinspection,
        Source::Grid,
        Grade::General,
    );
    let Action::Reinspect(passed) = pass() else {
        unreachable!()
    };
    let new_due_date = Some(date("2026-12-20"));
    let both = Action::Reinspect(Reinspect {
        new_due_date,
        ..passed
    });
    case.refused_field("new_due_date", &inspector(1), both);
}

#[test]
fn a_return_without_a_new_deadline_keeps_the_one_in_force() {
    let case = Case::in_state(StatusName::Rectifying, Source::Grid, Grade::General);
    let order = case.hazard().order().unwrap();
    assert_eq!(order.due_date, date("2026-12-02"));
}

#[test]
fn reopening_restores_the_original_deadline_and_remembers_a_false_closure() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    case.must(&employee(), submit(2));
    case.must(&inspector(1), fail(Some(date("2026-12-20"))));
    case.must(&employee(), submit(3));
    case.must(&inspector(1), pass());
    for number in [1, 2, 3] {
        case.must(&Actor::System, receive(number));
    }
    case.must(&reviewer(), close());
    assert_eq!(case.hazard().order().unwrap().due_date, date("2026-12-20"));
    assert!(!case.hazard().false_closure);

    case.must(&reviewer(), reopen());
    assert_eq!(case.state(), StatusName::Rectifying);
    let order = case.hazard().order().unwrap();
    assert_eq!(order.due_date, date("2026-12-02"));
    assert_eq!(order.due_date_original, date("2026-12-02"));
    assert!(case.hazard().false_closure);
    assert!(case.hazard().is_overdue(date("2026-12-03").end_of_day()));

    case.must(&employee(), submit(4));
    case.refused_as(RefusalCode::TooFewReinspections, &inspector(1), close());
}

#[test]
fn a_false_closure_is_not_forgotten_when_the_next_reopening_is_not_one() {
    let mut case = Case::in_state(StatusName::Closed, Source::OpenVisit, Grade::General);
    case.must(&reviewer(), reopen());
    case.must(&employee(), submit(3));
    case.must(&inspector(1), pass());
    case.must(&Actor::System, receive(3));
    case.must(&inspector(1), close());
    let again = Reopen {
        reason: "群众来电".to_owned(),
        false_closure: false,
        cause: None,
    };
    case.must(&reviewer(), Action::Reopen(again));
    assert!(case.hazard().false_closure);
}

#[test]
fn whoever_submitted_may_neither_reinspect_nor_close() {
    for submitter in [safety_officer(), principal()] {
        let mut case = Case::in_state(
            StatusName::Confirmed,
            Source::EnterpriseSelfCheck,
            Grade::General,
        );
        case.must(&submitter, submit(2));
        case.refused_as(RefusalCode::SamePerson, &submitter, pass());
        case.refused_as(RefusalCode::SamePerson, &submitter, fail(None));
        case.must(&inspector(1), pass());
        case.must(&Actor::System, receive(1));
        case.must(&Actor::System, receive(2));
        case.refused_as(RefusalCode::SamePerson, &submitter, close());
    }
}

#[test]
fn whoever_passed_may_still_return_the_submission() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(1), fail(None));
    assert_eq!(case.state(), StatusName::Rectifying);
}

#[test]
fn a_person_in_two_roles_may_not_check_their_own_correction() {
    let both = Actor::Person {
        person_id: PersonId(Uuid::from_u128(42)),
        roles: vec![Role::Principal, Role::Inspector],
        certified: true,
    };
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&both, submit(2));
    case.refused_as(RefusalCode::SamePerson, &both, pass());
    case.refused_as(RefusalCode::SamePerson, &both, close());
}

#[test]
fn a_rejected_report_says_who_and_why() {
    let case = Case::in_state(StatusName::Rejected, Source::Grid, Grade::General);
    let Status::Rejected {
        rejected_by,
        reason,
    } = &case.hazard().status
    else {
        unreachable!()
    };
    assert_eq!(*rejected_by, id_of(&person(Role::DepartmentReviewer, 50)));
    assert_eq!(reason, "现场不构成隐患");
}

#[test]
fn a_hazard_follows_its_enterprise_and_the_same_move_twice_is_one_event() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    let jurisdiction_id = JurisdictionId(Uuid::from_u128(0x72));
    let follow = crate::command::FollowEnterprise {
        jurisdiction_id,
        merged_from: None,
    };
    case.must(&Actor::System, Action::FollowEnterprise(follow.clone()));
    case.must(&Actor::System, Action::FollowEnterprise(follow));
    assert_eq!(case.hazard().jurisdiction_id, jurisdiction_id);
    assert_eq!(case.hazard().version, 2);
}

#[test]
fn a_refusal_offers_what_this_actor_can_do_here() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    let refusal = case.refused(&safety_officer(), close());
    assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
    assert_eq!(refusal.from_state, Some(StatusName::Reported));
    use crate::command::ActionKind as K;
    assert_eq!(
        refusal.allowed,
        [K::Amend, K::AttachPhoto, K::Confirm, K::Note]
    );
}

#[test]
fn a_step_refused_for_what_it_says_is_still_offered_and_one_refused_for_who_takes_it_is_not() {
    use crate::command::ActionKind;
    let mut case = Case::reported(Source::OpenVisit, Grade::Major);
    let Action::Confirm(fields) = confirm(Grade::Major) else {
        unreachable!()
    };
    let late = Confirm {
        due_date: date("2020-01-01"),
        ..fields.clone()
    };
    let refusal = case.refused(&inspector(1), Action::Confirm(late));
    assert!(
        refusal.allowed.contains(&ActionKind::Confirm),
        "another date will do: {refusal:?}"
    );
    let bare = Confirm {
        criterion: None,
        ..fields
    };
    let refusal = case.refused(&inspector(1), Action::Confirm(bare));
    assert!(
        refusal.allowed.contains(&ActionKind::Confirm),
        "a criterion will do: {refusal:?}"
    );

    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    let refusal = case.refused(&inspector(1), close());
    assert_eq!(refusal.code, RefusalCode::TooFewReinspections);
    assert!(!refusal.allowed.contains(&ActionKind::Close));
    assert!(refusal.allowed.contains(&ActionKind::Reinspect));
}

#[test]
fn a_second_report_of_the_same_id_is_told_where_the_first_one_stands() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::Grid, Grade::General);
    let again = Action::Report(report(Source::Grid, Grade::General));
    let refusal = case.refused(&inspector(1), again);
    assert_eq!(refusal.code, RefusalCode::AlreadyExists);
    assert_eq!(refusal.from_state, Some(StatusName::Confirmed));
}

#[test]
fn a_recorded_pass_counts_once_for_each_inspector_even_if_a_history_holds_it_twice() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    let same_again = case.history.last().unwrap().event.clone();
    case.record(Some(id_of(&inspector(1))), same_again);
    case.refused_as(RefusalCode::TooFewReinspections, &inspector(2), close());
}

#[test]
fn a_history_that_does_not_begin_with_a_report_makes_no_hazard() {
    let case = Case::in_state(StatusName::Confirmed, Source::Grid, Grade::General);
    assert_eq!(Hazard::from_history(&[]), None);
    assert_eq!(Hazard::from_history(&case.history[1..]), None);
    assert_eq!(Hazard::from_history(&case.history), case.hazard);
}

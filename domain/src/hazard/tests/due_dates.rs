//! The first due date and who may move the one in force: no path loses the one, none moves the other
//! past whoever set it.

use super::*;

fn order_of(case: &Case) -> &crate::hazard::Order {
    case.hazard().order().unwrap()
}

fn plan_until(day: &str) -> Action {
    Action::SubmitPlan(SubmitPlan {
        due_date: date(day),
        ..plan()
    })
}

/// A major hazard that the principal has declared, due on 2 December by their own word.
fn declared() -> Case {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::Major);
    case.must(&principal(), confirm(Grade::Major));
    case
}

#[test]
fn a_plan_after_an_extension_does_not_move_the_first_due_date_back() {
    let mut case = declared();
    case.must(&principal(), request_extension("2026-12-12"));
    case.must(&reviewer(), decide_extension(true));
    case.must(&principal(), plan_until("2026-12-10"));
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));
    assert_eq!(order_of(&case).due_date, date("2026-12-10"));
}

#[test]
fn only_the_first_acknowledged_plan_dates_what_the_principal_declared() {
    let mut case = declared();
    case.must(&principal(), plan_until("2026-12-02"));
    case.must(&reviewer(), decide_plan(true));
    case.must(&principal(), plan_until("2026-11-28"));
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));
    assert_eq!(order_of(&case).due_date, date("2026-11-28"));
}

/// A general hazard that the enterprise found, corrected and waiting for re-inspection.
fn handed_in(confirmed_by: &Actor) -> Case {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(confirmed_by, confirm(Grade::General));
    case.must(&employee(), submit(2));
    case
}

#[test]
fn the_enterprise_gives_itself_no_more_time_by_a_return() {
    for confirmed_by in [safety_officer(), inspector(1)] {
        let mut case = handed_in(&confirmed_by);
        for own in [person(Role::SafetyOfficer, 2), principal()] {
            let refusal = case.refused(&own, fail(Some(date("2026-12-12"))));
            assert_eq!(refusal.code, RefusalCode::NotPermitted);
            assert_eq!(refusal.field.as_deref(), Some("new_due_date"));
        }
        case.must(&principal(), fail(None));
        assert_eq!(order_of(&case).due_date, date("2026-12-02"));
    }
}

#[test]
fn a_date_that_an_inspector_sets_is_extended_by_the_department() {
    let mut case = handed_in(&safety_officer());
    assert_eq!(order_of(&case).authority, Authority::Enterprise);
    case.must(&inspector(1), fail(Some(date("2026-12-12"))));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));
    case.must(&safety_officer(), request_extension("2026-12-20"));
    case.refused_as(
        RefusalCode::NotPermitted,
        &principal(),
        decide_extension(true),
    );
    case.must(&reviewer(), decide_extension(true));
}

#[test]
fn a_recount_leaves_no_due_date_on_the_wrong_side_of_the_first_one() {
    let counted = |day: &str, start: &str| crate::hazard::Deadline {
        date: date(day),
        start: date(start),
        days: 10,
        kind: DayKind::Working,
        rule: None,
        provisional: false,
        start_claimed: false,
    };
    let with = |original: &str, due: &str| {
        let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
        let order = case.hazard.as_mut().unwrap().status.order_mut().unwrap();
        order.due_date_original = date(original);
        order.deadline_original = Some(counted(original, "2026-11-22"));
        order.due_date = date(due);
        order.deadline = None;
        case
    };
    let recount = |mut case: Case, to: &str| {
        let deadline = counted(to, "2026-11-22");
        case.record(None, HazardEvent::DeadlineRecomputed { deadline });
        let order = order_of(&case);
        (order.due_date_original, order.due_date)
    };
    let dates = |one: &str, other: &str| (date(one), date(other));
    // Extended to the 20th: the first date goes beyond it, and takes it along.
    let extended = with("2026-12-10", "2026-12-20");
    assert_eq!(
        recount(extended.clone(), "2026-12-15"),
        dates("2026-12-15", "2026-12-20")
    );
    assert_eq!(
        recount(extended, "2026-12-25"),
        dates("2026-12-25", "2026-12-25")
    );
    // Brought forward to the 8th by a plan: that stays, unless the first one ends before it.
    let brought_forward = with("2026-12-10", "2026-12-08");
    assert_eq!(
        recount(brought_forward.clone(), "2026-12-15"),
        dates("2026-12-15", "2026-12-08")
    );
    assert_eq!(
        recount(brought_forward, "2026-12-05"),
        dates("2026-12-05", "2026-12-05")
    );
}

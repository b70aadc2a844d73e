//! What nobody may do by way of something else: lose a major hazard, hide lateness, block a correction.

use super::*;
use crate::command::PenaltyDecision;

fn order_of(case: &Case) -> &crate::hazard::Order {
    case.hazard().order().unwrap()
}

#[test]
fn a_hazard_that_is_late_can_still_be_planned_and_stays_late() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    case.facts.now = date("2026-12-10").end_of_day();
    let late = SubmitPlan {
        due_date: date("2026-12-20"),
        ..plan()
    };
    case.must(&principal(), Action::SubmitPlan(late));
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(order_of(&case).due_date, date("2026-12-02"));
    assert!(case.hazard().is_overdue(case.facts.now));
    case.must(&principal(), submit(2));
}

#[test]
fn an_acknowledged_plan_that_ends_earlier_binds_and_dates_what_the_principal_declared() {
    let earlier = || {
        Action::SubmitPlan(SubmitPlan {
            due_date: date("2026-12-01"),
            ..plan()
        })
    };
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    case.must(&principal(), earlier());
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(order_of(&case).due_date, date("2026-12-01"));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));
    case = Case::reported(Source::EnterpriseSelfCheck, Grade::Major);
    case.must(&principal(), confirm(Grade::Major));
    case.must(&principal(), earlier());
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-01"));
    case.must(&principal(), request_extension("2026-12-12"));
    case.must(&reviewer(), decide_extension(true));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-01"));
}

#[test]
fn what_an_inspector_has_called_major_is_not_taken_back_or_confirmed_as_less_meanwhile() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(&inspector(1), confirm(Grade::Major));
    case.refused_as(
        RefusalCode::NotPermitted,
        &author(Source::EnterpriseSelfCheck),
        withdraw(),
    );
    for actor in [safety_officer(), principal(), inspector(2)] {
        case.refused_as(RefusalCode::NotPermitted, &actor, confirm(Grade::General));
    }
    case.must(&inspector(2), agree());
    assert_eq!(case.hazard().grade, Grade::Major);
}

#[test]
fn a_reported_major_hazard_is_confirmed_as_general_by_two_of_the_department_with_a_reason() {
    let mut case = Case::reported(Source::OpenVisit, Grade::Major);
    case.refused_field("basis", &reviewer(), confirm(Grade::General));
    let Action::Confirm(fields) = confirm(Grade::General) else {
        unreachable!()
    };
    let less = Action::Confirm(Confirm {
        basis: Some("现场复核，不符合判定标准".to_owned()),
        ..fields
    });
    case.must(&reviewer(), less.clone());
    assert_eq!(case.state(), StatusName::Reported);
    case.refused_as(RefusalCode::SamePerson, &reviewer(), agree());
    case.refused_as(RefusalCode::NotPermitted, &inspector(1), agree());
    let mut together = Case::reported(Source::OpenVisit, Grade::Major);
    together.facts.seconds = vec![inspector(1), head()];
    together.must(&reviewer(), less);
    assert_eq!(together.state(), StatusName::Confirmed);
    case.must(&head(), agree());
    assert_eq!(case.hazard().grade, Grade::General);
}

#[test]
fn work_that_stands_still_is_not_lost_from_sight() {
    for grade in Grade::ALL {
        let mut case = Case::reported(Source::EnterpriseSelfCheck, *grade);
        case.must(&head(), suspend());
        for action in [reject(), merge(), transfer(None)] {
            case.refused_as(RefusalCode::SuspensionInForce, &reviewer(), action);
        }
    }
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(&head(), suspend());
    let author = author(Source::EnterpriseSelfCheck);
    case.refused_as(RefusalCode::SuspensionInForce, &author, withdraw());
    let mut listed = Case::planned(Source::OpenVisit);
    listed.must(&listing_authority(), list());
    listed.refused_as(RefusalCode::AlreadyInForce, &reviewer(), transfer(None));
}

#[test]
fn a_decision_made_on_something_else_decides_nothing() {
    let seen = Some(NOW.plus_millis(-1));
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    case.must(&principal(), submit_plan());
    let blind = Action::DecidePlan(DecidePlan {
        accepted: true,
        opinion: "方案可行".to_owned(),
        on: seen,
    });
    case.refused_as(RefusalCode::Stale, &reviewer(), blind);
    let sighted = Action::DecidePlan(DecidePlan {
        accepted: true,
        opinion: "方案可行".to_owned(),
        on: Some(NOW),
    });
    case.must(&reviewer(), sighted);
    case.must(&reviewer(), change_grade(Grade::General));
    let blind = Action::DecideProposal(DecideProposal {
        agreed: true,
        opinion: "属实".to_owned(),
        on: seen,
    });
    case.refused_as(RefusalCode::Stale, &head(), blind);
    case.must(&listing_authority(), list());
    case.refused_as(RefusalCode::AlreadyInForce, &head(), agree());
}

#[test]
fn an_extension_lapses_with_the_correction_and_does_not_come_back_after_reopening() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), request_extension("2026-12-24"));
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    for number in [1, 2] {
        case.must(&Actor::System, receive(number));
    }
    case.must(&reviewer(), close());
    case.must(&reviewer(), reopen());
    assert_eq!(order_of(&case).due_date, date("2026-12-02"));
    case.refused_as(
        RefusalCode::NothingPending,
        &reviewer(),
        decide_extension(true),
    );
}

#[test]
fn more_time_after_a_return_is_short_and_not_for_what_is_listed() {
    let pending = StatusName::PendingReinspection;
    let mut case = Case::in_state(pending, Source::OpenVisit, Grade::Major);
    let long = fail(Some(date("2026-12-23")));
    case.refused_as(RefusalCode::DueDateOutOfRange, &inspector(1), long);
    case.clone()
        .must(&inspector(1), fail(Some(date("2026-12-22"))));
    case.must(&listing_authority(), list());
    case.refused_as(
        RefusalCode::DueDateOutOfRange,
        &inspector(1),
        fail(Some(date("2026-12-03"))),
    );
    case.must(&inspector(1), fail(None));
}

#[test]
fn nobody_blocks_a_correction_by_filling_the_record_with_photos() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    case.facts.limits.photos = 2;
    case.must(&employee(), attach(7));
    case.refused_as(RefusalCode::LimitReached, &employee(), attach(8));
    case.must(&employee(), submit(2));
    case.must(&inspector(1), fail(None));
    case.must(&employee(), submit(3));
}

#[test]
fn a_correction_is_shown_by_a_picture_of_it() {
    let mut case = Case::planned(Source::OpenVisit);
    let Action::SubmitRectification(complete) = submit(2) else {
        unreachable!()
    };
    let paper = SubmitRectification {
        photos: vec![PhotoRef {
            kind: PhotoKind::Document,
            media_type: "application/pdf".to_owned(),
            ..photo(2)
        }],
        ..complete
    };
    case.refused_as(
        RefusalCode::PhotoRequired,
        &principal(),
        Action::SubmitRectification(paper),
    );
}

#[test]
fn a_recorded_penalty_is_corrected_but_never_removed() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    let decided = Action::RecordPenalty(RecordPenalty {
        case_no: "应急罚〔2026〕5号".to_owned(),
        decision: Some(PenaltyDecision {
            document_no: "罚决〔2026〕5号".to_owned(),
            decided_on: date("2026-11-22"),
            result: "罚款".to_owned(),
        }),
    });
    case.must(&reviewer(), decided);
    case.refused_field("decision", &reviewer(), penalty());
}

#[test]
fn the_workers_are_told_also_where_a_planned_hazard_becomes_major() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    let untold = SubmitPlan {
        workers_congress: None,
        ..plan()
    };
    case.must(&safety_officer(), Action::SubmitPlan(untold));
    case.must(&reviewer(), change_grade(Grade::Major));
    case.refused_as(
        RefusalCode::FulfilmentsIncomplete,
        &reviewer(),
        decide_plan(true),
    );
    case.must(&reviewer(), decide_plan(false));
    case.must(&principal(), submit_plan());
    case.must(&head(), decide_plan(true));
}

/// A criterion that was read in full and holds since 2023-05-15.
fn criterion() -> crate::pack::Criterion {
    let reference = CriterionRef {
        code: "GM-10-3-2".to_owned(),
        edition: 2,
    };
    crate::pack::Criterion {
        id: crate::pack::Criterion::id_of(&reference),
        code: reference.code,
        edition: reference.edition,
        pack: "industry-and-trade".to_owned(),
        sector: "industry-and-trade".to_owned(),
        standard: "GM-10".to_owned(),
        number: "应急管理部令第10号".to_owned(),
        clause: "第三条（二）".to_owned(),
        zh: "特种作业人员没培训取证就上岗".to_owned(),
        en: "Special-operation workers working unlicensed".to_owned(),
        check_zh: None,
        check_en: None,
        evidence: crate::pack::Evidence::Seen,
        unverified: false,
        source: "made up for a test".to_owned(),
        status: crate::pack::StandardStatus::InForce,
        effective_from: Some(date("2023-05-15")),
        effective_until: None,
        retired_in: None,
        version: 1,
        retired_at: None,
    }
}

#[test]
fn what_was_not_obtained_or_not_in_force_is_no_basis() {
    use crate::hazard::Cited;
    let with = |change: fn(&mut crate::pack::Criterion)| {
        let mut criterion = criterion();
        change(&mut criterion);
        let mut case = Case::reported(Source::OpenVisit, Grade::Major);
        case.facts.cited = Cited::Known(Box::new(criterion));
        case
    };
    with(|_| {}).must(&reviewer(), confirm(Grade::Major));
    // A device that had no signal when the next edition came.
    let mut retired = with(|criterion| {
        criterion.retired_in = Some(2);
        criterion.retired_at = Some(NOW.plus_millis(1));
    });
    retired.must(&reviewer(), confirm(Grade::Major));
    let unfit: [fn(&mut crate::pack::Criterion); 6] = [
        |criterion| criterion.retired_in = Some(2),
        |criterion| (criterion.retired_in, criterion.retired_at) = (Some(2), Some(NOW)),
        |criterion| criterion.evidence = crate::pack::Evidence::Title,
        |criterion| criterion.evidence = crate::pack::Evidence::KnownHigh,
        |criterion| criterion.effective_from = Some(date("2026-11-23")),
        |criterion| criterion.effective_until = Some(date("2026-11-21")),
    ];
    for change in unfit {
        with(change).refused_as(
            RefusalCode::CriterionNotCitable,
            &reviewer(),
            confirm(Grade::Major),
        );
    }
    let mut case = Case::reported(Source::OpenVisit, Grade::Major);
    case.facts.cited = Cited::Unknown;
    case.refused_as(
        RefusalCode::CriterionNotCitable,
        &reviewer(),
        confirm(Grade::Major),
    );
}

//! What lies over the main line: plans, extensions, grades, transfers, listing, suspension,
//! penalties, and who decides while they are in force.

use super::*;
use crate::command::PenaltyDecision;

pub(super) const TOWN_NEXT: JurisdictionId = JurisdictionId(Uuid::from_u128(0x73));

fn order_of(case: &Case) -> &crate::hazard::Order {
    case.hazard().order().unwrap()
}

#[test]
fn a_major_hazard_is_corrected_only_by_an_acknowledged_plan() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    case.refused_as(RefusalCode::PlanNotAcknowledged, &principal(), submit(2));
    case.must(&principal(), submit_plan());
    assert_eq!(
        case.state(),
        StatusName::Confirmed,
        "the department answers first"
    );
    case.refused_as(RefusalCode::PlanNotAcknowledged, &principal(), submit(2));
    case.must(&reviewer(), decide_plan(false));
    assert_eq!(case.state(), StatusName::Confirmed);
    case.refused_as(RefusalCode::NothingPending, &reviewer(), decide_plan(true));
    case.must(&principal(), submit_plan());
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(case.state(), StatusName::Rectifying);
    case.must(&principal(), submit(2));
}

#[test]
fn a_plan_ends_by_the_orders_due_date_and_its_stages_by_its_own() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    let late = SubmitPlan {
        due_date: date("2026-12-03"),
        ..plan()
    };
    case.refused_as(
        RefusalCode::DueDateOutOfRange,
        &principal(),
        Action::SubmitPlan(late),
    );
    let mut staged = plan();
    staged.milestones[0].due_date = date("2026-12-03");
    let refusal = case.refused(&principal(), Action::SubmitPlan(staged));
    assert_eq!(refusal.field.as_deref(), Some("milestones[0].due_date"));
    case.facts.limits.milestones = 0;
    case.refused_as(RefusalCode::LimitReached, &principal(), submit_plan());
}

#[test]
fn an_extension_is_asked_for_before_the_due_date_and_decided_by_who_set_it() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), request_extension("2026-12-12"));
    case.refused_as(
        RefusalCode::AlreadyPending,
        &principal(),
        request_extension("2026-12-13"),
    );
    case.refused_as(
        RefusalCode::NotPermitted,
        &principal(),
        decide_extension(true),
    );
    case.must(&reviewer(), decide_extension(true));
    assert_eq!(order_of(&case).due_date, date("2026-12-12"));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));

    case.facts.now = date("2026-12-12").end_of_day();
    case.must(&principal(), request_extension("2026-12-30"));
    case.must(&reviewer(), decide_extension(false));
    assert_eq!(order_of(&case).due_date, date("2026-12-12"));
    case.facts.now = case.facts.now.plus_millis(1);
    case.refused_as(
        RefusalCode::ExtensionTooLate,
        &principal(),
        request_extension("2026-12-30"),
    );
}

#[test]
fn an_extension_asked_for_offline_in_time_is_taken_up_and_marked_as_unproven() {
    let mut case = Case::planned(Source::OpenVisit);
    case.facts.now = date("2026-12-05").end_of_day();
    case.facts.made_at = Some(date("2026-12-01").end_of_day());
    case.must(&principal(), request_extension("2026-12-12"));
    assert!(case.hazard().extensions[0].time_unproven);
    assert_eq!(
        case.hazard().extensions[0].due_date_before,
        date("2026-12-02")
    );
}

#[test]
fn a_long_extension_needs_an_expert_and_extensions_are_limited() {
    let mut case = Case::planned(Source::OpenVisit);
    case.refused_as(
        RefusalCode::ExpertOpinionRequired,
        &principal(),
        request_extension("2027-01-02"),
    );
    case.clone()
        .must(&principal(), request_extension("2027-01-01"));
    let Action::RequestExtension(request) = request_extension("2027-01-02") else {
        unreachable!()
    };
    let expert_opinion = Some(ExpertOpinion {
        name: "周工".to_owned(),
        opinion: "须停炉检修".to_owned(),
        given_on: None,
    });
    case.clone().must(
        &principal(),
        Action::RequestExtension(RequestExtension {
            expert_opinion,
            ..request
        }),
    );
    case.facts.limits.extensions = 1;
    case.must(&principal(), request_extension("2026-12-12"));
    case.must(&reviewer(), decide_extension(false));
    case.refused_as(
        RefusalCode::LimitReached,
        &principal(),
        request_extension("2026-12-12"),
    );
}

#[test]
fn the_enterprise_extends_what_it_set_itself_and_not_by_the_same_person() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(&safety_officer(), confirm(Grade::General));
    assert_eq!(order_of(&case).authority, Authority::Enterprise);
    case.must(&safety_officer(), request_extension("2026-12-12"));
    case.refused_as(
        RefusalCode::NotPermitted,
        &reviewer(),
        decide_extension(true),
    );
    case.clone().must(&principal(), decide_extension(true));

    let mut own = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    own.must(&safety_officer(), confirm(Grade::General));
    own.must(&principal(), request_extension("2026-12-12"));
    own.refused_as(
        RefusalCode::SamePerson,
        &principal(),
        decide_extension(true),
    );
}

#[test]
fn listed_supervision_moves_extension_and_closure_to_the_listing_authority() {
    let mut case = Case::planned(Source::OpenVisit);
    case.refused_as(RefusalCode::NotPermitted, &head(), list());
    case.must(&listing_authority(), list());
    case.refused_as(RefusalCode::AlreadyInForce, &listing_authority(), list());
    assert_eq!(order_of(&case).due_date, date("2026-12-02"));
    case.must(&principal(), request_extension("2026-12-12"));
    for department in [reviewer(), head()] {
        case.refused_as(
            RefusalCode::NotPermitted,
            &department,
            decide_extension(true),
        );
    }
    case.must(&listing_authority(), decide_extension(true));
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    for number in [1, 2] {
        case.must(&Actor::System, receive(number));
    }
    for department in [reviewer(), head(), inspector(3)] {
        case.refused_as(RefusalCode::NotPermitted, &department, close());
    }
    case.must(&listing_authority(), close());
    assert!(case.hazard().is_listed(), "closing is not delisting");
    case.must(&listing_authority(), delist());
    assert!(!case.hazard().is_listed());
    case.refused_as(RefusalCode::NotInForce, &listing_authority(), delist());
}

#[test]
fn only_major_hazards_are_listed_and_a_listed_one_is_not_talked_down() {
    let mut general = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    general.refused_as(RefusalCode::NotPermitted, &listing_authority(), list());
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&listing_authority(), list());
    case.refused_as(
        RefusalCode::AlreadyInForce,
        &reviewer(),
        change_grade(Grade::General),
    );
    let raised = ListSupervision {
        document_no: " ".to_owned(),
        ..match list() {
            Action::ListSupervision(listing) => listing,
            _ => unreachable!(),
        }
    };
    case.refused_field(
        "document_no",
        &listing_authority(),
        Action::ListSupervision(raised),
    );
}

#[test]
fn suspended_work_is_resumed_by_consent_before_the_hazard_is_closed() {
    let mut case = Case::in_state(
        StatusName::PendingReinspection,
        Source::OpenVisit,
        Grade::Major,
    );
    case.must(&head(), suspend());
    case.refused_as(RefusalCode::AlreadyInForce, &head(), suspend());
    assert!(case.hazard().is_suspended());
    case.refused_as(RefusalCode::SuspensionInForce, &inspector(1), close());
    case.refused_as(RefusalCode::NothingPending, &reviewer(), resume(true));
    case.must(&principal(), ask_to_resume());
    case.refused_as(RefusalCode::AlreadyPending, &principal(), ask_to_resume());
    case.must(&reviewer(), resume(false));
    assert!(case.hazard().is_suspended());
    case.must(&principal(), ask_to_resume());
    case.refused_as(RefusalCode::SuspensionInForce, &inspector(1), close());
    case.must(&reviewer(), resume(true));
    assert!(!case.hazard().is_suspended());
    case.must(&inspector(1), close());
}

#[test]
fn making_less_of_a_major_hazard_takes_two_and_making_more_takes_one() {
    let mut case = Case::planned(Source::OpenVisit);
    case.refused_field("grade", &reviewer(), change_grade(Grade::Major));
    case.must(&reviewer(), change_grade(Grade::General));
    assert_eq!(case.hazard().grade, Grade::Major);
    case.refused_as(
        RefusalCode::AlreadyPending,
        &head(),
        change_grade(Grade::General),
    );
    case.refused_as(RefusalCode::SamePerson, &reviewer(), agree());
    let no = Action::DecideProposal(DecideProposal {
        agreed: false,
        opinion: "依据不足".to_owned(),
        on: None,
    });
    let mut refused = case.clone();
    refused.must(&head(), no);
    assert_eq!(refused.hazard().grade, Grade::Major);
    assert_eq!(refused.hazard().proposal, None);
    case.must(&head(), agree());
    assert_eq!(case.hazard().grade, Grade::General);
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));

    case.must(&reviewer(), change_grade(Grade::Major));
    assert_eq!(case.hazard().grade, Grade::Major);
}

#[test]
fn what_becomes_major_while_it_waits_for_reinspection_goes_back_to_be_planned() {
    let mut case = Case::in_state(
        StatusName::PendingReinspection,
        Source::OpenVisit,
        Grade::General,
    );
    case.must(&reviewer(), change_grade(Grade::Major));
    assert_eq!(case.state(), StatusName::Rectifying);
    case.refused_as(RefusalCode::PlanNotAcknowledged, &principal(), submit(3));
    assert_eq!(order_of(&case).due_date_original, date("2026-12-02"));
}

#[test]
fn what_becomes_major_while_it_is_corrected_waits_for_its_plan_unless_it_has_come_back() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    let mut returned = case.clone();
    case.must(&principal(), submit_plan());
    assert_eq!(case.state(), StatusName::Rectifying);
    case.must(&reviewer(), change_grade(Grade::Major));
    assert_eq!(case.state(), StatusName::Confirmed);
    case.must(&principal(), submit_plan());
    case.must(&reviewer(), decide_plan(true));
    assert_eq!(case.state(), StatusName::Rectifying);
    returned.must(&principal(), submit(2));
    returned.must(&inspector(1), fail(None));
    let before = returned.hazard().status.clone();
    returned.must(&reviewer(), change_grade(Grade::Major));
    assert_eq!(returned.state(), StatusName::Rectifying);
    let (Status::Rectifying { returns, .. }, Status::Rectifying { returns: was, .. }) =
        (&returned.hazard().status, &before)
    else {
        panic!("{:?}", returned.state());
    };
    assert_eq!((*returns, *was), (1, 1), "why it came back is not lost");
    returned.refused_as(RefusalCode::PlanNotAcknowledged, &principal(), submit(3));
}

#[test]
fn who_found_it_does_not_alone_make_more_of_it() {
    let mut case = Case::new();
    let finder = reviewer();
    let found = report(Source::DeptInspection, Grade::General);
    case.must(&finder, Action::Report(found));
    case.must(&finder, confirm(Grade::General));
    case.must(&finder, change_grade(Grade::Major));
    assert_eq!(case.hazard().grade, Grade::General);
    case.refused_as(RefusalCode::SamePerson, &finder, agree());
    case.must(&person(Role::DepartmentReviewer, 2), agree());
    assert_eq!(case.hazard().grade, Grade::Major);
}

#[test]
fn what_an_inspector_calls_major_is_not_merged_into_something_less() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), confirm(Grade::Major));
    case.facts.merge_target = Some(MergeTarget {
        status: StatusName::Confirmed,
        grade: Grade::General,
        enterprise_id: Some(ENTERPRISE),
    });
    case.refused_as(RefusalCode::MergeTargetUnfit, &reviewer(), merge());
    case.facts.merge_target = Some(MergeTarget {
        status: StatusName::Confirmed,
        grade: Grade::Major,
        enterprise_id: Some(ENTERPRISE),
    });
    case.must(&reviewer(), merge());
}

#[test]
fn a_hazard_handed_over_keeps_its_order_and_returns_or_goes_on() {
    let case = Case::planned(Source::OpenVisit);
    let stood = case.hazard().status.clone();
    let mut inside = case.clone();
    inside.must(&reviewer(), transfer(Some(TOWN_NEXT)));
    assert_eq!(inside.state(), StatusName::Transferred);
    assert_eq!(inside.hazard().jurisdiction_id, TOWN_NEXT);
    assert_eq!(inside.hazard().handed_over_by(), Some(TOWN));
    assert_eq!(order_of(&inside).due_date, date("2026-12-02"));
    assert!(inside.hazard().is_overdue(date("2026-12-03").end_of_day()));
    inside.refused_as(RefusalCode::SamePerson, &reviewer(), receipt(true));
    let mut back = inside.clone();
    back.must(&person(Role::DepartmentReviewer, 2), receipt(false));
    assert_eq!(back.hazard().jurisdiction_id, TOWN);
    assert_eq!(back.hazard().status, stood);
    inside.must(&person(Role::DepartmentReviewer, 2), receipt(true));
    assert_eq!(inside.hazard().jurisdiction_id, TOWN_NEXT);
    assert_eq!(order_of(&inside).issued_in, Some(TOWN));
    assert_eq!(inside.hazard().handed_over_by(), None);
    let follow = crate::command::FollowEnterprise {
        jurisdiction_id: JurisdictionId(Uuid::from_u128(0x74)),
        merged_from: None,
    };
    inside.must(&Actor::System, Action::FollowEnterprise(follow));
    assert_eq!(
        inside.hazard().jurisdiction_id,
        TOWN_NEXT,
        "whoever took it over keeps it when the enterprise moves"
    );
    // A merger of the town that it is in takes it along, and names nobody else to answer for it.
    let merger = |merged_from| crate::command::FollowEnterprise {
        jurisdiction_id: TOWN,
        merged_from: Some(merged_from),
    };
    let before = inside.hazard().clone();
    inside.must(&Actor::System, Action::FollowEnterprise(merger(TOWN)));
    assert_eq!(*inside.hazard(), before, "it is not in that one");
    inside.must(&Actor::System, Action::FollowEnterprise(merger(TOWN_NEXT)));
    let after = inside.hazard();
    assert_eq!(
        (after.jurisdiction_id, after.version),
        (TOWN, before.version + 1)
    );
    assert_eq!(after.status, stood, "it is where it was issued again");

    let mut outside = case;
    outside.must(&reviewer(), transfer(None));
    assert_eq!(outside.hazard().jurisdiction_id, TOWN);
    outside.refused_as(RefusalCode::SamePerson, &reviewer(), receipt(true));
    outside.must(&head(), receipt(true));
    assert_eq!(outside.state(), StatusName::Transferred);
    assert_eq!(
        outside.hazard().due_at(),
        None,
        "another body answers for it"
    );
    outside.refused_as(RefusalCode::NothingPending, &reviewer(), receipt(true));
}

#[test]
fn a_hazard_sent_back_says_why() {
    let mut case = Case::in_state(StatusName::Transferred, Source::Grid, Grade::General);
    let silent = Action::ReceiveTransfer(ReceiveTransfer {
        accepted: false,
        receipt_no: "回执〔2026〕8号".to_owned(),
        note: None,
    });
    case.refused_field("note", &reviewer(), silent);
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.refused_field("to_jurisdiction", &reviewer(), transfer(Some(TOWN)));
}

#[test]
fn a_report_is_merged_into_an_open_one_of_the_same_enterprise() {
    let unfit = |target: Option<MergeTarget>| {
        let mut case = Case::reported(Source::Grid, Grade::General);
        case.facts.merge_target = target;
        case.refused_as(RefusalCode::MergeTargetUnfit, &reviewer(), merge());
    };
    let target = |status, enterprise: u128| MergeTarget {
        status,
        grade: Grade::General,
        enterprise_id: Some(EnterpriseId(Uuid::from_u128(enterprise))),
    };
    unfit(None);
    unfit(Some(target(StatusName::Closed, 0xe1)));
    unfit(Some(target(StatusName::Merged, 0xe1)));
    unfit(Some(target(StatusName::Reported, 0xe1)));
    unfit(Some(target(StatusName::Confirmed, 0xe2)));
    let mut major = Case::reported(Source::Grid, Grade::Major);
    major.facts.merge_target = Some(target(StatusName::Confirmed, 0xe1));
    major.refused_as(RefusalCode::MergeTargetUnfit, &reviewer(), merge());
    let mut case = Case::reported(Source::Grid, Grade::General);
    let own = Action::Merge(Merge {
        into: HAZARD,
        reason: "同一处".to_owned(),
    });
    case.refused_as(RefusalCode::MergeTargetUnfit, &reviewer(), own);
    case.must(&reviewer(), merge());
    assert_eq!(case.state(), StatusName::Merged);
    case.must(&Actor::System, receive(1));
}

#[test]
fn whoever_found_it_notes_a_penalty_case_and_does_not_decide_it() {
    let finder = person(Role::DepartmentReviewer, 7);
    let mut case = Case::new();
    case.must(
        &finder,
        Action::Report(report(Source::OpenVisit, Grade::General)),
    );
    case.must(&finder, confirm(Grade::General));
    case.must(&finder, penalty());
    let decided = Action::RecordPenalty(RecordPenalty {
        case_no: "应急罚〔2026〕5号".to_owned(),
        decision: Some(PenaltyDecision {
            document_no: "罚决〔2026〕5号".to_owned(),
            decided_on: date("2026-11-22"),
            result: "罚款".to_owned(),
        }),
    });
    case.refused_as(RefusalCode::SamePerson, &finder, decided.clone());
    case.must(&reviewer(), decided);
    assert_eq!(case.hazard().penalties.len(), 1, "one case, noted twice");
    assert!(case.hazard().penalties[0].penalty.decision.is_some());
    case.facts.limits.penalties = 1;
    let other = Action::RecordPenalty(RecordPenalty {
        case_no: "应急罚〔2026〕6号".to_owned(),
        decision: None,
    });
    case.refused_as(RefusalCode::LimitReached, &reviewer(), other);
}

#[test]
fn an_inspector_without_a_valid_certificate_assists_and_does_not_decide() {
    let assistant = Actor::Person {
        person_id: PersonId(Uuid::from_u128(77)),
        roles: vec![Role::Inspector],
        certified: false,
    };
    let mut case = Case::new();
    case.must(
        &assistant,
        Action::Report(report(Source::OpenVisit, Grade::General)),
    );
    case.must(&assistant, note("已到现场"));
    case.refused_as(
        RefusalCode::CertificateNeeded,
        &assistant,
        confirm(Grade::General),
    );
    let pending = StatusName::PendingReinspection;
    let mut case = Case::in_state(pending, Source::OpenVisit, Grade::General);
    case.refused_as(RefusalCode::CertificateNeeded, &assistant, pass());
    case.refused_as(RefusalCode::CertificateNeeded, &assistant, close());
    let mut case = Case::in_state(StatusName::Closed, Source::OpenVisit, Grade::General);
    case.refused_as(RefusalCode::CertificateNeeded, &assistant, reopen());
}

#[test]
fn a_received_transfer_is_not_at_its_end_while_work_stands_still() {
    let mut case = Case::in_state(StatusName::Transferred, Source::OpenVisit, Grade::Major);
    case.must(&head(), suspend());
    case.must(&reviewer(), receipt(true));
    assert!(!case.hazard().is_settled());
}

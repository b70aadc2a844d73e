//! Inspections from beginning to end, and where they are stopped.

use super::*;

#[test]
fn a_planned_inspection_with_one_finding_is_signed_by_two_inspectors_and_the_enterprise() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::new();
    case.must(&person(Role::DepartmentReviewer, 9), plan(K::Plan));
    case.must(&one, start(None));
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    case.must(&one, record(vec![result("2", ItemOutcome::NotOk)]));
    case.must(&one, finding(K::Plan, 1));
    case.must(&one, sign(&one, K::Plan));
    case.refused_as(RefusalCode::TooFewInspectors, &one, complete(false));
    case.must(&two, sign(&two, K::Plan));
    case.refused_as(RefusalCode::SignatureMissing, &one, complete(false));
    case.must(&principal(), sign(&principal(), K::Plan));
    case.must(&one, complete(false));
    let it = case.it();
    assert_eq!(it.number, "IN-251123-0000005A");
    assert_eq!(it.inspectors_signed(), [id_of(&one), id_of(&two)]);
    assert_eq!(it.findings[0].handling, Some(Handling::RectifyByDeadline));
    assert!(it.signatures.iter().take(2).all(|s| s.certified));
    assert_eq!(Inspection::from_history(&case.history).as_ref(), Some(it));
}

#[test]
fn the_same_inspector_signing_twice_is_still_one() {
    let one = inspector(1);
    let mut case = Case::started(K::Special);
    case.must(&one, all_ok());
    case.must(&one, sign(&one, K::Special));
    case.must(&one, sign(&one, K::Special));
    case.must(&one, representative());
    case.refused_as(RefusalCode::TooFewInspectors, &one, complete(true));
}

#[test]
fn an_inspector_without_a_valid_certificate_assists_and_does_not_count() {
    let uncertified = |number| Actor::Person {
        person_id: id_of(&inspector(number)),
        roles: vec![Role::Inspector],
        certified: false,
    };
    let one = inspector(1);
    let mut case = Case::new();
    let needed = RefusalCode::CertificateNeeded;
    case.refused_as(needed, &uncertified(1), start(Some(setup(K::Plan))));
    case.must(&one, start(Some(setup(K::Plan))));
    case.must(&uncertified(2), all_ok());
    case.must(&one, sign(&one, K::Plan));
    case.must(&uncertified(2), sign(&inspector(2), K::Plan));
    case.must(&one, representative());
    case.refused_as(RefusalCode::TooFewInspectors, &one, complete(true));
    case.must(&inspector(2), sign(&inspector(2), K::Plan));
    case.refused_as(needed, &uncertified(1), complete(true));
    case.must(&one, complete(true));
}

#[test]
fn a_recorded_refusal_stands_for_the_enterprises_signature() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::UnannouncedVisit);
    case.must(&one, all_ok());
    case.must(&one, sign(&one, K::UnannouncedVisit));
    case.must(&two, sign(&two, K::UnannouncedVisit));
    case.must(&two, refuse());
    case.must(&one, complete(true));
    let refusal = case.it().refusal.as_ref().unwrap();
    assert_eq!(refusal.witness, "李芳（社区干部）");
    assert_eq!(refusal.recorded_by, id_of(&two));
}

#[test]
fn nothing_of_an_unannounced_visit_is_the_enterprises_before_it_begins() {
    let mut case = Case::new();
    case.must(&inspector(1), plan(K::UnannouncedVisit));
    assert_eq!(case.it().announced_to(), None);
    assert_eq!(case.it().place(vec![TOWN]).enterprise_id, None);
    let mut cancelled = case.clone();
    cancelled.must(&inspector(1), cancel());
    assert_eq!(cancelled.it().announced_to(), None, "nor ever after");
    case.must(&inspector(1), start(None));
    assert_eq!(case.it().announced_to(), Some(FIRM));
    let mut open = Case::new();
    open.must(&inspector(1), plan(K::OpenVisit));
    assert_eq!(open.it().announced_to(), Some(FIRM));
}

#[test]
fn a_department_without_a_plan_says_why_and_shows_its_certificates() {
    let one = inspector(1);
    let mut case = Case::new();
    let mut what = setup(K::Tip);
    what.reason = Some("  ".to_owned());
    case.refused_as(RefusalCode::ReasonRequired, &one, start(Some(what)));
    let hidden = StartInspection {
        certificates_shown: false,
        ..beginning(Some(setup(K::Tip)))
    };
    case.refused_field("certificates_shown", &one, Action::StartInspection(hidden));
    case.must(&one, start(Some(setup(K::Tip))));
    let mut planned = Case::new();
    let mut what = setup(K::Plan);
    what.reason = None;
    planned.must(
        &one,
        Action::PlanInspection(PlanInspection {
            setup: what,
            window_from: date("2026-11-22"),
            window_to: date("2026-11-22"),
        }),
    );
    planned.must(&one, start(None));
}

#[test]
fn a_self_check_that_found_nothing_is_a_record_handed_in_at_once() {
    let mut case = Case::new();
    let check = Action::SubmitSelfCheck(self_check(Some(setup(K::SelfCheck))));
    case.must(&employee(), check);
    assert_eq!(case.state(), S::Completed);
    let kinds: Vec<_> = case.history.iter().map(|r| r.event.kind()).collect();
    assert_eq!(kinds, ["started", "results_recorded", "completed"]);
    let InspectionStatus::Completed {
        no_hazard_found, ..
    } = case.it().status
    else {
        panic!("completed")
    };
    assert!(no_hazard_found);
    assert_eq!(case.it().items.len(), 2);
    assert_eq!(case.it().cadence, Some(Cadence::Daily));
}

#[test]
fn a_self_check_that_looked_at_nothing_has_not_found_nothing() {
    let of = |results| {
        Action::SubmitSelfCheck(SubmitSelfCheck {
            results,
            ..self_check(Some(setup(K::SelfCheck)))
        })
    };
    let mut case = Case::new();
    case.refused_field("no_hazard_found", &employee(), of(Vec::new()));
    let none_there = vec![
        result("1", ItemOutcome::NotApplicable),
        result("2", ItemOutcome::NotApplicable),
    ];
    case.refused_field("no_hazard_found", &employee(), of(none_there));
    let mut without_lists = setup(K::SelfCheck);
    without_lists.checklists = Vec::new();
    let check = SubmitSelfCheck {
        results: Vec::new(),
        ..self_check(Some(without_lists))
    };
    case.refused_field(
        "no_hazard_found",
        &employee(),
        Action::SubmitSelfCheck(check),
    );
}

#[test]
fn a_department_names_a_hazard_for_every_item_that_is_not_ok() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(
        &one,
        record(vec![
            result("1", ItemOutcome::NotOk),
            result("2", ItemOutcome::NotOk),
        ]),
    );
    let of_item = |number, item: &str| {
        let Action::LinkFinding(finding) = finding(K::Plan, number) else {
            unreachable!()
        };
        let mut item_ref = result(item, ItemOutcome::Ok).item;
        item.clone_into(&mut item_ref.item);
        Action::LinkFinding(LinkFinding {
            item: Some(item_ref),
            ..finding
        })
    };
    case.must(&one, of_item(1, "1"));
    for inspector in [&one, &two] {
        case.must(inspector, sign(inspector, K::Plan));
    }
    case.must(&two, refuse());
    case.refused_field("findings", &one, complete(false));
    case.must(&one, of_item(2, "2"));
    for inspector in [&one, &two] {
        case.must(inspector, sign(inspector, K::Plan));
    }
    case.must(&one, complete(false));
}

#[test]
fn one_hazard_may_be_what_is_wrong_with_several_items_and_once_with_each() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    let of_item = |finding: u128, item_no: &str| {
        Action::LinkFinding(LinkFinding {
            finding_id: finding_id(finding),
            hazard_id: Some(hazard_id(1)),
            advice: None,
            item: Some(item(item_no)),
            handling: Some(Handling::RectifyByDeadline),
        })
    };
    case.must(&one, of_item(1, "1"));
    case.must(&one, of_item(2, "2"));
    case.refused_field("hazard_id", &one, of_item(3, "2"));
}

#[test]
fn of_two_results_the_one_that_counts_is_to_be_handled() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, all_ok());
    case.must(&one, record(vec![result("1", ItemOutcome::NotOk)]));
    case.must(&two, record(vec![result("1", ItemOutcome::Ok)]));
    for inspector in [&one, &two] {
        case.must(inspector, sign(inspector, K::Plan));
    }
    case.must(&two, refuse());
    case.must(&one, complete(false));
}

#[test]
fn a_self_check_that_was_planned_is_handed_in_under_its_plan() {
    let mut case = Case::new();
    case.must(&principal(), plan(K::SelfCheck));
    case.must(&employee(), Action::SubmitSelfCheck(self_check(None)));
    assert_eq!(case.state(), S::Completed);
    assert!(case.it().window.is_some());
}

#[test]
fn no_hazard_found_is_said_and_contradicts_nothing() {
    let lead = Case::lead(K::SelfCheck);
    let mut case = Case::started(K::SelfCheck);
    case.must(&lead, all_ok());
    case.refused_field("no_hazard_found", &lead, complete(false));
    let mut found = case.clone();
    found.must(&lead, finding(K::SelfCheck, 1));
    found.refused_field("no_hazard_found", &lead, complete(true));
    found.must(&lead, complete(false));
    let mut failed = case.clone();
    failed.must(&employee(), record(vec![result("2", ItemOutcome::NotOk)]));
    failed.refused_field("no_hazard_found", &lead, complete(true));
    case.must(&lead, complete(true));
}

#[test]
fn mandatory_items_need_a_result_that_says_something() {
    let lead = Case::lead(K::GridPatrol);
    let mut case = Case::started(K::GridPatrol);
    case.must(
        &lead,
        record(vec![
            result("1", ItemOutcome::Ok),
            result("2", ItemOutcome::NotChecked),
        ]),
    );
    case.refused_as(RefusalCode::ItemsWithoutResult, &lead, complete(true));
    case.must(&lead, record(vec![result("2", ItemOutcome::NotApplicable)]));
    case.must(&lead, complete(true));
}

#[test]
fn of_one_persons_results_the_last_counts_and_two_peoples_stay_both() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, record(vec![result("1", ItemOutcome::NotOk)]));
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    assert_eq!(case.it().items[0].results.len(), 1);
    assert!(!case.it().items[0].is_disputed());
    let outcome = case.act(&two, record(vec![result("1", ItemOutcome::NotOk)]));
    assert_eq!(outcome.unwrap(), Outcome::Merged);
    let item = &case.it().items[0];
    assert_eq!(item.results.len(), 2);
    assert!(item.is_disputed());
    assert_eq!(item.result().unwrap().by, id_of(&two));
}

#[test]
fn what_was_recorded_offline_before_completion_is_kept_beside_what_was_signed() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::in_state(S::Completed, K::Plan);
    let late = record(vec![result("2", ItemOutcome::NotOk)]);
    case.refused_as(RefusalCode::NotAllowedInState, &two, late.clone());
    case.facts.knew = Knew::AsOf(Some(NOW.plus_millis(1)));
    // A clock that is put back makes nothing timely.
    case.facts.made_at = Some(NOW.plus_millis(-60_000));
    case.refused_as(RefusalCode::NotAllowedInState, &two, late.clone());
    case.facts.knew = Knew::AsOf(Some(NOW.plus_millis(-60_000)));
    case.must(&two, late);
    case.must(&one, finding(K::Plan, 2));
    let it = case.it();
    let item = it.item(&item("2")).unwrap();
    assert_eq!(item.results.len(), 2);
    assert_eq!(item.result().unwrap().outcome, ItemOutcome::Ok, "as signed");
    assert!(item.results[1].late && it.findings[1].late);
    assert_eq!(case.state(), S::Completed);
}

#[test]
fn a_clock_that_runs_ahead_loses_no_result_that_was_recorded_before_completion_was_known() {
    let day = 86_400_000;
    for ahead in [-day, 0, day] {
        for contact in [None, Some(NOW.plus_millis(-day)), Some(NOW)] {
            let mut case = Case::in_state(S::Completed, K::Plan);
            case.facts.made_at = Some(NOW.plus_millis(ahead));
            case.facts.knew = Knew::AsOf(contact);
            case.must(&inspector(2), record(vec![result("2", ItemOutcome::NotOk)]));
            assert!(case.it().item(&item("2")).unwrap().results[1].late);
        }
    }
}

#[test]
fn an_experts_advice_binds_nobody_until_it_is_reported_as_a_hazard() {
    let mut case = Case::started(K::ExpertVisit);
    case.must(&expert(), all_ok());
    let ordered = LinkFinding {
        finding_id: finding_id(3),
        hazard_id: None,
        advice: Some("建议".to_owned()),
        item: None,
        handling: Some(Handling::WorkSuspended),
    };
    case.refused_field("handling", &expert(), Action::LinkFinding(ordered.clone()));
    let found = LinkFinding {
        hazard_id: Some(hazard_id(3)),
        handling: None,
        ..ordered
    };
    case.refused_field("advice", &expert(), Action::LinkFinding(found));
    case.must(&expert(), finding(K::ExpertVisit, 1));
    case.refused_as(RefusalCode::SignatureMissing, &expert(), complete(false));
    case.must(&expert(), sign(&expert(), K::ExpertVisit));
    case.must(&expert(), complete(false));
    assert_eq!(case.it().findings[0].converted, None);
    assert!(!case.it().is_settled(), "its advice waits for somebody");
    case.refused_as(RefusalCode::FindingUnknown, &principal(), convert(9));
    case.must(&principal(), convert(1));
    let conversion = case.it().findings[0].converted.as_ref().unwrap();
    assert_eq!(conversion.hazard_id, hazard_id(1));
    assert!(case.it().is_settled());
    case.refused_as(RefusalCode::AlreadyExists, &principal(), convert(1));
}

#[test]
fn a_finding_names_a_hazard_of_this_enterprise() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    let other = EnterpriseId(Uuid::from_u128(0xe2));
    case.facts.hazards = Some([(hazard_id(1), Some(other)), (hazard_id(2), None)].into());
    case.refused_as(RefusalCode::FindingUnknown, &one, finding(K::Plan, 1));
    case.refused_as(RefusalCode::FindingUnknown, &one, finding(K::Plan, 3));
    case.must(&one, finding(K::Plan, 2));
}

#[test]
fn completion_says_how_many_photos_had_not_arrived() {
    let mut case = Case::in_state(S::InProgress, K::Plan);
    case.must(&inspector(1), attach(2));
    let receipt = ReceivePhoto {
        sha256: Digest([2; 32]),
    };
    case.must(
        &Actor::System,
        Action::ReceiveInspectionPhoto(receipt.clone()),
    );
    case.must(&Actor::System, Action::ReceiveInspectionPhoto(receipt));
    assert_eq!(
        case.it().photos_awaited(),
        2,
        "the first one and the representative's signature still are"
    );
    case.must(&inspector(1), complete(false));
    let InspectionStatus::Completed { photos_awaited, .. } = case.it().status else {
        panic!("completed")
    };
    assert_eq!(photos_awaited, 2);
}

#[test]
fn nobody_signs_in_anothers_name() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.refused_field("person_id", &one, sign(&two, K::Plan));
    case.refused_field("role", &principal(), sign(&one, K::Plan));
    let mut theirs = SignInspection {
        role: SignerRole::EnterpriseRepresentative,
        person_id: Some(id_of(&principal())),
        name: Some("王强".to_owned()),
        post: Some("总经理".to_owned()),
        signed_at: NOW,
        photo: None,
        seen: None,
    };
    case.refused_field("photo", &one, Action::SignInspection(theirs.clone()));
    theirs.photo = Some(photo(99));
    case.refused_field("person_id", &one, Action::SignInspection(theirs.clone()));
    theirs.person_id = None;
    theirs.name = None;
    case.refused_field("name", &one, Action::SignInspection(theirs));
}

#[test]
fn who_was_taken_off_the_team_inspects_no_more() {
    let mut case = Case::started(K::Plan);
    let change = ChangeTeam {
        team: vec![member(&inspector(2)), member(&inspector(3))],
        reason: "回避".to_owned(),
    };
    case.must(
        &person(Role::DepartmentHead, 9),
        Action::ChangeTeam(change.clone()),
    );
    case.refused_as(RefusalCode::NotOnTeam, &inspector(1), all_ok());
    case.must(&inspector(3), all_ok());
    let alone = ChangeTeam {
        team: vec![member(&inspector(2))],
        ..change
    };
    case.refused_field("team", &inspector(2), Action::ChangeTeam(alone));
}

#[test]
fn an_inspection_follows_its_enterprise_once_and_what_it_holds_stays() {
    let mut case = Case::in_state(S::Completed, K::Plan);
    let before = case.it().clone();
    case.must(&Actor::System, follow(OTHER_TOWN));
    let moved = case.it().clone();
    assert_eq!(moved.jurisdiction_id, OTHER_TOWN);
    assert_eq!(moved.version, before.version + 1);
    case.must(&Actor::System, follow(OTHER_TOWN));
    assert_eq!(case.it(), &moved, "it is there already");
    case.must(&Actor::System, follow(TOWN));
    let back = Inspection {
        version: before.version,
        updated_at: before.updated_at,
        ..case.it().clone()
    };
    assert_eq!(back, before);
}

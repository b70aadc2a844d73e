//! What people fill in: refused by field where it is missing, malformed or beyond a limit.

use super::*;
use crate::geography::{CoordinateReference, Position};

fn refused_setup(field: &str, kind: InspectionKind, change: impl Fn(&mut InspectionSetup)) {
    let mut what = setup(kind);
    change(&mut what);
    Case::new().refused_field(field, &Case::lead(kind), start(Some(what)));
}

#[test]
fn a_setup_says_whom_it_concerns_by_what_and_with_whom() {
    refused_setup("setup.enterprise_id", K::Plan, |s| s.enterprise_id = None);
    refused_setup("setup.basis", K::Plan, |s| s.basis = None);
    refused_setup("setup.cadence", K::SelfCheck, |s| s.cadence = None);
    refused_setup("setup.cadence", K::Plan, |s| {
        s.cadence = Some(Cadence::Daily);
    });
    refused_setup("setup.departments", K::Joint, |s| {
        s.departments.truncate(1);
    });
    refused_setup("setup.departments[1]", K::Joint, |s| {
        s.departments[1] = s.departments[0].clone();
    });
    refused_setup("setup.team", K::Plan, |s| {
        s.team = vec![member(&inspector(1))];
    });
    refused_setup("setup.team[1].person_id", K::Plan, |s| {
        s.team = vec![member(&inspector(1)), member(&inspector(1))];
    });
    refused_setup("setup.checklists[0].code", K::Plan, |s| {
        s.checklists[0].code = " ".to_owned();
    });
    refused_setup("setup.checklists[1].code", K::Plan, |s| {
        s.checklists.push(s.checklists[0].clone());
    });
    refused_setup("setup.reason", K::Plan, |s| {
        s.reason = Some("长".repeat(501));
    });
}

#[test]
fn a_patrol_needs_no_enterprise_but_somebody_who_answers() {
    let lead = Case::lead(K::GridPatrol);
    let mut what = setup(K::GridPatrol);
    what.enterprise_id = None;
    what.position = Some(
        Position::from_stored(1_000_000, 2, CoordinateReference::Gcj02, None, None, None).unwrap(),
    );
    let mut case = Case::new();
    case.facts.jurisdiction_id = None;
    case.refused_as(
        RefusalCode::JurisdictionUnknown,
        &lead,
        start(Some(what.clone())),
    );
    case.facts.jurisdiction_id = Some(TOWN);
    case.must(&lead, start(Some(what)));
}

#[test]
fn a_plan_lies_neither_in_the_past_nor_too_far_ahead() {
    let one = inspector(1);
    let planned = |from: &str, to: &str| {
        Action::PlanInspection(PlanInspection {
            setup: setup(K::Plan),
            window_from: date(from),
            window_to: date(to),
        })
    };
    let mut case = Case::new();
    case.facts.limits.plan_days = 10;
    case.refused_field("window_to", &one, planned("2026-11-24", "2026-11-23"));
    case.refused_field("window_to", &one, planned("2026-11-20", "2026-11-21"));
    case.refused_field("window_to", &one, planned("2026-11-23", "2026-12-03"));
    case.facts.made_at = Some(NOW.plus_millis(-86_400_000));
    case.clone().must(&one, planned("2026-11-20", "2026-11-21"));
    case.must(&one, planned("2026-11-23", "2026-12-02"));
}

#[test]
fn the_id_of_an_inspection_is_a_uuid_of_version_7() {
    let command = Command::new(
        InspectionId(Uuid::from_u128(1)),
        start(Some(setup(K::Plan))),
    );
    let refusal = decide(None, &command, &inspector(1), &Case::new().facts).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("id"));
}

#[test]
fn results_speak_of_items_of_this_inspections_checklists() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    case.refused_field("results", &one, record(Vec::new()));
    let mut foreign = result("1", ItemOutcome::Ok);
    foreign.item.checklist = "other".to_owned();
    case.refused_field("results[0].item.checklist", &one, record(vec![foreign]));
    let twice = vec![
        result("1", ItemOutcome::Ok),
        result("1", ItemOutcome::NotOk),
    ];
    case.refused_field("results[1].item", &one, record(twice));
    let mut silent = result("1", ItemOutcome::NotOk);
    silent.note = None;
    case.refused_field("results[0].note", &one, record(vec![silent]));
}

#[test]
fn photos_of_results_are_named_once_and_may_be_shown_again() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    let shown = |size| {
        let mut shown = result("1", ItemOutcome::NotOk);
        shown.photos = vec![PhotoRef { size, ..photo(5) }];
        record(vec![shown])
    };
    case.refused_field("results.photos.size", &one, shown(0));
    case.must(&one, shown(1_000));
    case.must(&one, shown(1_000));
    assert_eq!(case.it().photos.len(), 1);
    assert_eq!(case.it().items[0].results[0].photos, [Digest([5; 32])]);
    case.refused_field("photo.sha256", &one, attach(5));
}

#[test]
fn every_count_has_its_limit() {
    let one = inspector(1);
    let small = InspectionLimits {
        checklists: 1,
        items: 2,
        findings: 1,
        attendees: 2,
        team: 20,
        photos: 1,
        ..InspectionLimits::default()
    };
    let mut case = Case::new();
    case.facts.limits = small.clone();
    let mut two_lists = setup(K::Plan);
    two_lists.checklists.push(ChecklistRef {
        code: "second".to_owned(),
        edition: 1,
        mandatory: Vec::new(),
    });
    let reached = RefusalCode::LimitReached;
    case.refused_as(reached, &one, start(Some(two_lists)));
    let mut crowd = setup(K::Plan);
    crowd.team.extend((50..60).map(|n| member(&inspector(n))));
    case.refused_as(reached, &one, start(Some(crowd)));
    let mut three = setup(K::Plan);
    three.checklists[0].mandatory.push("3".to_owned());
    case.refused_as(reached, &one, start(Some(three)));
    case.must(&one, start(Some(setup(K::Plan))));
    case.must(&one, all_ok());
    case.refused_as(reached, &one, record(vec![result("3", ItemOutcome::Ok)]));
    case.must(&one, finding(K::Plan, 1));
    case.refused_as(reached, &one, finding(K::Plan, 2));
    let attend = |names: &[&str]| {
        let attendees = names.iter().map(|name| attendee(name)).collect();
        Action::RecordAttendance(RecordAttendance { attendees })
    };
    case.refused_as(reached, &one, attend(&["甲", "乙"]));
    case.must(&one, attend(&["甲"]));
    case.must(&one, attach(1));
    case.refused_as(reached, &one, attach(2));
    for _ in 0..2 {
        case.must(&one, sign(&one, K::Plan));
    }
    case.refused_as(reached, &one, sign(&one, K::Plan));
}

#[test]
fn claimed_times_are_plausible() {
    let one = inspector(1);
    let mut case = Case::new();
    let wrong = StartInspection {
        started_at: Timestamp::from_millis(0),
        ..beginning(Some(setup(K::Plan)))
    };
    case.refused_field("started_at", &one, Action::StartInspection(wrong));
}

#[test]
fn a_refusal_names_reason_and_witness() {
    let mut case = Case::started(K::Plan);
    let mut refusal = RecordRefusal {
        reason: String::new(),
        refused_by: None,
        witness: "李芳".to_owned(),
        refused_at: NOW,
    };
    case.refused_field(
        "reason",
        &inspector(1),
        Action::RecordRefusal(refusal.clone()),
    );
    refusal.reason = "不同意".to_owned();
    refusal.witness = " ".to_owned();
    case.refused_field("witness", &inspector(1), Action::RecordRefusal(refusal));
}

//! What a plan, an acceptance and a review must say, by the grade of the hazard.

use super::*;

fn changed(change: impl FnOnce(&mut SubmitPlan)) -> Action {
    let mut plan = plan();
    change(&mut plan);
    Action::SubmitPlan(plan)
}

fn confirmed(grade: Grade) -> Case {
    Case::in_state(StatusName::Confirmed, Source::DeptInspection, grade)
}

/// Who does what by when, and nothing else.
fn short_plan() -> Action {
    let whole = plan();
    Action::SubmitPlan(SubmitPlan {
        leader: None,
        responsible: Party {
            phone: None,
            ..whole.responsible
        },
        measures_interim: String::new(),
        funds_fen: None,
        funds_source: String::new(),
        contingency: String::new(),
        milestones: Vec::new(),
        workers_congress: None,
        photos: Vec::new(),
        goal: None,
        no_photo_reason: None,
        ..whole
    })
}

#[test]
fn a_general_hazards_plan_says_who_does_what_by_when() {
    let mut case = confirmed(Grade::General);
    case.must(&safety_officer(), short_plan());
    assert_eq!(case.state(), StatusName::Rectifying);

    let mut case = confirmed(Grade::General);
    let by_nobody = changed(|plan| plan.responsible.name.clear());
    let nothing = changed(|plan| plan.measures_permanent = "\u{3000}".to_owned());
    for (action, field) in [
        (by_nobody, "responsible.name"),
        (nothing, "measures_permanent"),
    ] {
        let refusal = case.refused(&safety_officer(), action);
        assert_eq!(refusal.code, RefusalCode::FulfilmentsIncomplete);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}

#[test]
fn a_major_hazards_plan_lacks_none_of_the_five() {
    type Change = fn(&mut SubmitPlan);
    let lacking: [(&str, Change); 11] = [
        ("leader.name", |plan| plan.leader = None),
        ("leader.phone", |plan| {
            plan.leader.as_mut().unwrap().phone = None;
        }),
        ("responsible.phone", |plan| plan.responsible.phone = None),
        ("measures_interim", |plan| plan.measures_interim.clear()),
        ("measures_permanent", |plan| plan.measures_permanent.clear()),
        ("funds_fen", |plan| plan.funds_fen = None),
        ("funds_source", |plan| plan.funds_source.clear()),
        ("contingency", |plan| plan.contingency.clear()),
        ("milestones", |plan| plan.milestones.clear()),
        ("workers_congress", |plan| plan.workers_congress = None),
        ("workers_congress", |plan| {
            plan.workers_congress.as_mut().unwrap().how.clear();
        }),
    ];
    for (field, change) in lacking {
        let mut case = confirmed(Grade::Major);
        let refusal = case.refused(&principal(), changed(change));
        assert_eq!(refusal.code, RefusalCode::FulfilmentsIncomplete, "{field}");
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}

#[test]
fn a_major_hazards_plan_shows_the_notice_board_or_says_why_not() {
    let mut case = confirmed(Grade::Major);
    let unseen = changed(|plan| plan.no_photo_reason = None);
    case.refused_as(RefusalCode::PhotoRequired, &principal(), unseen);
    let shown = changed(|plan| {
        plan.no_photo_reason = None;
        plan.photos = vec![PhotoRef {
            kind: PhotoKind::Document,
            ..photo(8)
        }];
    });
    case.must(&principal(), shown);
}

#[test]
fn a_plan_made_for_a_general_hazard_is_not_acknowledged_for_a_major_one() {
    let mut case = confirmed(Grade::General);
    case.must(&safety_officer(), short_plan());
    case.must(&reviewer(), change_grade(Grade::Major));
    let refusal = case.refused(&reviewer(), decide_plan(true));
    assert_eq!(refusal.code, RefusalCode::FulfilmentsIncomplete);
    case.must(&reviewer(), decide_plan(false));
    case.must(&principal(), submit_plan());
    case.must(&reviewer(), decide_plan(true));
}

#[test]
fn a_major_hazards_correction_states_its_cost() {
    let mut case = Case::planned(Source::DeptInspection);
    let Action::SubmitRectification(submission) = submit(2) else {
        unreachable!()
    };
    let without = |cost_fen| {
        Action::SubmitRectification(SubmitRectification {
            cost_fen,
            ..submission.clone()
        })
    };
    case.refused_field("cost_fen", &principal(), without(None));
    case.must(&principal(), without(Some(0)));
}

#[test]
fn passing_a_major_hazard_has_a_number_and_says_what_was_looked_at() {
    let submitted = |grade| {
        let mut case = match grade {
            Grade::Major => Case::planned(Source::DeptInspection),
            Grade::General => confirmed(grade),
        };
        case.must(&principal(), submit(2));
        case
    };
    let Action::Reinspect(passed) = pass() else {
        unreachable!()
    };
    let unnumbered = Action::Reinspect(Reinspect {
        document_no: None,
        ..passed.clone()
    });
    let nothing = Action::Reinspect(Reinspect {
        items: Vec::new(),
        ..passed
    });
    let mut major = submitted(Grade::Major);
    major.refused_field("document_no", &inspector(1), unnumbered.clone());
    major.refused_field("items", &inspector(1), nothing.clone());
    submitted(Grade::General).must(&inspector(1), unnumbered);
    submitted(Grade::General).must(&inspector(1), nothing);
    let Action::Reinspect(returned) = fail(None) else {
        unreachable!()
    };
    let of_nothing = Action::Reinspect(Reinspect {
        items: Vec::new(),
        ..returned
    });
    major.refused_field("items", &inspector(1), of_nothing.clone());
    submitted(Grade::General).must(&inspector(1), of_nothing);
    // What is returned for something needs neither number nor photo: it is returned at once.
    major.must(&inspector(1), fail(None));
}

#[test]
fn a_confirmation_names_the_category_where_the_report_does_not() {
    let Action::Confirm(confirmation) = confirm(Grade::General) else {
        unreachable!()
    };
    let without = Action::Confirm(crate::command::Confirm {
        category: None,
        ..confirmation
    });
    let mut case = Case::reported(Source::DeptInspection, Grade::General);
    case.refused_field("category", &inspector(1), without.clone());
    let Action::Confirm(blank) = confirm(Grade::General) else {
        unreachable!()
    };
    let blank = Action::Confirm(crate::command::Confirm {
        category: Some(" ".to_owned()),
        ..blank
    });
    case.refused_field("category", &inspector(1), blank);
    case.clone().must(&inspector(1), confirm(Grade::General));
    case.facts.limits.category_required = false;
    case.must(&inspector(1), without.clone());

    let mut named = Case::new();
    let nature = crate::command::Nature {
        category: Some("消防".to_owned()),
        ..Default::default()
    };
    let report = Report {
        nature: Some(nature),
        ..report(Source::DeptInspection, Grade::General)
    };
    named.must(&author(Source::DeptInspection), Action::Report(report));
    named.must(&inspector(1), without);
    let category = |case: &Case| case.hazard().nature.clone().unwrap().category.unwrap();
    assert_eq!(category(&named), "消防");

    let mut case = Case::reported(Source::DeptInspection, Grade::General);
    case.must(&inspector(1), confirm(Grade::General));
    assert_eq!(category(&case), "生产设备设施及工艺");
}

#[test]
fn consent_to_resume_follows_a_review_on_site_that_is_seen() {
    let asked = || {
        let mut case = confirmed(Grade::Major);
        case.must(&head(), suspend());
        case.must(&principal(), ask_to_resume());
        case
    };
    let Action::DecideResumption(consent) = resume(true) else {
        unreachable!()
    };
    let unseen = Action::DecideResumption(DecideResumption {
        no_photo_reason: None,
        ..consent.clone()
    });
    let from_the_desk = Action::DecideResumption(DecideResumption {
        reviewed_on: None,
        ..consent.clone()
    });
    let tomorrow_week = Action::DecideResumption(DecideResumption {
        reviewed_on: Some(date("2026-12-01")),
        ..consent.clone()
    });
    let before_the_order = Action::DecideResumption(DecideResumption {
        reviewed_on: Some(date("2026-11-21")),
        ..consent.clone()
    });
    let by_letter = Action::DecideResumption(DecideResumption {
        no_photo_reason: None,
        photos: vec![PhotoRef {
            kind: PhotoKind::Document,
            media_type: "application/pdf".to_owned(),
            ..photo(7)
        }],
        ..consent.clone()
    });
    let refused_from_the_desk = Action::DecideResumption(DecideResumption {
        granted: false,
        reviewed_on: None,
        no_photo_reason: None,
        ..consent
    });
    asked().refused_as(RefusalCode::PhotoRequired, &reviewer(), unseen);
    asked().refused_field("reviewed_on", &reviewer(), from_the_desk);
    asked().refused_field("reviewed_on", &reviewer(), tomorrow_week);
    asked().refused_field("reviewed_on", &reviewer(), before_the_order);
    asked().refused_as(RefusalCode::PhotoRequired, &reviewer(), by_letter);
    asked().must(&reviewer(), refused_from_the_desk);
    asked().must(&reviewer(), resume(true));
}

#[test]
fn what_the_principal_asks_for_the_department_decides() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(&safety_officer(), confirm(Grade::General));
    case.must(&principal(), request_extension("2026-12-12"));
    let code = RefusalCode::SamePerson;
    case.refused_as(code, &principal(), decide_extension(true));
    case.refused_as(
        RefusalCode::NotPermitted,
        &safety_officer(),
        decide_extension(true),
    );
    case.must(&reviewer(), decide_extension(true));
}

#[test]
fn a_bureau_may_keep_finders_from_passing_and_closing() {
    let finder = author(Source::DeptInspection);
    let mut case = Case::in_state(
        StatusName::PendingReinspection,
        Source::DeptInspection,
        Grade::General,
    );
    case.clone().must(&finder, close());
    case.facts.limits.finder_may_not_reinspect = true;
    case.refused_as(RefusalCode::SamePerson, &finder, pass());
    case.refused_as(RefusalCode::SamePerson, &finder, close());
    // To say that it is not corrected takes nobody else.
    case.clone().must(&finder, fail(None));
    case.must(&inspector(1), close());
}

#[test]
fn nor_does_the_finder_count_as_the_second() {
    let mut case = Case::planned(Source::DeptInspection);
    case.must(&principal(), submit(2));
    case.facts.limits.finder_may_not_reinspect = true;
    case.facts.seconds = vec![author(Source::DeptInspection)];
    let passed = pass_of(&case);
    case.must(&inspector(1), passed);
    let Status::PendingReinspection { submission, .. } = &case.hazard().status else {
        panic!("{:?}", case.hazard().status);
    };
    assert_eq!(submission.passed_by, [id_of(&inspector(1))]);
}

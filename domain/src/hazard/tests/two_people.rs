//! What takes two people, one after the other or on one phone; what was fixed on the spot; and due
//! dates that are counted in days.

use super::*;
use crate::command::{FixedOnSpot, Served};

#[test]
fn two_certified_inspectors_confirm_a_major_hazard_one_after_the_other() {
    let mut case = Case::reported(Source::OpenVisit, Grade::Major);
    case.must(&inspector(1), confirm(Grade::Major));
    assert_eq!(case.state(), StatusName::Reported);
    case.refused_as(RefusalCode::SamePerson, &inspector(1), agree());
    case.refused_as(
        RefusalCode::AlreadyPending,
        &inspector(2),
        confirm(Grade::Major),
    );
    case.must(&inspector(2), agree());
    assert_eq!(case.state(), StatusName::Confirmed);
    let order = case.hazard().order().unwrap();
    assert_eq!(order.confirmed_by, id_of(&inspector(1)));
    assert_eq!(order.second, Some(id_of(&inspector(2))));
    assert_eq!(case.hazard().proposal, None);
}

#[test]
fn two_who_sign_one_command_confirm_and_pass_at_once() {
    let mut case = Case::reported(Source::OpenVisit, Grade::Major);
    case.facts.seconds = vec![inspector(1)];
    case.clone().must(&inspector(1), confirm(Grade::Major));
    let mut alone = case.clone();
    alone.must(&inspector(1), confirm(Grade::Major));
    assert_eq!(alone.state(), StatusName::Reported, "oneself is no second");
    case.facts.seconds = vec![person(Role::Employee, 9), inspector(2)];
    case.must(&inspector(1), confirm(Grade::Major));
    assert_eq!(case.state(), StatusName::Confirmed);

    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.facts.seconds = vec![inspector(2)];
    case.refused_field("on", &inspector(1), pass());
    case.must(&inspector(1), pass_of(&case));
    for number in [1, 2] {
        case.must(&Actor::System, receive(number));
    }
    case.must(&inspector(1), close());
}

#[test]
fn the_submitter_is_no_second_inspector() {
    let both = Actor::Person {
        person_id: PersonId(Uuid::from_u128(42)),
        roles: vec![Role::Principal, Role::Inspector],
        certified: true,
    };
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&both, submit(2));
    case.facts.seconds = vec![both];
    case.must(&inspector(1), pass_of(&case));
    case.refused_as(RefusalCode::TooFewReinspections, &inspector(1), close());
}

#[test]
fn the_department_or_the_principal_declares_a_major_hazard_alone() {
    for actor in [reviewer(), head()] {
        let mut case = Case::reported(Source::OpenVisit, Grade::Major);
        case.must(&actor, confirm(Grade::Major));
        assert_eq!(case.state(), StatusName::Confirmed);
    }
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::Major);
    case.must(&principal(), confirm(Grade::Major));
    assert_eq!(case.state(), StatusName::Confirmed);
    assert_eq!(
        case.hazard().order().unwrap().authority,
        Authority::Department,
        "its due date is not the enterprise's to extend"
    );
}

#[test]
fn an_order_is_signed_for_or_the_refusal_is_recorded() {
    let with = |served: Served| {
        let Action::Confirm(confirm) = confirm(Grade::General) else {
            unreachable!()
        };
        Action::Confirm(Confirm {
            served: Some(served),
            ..confirm
        })
    };
    let nobody = Served {
        name: "王强".to_owned(),
        post: Some("安全员".to_owned()),
        signature: None,
        refused_because: None,
        witness: None,
    };
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(
        &inspector(1),
        Action::AttachPhoto(AttachPhoto {
            photo: PhotoRef {
                kind: PhotoKind::Signature,
                ..photo(8)
            },
        }),
    );
    case.clone()
        .refused_field("served", &inspector(1), with(nobody.clone()));
    let signed_by = |photo: u8| Served {
        signature: Some(Digest([photo; 32])),
        ..nobody.clone()
    };
    // Unknown, and a picture of the hazard itself.
    for photo in [9, 1] {
        case.clone()
            .refused_field("served.signature", &inspector(1), with(signed_by(photo)));
    }
    let signed = signed_by(8);
    let mut lost = case.clone();
    lost.must(&administrator(), lose(8));
    lost.refused_field("served.signature", &inspector(1), with(signed.clone()));
    case.clone().must(&inspector(1), with(signed.clone()));
    let both = Served {
        refused_because: Some("不认可".to_owned()),
        ..signed
    };
    case.clone()
        .refused_field("served.refused_because", &inspector(1), with(both));
    let refused = Served {
        refused_because: Some("不认可".to_owned()),
        witness: Some("社区干部 李某".to_owned()),
        ..nobody.clone()
    };
    case.clone().must(&inspector(1), with(refused));
    let mut with_account = case;
    with_account.facts.seconds = vec![safety_officer()];
    with_account.must(&inspector(1), with(nobody));
}

fn fixed(grade: Grade, photos: Vec<PhotoRef>) -> Action {
    Action::Report(Report {
        photos,
        fixed_on_spot: Some(FixedOnSpot {
            measures: "移走堵塞通道的料箱".to_owned(),
            responsible_person: "王强".to_owned(),
            completed_at: NOW,
            cost_fen: None,
        }),
        ..report(Source::EmployeeReport, grade)
    })
}

#[test]
fn a_general_hazard_fixed_on_the_spot_is_one_submission_and_somebody_else_closes_it() {
    let after = PhotoRef {
        kind: PhotoKind::After,
        ..photo(2)
    };
    let mut case = Case::new();
    case.refused_field(
        "fixed_on_spot",
        &employee(),
        fixed(Grade::Major, vec![photo(1), after.clone()]),
    );
    case.refused_as(
        RefusalCode::PhotoRequired,
        &employee(),
        fixed(Grade::General, vec![photo(1)]),
    );
    case.must(
        &employee(),
        fixed(Grade::General, vec![photo(1), after.clone()]),
    );
    assert_eq!(case.state(), StatusName::PendingReinspection);
    assert!(case.hazard().fixed_on_spot);
    assert!(case.hazard().issued_order().is_none(), "nobody ordered it");
    case.must(&safety_officer(), pass());
    for number in [1, 2] {
        case.must(&Actor::System, receive(number));
    }
    case.must(&safety_officer(), close());

    let mut own = Case::new();
    own.must(
        &safety_officer(),
        fixed(Grade::General, vec![photo(1), after]),
    );
    own.refused_as(RefusalCode::SamePerson, &safety_officer(), pass());
}

fn within(days: u32, kind: DayKind) -> Action {
    let Action::Confirm(confirm) = confirm(Grade::General) else {
        unreachable!()
    };
    Action::Confirm(Confirm {
        period: Some(Period {
            days,
            kind,
            rule: Some("order".to_owned()),
        }),
        ..confirm
    })
}

#[test]
fn a_due_date_counted_in_days_follows_the_published_calendar() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), within(10, DayKind::Working));
    let order = case.hazard().order().unwrap();
    assert_eq!(order.due_date, date("2026-12-04"));
    assert_eq!(order.due_date_original, date("2026-12-04"));
    let deadline = order.deadline.as_ref().unwrap();
    assert_eq!(deadline.start, date("2026-11-22"));
    assert!(!deadline.provisional);

    // The last day is a Saturday: the period ends with the next working day.
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), within(6, DayKind::Calendar));
    assert_eq!(case.hazard().order().unwrap().due_date, date("2026-11-30"));
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.refused_field(
        "period.days",
        &inspector(1),
        within(4_000, DayKind::Working),
    );
    case.refused_as(
        RefusalCode::DueDateOutOfRange,
        &inspector(1),
        within(1_000, DayKind::Calendar),
    );
}

#[test]
fn days_are_counted_from_when_the_order_was_made_unless_that_clock_stands_far_back() {
    let counted = |days_ago: i64| {
        let mut case = Case::reported(Source::OpenVisit, Grade::General);
        case.facts.made_at = Some(NOW.plus_millis(-days_ago * DAY_MS));
        case.must(&inspector(1), within(20, DayKind::Calendar));
        let order = case.hazard().order().unwrap();
        let deadline = order.deadline.as_ref().unwrap();
        (deadline.start, order.due_date, deadline.start_claimed)
    };
    assert_eq!(counted(6), (date("2026-11-16"), date("2026-12-07"), true));
    assert_eq!(counted(60).0, date("2026-09-23"));
    // Made when it came, or not believed: counted from the receipt, and nothing is claimed.
    assert!(!counted(0).2);
    assert_eq!(counted(61), (date("2026-11-22"), date("2026-12-14"), false));
}

#[test]
fn a_provisional_due_date_moves_once_its_year_is_published_and_no_other_does() {
    use crate::calendar::{CalendarRow, DayMark, parse_calendar};
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), within(30, DayKind::Working));
    let counted = case.hazard().order().unwrap().clone();
    assert!(counted.deadline.as_ref().unwrap().provisional);
    assert_eq!(counted.due_date, date("2027-01-01"));
    let again = || Action::RecomputeDeadline(RecomputeDeadline {});
    case.must(&Actor::System, again());
    assert_eq!(
        case.hazard().order(),
        Some(&counted),
        "nothing new, no event"
    );

    let text = include_str!("../../../../catalog/calendars/china-workdays-2020-2026.csv");
    let mut rows = parse_calendar(text).unwrap();
    let next_year = [
        "01-01", "01-02", "01-03", "02-05", "02-06", "02-07", "02-08", "02-09", "02-10", "02-11",
        "04-05", "05-01", "06-09",
    ];
    rows.extend(next_year.map(|day| CalendarRow {
        date: date(&format!("2027-{day}")).date(),
        mark: DayMark::Holiday,
        occasion: "节".to_owned(),
    }));
    case.facts.calendar = std::sync::Arc::new(WorkdayCalendar::from_rows(rows));
    let mut extended = case.clone();
    extended.must(&person(Role::Principal, 1), request_extension("2027-01-20"));
    extended.must(&reviewer(), decide_extension(true));
    extended.must(&Actor::System, again());
    let order = extended.hazard().order().unwrap();
    assert_eq!(order.due_date, date("2027-01-20"));
    assert_eq!(
        order.due_date_original,
        date("2027-01-04"),
        "figures count by the first date, so it is put right although another is in force"
    );
    case.must(&Actor::System, again());
    let order = case.hazard().order().unwrap();
    assert_eq!(order.due_date, date("2027-01-04"));
    assert_eq!(order.due_date_original, date("2027-01-04"));
    assert!(!order.deadline.as_ref().unwrap().provisional);

    let version = case.hazard().version;
    case.facts.calendar = std::sync::Arc::new(WorkdayCalendar::default());
    case.must(&Actor::System, again());
    assert_eq!(case.hazard().version, version, "a date once set stays");
}

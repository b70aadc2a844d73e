//! 反弹: what looks like the same again, and what a report may claim.

use super::*;
use crate::command::Nature;
use crate::hazard::{Likeness, Repeated};

fn closed() -> Hazard {
    Case::in_state(StatusName::Closed, Source::DeptInspection, Grade::General)
        .hazard()
        .clone()
}

/// Found the day after the first was closed, and confirmed by the same criterion.
fn again() -> Hazard {
    let mut case = Case::new();
    case.id = HazardId(Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0aaa));
    case.facts.now = NOW.plus_millis(2 * DAY_MS);
    let report = Report {
        found_at: NOW.plus_millis(DAY_MS),
        ..report(Source::DeptInspection, Grade::General)
    };
    case.must(&author(Source::DeptInspection), Action::Report(report));
    case.must(&inspector(1), confirm(Grade::General));
    case.hazard().clone()
}

fn nature(category: Option<&str>, risk_point: Option<&str>) -> Option<Nature> {
    Some(Nature {
        category: category.map(str::to_owned),
        risk_point: risk_point.map(str::to_owned),
        ..Nature::default()
    })
}

#[test]
fn the_same_criterion_of_one_enterprise_within_a_year_looks_like_the_same_again() {
    assert_eq!(
        closed().may_recur_in(&again(), 12),
        Some(Likeness::Criterion)
    );
    let mut newer_edition = again();
    newer_edition.criterion.as_mut().unwrap().edition = 9;
    assert_eq!(
        closed().may_recur_in(&newer_edition, 12),
        Some(Likeness::Criterion)
    );
}

#[test]
fn so_does_the_same_category_where_the_criterion_differs() {
    let mut later = again();
    later.criterion = None;
    assert_eq!(closed().may_recur_in(&later, 12), Some(Likeness::Category));
    later.nature = nature(Some("消防"), None);
    assert_eq!(closed().may_recur_in(&later, 12), None);
}

#[test]
fn another_enterprise_place_or_time_does_not() {
    let nobodys = |mut hazard: Hazard| {
        hazard.enterprise_id = None;
        hazard
    };
    assert_eq!(nobodys(closed()).may_recur_in(&nobodys(again()), 12), None);
    let mut neighbours = again();
    neighbours.enterprise_id = Some(EnterpriseId(Uuid::from_u128(0xe2)));
    assert_eq!(closed().may_recur_in(&neighbours, 12), None);

    let (mut here, mut there) = (closed(), again());
    here.nature = nature(None, Some("除尘系统"));
    assert!(
        here.may_recur_in(&there, 12).is_some(),
        "one names no point"
    );
    there.nature = nature(None, Some("喷漆房"));
    assert_eq!(here.may_recur_in(&there, 12), None);
    there.nature = nature(None, Some("除尘系统 "));
    assert!(here.may_recur_in(&there, 12).is_some());

    let mut before = again();
    before.found_at = NOW.plus_millis(-1);
    assert!(
        closed().may_recur_in(&before, 12).is_some(),
        "a slow clock hides nothing"
    );
    before.received_at = NOW.plus_millis(-1);
    assert_eq!(closed().may_recur_in(&before, 12), None);
    let mut late = again();
    late.found_at = Timestamp::parse("2027-11-22T15:59:59Z").unwrap();
    assert!(closed().may_recur_in(&late, 12).is_some(), "the last day");
    late.found_at = Timestamp::parse("2027-11-22T16:00:00Z").unwrap();
    assert_eq!(closed().may_recur_in(&late, 12), None);
    assert_eq!(closed().may_recur_in(&closed(), 12), None, "itself");
}

#[test]
fn what_is_not_closed_does_not_recur() {
    let open = Case::in_state(
        StatusName::PendingReinspection,
        Source::DeptInspection,
        Grade::General,
    );
    assert_eq!(open.hazard().may_recur_in(&again(), 12), None);
}

#[test]
fn a_report_says_truly_what_it_repeats() {
    let earlier = HazardId(Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0001));
    let claim = || {
        Action::Report(Report {
            recurrence_of: Some(earlier),
            ..report(Source::Grid, Grade::General)
        })
    };
    let grid_worker = person(Role::GridWorker, 1);
    let known = |status, enterprise_id| Repeated::Known {
        status,
        enterprise_id,
    };
    let other = Some(EnterpriseId(Uuid::from_u128(0xe2)));
    for wrong in [
        Repeated::Unknown,
        known(StatusName::Closed, other),
        known(StatusName::Rejected, Some(ENTERPRISE)),
        known(StatusName::Merged, Some(ENTERPRISE)),
    ] {
        let mut case = Case::new();
        case.facts.repeated = wrong;
        case.refused_field("recurrence_of", &grid_worker, claim());
        // From a device the hazard comes in, without the hint.
        case.facts.made_at = Some(NOW);
        case.must(&grid_worker, claim());
        assert_eq!(case.hazard().recurrence_of, None);
        assert_eq!(Hazard::from_history(&case.history), case.hazard);
    }
    for right in [
        // A device that does not hold everything.
        Repeated::NotLookedUp,
        known(StatusName::Closed, Some(ENTERPRISE)),
        // Nobody knew yet whose it was.
        known(StatusName::Closed, None),
        // Reopened while the report was on its way.
        known(StatusName::Rectifying, Some(ENTERPRISE)),
    ] {
        let mut case = Case::new();
        case.facts.repeated = right;
        case.must(&grid_worker, claim());
        assert_eq!(case.hazard().recurrence_of, Some(earlier));
    }
}

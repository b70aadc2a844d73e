//! A hazard that one enterprise reported and that turned out to be another's: the other has told nothing
//! itself, so nothing that self-reporting opens is open to its people.

use super::*;

const OTHER: EnterpriseId = EnterpriseId(Uuid::from_u128(0xe2));

fn to(case: &mut Case, enterprise: EnterpriseId) {
    let version = case.hazard().version;
    let change = Amend {
        enterprise_id: Some(enterprise),
        ..amend(version)
    };
    case.must(&inspector(9), Action::Amend(change));
}

fn readdressed(grade: Grade) -> Case {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, grade);
    to(&mut case, OTHER);
    case
}

#[test]
fn its_people_confirm_pass_and_close_nothing_as_their_own_find() {
    let mut case = readdressed(Grade::General);
    for own in [safety_officer(), principal()] {
        case.refused_as(RefusalCode::NotPermitted, &own, confirm(Grade::General));
    }
    case.must(&inspector(1), confirm(Grade::General));
    case.must(&employee(), submit(2));
    case.refused_as(RefusalCode::NotPermitted, &safety_officer(), pass());
    case.must(&inspector(1), pass());
    for photo in [1, 2] {
        case.must(&Actor::System, receive(photo));
    }
    case.refused_as(RefusalCode::NotPermitted, &principal(), close());
    case.must(&inspector(1), close());
}

#[test]
fn its_principal_declares_nothing_that_others_told() {
    let mut case = readdressed(Grade::Major);
    case.refused_as(
        RefusalCode::NotPermitted,
        &principal(),
        confirm(Grade::Major),
    );
}

#[test]
fn back_where_it_was_reported_it_stays_with_the_department() {
    let mut case = readdressed(Grade::General);
    to(&mut case, ENTERPRISE);
    case.refused_as(
        RefusalCode::NotPermitted,
        &safety_officer(),
        confirm(Grade::General),
    );
    case.must(&inspector(1), confirm(Grade::General));
}

#[test]
fn a_due_date_of_the_first_enterprises_own_is_the_departments_to_extend_from_then_on() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.must(&safety_officer(), confirm(Grade::General));
    assert_eq!(
        case.hazard().order().unwrap().authority,
        Authority::Enterprise
    );
    case.facts.seconds = vec![reviewer()];
    to(&mut case, OTHER);
    assert_eq!(
        case.hazard().order().unwrap().authority,
        Authority::Department
    );
}

#[test]
fn an_enterprise_that_nobody_had_named_is_not_another_one() {
    let mut case = Case::new();
    let unnamed = Report {
        enterprise_id: None,
        ..report(Source::EmployeeReport, Grade::General)
    };
    case.must(&author(Source::EmployeeReport), Action::Report(unnamed));
    to(&mut case, ENTERPRISE);
    assert!(case.hazard().is_self_found());
}

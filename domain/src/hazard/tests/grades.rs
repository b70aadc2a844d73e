//! Who may say which grade, and take a report back.

use super::*;
use StatusName as S;

#[test]
fn the_enterprise_may_not_talk_a_reported_major_hazard_down() {
    for actor in [safety_officer(), principal()] {
        let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
        case.refused_as(RefusalCode::NotPermitted, &actor, confirm(Grade::General));
    }
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.must(&reviewer(), confirm(Grade::Major));
    assert_eq!(case.hazard().grade, Grade::Major);
}

#[test]
fn the_principal_may_declare_a_general_report_major_but_the_safety_officer_may_not() {
    let mut case = Case::reported(Source::EnterpriseSelfCheck, Grade::General);
    case.refused_as(
        RefusalCode::NotPermitted,
        &safety_officer(),
        confirm(Grade::Major),
    );
    case.must(&principal(), confirm(Grade::Major));
    assert_eq!(case.hazard().grade, Grade::Major);
    assert_eq!(case.hazard().passes_needed(), 2);
}

#[test]
fn an_inspector_alone_does_not_talk_a_reported_major_hazard_down() {
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.refused_as(
        RefusalCode::NotPermitted,
        &inspector(1),
        confirm(Grade::General),
    );
    case.must(&inspector(1), confirm(Grade::Major));
}

#[test]
fn its_author_takes_a_general_report_back_and_never_a_major_one() {
    let mut case = Case::reported(Source::EmployeeReport, Grade::General);
    let author = author(Source::EmployeeReport);
    case.refused_field(
        "reason",
        &author,
        Action::Withdraw(Withdraw {
            reason: " ".to_owned(),
        }),
    );
    case.must(&author, withdraw());
    assert_eq!(case.state(), S::Withdrawn);
    case.refused_as(
        RefusalCode::NotAllowedInState,
        &inspector(1),
        confirm(Grade::General),
    );
    let mut case = Case::reported(Source::EmployeeReport, Grade::Major);
    case.refused_as(RefusalCode::NotPermitted, &author, withdraw());
}

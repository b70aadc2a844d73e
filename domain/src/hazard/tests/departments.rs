//! Of which sector a hazard is and which department answers for it: named, and no longer so.

use super::overlays::TOWN_NEXT;
use super::*;
use crate::responsibility::NamedSector;

fn assigned() -> Case {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    assert!(case.hazard().wants_a_department());
    case.must(&reviewer(), assign_sector());
    assert!(!case.hazard().wants_a_department());
    case
}

#[test]
fn a_sector_that_nobody_knows_is_refused_by_its_field() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    for code in [None, Some("industry-and-trade".to_owned())] {
        let said = code.clone();
        case.facts.named_sector = NamedSector::Unknown { code };
        case.refused_field("sector", &reviewer(), assign_sector());
        let refusal = case.act(&reviewer(), assign_sector()).unwrap_err();
        let helps = said.is_none_or(|code| refusal.rule.contains(&code));
        assert!(helps, "{refusal}");
    }
    case.facts.named_sector = NamedSector::Known;
    case.must(&reviewer(), assign_sector());
}

#[test]
fn a_department_answers_no_longer_once_another_jurisdiction_or_sector_does() {
    let department = |case: &Case| case.hazard().department.clone();
    let mut case = assigned();
    let before = department(&case);
    assert!(before.is_some());
    // Handed over and sent back, it is whose it was.
    case.must(&reviewer(), transfer(Some(TOWN_NEXT)));
    assert!(!case.hazard().wants_a_department());
    case.must(&person(Role::DepartmentReviewer, 2), receipt(false));
    assert_eq!(department(&case), before);
    case.must(&reviewer(), transfer(Some(TOWN_NEXT)));
    case.must(&person(Role::DepartmentReviewer, 2), receipt(true));
    assert_eq!(department(&case), None);
    assert!(case.hazard().wants_a_department());

    let follow = |jurisdiction_id| {
        Action::FollowEnterprise(crate::command::FollowEnterprise {
            jurisdiction_id,
            merged_from: None,
        })
    };
    let mut case = assigned();
    case.must(&Actor::System, follow(TOWN));
    assert_eq!(department(&case), before);
    case.must(&Actor::System, follow(TOWN_NEXT));
    assert_eq!(department(&case), None);
    assert!(case.hazard().sector.is_some(), "the sector stays");

    let elsewhere = |case: &Case| {
        Action::Amend(Amend {
            enterprise_id: Some(EnterpriseId(Uuid::from_u128(0x99))),
            ..amend(case.hazard().version)
        })
    };
    let mut case = assigned();
    case.facts.seconds = vec![inspector(2)];
    case.facts.sector = case.hazard().sector.clone();
    case.must(&inspector(1), elsewhere(&case));
    assert_eq!(department(&case), before);
    let mut case = assigned();
    case.facts.seconds = vec![inspector(2)];
    case.facts.sector = Some("危化".to_owned());
    case.must(&inspector(1), elsewhere(&case));
    assert_eq!(department(&case), None);
}

#[test]
fn what_is_over_wants_no_department() {
    for state in StatusName::EXISTING {
        let case = Case::in_state(*state, Source::Grid, Grade::General);
        let open = StatusName::OPEN.contains(state);
        assert_eq!(case.hazard().wants_a_department(), open, "{state:?}");
    }
}

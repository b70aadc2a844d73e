//! Amendments by people who may not have seen each other's.

use super::*;
use crate::hazard::FieldName;

fn described(based_on: i64, text: &str) -> Action {
    Action::Amend(Amend {
        description: Some(text.to_owned()),
        ..amend(based_on)
    })
}

fn placed(based_on: i64, text: &str) -> Action {
    Action::Amend(Amend {
        place_text: Some(text.to_owned()),
        ..amend(based_on)
    })
}

#[test]
fn an_amendment_of_what_its_author_saw_is_applied() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    assert_eq!(
        case.act(&inspector(1), described(1, "新")).unwrap(),
        Outcome::Applied
    );
    assert_eq!(case.hazard().description, "新");
    assert_eq!(
        case.hazard().place_text,
        "抛光车间 2 号线",
        "other fields stay"
    );
    assert_eq!(case.hazard().field_version(FieldName::Description), 2);
    assert_eq!(case.hazard().field_version(FieldName::PlaceText), 1);
}

#[test]
fn changes_of_different_fields_merge() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), described(1, "甲"));
    assert_eq!(
        case.act(&safety_officer(), placed(1, "乙")).unwrap(),
        Outcome::Merged
    );
    assert_eq!(case.hazard().description, "甲");
    assert_eq!(case.hazard().place_text, "乙");
    assert!(case.hazard().disputed.is_empty());
}

#[test]
fn changes_of_the_same_field_keep_both_values() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), described(1, "甲"));
    let outcome = case.act(&safety_officer(), described(1, "乙")).unwrap();
    assert_eq!(outcome, Outcome::Disputed(vec![FieldName::Description]));
    assert_eq!(
        case.hazard().description,
        "甲",
        "the first one stays in force"
    );
    let disputed = &case.hazard().disputed[0];
    assert_eq!(disputed.other_value, "乙");
    assert_eq!(disputed.by, id_of(&safety_officer()));
    assert_eq!(case.hazard().field_version(FieldName::Description), 2);
}

/// Two descriptions: 甲 at version 2 stands, 乙 of the safety officer at version 3 beside it.
fn disputed() -> Case {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), described(1, "甲"));
    case.must(&safety_officer(), described(1, "乙"));
    assert_eq!(case.hazard().version, 3);
    case
}

#[test]
fn whoever_has_seen_both_values_settles_it_with_either_or_a_third() {
    for settled in ["甲", "乙", "丙"] {
        let mut case = disputed();
        case.must(&safety_officer(), placed(3, "三号线"));
        assert_eq!(
            case.hazard().disputed.len(),
            1,
            "another field settles nothing"
        );
        assert_eq!(
            case.act(&inspector(2), described(4, settled)).unwrap(),
            Outcome::Applied
        );
        assert_eq!(case.hazard().description, settled);
        assert!(case.hazard().disputed.is_empty(), "{settled}");
    }
}

#[test]
fn who_has_not_seen_the_other_value_does_not_settle_it() {
    let mut case = disputed();
    // After the first change, before the dispute.
    assert_eq!(
        case.act(&inspector(1), described(2, "丙")).unwrap(),
        Outcome::Merged
    );
    assert_eq!(case.hazard().description, "丙");
    assert_eq!(case.hazard().disputed[0].other_value, "乙");
    // Nor whoever agrees with the value that stands by chance.
    case.must(&inspector(1), note("路过"));
    assert_eq!(
        case.act(&inspector(2), described(1, "丙")).unwrap(),
        Outcome::Merged
    );
    assert_eq!(case.hazard().disputed.len(), 1);
}

#[test]
fn the_same_value_again_is_refused_with_what_to_do_and_leaves_one_mark() {
    let mut case = disputed();
    let refusal = case.refused(&safety_officer(), described(1, "乙"));
    assert_eq!(refusal.code, RefusalCode::AlreadyDisputed);
    assert_eq!(refusal.field.as_deref(), Some("description"));
    assert_eq!(case.hazard().disputed.len(), 1);
    // What is new beside it still counts.
    let more = Amend {
        description: Some("乙".to_owned()),
        place_text: Some("三号线".to_owned()),
        ..amend(1)
    };
    let outcome = case.act(&safety_officer(), Action::Amend(more)).unwrap();
    assert_eq!(outcome, Outcome::Disputed(vec![FieldName::Description]));
    assert_eq!(case.hazard().place_text, "三号线");
    assert_eq!(case.hazard().disputed.len(), 1);
    // Another's wish for the same is another's.
    case.must(&inspector(3), described(1, "乙"));
    assert_eq!(case.hazard().disputed.len(), 2);
}

#[test]
fn one_amendment_can_merge_one_field_and_dispute_another() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), described(1, "甲"));
    let both = Amend {
        description: Some("乙".to_owned()),
        place_text: Some("三号线".to_owned()),
        ..amend(1)
    };
    let outcome = case.act(&safety_officer(), Action::Amend(both)).unwrap();
    assert_eq!(outcome, Outcome::Disputed(vec![FieldName::Description]));
    assert_eq!(case.hazard().description, "甲");
    assert_eq!(case.hazard().place_text, "三号线");
    assert_eq!(case.hazard().disputed.len(), 1);
    assert_eq!(case.hazard().version, 4, "one event for each part");
}

#[test]
fn the_same_value_twice_is_no_dispute() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), described(1, "甲"));
    assert_eq!(
        case.act(&safety_officer(), described(1, "甲")).unwrap(),
        Outcome::Merged
    );
    assert!(case.hazard().disputed.is_empty());
}

#[test]
fn a_note_in_between_does_not_turn_an_amendment_into_a_dispute() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.must(&inspector(1), note("路过"));
    assert_eq!(
        case.act(&inspector(1), described(1, "甲")).unwrap(),
        Outcome::Merged
    );
}

#[test]
fn an_employee_corrects_their_own_report_and_nobody_elses() {
    let mut case = Case::new();
    case.must(
        &employee(),
        Action::Report(report(Source::EmployeeReport, Grade::General)),
    );
    case.must(&employee(), described(1, "更正"));
    let colleague = person(Role::Employee, 2);
    case.refused_as(RefusalCode::NotPermitted, &colleague, described(2, "捣乱"));
    case.must(&inspector(1), confirm(Grade::General));
    case.refused_as(RefusalCode::NotPermitted, &employee(), described(2, "太晚"));
}

#[test]
fn naming_the_enterprise_moves_the_hazard_to_its_jurisdiction() {
    let mut case = Case::new();
    let unknown = Report {
        enterprise_id: None,
        ..report(Source::Grid, Grade::General)
    };
    case.must(&inspector(1), Action::Report(unknown));
    let other_town = JurisdictionId(Uuid::from_u128(0x72));
    let named = Action::Amend(Amend {
        enterprise_id: Some(ENTERPRISE),
        ..amend(1)
    });
    case.facts.jurisdiction_id = None;
    case.refused_as(
        RefusalCode::JurisdictionUnknown,
        &inspector(1),
        named.clone(),
    );
    case.facts.jurisdiction_id = Some(other_town);
    case.must(&inspector(1), described(1, "甲"));
    assert_eq!(
        case.hazard().jurisdiction_id,
        TOWN,
        "other fields do not move it"
    );
    case.must(&inspector(1), named);
    assert_eq!(case.hazard().jurisdiction_id, other_town);
    assert_eq!(case.hazard().enterprise_id, Some(ENTERPRISE));
}

#[test]
fn a_disputed_enterprise_does_not_move_the_hazard() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    let named = |id: u128| {
        let enterprise_id = Some(EnterpriseId(Uuid::from_u128(id)));
        Action::Amend(Amend {
            enterprise_id,
            ..amend(1)
        })
    };
    case.must(&inspector(1), named(0xe2));
    case.facts.jurisdiction_id = Some(JurisdictionId(Uuid::from_u128(0x73)));
    let outcome = case.act(&inspector(2), named(0xe3)).unwrap();
    assert_eq!(outcome, Outcome::Disputed(vec![FieldName::EnterpriseId]));
    assert_eq!(case.hazard().jurisdiction_id, TOWN);
    assert_eq!(
        case.hazard().enterprise_id,
        Some(EnterpriseId(Uuid::from_u128(0xe2)))
    );
}

/// The same two descriptions, and two enterprises, once the correction is handed in.
fn handed_in_disputed() -> Case {
    let mut case = disputed();
    let named = |id: u128| {
        let enterprise_id = Some(EnterpriseId(Uuid::from_u128(id)));
        Action::Amend(Amend {
            enterprise_id,
            ..amend(1)
        })
    };
    case.must(&inspector(1), named(0xe2));
    case.must(&reviewer(), named(0xe3));
    case.confirmed_by_inspectors(Grade::General);
    case.must(&safety_officer(), submit(2));
    assert_eq!(case.state(), StatusName::PendingReinspection);
    assert_eq!(case.hazard().disputed.len(), 2);
    case
}

#[test]
fn two_values_are_still_settled_once_the_correction_is_handed_in() {
    for who in [inspector(2), reviewer(), head()] {
        let mut case = handed_in_disputed();
        let may = |case: &Case| {
            let allowed = crate::policy::allowed_actions(Some(case.hazard()), &who);
            allowed.contains(&crate::command::ActionKind::Amend)
        };
        assert!(may(&case));
        let seen = case.hazard().version;
        let outcome = case.act(&who, described(seen, "丙")).unwrap();
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(case.hazard().description, "丙");
        assert_eq!(case.hazard().disputed.len(), 1);
        assert_eq!(case.state(), StatusName::PendingReinspection);
        let standing = Action::Amend(Amend {
            enterprise_id: case.hazard().enterprise_id,
            ..amend(seen)
        });
        case.must(&who, standing);
        assert!(case.hazard().disputed.is_empty());
        assert!(!may(&case), "nothing is left to settle");
        let version = case.hazard().version;
        let refusal = case.refused(&who, described(version, "丁"));
        assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
    }
}

#[test]
fn once_handed_in_nothing_is_amended_but_what_has_two_values() {
    let mut case = handed_in_disputed();
    let seen = case.hazard().version;
    let both = Amend {
        description: Some("丙".to_owned()),
        place_text: Some("三号线".to_owned()),
        ..amend(seen)
    };
    for other in [placed(seen, "三号线"), Action::Amend(both)] {
        let refusal = case.refused(&inspector(2), other);
        assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
        assert_eq!(refusal.field.as_deref(), Some("place_text"));
        let kind = crate::command::ActionKind::Amend;
        assert!(refusal.allowed.contains(&kind), "of other fields");
    }
    // Nor does what one enterprise has handed in become another's.
    let another = Action::Amend(Amend {
        enterprise_id: Some(EnterpriseId(Uuid::from_u128(0xe3))),
        ..amend(seen)
    });
    case.facts.seconds = vec![reviewer()];
    let refusal = case.refused(&inspector(2), another);
    assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
    assert_eq!(refusal.field.as_deref(), Some("enterprise_id"));
    case.facts.seconds = Vec::new();
    case.must(&inspector(2), fail(None));
    case.facts.seconds = vec![reviewer()];
    let now = case.hazard().version;
    let returned = Action::Amend(Amend {
        enterprise_id: Some(EnterpriseId(Uuid::from_u128(0xe3))),
        ..amend(now)
    });
    case.must(&inspector(2), returned);
}

#[test]
fn who_may_not_amend_while_it_is_corrected_settles_nothing_afterwards() {
    let mut case = handed_in_disputed();
    let seen = case.hazard().version;
    let assistant = Actor::Person {
        person_id: id_of(&inspector(2)),
        roles: vec![Role::Inspector],
        certified: false,
    };
    case.refused_as(
        RefusalCode::CertificateNeeded,
        &assistant,
        described(seen, "丙"),
    );
    for other in [safety_officer(), principal(), employee()] {
        case.refused_as(RefusalCode::NotPermitted, &other, described(seen, "丙"));
    }
    // Who has not seen both adds a third value, and settles nothing.
    let outcome = case.act(&inspector(3), described(1, "戊")).unwrap();
    assert_eq!(outcome, Outcome::Disputed(vec![FieldName::Description]));
    assert_eq!(case.hazard().disputed.len(), 3);
    // Closed with the marks, it keeps them.
    case.must(&inspector(51), pass_of(&case.clone()));
    case.must(&Actor::System, receive(1));
    case.must(&Actor::System, receive(2));
    case.must(&inspector(53), close());
    let version = case.hazard().version;
    case.refused_as(
        RefusalCode::NotAllowedInState,
        &head(),
        described(version, "丙"),
    );
}

#[test]
fn an_amendment_names_a_field_and_a_version_that_exists() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.refused_field("fields", &inspector(1), Action::Amend(amend(1)));
    for version in [i64::MIN, -1, 0, 2, i64::MAX] {
        case.refused_field("based_on", &inspector(1), described(version, "甲"));
    }
    case.refused_field("description", &inspector(1), described(1, " "));
    case.refused_field("place_text", &inspector(1), placed(1, "\u{0}"));
}

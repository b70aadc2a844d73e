//! 抽查: what is closed is looked at again, by somebody else.

use super::*;

fn closed(grade: Grade) -> Case {
    Case::in_state(StatusName::Closed, Source::EnterpriseSelfCheck, grade)
}

fn check(change: impl FnOnce(&mut SpotCheck)) -> Action {
    let Action::SpotCheck(mut check) = spot_check(true) else {
        unreachable!()
    };
    change(&mut check);
    Action::SpotCheck(check)
}

#[test]
fn a_spot_check_that_passes_is_kept_and_leaves_the_hazard_closed() {
    let mut case = closed(Grade::General);
    let shown = check(|check| {
        check.photos = vec![photo(7)];
        check.no_photo_reason = None;
    });
    case.must(&inspector(1), shown);
    case.must(&reviewer(), spot_check(true));
    assert_eq!(case.state(), StatusName::Closed);
    let by: Vec<_> = case
        .hazard()
        .spot_checks
        .iter()
        .map(|c| c.mark.by)
        .collect();
    assert_eq!(by, [id_of(&inspector(1)), id_of(&reviewer())]);
    assert!(case.hazard().photo(&Digest([7; 32])).is_some());
}

#[test]
fn what_fails_a_spot_check_is_open_again_with_its_first_due_date() {
    let mut case = closed(Grade::Major);
    let due = case.hazard().order().unwrap().due_date_original;
    case.must(&head(), spot_check(false));
    assert_eq!(case.state(), StatusName::Rectifying);
    assert_eq!(case.hazard().order().unwrap().due_date, due);
    assert!(!case.hazard().spot_checks[0].check.passed);
    assert_eq!(case.hazard().reopened, 1);
    let Status::Rectifying {
        returned_because, ..
    } = &case.hazard().status
    else {
        panic!("{:?}", case.hazard().status);
    };
    assert_eq!(returned_because.as_deref(), Some("抽查：泄爆口再次被封堵"));
    assert!(!case.hazard().false_closure, "that is for somebody to say");
}

#[test]
fn a_spot_check_that_fails_may_find_that_the_correction_was_false() {
    let mut case = closed(Grade::General);
    let praised = check(|check| check.false_closure = true);
    case.refused_field("false_closure", &reviewer(), praised);
    let found = check(|check| {
        check.passed = false;
        check.false_closure = true;
    });
    case.must(&reviewer(), found);
    assert!(case.hazard().false_closure);
    assert_eq!(case.state(), StatusName::Rectifying);
}

#[test]
fn nobody_spot_checks_their_own_work() {
    // 51 and 52 have passed it, 53 has closed it.
    for number in [51, 52, 53] {
        let mut case = closed(Grade::Major);
        let code = RefusalCode::SamePerson;
        case.refused_as(code, &inspector(number), spot_check(true));
    }
}

#[test]
fn a_spot_check_shows_something_or_says_why_not() {
    let mut case = closed(Grade::General);
    let bare = check(|check| check.no_photo_reason = None);
    case.refused_as(RefusalCode::PhotoRequired, &reviewer(), bare);
    let letter = check(|check| {
        check.no_photo_reason = None;
        check.photos = vec![PhotoRef {
            kind: PhotoKind::Document,
            media_type: "application/pdf".to_owned(),
            ..photo(7)
        }];
    });
    case.refused_as(RefusalCode::PhotoRequired, &reviewer(), letter);
    let silent = check(|check| check.opinion = " ".to_owned());
    case.refused_field("opinion", &reviewer(), silent);
}

#[test]
fn a_spot_check_of_an_earlier_closure_says_nothing_of_this_one() {
    let mut case = closed(Grade::General);
    let seen = case.hazard().closed_at().unwrap();
    let of = |on| check(move |check| check.on = Some(on));
    case.refused_as(
        RefusalCode::Stale,
        &reviewer(),
        of(seen.plus_millis(-1_000)),
    );
    case.must(&reviewer(), of(seen));
}

#[test]
fn spot_checks_have_a_limit() {
    let mut case = closed(Grade::General);
    case.facts.limits.spot_checks = 1;
    case.must(&reviewer(), spot_check(true));
    case.refused_as(RefusalCode::LimitReached, &head(), spot_check(true));
    // One that finds something is heard all the same.
    case.must(&head(), spot_check(false));
}

#[test]
fn whoever_handed_it_in_does_not_look_at_it_again_by_another_role() {
    let mut case = closed(Grade::General);
    let both = Actor::Person {
        person_id: id_of(&person(Role::Principal, 50)),
        roles: vec![Role::Principal, Role::Inspector],
        certified: true,
    };
    case.refused_as(RefusalCode::SamePerson, &both, spot_check(true));
}

//! What one person's word does not do: name another enterprise, close without evidence, list above
//! one's body, leave a hazard with nobody.

use super::*;
use crate::command::FixedOnSpot;
use crate::hazard::ListingSeat;
use crate::jurisdiction::Level;

const OTHER: EnterpriseId = EnterpriseId(Uuid::from_u128(0x99));

fn name_enterprise(case: &Case) -> Action {
    Action::Amend(Amend {
        enterprise_id: Some(OTHER),
        ..amend(case.hazard().version)
    })
}

fn describe(case: &Case, text: &str) -> Action {
    Action::Amend(Amend {
        description: Some(text.to_owned()),
        ..amend(case.hazard().version)
    })
}

#[test]
fn an_order_is_not_addressed_to_another_enterprise_by_one_person() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    for actor in [inspector(1), reviewer(), head()] {
        let refusal = case.refused(&actor, name_enterprise(&case));
        assert_eq!(refusal.code, RefusalCode::SecondPersonRequired);
        assert_eq!(refusal.field.as_deref(), Some("enterprise_id"));
    }
    case.facts.seconds = vec![inspector(1)];
    let alone = case.refused(&inspector(1), name_enterprise(&case));
    assert_eq!(alone.code, RefusalCode::SecondPersonRequired, "oneself");
    case.facts.seconds = vec![person(Role::Principal, 9)];
    let theirs = case.refused(&inspector(1), name_enterprise(&case));
    assert_eq!(theirs.code, RefusalCode::SecondPersonRequired);
    case.must(&principal(), submit_plan());
    case.facts.seconds = vec![inspector(2)];
    let mut stopped = case.clone();
    stopped.must(&head(), suspend());
    let change = name_enterprise(&stopped);
    stopped.refused_as(RefusalCode::AlreadyInForce, &inspector(1), change);
    case.must(&inspector(1), name_enterprise(&case));
    assert_eq!(case.hazard().enterprise_id, Some(OTHER));
    assert_eq!(case.hazard().plan, None, "that was the other's plan");
}

#[test]
fn before_the_order_and_where_nobody_knew_one_person_names_the_enterprise() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), name_enterprise(&case));
    let mut case = Case::new();
    let unknown = Report {
        enterprise_id: None,
        ..report(Source::OpenVisit, Grade::General)
    };
    case.must(&author(Source::OpenVisit), Action::Report(unknown));
    case.must(&inspector(50), confirm(Grade::General));
    case.must(&inspector(1), name_enterprise(&case));
    assert_eq!(case.hazard().enterprise_id, Some(OTHER));
}

#[test]
fn what_was_ordered_stays_what_it_was_and_nobody_without_a_certificate_changes_it() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::General);
    let ordered = case.hazard().description.clone();
    let assisting = Actor::Person {
        person_id: PersonId(Uuid::from_u128(77)),
        roles: vec![Role::Inspector],
        certified: false,
    };
    let change = describe(&case, "另一处隐患");
    case.refused_as(RefusalCode::CertificateNeeded, &assisting, change);
    case.must(&inspector(1), describe(&case, "除尘器泄爆口全部被封堵"));
    let order = case.hazard().order().unwrap();
    assert_eq!(order.fact.as_ref(), Some(&ordered));
    assert_ne!(case.hazard().description, ordered);
}

#[test]
fn a_pass_or_a_closure_speaks_of_the_submission_that_was_looked_at() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    let stale_pass = pass_of(&case);
    let seen = |pass: &Action| match pass {
        Action::Reinspect(pass) => pass.on,
        _ => None,
    };
    let stale_close = Action::Close(Close {
        opinion: "同意销号".to_owned(),
        on: seen(&stale_pass),
    });
    case.must(&inspector(2), fail(None));
    case.facts.now = NOW.plus_millis(60_000);
    case.must(&principal(), submit(3));
    case.refused_as(RefusalCode::Stale, &inspector(1), stale_pass);
    case.must(&inspector(1), pass_of(&case));
    case.must(&inspector(2), pass_of(&case));
    for number in [1, 2, 3] {
        case.must(&Actor::System, receive(number));
    }
    case.refused_as(RefusalCode::Stale, &inspector(1), stale_close);
    case.must(&inspector(1), close());
}

#[test]
fn nothing_is_closed_on_photos_that_were_all_lost() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    case.must(&administrator(), lose(1));
    case.must(&administrator(), lose(2));
    case.refused_as(RefusalCode::PhotoRequired, &inspector(1), close());
    // One that turns up after all shows it.
    case.must(&Actor::System, receive(2));
    case.must(&inspector(1), close());
}

#[test]
fn what_showed_a_correction_that_failed_shows_nothing_of_the_next() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), fail(None));
    case.must(&principal(), submit(3));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    for photo in [1, 2] {
        case.must(&Actor::System, receive(photo));
    }
    case.must(&administrator(), lose(3));
    case.refused_as(RefusalCode::PhotoRequired, &inspector(1), close());
    // One that is attached now shows it.
    let mut attached = case.clone();
    attached.must(
        &inspector(1),
        Action::AttachPhoto(AttachPhoto {
            photo: PhotoRef {
                kind: PhotoKind::After,
                ..photo(4)
            },
        }),
    );
    attached.refused_as(RefusalCode::PhotosAwaited, &inspector(1), close());
    attached.must(&Actor::System, receive(4));
    attached.must(&inspector(1), close());
    // And so does an earlier one that is paired again on purpose.
    case.must(&inspector(1), fail(None));
    let Action::SubmitRectification(again) = submit(5) else {
        unreachable!()
    };
    let pairs = vec![PhotoPair {
        before: Digest([1; 32]),
        after: Digest([2; 32]),
    }];
    case.must(
        &principal(),
        Action::SubmitRectification(SubmitRectification { pairs, ..again }),
    );
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    case.must(&administrator(), lose(5));
    case.must(&inspector(1), close());
}

#[test]
fn a_pair_names_no_photo_that_was_lost() {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&administrator(), lose(1));
    let Action::SubmitRectification(submission) = submit(2) else {
        unreachable!()
    };
    let paired = SubmitRectification {
        pairs: vec![PhotoPair {
            before: Digest([1; 32]),
            after: Digest([2; 32]),
        }],
        ..submission
    };
    let paired = Action::SubmitRectification(paired);
    case.refused_field("pairs[0].before", &principal(), paired);
}

#[test]
fn only_who_answers_for_the_place_says_that_it_was_fixed_on_the_spot() {
    let fixed = |source| {
        Action::Report(Report {
            photos: vec![
                photo(1),
                PhotoRef {
                    kind: PhotoKind::After,
                    ..photo(2)
                },
            ],
            fixed_on_spot: Some(FixedOnSpot {
                measures: "当场清理".to_owned(),
                responsible_person: "王强".to_owned(),
                completed_at: NOW,
                cost_fen: None,
            }),
            ..report(source, Grade::General)
        })
    };
    for (role, source) in [
        (Role::Public, Source::Tipoff),
        (Role::Importer, Source::Import),
        (Role::Expert, Source::Expert),
        (Role::Insurer, Source::Insurer),
    ] {
        Case::new().refused_field("fixed_on_spot", &person(role, 3), fixed(source));
    }
    let mut case = Case::new();
    case.must(&person(Role::GridWorker, 3), fixed(Source::Grid));
    // Nobody has looked yet: the department may say that it never was one.
    case.clone().must(&reviewer(), reject());
    case.must(&inspector(1), pass());
    case.refused_as(RefusalCode::NotPermitted, &reviewer(), reject());
}

#[test]
fn the_finders_criterion_is_no_basis_of_the_order() {
    let named = CriterionRef {
        code: "GB-35181-5-1".to_owned(),
        edition: 1,
    };
    let mut case = Case::new();
    let found = Report {
        criterion: Some(named.clone()),
        ..report(Source::OpenVisit, Grade::General)
    };
    case.must(&author(Source::OpenVisit), Action::Report(found));
    assert_eq!(case.hazard().criterion, Some(named));
    let Action::Confirm(confirmation) = confirm(Grade::General) else {
        unreachable!()
    };
    case.must(
        &inspector(1),
        Action::Confirm(Confirm {
            criterion: None,
            ..confirmation
        }),
    );
    assert_eq!(case.hazard().criterion, None);
}

#[test]
fn an_inspectors_major_is_not_made_less_by_one_reviewer() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&inspector(1), confirm(Grade::Major));
    case.refused_field("basis", &reviewer(), confirm(Grade::General));
    let Action::Confirm(less) = confirm(Grade::General) else {
        unreachable!()
    };
    let less = || {
        Action::Confirm(Confirm {
            basis: Some("现场复核，未达重大".to_owned()),
            ..less.clone()
        })
    };
    case.refused_as(RefusalCode::AlreadyPending, &reviewer(), less());
    case.facts.seconds = vec![head()];
    case.must(&reviewer(), less());
    assert_eq!(case.hazard().grade, Grade::General);
}

#[test]
fn whoever_found_it_does_not_alone_declare_it_major() {
    let mut case = Case::new();
    case.must(
        &reviewer(),
        Action::Report(report(Source::OpenVisit, Grade::Major)),
    );
    case.must(&reviewer(), confirm(Grade::Major));
    assert_eq!(case.state(), StatusName::Reported, "a second person agrees");
    case.refused_as(RefusalCode::SamePerson, &reviewer(), agree());
    case.must(&inspector(1), agree());
    assert_eq!(case.state(), StatusName::Confirmed);
}

#[test]
fn where_nobody_knows_the_enterprise_the_department_sees_to_it() {
    let mut case = Case::new();
    let unknown = Report {
        enterprise_id: None,
        ..report(Source::OpenVisit, Grade::Major)
    };
    case.must(&author(Source::OpenVisit), Action::Report(unknown));
    case.confirmed_by_inspectors(Grade::Major);
    case.must(&head(), submit_plan());
    case.must(&reviewer(), decide_plan(true));
    case.must(&reviewer(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    for number in [1, 2] {
        case.must(&Actor::System, receive(number));
    }
    case.refused_as(RefusalCode::SamePerson, &reviewer(), close());
    case.must(&head(), close());
    let mut known = Case::in_state(StatusName::Confirmed, Source::Grid, Grade::General);
    known.refused_as(RefusalCode::NotPermitted, &head(), submit(2));
}

fn seat(id: JurisdictionId, level: Level, down: &[JurisdictionId]) -> Option<ListingSeat> {
    Some(ListingSeat {
        jurisdiction_id: id,
        level: Some(level),
        down_to_hazard: down.to_vec(),
    })
}

#[test]
fn a_body_lists_at_its_own_level_and_only_it_or_one_above_ends_that() {
    let (city, town) = (JurisdictionId(Uuid::from_u128(0x70)), TOWN);
    let of_city = || seat(city, Level::City, &[city, town]);
    let of_town = || seat(town, Level::Town, &[town]);
    let authority = || person(Role::ListingAuthority, 5);
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    case.facts.listing_seat = of_town();
    let Action::ListSupervision(listing) = list() else {
        unreachable!()
    };
    let at = |level| {
        Action::ListSupervision(ListSupervision {
            level,
            ..listing.clone()
        })
    };
    for level in [
        ListingLevel::District,
        ListingLevel::City,
        ListingLevel::Province,
        ListingLevel::Nation,
    ] {
        case.refused_field("level", &authority(), at(level));
    }
    case.clone().must(&authority(), at(ListingLevel::Town));
    case.facts.listing_seat = of_city();
    case.must(&authority(), at(ListingLevel::Nation));
    case.must(&principal(), request_extension("2026-12-12"));
    case.facts.listing_seat = of_town();
    case.refused_as(RefusalCode::NotPermitted, &authority(), delist());
    case.refused_as(
        RefusalCode::NotPermitted,
        &authority(),
        decide_extension(true),
    );
    case.facts.listing_seat = of_city();
    case.must(&authority(), decide_extension(true));
    case.must(&authority(), delist());
}

#[test]
fn what_nobody_takes_over_is_taken_back_and_stops_meanwhile() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    let other = JurisdictionId(Uuid::from_u128(0x73));
    case.must(&reviewer(), transfer(Some(other)));
    case.clone().must(&head(), suspend());
    case.clone()
        .must(&principal(), request_extension("2026-12-12"));
    case.facts.acts_for_sender = true;
    case.refused_as(RefusalCode::NotPermitted, &reviewer(), receipt(true));
    // Also by whoever handed it over: nobody else may be there.
    case.must(&reviewer(), receipt(false));
    assert_eq!(case.state(), StatusName::Confirmed);
    assert_eq!(case.hazard().jurisdiction_id, TOWN);
}

#[test]
fn many_small_extensions_are_one_long_one() {
    let mut case = Case::in_state(StatusName::Confirmed, Source::OpenVisit, Grade::Major);
    // Thirty days are granted without an expert: from 2 December until New Year.
    case.must(&principal(), request_extension("2026-12-20"));
    case.must(&reviewer(), decide_extension(true));
    case.clone()
        .must(&principal(), request_extension("2027-01-01"));
    case.refused_as(
        RefusalCode::ExpertOpinionRequired,
        &principal(),
        request_extension("2027-01-02"),
    );
    // One that was refused counts for nothing, and after an expert's opinion counting begins anew.
    case.must(&principal(), request_extension("2026-12-30"));
    case.must(&reviewer(), decide_extension(false));
    let Action::RequestExtension(request) = request_extension("2027-01-20") else {
        unreachable!()
    };
    let advised = RequestExtension {
        expert_opinion: Some(ExpertOpinion {
            name: "赵明".to_owned(),
            opinion: "可控".to_owned(),
            given_on: Some(date("2026-11-22")),
        }),
        ..request
    };
    case.must(&principal(), Action::RequestExtension(advised));
    case.must(&reviewer(), decide_extension(true));
    case.must(&principal(), request_extension("2027-02-18"));
}

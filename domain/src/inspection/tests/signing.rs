//! What a signature stands for: what was there when it was given, by whose key.

use super::*;
use crate::ids::InstallId;

/// On site, item 2 found wrong, signed by both inspectors and the representative.
fn signed() -> Case {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    case.must(&one, record(vec![result("2", ItemOutcome::NotOk)]));
    case.must(&one, sign(&one, K::Plan));
    case.must(&two, sign(&two, K::Plan));
    case.must(&one, representative());
    case
}

#[test]
fn a_result_that_becomes_another_after_signing_is_signed_anew_by_everybody() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = signed();
    case.must(&one, record(vec![result("2", ItemOutcome::Ok)]));
    case.refused_as(RefusalCode::TooFewInspectors, &one, complete(true));
    assert!(case.it().signatures.iter().all(|s| s.voided_by.is_some()));
    case.must(&one, sign(&one, K::Plan));
    case.must(&two, sign(&two, K::Plan));
    case.refused_as(RefusalCode::SignatureMissing, &one, complete(true));
    case.must(&one, representative());
    case.must(&one, complete(true));
    assert_eq!(Inspection::from_history(&case.history), case.inspection);
}

/// A signature given on a phone that had seen the record as of `seen`.
fn sign_as_seen(actor: &Actor, seen: i64) -> Action {
    let Action::SignInspection(signing) = sign(actor, K::Plan) else {
        unreachable!()
    };
    Action::SignInspection(SignInspection {
        seen: Some(seen),
        ..signing
    })
}

#[test]
fn a_signature_that_comes_after_another_result_than_was_seen_counts_for_nothing() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, record(vec![result("1", ItemOutcome::NotOk)]));
    case.must(&one, record(vec![result("2", ItemOutcome::Ok)]));
    let seen = case.it().version;
    // The first changes their mind while the second is without signal.
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    case.must(&two, sign_as_seen(&two, seen));
    let signature = case.it().signatures[0].clone();
    assert_eq!(signature.voided_by, Some(case.it().version));
    case.must(&one, sign(&one, K::Plan));
    case.must(&one, representative());
    case.refused_as(RefusalCode::TooFewInspectors, &one, complete(true));
    let now = case.it().version;
    case.must(&two, sign_as_seen(&two, now));
    case.must(&one, complete(true));
    assert_eq!(Inspection::from_history(&case.history), case.inspection);
}

#[test]
fn what_was_only_added_or_changed_by_oneself_since_voids_no_signature() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    case.must(&two, record(vec![result("2", ItemOutcome::NotOk)]));
    let seen = case.it().version;
    case.must(&one, record(vec![result("2", ItemOutcome::Ok)]));
    case.must(&two, record(vec![result("2", ItemOutcome::Ok)]));
    case.must(&two, sign_as_seen(&two, seen));
    assert_eq!(case.it().signatures[0].voided_by, None);
}

#[test]
fn what_its_author_changed_on_another_device_was_not_before_who_signs_with_them() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, record(vec![result("1", ItemOutcome::NotOk)]));
    case.must(&one, record(vec![result("2", ItemOutcome::Ok)]));
    let seen = case.it().version;
    case.origin.install_id = Some(InstallId(Uuid::from_u128(0x0d)));
    case.must(&one, record(vec![result("1", ItemOutcome::Ok)]));
    case.origin = Origin::DIRECT;
    case.facts.seconds = vec![two];
    case.must(&one, sign_as_seen(&one, seen));
    let void = case.it().signatures.iter().map(|s| s.voided_by.is_some());
    assert_eq!(void.collect::<Vec<_>>(), [true, true]);
}

#[test]
fn a_refusal_to_sign_is_asked_for_anew_too() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    case.must(&one, all_ok());
    case.must(&one, refuse());
    case.must(&one, record(vec![result("2", ItemOutcome::NotOk)]));
    assert_eq!(case.it().refusal, None);
}

#[test]
fn what_is_added_after_signing_or_said_again_voids_nothing() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = signed();
    case.must(&one, record(vec![result("2", ItemOutcome::NotOk)]));
    case.must(&two, record(vec![result("1", ItemOutcome::Ok)]));
    case.must(&one, finding(K::Plan, 1));
    assert!(case.it().signatures.iter().all(|s| s.voided_by.is_none()));
    case.must(&one, complete(false));
}

#[test]
fn where_two_inspectors_differ_something_was_found() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = signed();
    case.must(&two, record(vec![result("2", ItemOutcome::Ok)]));
    case.refused_field("no_hazard_found", &one, complete(true));
    case.must(&one, finding(K::Plan, 1));
    case.must(&one, complete(false));
}

#[test]
fn others_sign_the_same_signing_with_keys_of_their_own() {
    let (one, two) = (inspector(1), inspector(2));
    let mut case = Case::started(K::Plan);
    case.must(&one, all_ok());
    case.facts.seconds = vec![two.clone(), principal()];
    case.refused_as(RefusalCode::CoSignatureInvalid, &one, attach(3));
    case.must(&one, sign(&one, K::Plan));
    case.facts.seconds.clear();
    case.must(&one, complete(true));
    let roles: Vec<_> = case
        .it()
        .signatures
        .iter()
        .map(|s| (s.role, s.person_id))
        .collect();
    assert_eq!(
        roles,
        [
            (SignerRole::Inspector, Some(id_of(&one))),
            (SignerRole::Inspector, Some(id_of(&two))),
            (
                SignerRole::EnterpriseRepresentative,
                Some(id_of(&principal()))
            ),
        ]
    );
}

#[test]
fn whoever_is_neither_on_the_team_nor_of_the_enterprise_signs_with_nobody() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    case.must(&one, all_ok());
    for stranger in [
        inspector(77),
        person(Role::Supervisor, 3),
        person(Role::Expert, 78),
    ] {
        case.facts.seconds = vec![stranger];
        case.refused_as(RefusalCode::CoSignatureInvalid, &one, sign(&one, K::Plan));
    }
}

#[test]
fn documents_and_clips_are_evidence_of_an_inspection_too() {
    let one = inspector(1);
    let mut case = Case::started(K::Plan);
    let with = |change: fn(&mut PhotoRef)| {
        let mut photo = photo(3);
        change(&mut photo);
        Action::AttachInspectionPhoto(AttachPhoto { photo })
    };
    let pdf = |photo: &mut PhotoRef| photo.media_type = "application/pdf".to_owned();
    case.refused_field("photo.kind", &one, with(pdf));
    let svg = |photo: &mut PhotoRef| photo.media_type = "image/svg+xml".to_owned();
    case.refused_field("photo.media_type", &one, with(svg));
    let large = |photo: &mut PhotoRef| {
        photo.media_type = "application/pdf".to_owned();
        photo.kind = PhotoKind::Document;
        photo.size = 33 * 1024 * 1024;
    };
    case.refused_field("photo.size", &one, with(large));
    case.must(
        &one,
        with(|photo| {
            photo.media_type = "application/pdf".to_owned();
            photo.kind = PhotoKind::Document;
        }),
    );
    let mut clip = photo(4);
    clip.media_type = "video/mp4".to_owned();
    clip.size = 60 * 1024 * 1024;
    case.must(
        &one,
        Action::AttachInspectionPhoto(AttachPhoto { photo: clip }),
    );
}

#[test]
fn a_certificate_that_ran_out_on_the_way_is_for_a_person_to_judge() {
    let one = inspector(1);
    let two = Actor::Person {
        person_id: id_of(&inspector(2)),
        roles: vec![Role::Inspector],
        certified: false,
    };
    let mut case = Case::started(K::Plan);
    case.must(&one, all_ok());
    case.must(&two, sign(&two, K::Plan));
    assert!(
        !case.it().signatures[0].certified,
        "long before: they assist"
    );
    case.facts.ran_out = two.person_id().into_iter().collect();
    case.refused_as(RefusalCode::CertificateNeeded, &two, sign(&two, K::Plan));
    case.facts.seconds = vec![two];
    let refusal = case.refused(&one, sign(&one, K::Plan));
    assert_eq!(refusal.code, RefusalCode::CoSignatureInvalid, "{refusal:?}");
    assert_eq!(refusal.field.as_deref(), Some("co_signatures[0]"));
    // Somebody else's certificate is no matter of theirs.
    case.facts.seconds.clear();
    case.must(&one, sign(&one, K::Plan));
}

//! Photos that the record names: awaited, received, lost, and what that means for closure.

use super::*;

/// Passed by two inspectors; photos 1 and 2 are awaited.
fn ready_but_for_photos() -> Case {
    let mut case = Case::planned(Source::OpenVisit);
    case.must(&principal(), submit(2));
    case.must(&inspector(1), pass());
    case.must(&inspector(2), pass());
    case
}

#[test]
fn closure_waits_for_every_named_photo() {
    let mut case = ready_but_for_photos();
    case.refused_as(RefusalCode::PhotosAwaited, &inspector(1), close());
    case.must(&Actor::System, receive(1));
    let refusal = case.refused(&inspector(1), close());
    assert_eq!(refusal.code, RefusalCode::PhotosAwaited);
    assert!(refusal.rule.starts_with("1 photo"), "{}", refusal.rule);
    case.must(&Actor::System, receive(2));
    case.must(&inspector(1), close());
}

#[test]
fn the_inspectors_own_photos_are_awaited_too() {
    let mut case = ready_but_for_photos();
    case.must(&Actor::System, receive(1));
    case.must(&Actor::System, receive(2));
    let Action::Reinspect(passed) = pass() else {
        unreachable!()
    };
    let with_photo = Reinspect {
        photos: vec![photo(3)],
        ..passed
    };
    case.must(&inspector(3), Action::Reinspect(with_photo));
    case.refused_as(RefusalCode::PhotosAwaited, &inspector(1), close());
}

#[test]
fn a_photo_recorded_as_lost_no_longer_blocks_and_its_reason_stays_visible() {
    let mut case = ready_but_for_photos();
    case.must(&Actor::System, receive(2));
    case.refused_as(RefusalCode::NotPermitted, &inspector(1), lose(1));
    let silent = RecordPhotoLost {
        sha256: Digest([1; 32]),
        reason: " ".to_owned(),
    };
    case.refused_field("reason", &administrator(), Action::RecordPhotoLost(silent));
    case.must(&administrator(), lose(1));
    case.must(&inspector(1), close());
    let PhotoState::Lost {
        recorded_by,
        reason,
    } = &case.hazard().photo(&Digest([1; 32])).unwrap().state
    else {
        panic!("{:?}", case.hazard().photos);
    };
    assert_eq!(*recorded_by, id_of(&administrator()));
    assert_eq!(reason, "手机落水，照片无法找回");
}

#[test]
fn only_an_awaited_photo_can_be_lost() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.refused_as(RefusalCode::PhotoUnknown, &administrator(), lose(7));
    case.must(&Actor::System, receive(1));
    case.refused_field("sha256", &administrator(), lose(1));
}

#[test]
fn a_lost_photo_that_turns_up_after_all_is_received() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&administrator(), lose(1));
    case.must(&Actor::System, receive(1));
    assert_eq!(case.hazard().photos[0].state, PhotoState::Verified);
}

#[test]
fn the_same_photo_received_twice_is_one_event() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.must(&Actor::System, receive(1));
    case.must(&Actor::System, receive(1));
    assert_eq!(case.hazard().version, 2);
}

#[test]
fn bytes_that_no_record_names_are_refused() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.refused_as(RefusalCode::PhotoUnknown, &Actor::System, receive(7));
}

#[test]
fn a_photo_can_arrive_after_the_report_was_rejected() {
    let mut case = Case::in_state(StatusName::Rejected, Source::OpenVisit, Grade::General);
    case.must(&Actor::System, receive(1));
    assert_eq!(case.hazard().photos_awaited(), 0);
    assert_eq!(case.state(), StatusName::Rejected);
}

#[test]
fn a_report_without_photo_says_why_and_a_rectification_always_shows_one() {
    let mut case = Case::new();
    let bare = Report {
        photos: Vec::new(),
        ..report(Source::Grid, Grade::General)
    };
    case.refused_as(
        RefusalCode::PhotoRequired,
        &inspector(1),
        Action::Report(bare.clone()),
    );
    let blank = Report {
        no_photo_reason: Some("  ".to_owned()),
        ..bare.clone()
    };
    case.refused_as(
        RefusalCode::PhotoRequired,
        &inspector(1),
        Action::Report(blank),
    );
    let reason = Some("防爆区禁止使用手机".to_owned());
    case.must(
        &inspector(1),
        Action::Report(Report {
            no_photo_reason: reason,
            ..bare
        }),
    );
    case.must(&inspector(1), confirm(Grade::General));
    let Action::SubmitRectification(submission) = submit(2) else {
        unreachable!()
    };
    let dark = SubmitRectification {
        photos: Vec::new(),
        ..submission
    };
    case.refused_as(
        RefusalCode::PhotoRequired,
        &employee(),
        Action::SubmitRectification(dark),
    );
}

#[test]
fn a_photo_is_named_once_is_an_image_and_has_a_size() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.refused_field("photo[0].sha256", &employee(), attach(1));
    let wrong = |change: fn(&mut PhotoRef)| {
        let mut photo = photo(3);
        change(&mut photo);
        Action::AttachPhoto(AttachPhoto { photo })
    };
    case.refused_field("photo[0].size", &employee(), wrong(|photo| photo.size = 0));
    case.refused_field(
        "photo[0].size",
        &employee(),
        wrong(|photo| photo.size = u64::MAX),
    );
    let svg = wrong(|photo| photo.media_type = "image/svg+xml".to_owned());
    case.refused_field("photo[0].media_type", &employee(), svg);
    let old = wrong(|photo| photo.taken_at = Some(Timestamp::from_millis(0)));
    case.refused_field("photo[0].taken_at", &employee(), old);
    let mut twice = report(Source::EmployeeReport, Grade::General);
    twice.photos = vec![photo(1), photo(2), photo(1)];
    Case::new().refused_field("photos[2].sha256", &employee(), Action::Report(twice));
}

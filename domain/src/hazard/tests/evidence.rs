//! What a correction and its re-inspection must show.

use super::*;

#[test]
fn a_photo_before_the_correction_has_one_after_it_beside_it() {
    let mut case = Case::planned(Source::OpenVisit);
    let Action::SubmitRectification(complete) = submit(2) else {
        unreachable!()
    };
    let without_pairs = SubmitRectification {
        pairs: Vec::new(),
        ..complete.clone()
    };
    case.refused_as(
        RefusalCode::PhotoPairsIncomplete,
        &principal(),
        Action::SubmitRectification(without_pairs),
    );
    let swapped = SubmitRectification {
        pairs: vec![PhotoPair {
            before: Digest([2; 32]),
            after: Digest([1; 32]),
        }],
        ..complete.clone()
    };
    case.refused_field(
        "pairs[0].before",
        &principal(),
        Action::SubmitRectification(swapped),
    );
    let unaccepted = SubmitRectification {
        self_acceptance: None,
        ..complete.clone()
    };
    case.refused_as(
        RefusalCode::SelfAcceptanceRequired,
        &principal(),
        Action::SubmitRectification(unaccepted),
    );
    let mut lost = case.clone();
    lost.must(&administrator(), lose(1));
    let no_pairs = SubmitRectification {
        pairs: Vec::new(),
        ..complete
    };
    lost.must(&principal(), Action::SubmitRectification(no_pairs));
    case.must(&principal(), submit(2));
}

#[test]
fn passing_a_major_hazard_shows_a_photo_or_says_why_not() {
    let pending = StatusName::PendingReinspection;
    let mut case = Case::in_state(pending, Source::OpenVisit, Grade::Major);
    let Action::Reinspect(passed) = pass() else {
        unreachable!()
    };
    let blind = Reinspect {
        no_photo_reason: None,
        ..passed.clone()
    };
    case.refused_as(
        RefusalCode::PhotoRequired,
        &inspector(3),
        Action::Reinspect(blind),
    );
    let items = vec![crate::command::ItemResult {
        item: "泄爆片".to_owned(),
        passed: false,
        note: None,
    }];
    let contradictory = Reinspect { items, ..passed };
    case.refused_field(
        "items[0].passed",
        &inspector(3),
        Action::Reinspect(contradictory.clone()),
    );
    case.facts.limits.items = 0;
    case.refused_as(
        RefusalCode::LimitReached,
        &inspector(3),
        Action::Reinspect(contradictory),
    );
}

#[test]
fn a_document_is_evidence_but_shows_no_place() {
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    let paper = |kind| {
        Action::AttachPhoto(AttachPhoto {
            photo: PhotoRef {
                kind,
                media_type: "application/pdf".to_owned(),
                ..photo(4)
            },
        })
    };
    case.refused_field("photo[0].kind", &employee(), paper(PhotoKind::After));
    case.must(&employee(), paper(PhotoKind::Document));
    case.facts.limits.clip_bytes = 100;
    let clip = Action::AttachPhoto(AttachPhoto {
        photo: PhotoRef {
            media_type: "video/mp4".to_owned(),
            size: 101,
            ..photo(5)
        },
    });
    case.refused_field("photo[0].size", &employee(), clip);
    case.facts.limits.document_bytes = 100;
    let mut case = Case::reported(Source::OpenVisit, Grade::General);
    case.facts.limits.document_bytes = 100;
    case.refused_field("photo[0].size", &employee(), paper(PhotoKind::Document));
}

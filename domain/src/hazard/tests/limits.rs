//! What one hazard may hold at most: the last one within a limit is taken, the next refused.

use super::*;

#[test]
fn photos() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.facts.limits.photos = 3;
    case.must(&inspector(1), attach(2));
    case.must(&inspector(1), attach(3));
    case.refused_as(RefusalCode::LimitReached, &inspector(1), attach(4));
    case.must(&inspector(1), confirm(Grade::General));
    // A correction may bring as many again, and then no more.
    for number in 4..=6 {
        case.must(&employee(), submit(number));
        case.must(&inspector(1), fail(None));
    }
    case.refused_as(RefusalCode::LimitReached, &employee(), submit(7));
}

#[test]
fn photos_of_one_report() {
    let mut case = Case::new();
    case.facts.limits.photos = 2;
    let with = |count: u8| {
        let photos = (1..=count).map(photo).collect();
        Action::Report(Report {
            photos,
            ..report(Source::Grid, Grade::General)
        })
    };
    case.refused_as(RefusalCode::LimitReached, &inspector(1), with(3));
    case.must(&inspector(1), with(2));
}

#[test]
fn photos_by_default_sixty() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    for number in 2..=60 {
        case.must(&inspector(1), attach(number));
    }
    case.refused_as(RefusalCode::LimitReached, &inspector(1), attach(61));
}

#[test]
fn the_size_of_one_photo() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.facts.limits.photo_bytes = 1_000;
    let of_size = |size| {
        Action::AttachPhoto(AttachPhoto {
            photo: PhotoRef { size, ..photo(2) },
        })
    };
    case.refused_field("photo[0].size", &inspector(1), of_size(1_001));
    case.must(&inspector(1), of_size(1_000));
}

#[test]
fn notes() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.facts.limits.notes = 2;
    case.must(&inspector(1), note("一"));
    case.must(&inspector(1), note("二"));
    case.refused_as(RefusalCode::LimitReached, &inspector(1), note("三"));
    assert_eq!(case.hazard().notes.len(), 2);
}

#[test]
fn disputed_fields() {
    let described = |text: &str| {
        Action::Amend(Amend {
            description: Some(text.to_owned()),
            ..amend(1)
        })
    };
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.facts.limits.disputes = 2;
    case.must(&inspector(1), described("甲"));
    case.must(&inspector(2), described("乙"));
    case.must(&inspector(2), described("丙"));
    case.refused_as(RefusalCode::LimitReached, &inspector(2), described("丁"));
    // The part that nobody disputes is not taken alone: its author decides again.
    let both = Amend {
        description: Some("丁".to_owned()),
        place_text: Some("三号线".to_owned()),
        ..amend(1)
    };
    case.refused_as(
        RefusalCode::LimitReached,
        &inspector(2),
        Action::Amend(both),
    );
}

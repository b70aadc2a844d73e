//! Field contents that no honest device sends: each refused by the name of its field.

use super::*;
use crate::text::{LONG_TEXT_MAX, SHORT_TEXT_MAX};

/// Sets one text of a command.
type SetText = fn(&mut Action, String);

/// A command, who may send it where, and one of its required texts.
struct Slot {
    field: &'static str,
    state: StatusName,
    actor: Actor,
    action: Action,
    max: usize,
    set: SetText,
}

macro_rules! slot {
    ($field:literal, $state:ident, $actor:expr, $action:expr, $max:expr, $variant:ident . $($part:ident).+) => {
        Slot {
            field: $field,
            state: StatusName::$state,
            actor: $actor,
            action: $action,
            max: $max,
            set: |action, text| {
                let Action::$variant(fields) = action else { unreachable!() };
                fields.$($part).+ = text;
            },
        }
    };
}

fn required_texts() -> Vec<Slot> {
    let new = || Action::Report(report(Source::Grid, Grade::General));
    let major = || confirm(Grade::Major);
    let (long, short) = (LONG_TEXT_MAX, SHORT_TEXT_MAX);
    vec![
        slot!(
            "description",
            Unreported,
            inspector(1),
            new(),
            long,
            Report.description
        ),
        slot!(
            "place_text",
            Unreported,
            inspector(1),
            new(),
            short,
            Report.place_text
        ),
        slot!(
            "responsible_person",
            Reported,
            inspector(1),
            major(),
            short,
            Confirm.responsible_person
        ),
        slot!(
            "requirement",
            Reported,
            inspector(1),
            major(),
            long,
            Confirm.requirement
        ),
        slot!(
            "reason",
            Reported,
            reviewer(),
            reject(),
            short,
            Reject.reason
        ),
        slot!(
            "measures",
            Rectifying,
            principal(),
            submit(9),
            long,
            SubmitRectification.measures
        ),
        slot!(
            "opinion",
            PendingReinspection,
            inspector(1),
            pass(),
            long,
            Reinspect.opinion
        ),
        slot!(
            "opinion",
            PendingReinspection,
            inspector(1),
            close(),
            long,
            Close.opinion
        ),
        slot!(
            "reason",
            Closed,
            inspector(1),
            reopen(),
            short,
            Reopen.reason
        ),
        slot!("text", Rejected, inspector(1), note("a"), long, Note.text),
        slot!(
            "reason",
            Reported,
            administrator(),
            lose(1),
            short,
            RecordPhotoLost.reason
        ),
    ]
}

#[test]
fn blank_too_long_and_control_characters_are_refused_by_field() {
    for slot in required_texts() {
        let case = Case::in_state(slot.state, Source::Grid, Grade::Major);
        let with = |text: &str| {
            let mut action = slot.action.clone();
            (slot.set)(&mut action, text.to_owned());
            action
        };
        let bad = ["", " \t\n\u{3000}", "a\u{0}b", "a\u{1b}[2Jb", "a\u{85}b"];
        for text in bad {
            case.clone()
                .refused_field(slot.field, &slot.actor, with(text));
        }
        let longest = "隐".repeat(slot.max);
        case.clone().must(&slot.actor, with(&longest));
        let longer = format!("{longest}患");
        case.clone()
            .refused_field(slot.field, &slot.actor, with(&longer));
    }
}

#[test]
fn optional_texts_may_be_absent_but_not_too_long_or_hold_nul() {
    type Change = fn(&mut Report, Option<String>);
    let fields: [(&str, usize, Change); 2] = [
        ("immediate_measure", LONG_TEXT_MAX, |r, text| {
            r.immediate_measure = text
        }),
        ("no_photo_reason", SHORT_TEXT_MAX, |r, text| {
            r.no_photo_reason = text
        }),
    ];
    for (field, max, set) in fields {
        let with = |text: Option<String>| {
            let mut report = report(Source::Grid, Grade::General);
            set(&mut report, text);
            Action::Report(report)
        };
        Case::new().must(&inspector(1), with(None));
        Case::new().must(&inspector(1), with(Some("隐".repeat(max))));
        Case::new().refused_field(field, &inspector(1), with(Some("隐".repeat(max + 1))));
        Case::new().refused_field(field, &inspector(1), with(Some("\u{0}".to_owned())));
    }
}

#[test]
fn a_criterion_names_its_code() {
    let mut nameless = report(Source::Grid, Grade::Major);
    nameless.criterion = Some(CriterionRef {
        code: " ".to_owned(),
        edition: 1,
    });
    Case::new().refused_field("criterion.code", &inspector(1), Action::Report(nameless));
    let Action::Confirm(confirm) = confirm(Grade::Major) else {
        unreachable!()
    };
    let criterion = Some(CriterionRef {
        code: "\u{0}".to_owned(),
        edition: 1,
    });
    let nameless = Action::Confirm(Confirm {
        criterion,
        ..confirm
    });
    let mut case = Case::reported(Source::Grid, Grade::Major);
    case.refused_field("criterion.code", &inspector(1), nameless);
}

#[test]
fn a_basis_is_held_to_the_same_limits() {
    let mut case = Case::reported(Source::Grid, Grade::Major);
    let Action::Confirm(confirm) = confirm(Grade::Major) else {
        unreachable!()
    };
    let basis = Some("隐".repeat(LONG_TEXT_MAX + 1));
    case.refused_field(
        "basis",
        &inspector(1),
        Action::Confirm(Confirm { basis, ..confirm }),
    );
}

#[test]
fn a_report_brings_an_id_of_version_7_and_its_variant() {
    let not_version_7 = [
        0_u128,
        u128::MAX,
        // Version 4.
        0x019a_b000_0000_4000_8000_0000_0000_00ff,
        // Version 7 in another variant.
        0x019a_b000_0000_7000_0000_0000_0000_00ff,
    ];
    for id in not_version_7 {
        let mut case = Case::new();
        case.id = HazardId(Uuid::from_u128(id));
        let action = Action::Report(report(Source::Grid, Grade::General));
        case.refused_field("id", &inspector(1), action);
    }
}

#[test]
fn claimed_times_may_be_wrong_but_not_absurd() {
    let found = |at: Timestamp| {
        Action::Report(Report {
            found_at: at,
            ..report(Source::Grid, Grade::General)
        })
    };
    let ahead = Limits::default().clock_ahead_ms;
    let absurd = [
        Timestamp::from_millis(i64::MIN),
        Timestamp::from_millis(0),
        crate::time::EARLIEST.plus_millis(-1),
        crate::time::LATEST,
        Timestamp::from_millis(i64::MAX),
        NOW.plus_millis(ahead + 1),
    ];
    for at in absurd {
        Case::new().refused_field("found_at", &inspector(1), found(at));
        let mut case = Case::in_state(StatusName::Confirmed, Source::Grid, Grade::General);
        let Action::SubmitRectification(submission) = submit(9) else {
            unreachable!()
        };
        let late = SubmitRectification {
            completed_at: at,
            ..submission
        };
        case.refused_field(
            "completed_at",
            &employee(),
            Action::SubmitRectification(late),
        );
    }
    for at in [
        crate::time::EARLIEST,
        NOW.plus_millis(ahead),
        NOW.plus_millis(DAY_MS),
    ] {
        Case::new().must(&inspector(1), found(at));
    }
}

fn due(text: &str) -> Action {
    let Action::Confirm(confirm) = confirm(Grade::General) else {
        unreachable!()
    };
    Action::Confirm(Confirm {
        due_date: date(text),
        ..confirm
    })
}

#[track_caller]
fn due_date_refused(case: &mut Case, field: &str, action: Action) {
    let refusal = case.refused(&inspector(1), action);
    assert_eq!(refusal.code, RefusalCode::DueDateOutOfRange, "{refusal:?}");
    assert_eq!(refusal.field.as_deref(), Some(field));
}

#[test]
fn a_due_date_lies_between_today_in_shanghai_and_730_days_ahead() {
    let case = Case::reported(Source::Grid, Grade::General);
    for refused in ["2026-11-21", "1999-01-01", "2028-11-22", "2199-12-31"] {
        due_date_refused(&mut case.clone(), "due_date", due(refused));
    }
    for accepted in ["2026-11-22", "2028-11-21"] {
        case.clone().must(&inspector(1), due(accepted));
    }
}

#[test]
fn a_due_date_set_offline_counts_from_the_day_on_which_it_was_set() {
    let mut case = Case::reported(Source::Grid, Grade::General);
    case.facts.made_at = Some(NOW.plus_millis(-10 * DAY_MS));
    case.clone().must(&inspector(1), due("2026-11-12"));
    due_date_refused(&mut case.clone(), "due_date", due("2026-11-11"));
    // A device whose clock runs ahead gains nothing, and one with an absurd clock loses nothing.
    case.facts.made_at = Some(NOW.plus_millis(400 * DAY_MS));
    case.clone().must(&inspector(1), due("2026-11-22"));
    due_date_refused(&mut case.clone(), "due_date", due("2029-01-01"));
    case.facts.made_at = Some(Timestamp::from_millis(i64::MIN));
    case.clone().must(&inspector(1), due("2026-11-22"));
    due_date_refused(&mut case, "due_date", due("2026-11-21"));
}

#[test]
fn a_new_due_date_after_a_return_is_held_to_the_same_range() {
    let case = Case::in_state(
        StatusName::PendingReinspection,
        Source::Grid,
        Grade::General,
    );
    for refused in ["2026-11-21", "2028-11-22"] {
        due_date_refused(&mut case.clone(), "new_due_date", fail(Some(date(refused))));
    }
    case.clone()
        .must(&inspector(1), fail(Some(date("2026-11-22"))));
}

#[test]
fn a_report_from_nowhere_is_refused() {
    let mut case = Case::new();
    case.facts.jurisdiction_id = None;
    let action = Action::Report(report(Source::Grid, Grade::General));
    case.refused_as(RefusalCode::JurisdictionUnknown, &inspector(1), action);
}

//! Checklists that an inspection names are those of the packs, and so are their items.

use super::*;
use crate::inspection::Listed;
use crate::pack::{Checklist, ChecklistEntry, ChecklistItem, PackHead};

/// The list of [`setup`] as a pack would bring it, with two items.
fn daily() -> Checklist {
    let item = |number: u32| ChecklistItem {
        number,
        zh: "灭火器在位".to_owned(),
        en: "Extinguishers are in place".to_owned(),
        criterion: None,
        risk_point: None,
        photo: false,
        unverified: true,
    };
    let entry = ChecklistEntry {
        code: "fire-daily".to_owned(),
        edition: 2,
        zh: "消防日检查".to_owned(),
        en: "Daily fire check".to_owned(),
        cadence: Cadence::Daily,
        role: "employee".to_owned(),
        site_types: Vec::new(),
        items: vec![item(1), item(2)],
    };
    let head = PackHead {
        name: "fire".to_owned(),
        version: 1,
        title_zh: "消防".to_owned(),
        title_en: "Fire".to_owned(),
        source: "x".to_owned(),
        licence: "CC0-1.0".to_owned(),
        sectors: Vec::new(),
        standards: Vec::new(),
        site_types: Vec::new(),
        risk_points: Vec::new(),
        duties: Vec::new(),
        filings: Vec::new(),
        wording: Vec::new(),
    };
    Checklist::of(&head, &entry)
}

fn found(listed: Listed) -> Checklists {
    let mut known = Checklists::default();
    known.insert(&setup(K::Plan).checklists[0], listed);
    known
}

#[track_caller]
fn refused_at(field: &str, case: &mut Case, actor: &Actor, action: Action) {
    let refusal = case.refused(actor, action);
    assert_eq!(refusal.code, RefusalCode::ChecklistUnknown, "{refusal:?}");
    assert_eq!(refusal.field.as_deref(), Some(field), "{refusal:?}");
}

#[test]
fn a_checklist_or_an_edition_that_no_pack_brought_begins_nothing() {
    let begins = [
        (inspector(1), plan(K::Plan)),
        (inspector(1), start(Some(setup(K::Plan)))),
        (
            principal(),
            Action::SubmitSelfCheck(self_check(Some(setup(K::SelfCheck)))),
        ),
    ];
    for (actor, action) in begins {
        let mut case = Case::new();
        case.facts.checklists = found(Listed::NoSuchCode);
        refused_at(
            "setup.checklists[0].code",
            &mut case,
            &actor,
            action.clone(),
        );
        case.facts.checklists = found(Listed::NoSuchEdition);
        let edition = "setup.checklists[0].edition";
        refused_at(edition, &mut case, &actor, action.clone());
        case.facts.checklists = found(Listed::Known(Box::new(daily())));
        case.must(&actor, action);
    }
}

#[test]
fn mandatory_items_results_and_findings_name_items_of_the_list() {
    let one = inspector(1);
    let mut case = Case::new();
    case.facts.checklists = found(Listed::Known(Box::new(daily())));
    let mut strange = setup(K::Plan);
    strange.checklists[0].mandatory.push("3".to_owned());
    let field = "setup.checklists[0].mandatory[2]";
    refused_at(field, &mut case, &one, start(Some(strange)));
    case.must(&one, start(Some(setup(K::Plan))));
    let two = record(vec![
        result("2", ItemOutcome::Ok),
        result("02", ItemOutcome::Ok),
    ]);
    refused_at("results[1].item.item", &mut case, &one, two);
    let Action::LinkFinding(mut linked) = finding(K::Plan, 1) else {
        panic!("a finding")
    };
    linked.item = Some(ItemRef {
        checklist: "fire-daily".to_owned(),
        item: "梁".to_owned(),
    });
    refused_at("item.item", &mut case, &one, Action::LinkFinding(linked));
    case.must(&one, all_ok());

    let mut whole = self_check(Some(setup(K::SelfCheck)));
    whole.results.push(result("3", ItemOutcome::Ok));
    let mut case = Case::new();
    case.facts.checklists = found(Listed::Known(Box::new(daily())));
    let whole = Action::SubmitSelfCheck(whole);
    refused_at("results[2].item.item", &mut case, &principal(), whole);
}

#[test]
fn an_edition_that_was_retired_is_as_good_as_any_and_what_has_begun_goes_on() {
    let one = inspector(1);
    let mut case = Case::new();
    let retired = Checklist {
        retired_in: Some(2),
        ..daily()
    };
    case.facts.checklists = found(Listed::Known(Box::new(retired)));
    case.must(&one, start(Some(setup(K::Plan))));
    for unknown in [found(Listed::NoSuchCode), Checklists::default()] {
        case.facts.checklists = unknown;
        case.must(&one, record(vec![result("9", ItemOutcome::Ok)]));
    }
}

#[test]
fn a_command_names_its_own_lists_and_those_whose_items_it_answers() {
    use crate::inspection::checklists_named;
    let own = setup(K::Plan).checklists;
    let named = |current: Option<&Inspection>, action: &Action| -> Vec<ChecklistRef> {
        let named = checklists_named(current, action);
        named.into_iter().cloned().collect()
    };
    assert_eq!(named(None, &plan(K::Plan)), own);
    let mut case = Case::new();
    let mut two = setup(K::SelfCheck);
    two.checklists.push(ChecklistRef {
        code: "second".to_owned(),
        edition: 1,
        mandatory: Vec::new(),
    });
    case.must(&principal(), start(Some(two)));
    let current = case.inspection.as_ref();
    assert_eq!(named(current, &all_ok()), own, "not the second one");
    let whole = Action::SubmitSelfCheck(self_check(None));
    assert_eq!(named(current, &whole), own);
    assert!(named(current, &complete(true)).is_empty());
}

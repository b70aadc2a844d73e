//! The checklists that an inspection names, against what the packs hold of them: no result is
//! recorded for an item that nobody can read.

use std::collections::BTreeMap;

use super::checks::invalid;
use super::decide::{Facts, setup_of};
use crate::command::{Action, ChecklistRef, ItemRef};
use crate::inspection::Inspection;
use crate::pack::Checklist;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, SHORT_TEXT_MAX};

/// What looking one edition of a checklist up has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// No pack has ever brought a checklist of this code.
    NoSuchCode,
    /// There is one, in other editions.
    NoSuchEdition,
    /// This edition. One that a newer version of its pack has no longer is as good as any: who
    /// inspects offline could not know.
    Known(Box<Checklist>),
}

/// Those editions that were looked up, by code and edition. Of any other nothing is known, and
/// nothing refused: whoever holds the packs looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checklists(BTreeMap<(String, u32), Listed>);

impl Checklists {
    /// Notes what was found of an edition.
    pub fn insert(&mut self, named: &ChecklistRef, found: Listed) {
        self.0.insert((named.code.clone(), named.edition), found);
    }

    fn of(&self, named: &ChecklistRef) -> Option<&Listed> {
        self.0.get(&(named.code.clone(), named.edition))
    }
}

/// The editions of checklists that a command names: those of a new inspection, and those of the one
/// that it goes on with whose items it names.
pub fn checklists_named<'a>(
    current: Option<&'a Inspection>,
    action: &'a Action,
) -> Vec<&'a ChecklistRef> {
    let items: Vec<&ItemRef> = match action {
        Action::RecordResults(results) => results.results.iter().map(|it| &it.item).collect(),
        Action::LinkFinding(finding) => finding.item.iter().collect(),
        Action::SubmitSelfCheck(check) => {
            let of_results = check.results.iter().map(|result| &result.item);
            let of_findings = check.findings.iter().filter_map(|it| it.item.as_ref());
            of_results.chain(of_findings).collect()
        }
        _ => Vec::new(),
    };
    let own = setup_of(action).map_or(&[][..], |setup| &setup.checklists);
    let standing = current.map_or(&[][..], |inspection| &inspection.checklists);
    let answered = |list: &&ChecklistRef| items.iter().any(|item| item.checklist == list.code);
    own.iter().chain(standing.iter().filter(answered)).collect()
}

/// A new inspection names editions that there are, and of each only items that it has.
pub(super) fn check_listed(named: &ChecklistRef, at: &str, facts: &Facts) -> Result<(), Refusal> {
    let list = match facts.checklists.of(named) {
        None => return Ok(()),
        Some(Listed::NoSuchCode) => {
            return Err(unknown(
                &format!("{at}.code"),
                "names no checklist of any pack",
            ));
        }
        Some(Listed::NoSuchEdition) => {
            return Err(unknown(&format!("{at}.edition"), "is no edition of it"));
        }
        Some(Listed::Known(list)) => list,
    };
    let strange = named.mandatory.iter().position(|item| !has(list, item));
    strange.map_or(Ok(()), |index| {
        let field = format!("{at}.mandatory[{index}]");
        Err(unknown(&field, "is no item of the checklist"))
    })
}

/// An item is one of a checklist that this inspection uses. What was begun by an edition that cannot
/// be looked up goes on.
pub(super) fn check_item(
    inspection: &Inspection,
    item: &ItemRef,
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required(&format!("{field}.item"), &item.item, SHORT_TEXT_MAX)?;
    let mut lists = inspection.checklists.iter();
    let Some(used) = lists.find(|list| list.code == item.checklist) else {
        return Err(invalid(
            &format!("{field}.checklist"),
            "is not one of this inspection's checklists",
        ));
    };
    match facts.checklists.of(used) {
        Some(Listed::Known(list)) if !has(list, &item.item) => Err(unknown(
            &format!("{field}.item"),
            "is no item of the checklist",
        )),
        _ => Ok(()),
    }
}

/// Items are named by their numbers.
fn has(list: &Checklist, item: &str) -> bool {
    list.items.iter().any(|own| own.number.to_string() == item)
}

fn unknown(field: &str, why: &str) -> Refusal {
    Refusal {
        field: Some(field.to_owned()),
        ..Refusal::new(RefusalCode::ChecklistUnknown, &format!("{field} {why}"))
    }
}

//! What the packs hold of the checklists that a command on an inspection names.

use hazardloop_domain::command::{Action, ChecklistRef};
use hazardloop_domain::inspection::{Checklists, Inspection, Listed, checklists_named};

use super::WorkingSet;
use crate::failure::Failure;
use crate::store::{Conn, packs};

impl WorkingSet<'_> {
    /// Looks them up: in one statement where all are there, else in two.
    pub(super) fn checklists_of(
        &self,
        conn: &mut Conn,
        current: Option<&Inspection>,
        action: &Action,
    ) -> Result<Checklists, Failure> {
        let mut named = checklists_named(current, action);
        // More than these are refused, whatever they are.
        named.truncate(self.door().inspection_limits.checklists);
        let mut known = Checklists::default();
        let held = packs::editions(conn, &named)?;
        let held = |reference: &ChecklistRef| held.iter().find(|list| list.is_named_by(reference));
        let mut missing = Vec::new();
        for reference in named {
            match held(reference) {
                Some(list) => known.insert(reference, Listed::Known(Box::new(list.clone()))),
                None => missing.push(reference),
            }
        }
        let codes: Vec<String> = missing.iter().map(|named| named.code.clone()).collect();
        let there = packs::known_lists(conn, &codes)?;
        for reference in missing {
            let found = match there.contains(&reference.code) {
                true => Listed::NoSuchEdition,
                false => Listed::NoSuchCode,
            };
            known.insert(reference, found);
        }
        Ok(known)
    }
}

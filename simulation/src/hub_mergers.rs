//! One of the towns is merged into the other, in the stages of `docs/adr/0013`, a few records at a time: what phones do goes
//! on in between.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use crate::cast;
use crate::hub::Hub;
use crate::oracle::Found;
use crate::variant::Variant;

/// Records of one lot: few, so that a merger takes a while.
const AT_ONCE: usize = 3;

/// How far a merger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The successor's devices are told of what was filed in the dissolved town.
    Telling,
    /// Roles over the dissolved town become roles over its successor.
    People,
    /// What was filed in the one is filed in the other.
    Emptying,
    /// Nothing is left of it.
    Done,
}

/// A merger of towns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merger {
    from: JurisdictionId,
    into: JurisdictionId,
    stage: Stage,
}

impl Hub {
    /// One town is dissolved, and the other its successor. `false`: that was done before.
    pub fn merge_into(&mut self, into: JurisdictionId) -> bool {
        if self.merger.is_some() {
            return false;
        }
        let from = cast::other_town(into);
        self.memory.tables.begin_merger(from, into);
        let stage = match self.variant() {
            Variant::MovesRolesBeforeRecords => Stage::People,
            _ => Stage::Telling,
        };
        self.merger = Some(Merger { from, into, stage });
        true
    }

    /// Whether a town is dissolved: nothing is moved there any more.
    pub(crate) fn is_dissolved(&self, town: JurisdictionId) -> bool {
        self.merger.is_some_and(|merger| merger.from == town)
    }

    /// Whether a merger is on its way.
    pub(crate) fn is_merging(&self) -> bool {
        self.merger
            .is_some_and(|merger| merger.stage != Stage::Done)
    }

    /// Does one lot of a merger that is on its way.
    pub(crate) fn advance_merger(&mut self) {
        let (variant, now) = (self.variant(), self.now);
        let Some(merger) = &mut self.merger else {
            return;
        };
        let (from, into) = (merger.from, merger.into);
        let tables = &mut self.memory.tables;
        match merger.stage {
            Stage::Telling => {
                if tables.tell_successor(from, into, AT_ONCE) {
                    merger.stage = match variant {
                        Variant::MovesRolesBeforeRecords => Stage::Emptying,
                        _ => Stage::People,
                    };
                }
            }
            Stage::People => {
                let holders = tables.lasting_holders(from, now);
                match holders.first() {
                    Some(person) if variant != Variant::LeavesRolesBehind => {
                        tables.move_merged_roles(*person, (from, into), now);
                    }
                    _ if variant == Variant::MovesRolesBeforeRecords => {
                        merger.stage = Stage::Telling;
                    }
                    _ => merger.stage = Stage::Emptying,
                }
            }
            Stage::Emptying => {
                if tables.file_in_successor((from, into), AT_ONCE, now) {
                    merger.stage = Stage::Done;
                }
            }
            Stage::Done => {}
        }
    }

    /// Invariant 9 while roles move: whoever gets the successor for the dissolved town misses nothing of it for a moment.
    pub(crate) fn look_at_merger(&self, found: &mut Vec<Found>) {
        let Some(merger) = self.merger else { return };
        if !matches!(merger.stage, Stage::People | Stage::Emptying) {
            return;
        }
        let tables = &self.memory.tables;
        let rows = tables.scopes.get(&Scope::Jurisdiction(merger.into));
        for hazard in tables.hazards.values() {
            let key = (RecordKind::Hazard, hazard.id.0);
            let row = rows.and_then(|rows| rows.rows.get(&key));
            let here = tables.way_to(hazard.jurisdiction_id).contains(&merger.into);
            if here && row.is_none_or(|row| row.record.is_none()) {
                let what = format!("the successor has not been told of {:?}", hazard.id);
                found.push(Found::new(9, what));
            }
        }
    }

    /// Invariant 9 of a merger that is done: nothing is left in the dissolved town, and nobody.
    pub(crate) fn check_merger(&self) -> Vec<Found> {
        let Some(merger) = self.merger else {
            return Vec::new();
        };
        let tables = &self.memory.tables;
        let mut left = Vec::new();
        let here = |town: JurisdictionId| town == merger.from;
        let hazards = tables.hazards.values();
        left.extend(
            hazards
                .filter(|hazard| here(hazard.jurisdiction_id))
                .map(|hazard| format!("{:?}", hazard.id)),
        );
        let firms = tables.enterprises.values();
        left.extend(
            firms
                .filter(|firm| here(firm.jurisdiction_id))
                .map(|firm| format!("{:?}", firm.id)),
        );
        for person in tables.people.values() {
            let held = person
                .grants
                .iter()
                .filter(|grant| grant.holds_at(self.now));
            let mut scopes = held.map(|grant| grant.scope);
            if scopes.any(|scope| scope == GrantScope::Jurisdiction(merger.from)) {
                left.push(format!("a role of {:?}", person.id));
            }
        }
        let left = left.into_iter();
        left.map(|what| Found::new(9, format!("{what} is left in a dissolved town")))
            .collect()
    }
}

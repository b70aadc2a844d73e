//! Who has which role at the simulated hub, and when.

use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::ids::{GrantId, PersonId};

use crate::cast;
use crate::dice::Dice;
use crate::hub::Hub;
use crate::trace::Event;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

impl Hub {
    /// An inspector is moved to the other town.
    pub fn move_inspector(&mut self, person: PersonId, number: usize) {
        let Some(record) = self.memory.tables.people.get(&person) else {
            return;
        };
        let held = record
            .grants
            .iter()
            .filter(|grant| grant.holds_at(self.now));
        let mut towns = held.filter_map(|grant| match grant.scope {
            GrantScope::Jurisdiction(here) => Some(here),
            _ => None,
        });
        let Some(town) = towns.next_back() else {
            return;
        };
        let there = cast::other_town(town);
        if self.is_dissolved(there) {
            return;
        }
        let there = GrantScope::Jurisdiction(there);
        let begun = cast::grant(100 + number, Role::Inspector, there, self.now);
        let ended = self.begin_role(person, begun.clone());
        self.note(|| Event::RoleMoved {
            person_id: person,
            ended,
            begun,
        });
    }

    /// A role begins; those in other towns that it takes the place of end, and are answered.
    pub fn begin_role(&mut self, person: PersonId, begun: Grant) -> Vec<GrantId> {
        let Some(mut record) = self.memory.tables.people.get(&person).cloned() else {
            return Vec::new();
        };
        let mut ended = Vec::new();
        for grant in &mut record.grants {
            let town = matches!(grant.scope, GrantScope::Jurisdiction(_));
            if town && grant.holds_at(self.now) {
                grant.valid_until = Some(self.now);
                ended.push(grant.id);
            }
        }
        record.grants.push(begun);
        record.version += 1;
        self.memory.tables.put_person(record);
        ended
    }

    /// Time passes until no role begins or ends any more.
    pub fn pass_roles(&mut self) {
        let people = self.memory.tables.people.values();
        let grants = people.flat_map(|person| &person.grants);
        let turns = grants.flat_map(|grant| [Some(grant.valid_from), grant.valid_until]);
        if let Some(last) = turns.flatten().max() {
            self.now = self.now.max(last.plus_millis(1_000));
        }
    }

    /// A role that somebody holds gets an end some hours ahead, and another like it begins some hours after that.
    /// `false`: they hold none.
    pub fn end_role(&mut self, person: PersonId, number: usize, dice: &mut Dice) -> bool {
        let Some(mut record) = self.memory.tables.people.get(&person).cloned() else {
            return false;
        };
        let ends = self.now.plus_millis(HOUR * (1 + dice.below(8) as i64));
        let begins = ends.plus_millis(HOUR * (1 + dice.below(24) as i64));
        let mut held = record.grants.iter_mut();
        let held = held.find(|grant| grant.holds_at(self.now) && grant.valid_until.is_none());
        let Some(held) = held else { return false };
        held.valid_until = Some(ends);
        let (role, scope) = (held.role, held.scope);
        record
            .grants
            .push(cast::grant(100 + number, role, scope, begins));
        record.version += 1;
        self.memory.tables.put_person(record);
        true
    }
}

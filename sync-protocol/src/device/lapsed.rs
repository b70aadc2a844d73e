//! Roles whose end is known and has come: what a device holds by them alone is not shown any more.
//!
//! A role has its end in the record of its person, so that a device without a network knows of it. It goes by its own
//! clock, which cannot be earlier than the server has said; and since that clock may be wrong, nothing is deleted for
//! it: the server drops the scope at the next contact, or says that the role goes on.

use std::collections::BTreeSet;

use hazardloop_domain::access::{Grant, PersonRecord};

use crate::hub::{scopes_given, scopes_granted};
use crate::wire::Scope;

use super::RowKey;
use super::view::Reader;

impl Reader<'_> {
    /// Scopes on this device that ended roles gave, and that no present one gives.
    fn lapsed(&self) -> &BTreeSet<Scope> {
        self.lapsed.get_or_init(|| {
            let Some(person) = self.person() else {
                return BTreeSet::new();
            };
            let PersonRecord { id, grants, .. } = &person;
            let has_ended =
                |grant: &&Grant| grant.valid_until.is_some_and(|until| until <= self.now);
            let mut ended = grants.iter().filter(has_ended).peekable();
            if ended.peek().is_none() {
                return BTreeSet::new();
            }
            let present = scopes_granted(*id, grants, self.now);
            let gone = ended
                .flat_map(|grant| scopes_given(*id, grant))
                .filter(|scope| self.state.scopes.contains_key(scope) && !present.contains(scope));
            gone.collect()
        })
    }

    pub(super) fn lapsed_scopes(&self) -> Vec<Scope> {
        self.lapsed().iter().copied().collect()
    }

    /// Whether a row is for people to see: not where only lapsed scopes hold it. What no scope holds yet (one's own
    /// report that has not come back) is.
    pub(super) fn is_shown(&self, key: RowKey) -> bool {
        let lapsed = self.lapsed();
        if lapsed.is_empty() {
            return true;
        }
        let mut holders = self.state.members.iter();
        let mut holders = holders
            .by_ref()
            .filter(|(_, rows)| rows.contains_key(&key))
            .map(|(scope, _)| scope)
            .peekable();
        holders.peek().is_none() || holders.any(|scope| !lapsed.contains(scope))
    }
}

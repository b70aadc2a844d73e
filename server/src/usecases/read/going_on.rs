//! Where a page that ended early goes on. It has looked at records that the asker may not see, and its cursor
//! tells nothing of them: it names the last record that they may see, or none at all.

use uuid::Uuid;

use super::keys::in_order;
use crate::store::hazard_lists::Order;
use crate::store::lists::Key;

/// The cursor after `last`, the last record that the page has looked at; `seen`: the last among those up to it
/// that the asker may see. Never behind `last` in the list's order, so that nothing is left out, and always
/// behind `after`, where the page began; `None`: there is no such cursor yet, and the page has to look on.
pub(super) fn going_on(
    order: Order,
    after: Option<Key>,
    seen: Option<Key>,
    last: Key,
) -> Option<Key> {
    let behind = |key: &Key| after.is_none_or(|after| in_order(order, &after, key).is_lt());
    let mut cursors = seen.into_iter().chain(veiled(order, last));
    cursors.find(behind)
}

/// Cursors that stand for `last` and are no record's: all of its moment comes again; and where that does not get
/// anywhere, all whose ids begin as its own does, with the time at which the device made it.
fn veiled(order: Order, last: Key) -> [Key; 2] {
    let low = u128::from(u64::MAX);
    let id = last.id.as_u128();
    match order {
        Order::Newest => [
            Key {
                at: last.at.saturating_add(1),
                id: Uuid::nil(),
            },
            Key {
                at: last.at,
                id: Uuid::from_u128(id | low),
            },
        ],
        Order::Due => [
            Key {
                at: last.at,
                id: Uuid::nil(),
            },
            Key {
                at: last.at,
                id: Uuid::from_u128(id & !low),
            },
        ],
    }
}

#[cfg(test)]
#[path = "going_on_tests.rs"]
mod tests;

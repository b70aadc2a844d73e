//! The kinds of faults that schedules count, by name: one that is never played proves nothing.

use std::collections::BTreeSet;

use crate::network::NetFault;

/// Those that do not befall single requests.
const KINDS: &[&str] = &[
    "catalog changed",
    "amended",
    "chosen before its receipt",
    "clock",
    "crash",
    "disk full",
    "enterprise moved",
    "given_up",
    "hub restored",
    "hub upgraded",
    "inspector moved",
    "late answer",
    "lean",
    "left out",
    "offer found too large",
    "offer held up",
    "offered enough",
    "packed",
    "phone restored",
    "phone upgraded",
    "photo refused",
    "photo spoiled",
    "put back",
    "queued during an offer",
    "removals forgotten",
    "reordered",
    "reordered past a rekey",
    "retried",
    "revoked",
    "role ended",
    "role ended on a phone",
    "said in full",
    "set aside",
    "signed in",
    "stolen",
    "too large for the hub",
    "tried again",
    "towns merged",
    "wiped",
];

/// Every kind.
pub fn kinds() -> BTreeSet<String> {
    let of_requests = NetFault::ALL.iter().map(|fault| format!("{fault:?}"));
    let others = KINDS.iter().map(|kind| (*kind).to_owned());
    of_requests.chain(others).collect()
}

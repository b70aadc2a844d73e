//! Enterprises say in which grid (网格) they are, whichever jurisdiction answers for them. Once a grid has given way, those
//! that name it name its successor.

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;

use super::emptying::store_firm;
use super::{Merge, one, reach_on, records_at_once};
use crate::app::App;
use crate::failure::Failure;
use crate::store::merges::{NAMED_BY, NOTHING_YET, Stage};
use crate::store::{WriteTx, enterprises};

/// Enterprises that are looked at for each one that a lot may change: most name another grid.
const LOOKED_AT: usize = 10;

/// After all that lay in the dissolved one: nobody names what is no grid, so then the merger is done.
pub(super) fn begin(tx: &mut WriteTx<'_>, merge: &Merge) -> Result<(), Failure> {
    if one(tx.conn(), merge.from)?.node.level != Level::Grid {
        return reach_on(tx, merge, Stage::Done, &NOTHING_YET);
    }
    reach_on(tx, merge, Stage::Emptying, &(NAMED_BY, Vec::new()))
}

/// Looks through the next lot. Since the merger began nobody can name the dissolved grid anew, so one walk finds all.
pub(super) fn lot(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), Failure> {
    let most = records_at_once(app);
    let limit = most.saturating_mul(LOOKED_AT);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = enterprises::all_after(tx.conn(), &merge.after.1, limit)?;
    let (mut changed, mut last) = (0, None);
    for before in found {
        if changed == most {
            break;
        }
        last = Some(before.id.as_bytes().to_vec());
        let mut after = before.clone();
        if name_successor(&mut after, merge) {
            store_firm(app, tx, (before, after), now)?;
            changed += 1;
        }
    }
    match last {
        Some(last) => reach_on(tx, merge, Stage::Emptying, &(NAMED_BY, last)),
        None => reach_on(tx, merge, Stage::Done, &NOTHING_YET),
    }
}

/// Answers whether it named the dissolved one.
pub(super) fn name_successor(firm: &mut Enterprise, merge: &Merge) -> bool {
    let named = firm.profile.grid_id == Some(merge.from);
    if named {
        firm.profile.grid_id = Some(merge.into);
    }
    named
}

//! The dissolved jurisdiction gives way: its children hang below the successor, what was filed right in it is filed
//! there, and its own scopes, which nobody holds any more, are emptied.

use hazardloop_domain::command::{Action, Command, FollowEnterprise, Subject};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{HazardId, InspectionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::telling::uuids;
use super::{Merge, naming, reach_on, records_at_once, scopes};
use crate::app::App;
use crate::failure::Failure;
use crate::store::hazard_lists;
use crate::store::lists::{self, Key};
use crate::store::merges::{self, Lot, NAMED_BY, NOTHING_YET, Stage};
use crate::store::{WriteTx, enterprise_rows, enterprises, search, unclaimed};
use crate::usecases::boundaries;
use crate::usecases::enterprises::{Change as FirmChange, Storing};
use crate::usecases::execute::{Door, Sender};
use crate::usecases::jurisdictions::{self as tree, Change, encoded};

/// From here on the way to the dissolved jurisdiction is that to its successor. Under [`merges::hold_ways`].
pub(super) fn begin(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), Failure> {
    for mut child in merges::children(tx.conn(), merge.from)? {
        child.parent_id = Some(merge.into);
        child.version = child.version.saturating_add(1);
        merges::hang(tx, &child, encoded(&child)?)?;
        let change = Change {
            kind: "hung_below_successor",
            boundary: None,
            actor: None,
            reason: None,
            now,
        };
        tree::record(tx, &app.digest_key, &child, &change)?;
        boundaries::hold_as_stored(tx, app, child.id)?;
    }
    reach_on(tx, merge, Stage::Emptying, &NOTHING_YET)
}

/// Moves and empties the next lot.
pub(super) fn lot(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), Failure> {
    let most = records_at_once(app);
    if merge.after.0 == NAMED_BY {
        return naming::lot(app, tx, merge, now);
    }
    let lot = merges::lot(tx, merge.from, &merge.after, most)?;
    file_in_successor(app, tx, merge, &lot, now)?;
    let left = scopes(tx.conn(), merge.from)?;
    lot.take_out(tx, &left, now)?;
    if let Some(last) = &lot.last {
        return reach_on(tx, merge, Stage::Emptying, last);
    }
    if merges::holds_anything(tx.conn(), Scope::Jurisdiction(merge.from))? {
        return reach_on(tx, merge, Stage::Emptying, &NOTHING_YET);
    }
    match empty_lists(tx, merge, &left, most)? {
        true => naming::begin(tx, merge),
        false => Ok(()),
    }
}

fn file_in_successor(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    lot: &Lot,
    now: Timestamp,
) -> Result<(), Failure> {
    let [firms, hazards, inspections] = &lot.ids;
    for firm in lists::enterprises(tx.conn(), &uuids(firms)?)? {
        move_firm(app, tx, merge, firm, now)?;
    }
    let change = FollowEnterprise {
        jurisdiction_id: merge.into,
        merged_from: Some(merge.from),
    };
    let mut subjects: Vec<Subject> = Vec::new();
    let hazards = lists::hazards(tx.conn(), &uuids(hazards)?)?;
    // What lies in a village needs no event: the way to it is another.
    let here = hazards.iter().filter(|it| it.jurisdiction_id == merge.from);
    subjects.extend(here.map(|it| Subject::Hazard(HazardId(it.id.0))));
    let inspections = lists::inspections(tx.conn(), &uuids(inspections)?)?;
    let here = inspections
        .iter()
        .filter(|it| it.jurisdiction_id == merge.from);
    subjects.extend(here.map(|it| Subject::Inspection(InspectionId(it.id.0))));
    let door = Door::new(app);
    let mut set = door.open(now);
    set.expect(tx.conn(), &subjects)?;
    for subject in subjects {
        let action = match subject {
            Subject::Hazard(_) => Action::FollowEnterprise(change.clone()),
            Subject::Inspection(_) => Action::InspectionFollowEnterprise(change.clone()),
        };
        set.decide(tx, &Command::new(subject.id(), action), &Sender::SERVER)?;
    }
    set.store(tx)?;
    // They are no longer found in the dissolved one.
    let keys: Vec<Key> = hazards
        .iter()
        .map(|hazard| Key {
            at: hazard.received_at.as_millis(),
            id: hazard.id.0,
        })
        .collect();
    Ok(search::put_waiting(tx, &keys)?)
}

fn move_firm(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    before: Enterprise,
    now: Timestamp,
) -> Result<(), Failure> {
    if before.jurisdiction_id != merge.from {
        return Ok(());
    }
    enterprises::hold_for_move(tx, before.id)?;
    let mut after = Enterprise {
        jurisdiction_id: merge.into,
        ..before.clone()
    };
    naming::name_successor(&mut after, merge);
    store_firm(app, tx, (before, after), now)
}

/// Stores an enterprise as the merger has changed it.
pub(super) fn store_firm(
    app: &App,
    tx: &mut WriteTx<'_>,
    (before, mut after): (Enterprise, Enterprise),
    now: Timestamp,
) -> Result<(), Failure> {
    after.version = before.version.saturating_add(1);
    let change = FirmChange {
        kind: "jurisdiction_merged",
        actor: None,
        reason: None,
        now,
    };
    let mut storing = Storing::new(&app.digest_key);
    storing.put(tx, &after, Some(&before), &change)?;
    storing.finish(tx)
}

/// Empties the lists of the dissolved one, some rows of each at once. Answers whether nothing is left.
fn empty_lists(
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    left: &[Scope],
    most: usize,
) -> Result<bool, Failure> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut emptied = unclaimed::empty(tx, merge.from, limit)?;
    for scope in left {
        emptied = emptied.max(hazard_lists::empty(tx, scope, limit)?);
        emptied = emptied.max(enterprise_rows::empty(tx, *scope, limit)?);
    }
    Ok(emptied < most)
}

//! Roles over the dissolved jurisdiction become the same roles over its successor: of the same sectors, until the
//! same day, temporary where they were. What somebody holds there already is not given twice. Past roles stay as they
//! were: they say who answered when.

use std::collections::BTreeMap;

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::{Merge, emptying};
use crate::app::App;
use crate::failure::Failure;
use crate::store::people::{self as stored, PlacedGrant};
use crate::store::{WriteTx, merges};
use crate::usecases::people;

/// Roles that one transaction moves. Each is some ten statements.
const ROLES_AT_ONCE: i64 = 50;

/// Moves the next lot; once none is left, the dissolved jurisdiction gives way.
pub(super) fn lot(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), Failure> {
    let holders = holders(tx, merge, now)?;
    if holders.is_empty() {
        // Whoever is being given a role there has read the way to it: afterwards nobody is.
        merges::hold_ways(tx)?;
        if self::holders(tx, merge, now)?.is_empty() {
            return emptying::begin(app, tx, merge, now);
        }
        return Ok(());
    }
    stored::hold_all(tx, &holders)?;
    let mut of_each: BTreeMap<PersonId, Vec<Grant>> = BTreeMap::new();
    for PlacedGrant {
        person_id, grant, ..
    } in stored::grants_of(tx.conn(), &holders)?
    {
        of_each.entry(person_id).or_default().push(grant);
    }
    for (person, held) in of_each {
        move_roles(app, tx, merge, (person, held), now)?;
    }
    Ok(())
}

fn holders(tx: &mut WriteTx<'_>, merge: &Merge, now: Timestamp) -> Result<Vec<PersonId>, Failure> {
    let lasting = merges::lasting_grants(tx.conn(), merge.from, now, ROLES_AT_ONCE)?;
    let mut holders: Vec<PersonId> = lasting.into_iter().map(|(person, _)| person).collect();
    holders.sort_unstable();
    holders.dedup();
    Ok(holders)
}

fn move_roles(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    (person, mut held): (PersonId, Vec<Grant>),
    now: Timestamp,
) -> Result<(), Failure> {
    let lasts = |grant: &Grant| grant.valid_until.is_none_or(|until| until > now);
    let leaves =
        |grant: &Grant| lasts(grant) && grant.scope == GrantScope::Jurisdiction(merge.from);
    let (leaving, staying): (Vec<Grant>, Vec<Grant>) = held.drain(..).partition(leaves);
    held.extend(staying.into_iter().filter(lasts));
    let mut moves = Vec::with_capacity(leaving.len());
    for grant in leaving {
        let given = Grant {
            id: moved_id(grant.id, merge, now),
            scope: GrantScope::Jurisdiction(merge.into),
            valid_from: grant.valid_from.max(now),
            ..grant.clone()
        };
        if held.iter().any(|held| covers(held, &given)) {
            moves.push((grant.id, None));
        } else {
            held.push(given.clone());
            moves.push((grant.id, Some(given)));
        }
    }
    let fields = [("merged_into", merge.into.to_string())];
    people::move_grants(tx, &app.digest_key, person, &moves, (&fields, now))
}

/// It follows from the role that ended, so that a repeated transaction makes the same one.
fn moved_id(ended: GrantId, merge: &Merge, now: Timestamp) -> GrantId {
    let name = Digest::sha256_of_parts(&[
        b"hazardloop merged grant",
        ended.as_bytes(),
        merge.into.as_bytes(),
    ]);
    let mut tail = [0; 10];
    tail.iter_mut()
        .zip(name.as_bytes())
        .for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(now.as_millis()).unwrap_or_default();
    GrantId(uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid())
}

/// Whether a grant over one jurisdiction says all that another one would say.
pub(super) fn covers(held: &Grant, given: &Grant) -> bool {
    let (GrantScope::Jurisdiction(one), GrantScope::Jurisdiction(other)) =
        (held.scope, given.scope)
    else {
        return false;
    };
    let sectors = held.sectors.is_empty()
        || (!given.sectors.is_empty() && given.sectors.iter().all(|of| held.sectors.contains(of)));
    let until = match (held.valid_until, given.valid_until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(held), Some(given)) => held >= given,
    };
    one == other
        && held.role == given.role
        && sectors
        && until
        && held.valid_from <= given.valid_from
        && (given.certificate.is_none() || held.certificate == given.certificate)
        && (held.temporary_reason.is_none() || given.temporary_reason.is_some())
}

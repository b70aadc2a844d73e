//! Roles over a jurisdiction that was merged into another one.

use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;

use super::recorded::record_added;
use super::{announce_person, record_event};
use crate::failure::Failure;
use crate::store::{StoreError, WriteTx, hand_overs, people};
use crate::usecases::sectors;

/// Ends roles of a person whose jurisdiction was merged, gives those that come in their place, records both, and
/// announces it to the person's devices. A certificate is theirs already, or that of a disabled account, which claims
/// none.
///
/// # Errors
/// [`StoreError::Stale`] when one of them has ended by then; when the database does not answer.
pub fn move_grants(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    person: PersonId,
    moves: &[(GrantId, Option<Grant>)],
    (fields, now): (&[(&'static str, String)], Timestamp),
) -> Result<(), Failure> {
    if moves.is_empty() {
        return Ok(());
    }
    people::bump(tx, person)?;
    for (ended, given) in moves {
        if !people::end_grant(tx, *ended, now)? {
            return Err(StoreError::Stale { what: "grant" }.into());
        }
        let id = ("grant_id", ended.to_string());
        let fields: Vec<(&str, &str)> = std::iter::once(&id)
            .chain(fields)
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        record_event(tx, person, "grant_merged", None, &fields, now)?;
        if let Some(given) = given {
            sectors::open_for(tx, person, given, now)?;
            people::insert_grant(tx, person, given)?;
            record_added(tx, person, given, None, now)?;
        }
    }
    // What is handed over from a later day on is so under its new id too.
    let moved = moves
        .iter()
        .filter_map(|(ended, given)| Some((*ended, given.as_ref()?.id)));
    hand_overs::follow(tx, &moved.collect::<Vec<_>>())?;
    announce_person(tx, digest_key, person)?;
    Ok(())
}

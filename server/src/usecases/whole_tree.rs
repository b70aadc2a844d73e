//! What holds for everybody, such as calendars and packs, is changed by whoever answers for the whole
//! tree of jurisdictions.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;

use super::execute::lineage;
use crate::failure::Failure;
use crate::store::{Conn, access};

/// Whether the person holds a role for `operation` over a root of the tree, for every sector.
///
/// # Errors
/// When the database does not answer.
pub(super) fn holds(
    conn: &mut Conn,
    person_id: PersonId,
    operation: Operation,
    now: Timestamp,
) -> Result<bool, Failure> {
    for grant in access::grants_of(conn, person_id)? {
        if let GrantScope::Jurisdiction(id) = grant.scope
            && grant.holds_at(now)
            && grant.sectors.is_empty()
            && operation.roles().contains(&grant.role)
            && lineage(conn, id)?.ancestors.len() == 1
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses unless the person [`holds`] such a role.
///
/// # Errors
/// [`Failure::Forbidden`].
pub(super) fn require(
    conn: &mut Conn,
    person_id: PersonId,
    operation: Operation,
    now: Timestamp,
) -> Result<(), Failure> {
    if holds(conn, person_id, operation, now)? {
        return Ok(());
    }
    let names: Vec<_> = operation.roles().iter().map(|role| role.as_str()).collect();
    let why = format!("needs the role {} over the whole tree", names.join(" or "));
    Err(Failure::Forbidden(why))
}

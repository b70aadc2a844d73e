//! What holds for everybody, such as calendars and packs, is changed by whoever answers for the whole
//! tree of jurisdictions.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;

use super::execute::lineage;
use crate::failure::Failure;
use crate::store::{Conn, access};

/// Refuses unless the person holds a role for `operation` over a root of the tree.
///
/// # Errors
/// [`Failure::Forbidden`].
pub(super) fn require(
    conn: &mut Conn,
    person_id: PersonId,
    operation: Operation,
    now: Timestamp,
) -> Result<(), Failure> {
    for grant in access::grants_of(conn, person_id)? {
        if let GrantScope::Jurisdiction(id) = grant.scope
            && grant.holds_at(now)
            && operation.roles().contains(&grant.role)
            && lineage(conn, id)?.ancestors.len() == 1
        {
            return Ok(());
        }
    }
    let names: Vec<_> = operation.roles().iter().map(|role| role.as_str()).collect();
    let why = format!("needs the role {} over the whole tree", names.join(" or "));
    Err(Failure::Forbidden(why))
}

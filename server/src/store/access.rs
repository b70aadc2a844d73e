//! Who holds which role over what: read inside the transaction that decides by it.

use diesel::prelude::*;
use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::PersonId;

use super::people::GrantRow;
use super::schema::{grants, people};
use super::{Conn, StoreError};

/// All grants of a person, past and present, oldest first. Empty for the disabled and the unknown.
///
/// # Errors
/// When the database does not answer or holds a grant that this program does not understand.
pub fn grants_of(conn: &mut Conn, person_id: PersonId) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<GrantRow> = grants::table
        .inner_join(people::table.on(people::id.eq(grants::person_id)))
        .filter(grants::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(people::disabled_at.is_null())
        .order((grants::valid_from, grants::id))
        .select(GrantRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let read = row.read().ok_or_else(|| StoreError::Corrupt {
                what: format!("a grant of {person_id}"),
            });
            Ok(read?.1)
        })
        .collect()
}

//! Who holds which role over what: read inside the transaction that decides by it.

use diesel::prelude::*;
use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::ids::{EnterpriseId, GrantId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::schema::{grants, people};
use super::{Conn, StoreError};

/// All grants of a person, past and present, oldest first. Empty for the disabled and the unknown.
///
/// # Errors
/// When the database does not answer or holds a grant that this program does not understand.
pub fn grants_of(conn: &mut Conn, person_id: PersonId) -> Result<Vec<Grant>, StoreError> {
    type Row = (
        Vec<u8>,
        String,
        Option<Vec<u8>>,
        Option<Vec<u8>>,
        i64,
        Option<i64>,
    );
    let rows: Vec<Row> = grants::table
        .inner_join(people::table.on(people::id.eq(grants::person_id)))
        .filter(grants::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(people::disabled_at.is_null())
        .order((grants::valid_from, grants::id))
        .select((
            grants::id,
            grants::role,
            grants::enterprise_id,
            grants::jurisdiction_id,
            grants::valid_from,
            grants::valid_until,
        ))
        .load(conn)?;
    let read = |(id, role, enterprise, jurisdiction, from, until): Row| {
        let scope = match (enterprise, jurisdiction) {
            (Some(id), None) => GrantScope::Enterprise(EnterpriseId::from_slice(&id)?),
            (None, Some(id)) => GrantScope::Jurisdiction(JurisdictionId::from_slice(&id)?),
            _ => return None,
        };
        Some(Grant {
            id: GrantId::from_slice(&id)?,
            role: Role::from_name(&role)?,
            scope,
            valid_from: Timestamp::from_millis(from),
            valid_until: until.map(Timestamp::from_millis),
            sectors: Vec::new(),
            certificate: None,
        })
    };
    rows.into_iter()
        .map(|row| {
            read(row).ok_or_else(|| StoreError::Corrupt {
                what: format!("a grant of {person_id}"),
            })
        })
        .collect()
}

//! Grants: who holds which role over what, and where that lies.

use diesel::prelude::*;
use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::ids::{EnterpriseId, GrantId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::corrupt;
use crate::store::schema::{enterprises, grants, jurisdictions};
use crate::store::{Conn, StoreError, WriteTx};

/// A grant and where its scope lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedGrant {
    /// Whose.
    pub person_id: PersonId,
    /// The grant.
    pub grant: Grant,
    /// Path of the jurisdiction it is over, or in which its enterprise lies.
    pub path: String,
}

/// Stores a new grant.
///
/// # Errors
/// A unique violation in `grants` when the id is taken, a foreign-key one when the scope does
/// not exist.
pub fn insert_grant(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    grant: &Grant,
) -> Result<(), StoreError> {
    let (enterprise, jurisdiction) = match grant.scope {
        GrantScope::Enterprise(id) => (Some(id.as_bytes().to_vec()), None),
        GrantScope::Jurisdiction(id) => (None, Some(id.as_bytes().to_vec())),
    };
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(grant.id.as_bytes().to_vec()),
            grants::person_id.eq(person.as_bytes().to_vec()),
            grants::role.eq(grant.role.as_str()),
            grants::enterprise_id.eq(enterprise),
            grants::jurisdiction_id.eq(jurisdiction),
            grants::valid_from.eq(grant.valid_from.as_millis()),
            grants::valid_until.eq(grant.valid_until.map(Timestamp::as_millis)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Ends a grant at `now` unless it has ended before; answers whether it changed.
///
/// # Errors
/// When the database does not answer.
pub fn end_grant(tx: &mut WriteTx<'_>, id: GrantId, now: Timestamp) -> Result<bool, StoreError> {
    let ended = diesel::update(
        grants::table.find(id.as_bytes().to_vec()).filter(
            grants::valid_until
                .is_null()
                .or(grants::valid_until.gt(now.as_millis())),
        ),
    )
    .set(grants::valid_until.eq(now.as_millis()))
    .execute(tx.conn())?;
    Ok(ended == 1)
}

/// Whose grant this is.
///
/// # Errors
/// When the database does not answer.
pub fn holder_of(conn: &mut Conn, id: GrantId) -> Result<Option<PersonId>, StoreError> {
    let holder: Option<Vec<u8>> = grants::table
        .find(id.as_bytes().to_vec())
        .select(grants::person_id)
        .first(conn)
        .optional()?;
    holder
        .map(|id| PersonId::from_slice(&id).ok_or_else(|| corrupt("the id of a person")))
        .transpose()
}

type GrantRow = (
    Vec<u8>,
    Vec<u8>,
    String,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    i64,
    Option<i64>,
    String,
);

fn read_grant(row: GrantRow) -> Option<PlacedGrant> {
    let (id, person, role, enterprise, jurisdiction, from, until, path) = row;
    let scope = match (enterprise, jurisdiction) {
        (Some(id), None) => GrantScope::Enterprise(EnterpriseId::from_slice(&id)?),
        (None, Some(id)) => GrantScope::Jurisdiction(JurisdictionId::from_slice(&id)?),
        _ => return None,
    };
    Some(PlacedGrant {
        person_id: PersonId::from_slice(&person)?,
        grant: Grant {
            id: GrantId::from_slice(&id)?,
            role: Role::from_name(&role)?,
            scope,
            valid_from: Timestamp::from_millis(from),
            valid_until: until.map(Timestamp::from_millis),
            sectors: Vec::new(),
            certificate: None,
        },
        path,
    })
}

const GRANT_COLUMNS: (
    grants::id,
    grants::person_id,
    grants::role,
    grants::enterprise_id,
    grants::jurisdiction_id,
    grants::valid_from,
    grants::valid_until,
    jurisdictions::path,
) = (
    grants::id,
    grants::person_id,
    grants::role,
    grants::enterprise_id,
    grants::jurisdiction_id,
    grants::valid_from,
    grants::valid_until,
    jurisdictions::path,
);

/// All grants of these people, past ones too, ordered by id.
///
/// # Errors
/// When the database does not answer or holds an unknown role.
pub fn grants_of(conn: &mut Conn, holders: &[PersonId]) -> Result<Vec<PlacedGrant>, StoreError> {
    let ids = || -> Vec<Vec<u8>> { holders.iter().map(|id| id.as_bytes().to_vec()).collect() };
    let mut rows: Vec<GrantRow> = grants::table
        .inner_join(jurisdictions::table)
        .filter(grants::person_id.eq_any(ids()))
        .select(GRANT_COLUMNS)
        .load(conn)?;
    rows.extend(
        grants::table
            .inner_join(enterprises::table.inner_join(jurisdictions::table))
            .filter(grants::person_id.eq_any(ids()))
            .select(GRANT_COLUMNS)
            .load::<GrantRow>(conn)?,
    );
    rows.sort();
    rows.into_iter()
        .map(|row| read_grant(row).ok_or_else(|| corrupt("a grant")))
        .collect()
}

/// Path of the jurisdiction that a scope is, or lies in; `None` when there is no such scope.
///
/// # Errors
/// When the database does not answer.
pub fn path_of(conn: &mut Conn, scope: &GrantScope) -> Result<Option<String>, StoreError> {
    Ok(match scope {
        GrantScope::Jurisdiction(id) => jurisdictions::table
            .find(id.as_bytes().to_vec())
            .select(jurisdictions::path)
            .first(conn)
            .optional()?,
        GrantScope::Enterprise(id) => enterprises::table
            .inner_join(jurisdictions::table)
            .filter(enterprises::id.eq(id.as_bytes().to_vec()))
            .select(jurisdictions::path)
            .first(conn)
            .optional()?,
    })
}

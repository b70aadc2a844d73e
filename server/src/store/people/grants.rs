//! Grants: who holds which role over what, and where that lies.

use diesel::prelude::*;
use hazardloop_domain::access::{Certificate, Grant, GrantScope, Role};
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
    let certificate = grant.certificate.as_ref();
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(grant.id.as_bytes().to_vec()),
            grants::person_id.eq(person.as_bytes().to_vec()),
            grants::role.eq(grant.role.as_str()),
            grants::enterprise_id.eq(enterprise),
            grants::jurisdiction_id.eq(jurisdiction),
            grants::valid_from.eq(grant.valid_from.as_millis()),
            grants::valid_until.eq(grant.valid_until.map(Timestamp::as_millis)),
            grants::sectors.eq(Some(grant.sectors.join("\n")).filter(|lines| !lines.is_empty())),
            grants::certificate_number.eq(certificate.map(|held| held.number.clone())),
            grants::certificate_valid_to.eq(certificate
                .and_then(|held| held.valid_to)
                .map(|day| day.to_string())),
            grants::temporary_reason.eq(grant.temporary_reason.clone()),
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

/// A grant as its row holds it.
#[derive(Queryable, Selectable, PartialEq, Eq, PartialOrd, Ord)]
#[diesel(table_name = grants)]
pub(in crate::store) struct GrantRow {
    id: Vec<u8>,
    person_id: Vec<u8>,
    role: String,
    enterprise_id: Option<Vec<u8>>,
    jurisdiction_id: Option<Vec<u8>>,
    valid_from: i64,
    valid_until: Option<i64>,
    sectors: Option<String>,
    certificate_number: Option<String>,
    certificate_valid_to: Option<String>,
    temporary_reason: Option<String>,
}

impl GrantRow {
    /// Whose, and the grant; `None` where this program does not understand it.
    pub(in crate::store) fn read(self) -> Option<(PersonId, Grant)> {
        let scope = match (self.enterprise_id, self.jurisdiction_id) {
            (Some(id), None) => GrantScope::Enterprise(EnterpriseId::from_slice(&id)?),
            (None, Some(id)) => GrantScope::Jurisdiction(JurisdictionId::from_slice(&id)?),
            _ => return None,
        };
        let valid_to = match self.certificate_valid_to {
            Some(day) => Some(day.parse().ok()?),
            None => None,
        };
        let sectors = self.sectors.as_deref().unwrap_or_default();
        let grant = Grant {
            id: GrantId::from_slice(&self.id)?,
            role: Role::from_name(&self.role)?,
            scope,
            valid_from: Timestamp::from_millis(self.valid_from),
            valid_until: self.valid_until.map(Timestamp::from_millis),
            sectors: sectors.lines().map(str::to_owned).collect(),
            certificate: self
                .certificate_number
                .map(|number| Certificate { number, valid_to }),
            temporary_reason: self.temporary_reason,
        };
        Some((PersonId::from_slice(&self.person_id)?, grant))
    }
}

/// All grants of these people, past ones too, ordered by id.
///
/// # Errors
/// When the database does not answer or holds an unknown role.
pub fn grants_of(conn: &mut Conn, holders: &[PersonId]) -> Result<Vec<PlacedGrant>, StoreError> {
    let ids = || -> Vec<Vec<u8>> { holders.iter().map(|id| id.as_bytes().to_vec()).collect() };
    let mut rows: Vec<(GrantRow, String)> = grants::table
        .inner_join(jurisdictions::table)
        .filter(grants::person_id.eq_any(ids()))
        .select((GrantRow::as_select(), jurisdictions::path))
        .load(conn)?;
    rows.extend(
        grants::table
            .inner_join(enterprises::table.inner_join(jurisdictions::table))
            .filter(grants::person_id.eq_any(ids()))
            .select((GrantRow::as_select(), jurisdictions::path))
            .load::<(GrantRow, String)>(conn)?,
    );
    rows.sort();
    rows.into_iter()
        .map(|(row, path)| {
            let (person_id, grant) = row.read().ok_or_else(|| corrupt("a grant"))?;
            Ok(PlacedGrant {
                person_id,
                grant,
                path,
            })
        })
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

//! What lists of enterprises are narrowed by: one row for every scope that holds an enterprise, with
//! an index for each filter, so that a filtered list costs what its page costs.

use std::collections::BTreeSet;

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::enterprise::{Enterprise, OperatingStatus, RiskLevel, SizeClass};
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::batch::in_arrays;
use super::lists::Key;
use super::prepared::{Bind, Prepared};
use super::schema::enterprise_rows;
use super::{Conn, StoreError, WriteTx};

/// What a list of enterprises is narrowed to; everything that is set must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraitFilter {
    /// 监管行业, by any of these names, exactly; empty: any.
    pub sectors: Vec<String>,
    /// 状态.
    pub status: Option<OperatingStatus>,
    /// 风险等级.
    pub risk_level: Option<RiskLevel>,
    /// 规模.
    pub size_class: Option<SizeClass>,
}

impl TraitFilter {
    /// Whether it narrows nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the enterprise passes.
    pub fn passes(&self, enterprise: &Enterprise) -> bool {
        let profile = &enterprise.profile;
        (self.sectors.is_empty() || self.sectors.contains(&enterprise.sector))
            && self.status.is_none_or(|status| status == profile.status)
            && (self.risk_level.is_none() || self.risk_level == profile.risk_level)
            && (self.size_class.is_none() || self.size_class == profile.size_class)
    }
}

/// One row about to be written.
#[derive(Clone, Debug)]
pub struct Row(Vec<Bind>);

impl Row {
    /// The row of an enterprise in one scope.
    pub fn new(scope: Scope, enterprise: &Enterprise, created_at: Timestamp) -> Self {
        let profile = &enterprise.profile;
        let text = |text: &str| Bind::Text(text.to_owned());
        Self(vec![
            Bind::Text(scope.to_string()),
            Bind::Bytes(enterprise.id.as_bytes().to_vec()),
            Bind::Big(created_at.as_millis()),
            text(&enterprise.sector),
            text(profile.status.as_str()),
            text(profile.risk_level.map_or("", RiskLevel::as_str)),
            text(profile.size_class.map_or("", SizeClass::as_str)),
        ])
    }
}

/// Writes rows, each in place of what was there. A scope and enterprise may be named once.
///
/// # Errors
/// When the database does not answer.
pub fn put(tx: &mut WriteTx<'_>, rows: Vec<Row>) -> Result<(), StoreError> {
    in_arrays!(rows, |array| upsert(tx.conn(), array)?);
    Ok(())
}

fn upsert<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO enterprise_rows (scope, enterprise_id, created_at, sector, status, \
         risk_level, size_class) VALUES ",
        "(?, ?, ?, ?, ?, ?, ?)",
        " ON CONFLICT (scope, enterprise_id) DO UPDATE SET sector = excluded.sector, \
         status = excluded.status, risk_level = excluded.risk_level, \
         size_class = excluded.size_class",
        rows.map(|row| row.0),
    )
    .execute(conn)
}

/// Whether a scope holds an enterprise of this sector.
///
/// # Errors
/// When the database does not answer.
pub fn any_of_sector(conn: &mut Conn, scope: Scope, sector: &str) -> Result<bool, StoreError> {
    let filter = TraitFilter::default();
    Ok(!of_scope(conn, scope, (Some(sector), &filter), None, 1)?.is_empty())
}

/// Takes an enterprise out of these scopes.
///
/// # Errors
/// When the database does not answer.
pub fn remove(tx: &mut WriteTx<'_>, scopes: &[Scope], id: EnterpriseId) -> Result<(), StoreError> {
    for scope in scopes {
        diesel::delete(enterprise_rows::table)
            .filter(enterprise_rows::scope.eq(scope.to_string()))
            .filter(enterprise_rows::enterprise_id.eq(id.as_bytes().to_vec()))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Takes enterprises out of a scope, `most` at once. Answers how many.
///
/// # Errors
/// When the database does not answer.
pub fn empty(tx: &mut WriteTx<'_>, scope: Scope, most: i64) -> Result<usize, StoreError> {
    let emptied = <Prepared>::new(
        "DELETE FROM enterprise_rows WHERE (scope, enterprise_id) IN (\
         SELECT scope, enterprise_id FROM enterprise_rows WHERE scope = ? LIMIT ?)",
        vec![Bind::Text(scope.to_string()), Bind::Big(most)],
    );
    Ok(emptied.execute(tx.conn())?)
}

fn of_scope(
    conn: &mut Conn,
    scope: Scope,
    (sector, filter): (Option<&str>, &TraitFilter),
    before: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let mut query = enterprise_rows::table
        .filter(enterprise_rows::scope.eq(scope.to_string()))
        .order((
            enterprise_rows::created_at.desc(),
            enterprise_rows::enterprise_id.desc(),
        ))
        .limit(limit)
        .select((enterprise_rows::created_at, enterprise_rows::enterprise_id))
        .into_boxed();
    if let Some(sector) = sector {
        query = query.filter(enterprise_rows::sector.eq(sector.to_owned()));
    }
    if let Some(status) = filter.status {
        query = query.filter(enterprise_rows::status.eq(status.as_str()));
    }
    if let Some(level) = filter.risk_level {
        query = query.filter(enterprise_rows::risk_level.eq(level.as_str()));
    }
    if let Some(class) = filter.size_class {
        query = query.filter(enterprise_rows::size_class.eq(class.as_str()));
    }
    if let Some(Key { at, id }) = before {
        let id = id.as_bytes().to_vec();
        query = query.filter(enterprise_rows::created_at.le(at)).filter(
            enterprise_rows::created_at
                .lt(at)
                .or(enterprise_rows::enterprise_id.lt(id)),
        );
    }
    let rows: Vec<(i64, Vec<u8>)> = query.load(conn)?;
    rows.into_iter()
        .map(|(at, id)| {
            let id = Uuid::from_slice(&id).map_err(|_| StoreError::Corrupt {
                what: "an enterprise id that is not 16 bytes".to_owned(),
            })?;
            Ok(Key { at, id })
        })
        .collect()
}

/// What the scopes together hold that passes the filter, before `before`, each once, newest first,
/// at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn newest_first(
    conn: &mut Conn,
    scopes: &[Scope],
    filter: &TraitFilter,
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut keys = BTreeSet::new();
    // Each name by itself, or the index would not give the order.
    let mut sectors: Vec<Option<&str>> = filter.sectors.iter().map(|name| Some(&**name)).collect();
    if sectors.is_empty() {
        sectors.push(None);
    }
    for scope in scopes {
        for sector in &sectors {
            keys.extend(of_scope(conn, *scope, (*sector, filter), before, most)?);
        }
    }
    Ok(keys.into_iter().rev().take(limit).collect())
}

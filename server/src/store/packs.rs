//! Packs in every version that was added, and the editions of criteria and checklists that they brought.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::command::{ChecklistRef, CriterionRef};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::pack::{Checklist, Criterion, Pack, PackHead};
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::batch::in_arrays;
use super::prepared::{Bind, Prepared};
use super::schema::{checklists, criteria, packs};
use super::{Conn, StoreError, WriteTx, on_any};

/// One version of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What devices receive of it.
    pub head: PackHead,
    /// When it was added.
    pub added_at: Timestamp,
    /// SHA-256 of its document.
    pub digest: Digest,
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    minicbor::decode(bytes).map_err(|error| StoreError::Corrupt {
        what: format!("{what}: {error}"),
    })
}

/// The whole of a version.
///
/// # Errors
/// When the database does not answer or the stored document cannot be read.
pub fn document(conn: &mut Conn, name: &str, version: u32) -> Result<Option<Pack>, StoreError> {
    let bytes: Option<Vec<u8>> = packs::table
        .filter(packs::name.eq(name.to_owned()))
        .filter(packs::version.eq(small(version)))
        .select(packs::document)
        .first(conn)
        .optional()?;
    bytes.map(|bytes| read("a pack", &bytes)).transpose()
}

/// Every version of every pack, by name and then by version; of one pack when `name` is given.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn versions(conn: &mut Conn, name: Option<&str>) -> Result<Vec<Stored>, StoreError> {
    let mut query = packs::table
        .select((packs::record, packs::added_at, packs::digest))
        .order((packs::name, packs::version))
        .into_boxed();
    if let Some(name) = name {
        query = query.filter(packs::name.eq(name.to_owned()));
    }
    let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = query.load(conn)?;
    rows.into_iter()
        .map(|(record, added_at, digest)| {
            Ok(Stored {
                head: read("a pack's record", &record)?,
                added_at: Timestamp::from_millis(added_at),
                digest: Digest::from_slice(&digest).ok_or_else(|| StoreError::Corrupt {
                    what: "a pack's digest".to_owned(),
                })?,
            })
        })
        .collect()
}

/// Stores a version.
///
/// # Errors
/// When it is there already or the database does not answer.
pub fn insert(
    tx: &mut WriteTx<'_>,
    head: &PackHead,
    record: &[u8],
    document: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(packs::table)
        .values((
            packs::id.eq(head.id().as_bytes().to_vec()),
            packs::name.eq(head.name.clone()),
            packs::version.eq(small(head.version)),
            packs::added_at.eq(now.as_millis()),
            packs::digest.eq(Digest::sha256(document).as_bytes().to_vec()),
            packs::document.eq(document.to_vec()),
            packs::record.eq(record.to_vec()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Criteria, all or those that a pack brought, by code and edition.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn criteria(conn: &mut Conn, pack: Option<&str>) -> Result<Vec<Criterion>, StoreError> {
    let mut query = criteria::table
        .select(criteria::record)
        .order((criteria::code, criteria::edition))
        .into_boxed();
    if let Some(pack) = pack {
        query = query.filter(criteria::pack.eq(pack.to_owned()));
    }
    let rows: Vec<Vec<u8>> = query.load(conn)?;
    rows.iter().map(|row| read("a criterion", row)).collect()
}

/// The edition that a hazard names.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn criterion(
    conn: &mut Conn,
    reference: &CriterionRef,
) -> Result<Option<Criterion>, StoreError> {
    let row: Option<Vec<u8>> = criteria::table
        .find(Criterion::id_of(reference).as_bytes().to_vec())
        .select(criteria::record)
        .first(conn)
        .optional()?;
    row.map(|row| read("a criterion", &row)).transpose()
}

/// The codes of criteria that other packs than `name` brought, each with its pack.
///
/// # Errors
/// When the database does not answer.
pub fn codes_of_others(
    conn: &mut Conn,
    name: &str,
) -> Result<BTreeMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = criteria::table
        .filter(criteria::pack.ne(name.to_owned()))
        .select((criteria::code, criteria::pack))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The same of checklists.
///
/// # Errors
/// When the database does not answer.
pub fn lists_of_others(
    conn: &mut Conn,
    name: &str,
) -> Result<BTreeMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = checklists::table
        .filter(checklists::pack.ne(name.to_owned()))
        .select((checklists::code, checklists::pack))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Checklists, all or those that a pack brought, by code and edition.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn checklists(conn: &mut Conn, pack: Option<&str>) -> Result<Vec<Checklist>, StoreError> {
    let mut query = checklists::table
        .select(checklists::record)
        .order((checklists::code, checklists::edition))
        .into_boxed();
    if let Some(pack) = pack {
        query = query.filter(checklists::pack.eq(pack.to_owned()));
    }
    let rows: Vec<Vec<u8>> = query.load(conn)?;
    rows.iter().map(|row| read("a checklist", row)).collect()
}

/// Those of the editions of checklists that there are; nothing is asked about none.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn editions(conn: &mut Conn, named: &[&ChecklistRef]) -> Result<Vec<Checklist>, StoreError> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let id = |named: &&ChecklistRef| Checklist::id_of(named).as_bytes().to_vec();
    let ids: Vec<Vec<u8>> = named.iter().map(id).collect();
    let rows: Vec<Vec<u8>> = on_any!(conn, |c| checklists::table
        .filter(checklists::id.eq_any(ids))
        .select(checklists::record)
        .load(c))?;
    rows.iter().map(|row| read("a checklist", row)).collect()
}

/// Those of the codes under which there are checklists; nothing is asked about none.
///
/// # Errors
/// When the database does not answer.
pub fn known_lists(conn: &mut Conn, codes: &[String]) -> Result<BTreeSet<String>, StoreError> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<String> = on_any!(conn, |c| checklists::table
        .filter(checklists::code.eq_any(codes))
        .select(checklists::code)
        .load(c))?;
    Ok(rows.into_iter().collect())
}

/// Stores criteria, each with its record; an edition that is there gets the new record.
///
/// # Errors
/// When the database does not answer.
pub fn put_criteria(
    tx: &mut WriteTx<'_>,
    changed: &[(Criterion, Vec<u8>)],
) -> Result<(), StoreError> {
    let binds = |(criterion, record): &(Criterion, Vec<u8>)| {
        let date = |date: Option<LocalDate>| date.map_or(String::new(), |date| date.to_string());
        vec![
            Bind::Bytes(criterion.id.as_bytes().to_vec()),
            Bind::Text(criterion.code.clone()),
            Bind::Small(small(criterion.edition)),
            Bind::Text(criterion.sector.clone()),
            Bind::Text(date(criterion.effective_from)),
            Bind::Text(date(criterion.effective_until)),
            Bind::Big(criterion.version),
            Bind::Bytes(record.clone()),
            Bind::Text(criterion.pack.clone()),
        ]
    };
    let rows: Vec<Vec<Bind>> = changed.iter().map(binds).collect();
    in_arrays!(rows, |array| upsert_criteria(tx.conn(), array)?);
    Ok(())
}

fn upsert_criteria<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO criteria (id, code, edition, sector, effective_from, effective_until, version, \
         record, pack) VALUES ",
        "(?, ?, ?, ?, NULLIF(?, ''), NULLIF(?, ''), ?, ?, ?)",
        " ON CONFLICT (id) DO UPDATE SET sector = excluded.sector, \
         effective_from = excluded.effective_from, effective_until = excluded.effective_until, \
         version = excluded.version, record = excluded.record",
        rows,
    )
    .execute(conn)
}

/// Stores checklists, as [`put_criteria`] does criteria.
///
/// # Errors
/// When the database does not answer.
pub fn put_checklists(
    tx: &mut WriteTx<'_>,
    changed: &[(Checklist, Vec<u8>)],
) -> Result<(), StoreError> {
    let binds = |(list, record): &(Checklist, Vec<u8>)| {
        vec![
            Bind::Bytes(list.id.as_bytes().to_vec()),
            Bind::Text(list.code.clone()),
            Bind::Small(small(list.edition)),
            Bind::Text(list.pack.clone()),
            Bind::Big(list.version),
            Bind::Bytes(record.clone()),
        ]
    };
    let rows: Vec<Vec<Bind>> = changed.iter().map(binds).collect();
    in_arrays!(rows, |array| upsert_checklists(tx.conn(), array)?);
    Ok(())
}

fn upsert_checklists<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO checklists (id, code, edition, pack, version, record) VALUES ",
        "(?, ?, ?, ?, ?, ?)",
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, record = excluded.record",
        rows,
    )
    .execute(conn)
}

/// A version or edition, which reading has bounded.
fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

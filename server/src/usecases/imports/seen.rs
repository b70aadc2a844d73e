//! Reading what was imported: by whoever made the import, and by those who keep the enterprises of
//! all the places that it touched. Rows carry ids and no names.

use hazardloop_domain::ids::{EnterpriseId, ImportId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{ImportReport, enterprise_id, kept_by};
use crate::app::App;
use crate::failure::Failure;
use crate::store::Conn;
use crate::store::imports::{self as stored, StoredImport};
use crate::store::lists::Key;
use crate::usecases::reach::Reach;
use crate::usecases::read::{Page, Wanted};

/// One import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ImportView {
    /// The import.
    pub id: ImportId,
    /// Who; absent: whoever runs the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// When.
    pub received_at: Timestamp,
    /// Rows below the headings.
    pub rows: u32,
    /// Enterprises that it registered.
    pub created: u32,
    /// Enterprises that it changed.
    pub updated: u32,
    /// Enterprises that were so already.
    pub unchanged: u32,
    /// Warnings there were.
    pub warnings: u32,
    /// When it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Timestamp>,
    /// Who undid it; absent: nobody, or whoever runs the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<PersonId>,
}

/// What one row did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RowView {
    /// The row as a spreadsheet counts, from 1.
    pub row: u32,
    /// The enterprise.
    pub enterprise_id: EnterpriseId,
    /// `created`, `updated` or `unchanged`.
    pub did: String,
    /// The version that the enterprise had through it.
    pub version: i64,
}

fn corrupt(what: &str) -> Failure {
    Failure::Internal(format!("a stored import: {what}"))
}

pub(super) fn report_of(import: &StoredImport) -> Result<ImportReport, Failure> {
    serde_json::from_str(&import.answer).map_err(|error| corrupt(&error.to_string()))
}

pub(super) fn view(import: &StoredImport) -> Result<ImportView, Failure> {
    let report = report_of(import)?;
    let person = |id: &Vec<u8>| PersonId::from_slice(id).ok_or_else(|| corrupt("a person"));
    Ok(ImportView {
        id: ImportId::from_slice(&import.id).ok_or_else(|| corrupt("its id"))?,
        person_id: import.person_id.as_ref().map(person).transpose()?,
        received_at: Timestamp::from_millis(import.received_at),
        rows: report.rows,
        created: report.created,
        updated: report.updated,
        unchanged: report.unchanged,
        warnings: report.warnings,
        undone_at: import.undone_at.map(Timestamp::from_millis),
        undone_by: import.undone_by.as_ref().map(person).transpose()?,
    })
}

/// The import, for somebody who may see it.
///
/// # Errors
/// [`Failure::Forbidden`] for whoever keeps no enterprises; [`Failure::NotFound`] when there is
/// none, or none for this person.
pub(super) fn visible(
    conn: &mut Conn,
    person_id: PersonId,
    id: ImportId,
    now: Timestamp,
) -> Result<StoredImport, Failure> {
    let kept = kept_by(&Reach::of(conn, person_id, now)?)?;
    let unknown = Failure::NotFound("import");
    let Some(import) = stored::find(conn, id)? else {
        return Err(unknown);
    };
    let own = import.person_id.as_deref() == Some(person_id.as_bytes().as_slice());
    if own || stored::lies_within(conn, &import, &kept)? {
        return Ok(import);
    }
    Err(unknown)
}

/// The imports that the person may see, newest first.
///
/// # Errors
/// [`Failure::Forbidden`] for whoever keeps no enterprises.
pub async fn list(
    app: &App,
    person_id: PersonId,
    wanted: Wanted,
) -> Result<Page<ImportView>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let kept = kept_by(&Reach::of(tx.conn(), person_id, now)?)?;
            let (after, limit) = (wanted.after, one_more(wanted.limit));
            let keys = stored::seen_by(tx.conn(), person_id, &kept, after, limit)?;
            page(tx.conn(), keys, wanted.limit)
        })
        .await
}

/// All imports, newest first.
///
/// # Errors
/// When the database does not answer.
pub fn list_all(conn: &mut Conn, wanted: Wanted) -> Result<Page<ImportView>, Failure> {
    let keys = stored::all(conn, wanted.after, one_more(wanted.limit))?;
    page(conn, keys, wanted.limit)
}

fn one_more(limit: usize) -> i64 {
    i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)
}

fn page(conn: &mut Conn, mut keys: Vec<Key>, limit: usize) -> Result<Page<ImportView>, Failure> {
    let more = keys.len() > limit;
    keys.truncate(limit);
    let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
    let imports = stored::these(conn, &ids)?;
    let mut items = imports.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    items.sort_by_key(|import| std::cmp::Reverse((import.received_at, import.id)));
    let next = keys.last().copied().filter(|_| more);
    Ok(Page { items, next })
}

/// One import, and what its rows after `after` did, at most `limit`.
///
/// # Errors
/// [`Failure::NotFound`] when there is none, or none for this person.
pub async fn one(
    app: &App,
    person_id: PersonId,
    id: ImportId,
    after: u32,
    limit: usize,
) -> Result<(ImportView, Vec<RowView>), Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let import = visible(tx.conn(), person_id, id, now)?;
            let after = i32::try_from(after).unwrap_or(i32::MAX);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = stored::rows(tx.conn(), id, after, limit)?;
            let rows = rows.into_iter().map(|row| {
                Ok(RowView {
                    row: u32::try_from(row.row_number).unwrap_or_default(),
                    enterprise_id: enterprise_id(&row.enterprise_id)?,
                    did: row.did,
                    version: row.version,
                })
            });
            Ok((view(&import)?, rows.collect::<Result<_, Failure>>()?))
        })
        .await
}

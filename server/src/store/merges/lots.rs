//! What is filed in a jurisdiction, lot by lot, and telling other scopes of it.

use diesel::prelude::*;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::super::feed::{self, Copied};
use super::super::schema::{enterprises, hazards, inspections};
use super::super::sector_scopes::{held_after, only_of_sector};
use super::super::{Conn, StoreError, WriteTx};
use super::{After, corrupt};

/// Records that a scope holds, of one lot, which nobody changes until this transaction ends.
#[derive(Clone, Debug, Default)]
pub struct Lot {
    /// Enterprises, hazards and inspections by id.
    pub ids: [Vec<Vec<u8>>; 3],
    /// Their rows in the feed.
    rows: Vec<Copied>,
    /// The last one looked at; `None`: there are no more behind it.
    pub last: Option<After>,
}

/// The kinds of record that lie in jurisdictions, in the order in which everybody locks them.
const KINDS: [RecordKind; 3] = [
    RecordKind::Enterprise,
    RecordKind::Hazard,
    RecordKind::Inspection,
];

/// What a jurisdiction's own scope holds of the next `most` rows behind `after`.
///
/// # Errors
/// When the database does not answer.
pub fn lot(
    tx: &mut WriteTx<'_>,
    of: JurisdictionId,
    after: &After,
    most: usize,
) -> Result<Lot, StoreError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let looked_at = held_after(tx.conn(), of, (after.0, &after.1), limit)?;
    let mut lot = Lot {
        last: looked_at
            .last()
            .map(Copied::key)
            .filter(|_| looked_at.len() >= most),
        ..Lot::default()
    };
    for (kind, ids) in KINDS.into_iter().zip(&mut lot.ids) {
        let present = looked_at.iter().filter(|row| row.is_present());
        let of_kind = present
            .map(Copied::key)
            .filter(|(of, _)| *of == kind.number());
        *ids = of_kind.map(|(_, id)| id).collect();
        if ids.is_empty() {
            continue;
        }
        // First held, then looked at once more: what left meanwhile is not brought back.
        hold(tx, kind, ids)?;
        let rows = feed::held_among(
            tx.conn(),
            Scope::Jurisdiction(of),
            kind.number(),
            ids.clone(),
        )?;
        *ids = rows.iter().map(|row| row.key().1).collect();
        lot.rows.extend(rows);
    }
    Ok(lot)
}

/// Keeps records of one kind as they are until this transaction ends.
pub(in crate::store) fn hold(
    tx: &mut WriteTx<'_>,
    kind: RecordKind,
    ids: &[Vec<u8>],
) -> Result<(), StoreError> {
    let Conn::Postgres(conn) = tx.conn() else {
        return Ok(());
    };
    macro_rules! hold {
        ($table:ident) => {{
            let _: Vec<Vec<u8>> = $table::table
                .filter($table::id.eq_any(ids))
                .order($table::id)
                .select($table::id)
                .for_no_key_update()
                .load(conn)?;
        }};
    }
    match kind {
        RecordKind::Enterprise => hold!(enterprises),
        RecordKind::Hazard => hold!(hazards),
        RecordKind::Inspection => hold!(inspections),
        _ => {}
    }
    Ok(())
}

impl Lot {
    /// Whether the scope held none of the rows looked at.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Tells a jurisdiction, and each of these sectors of it, of what the lot holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn tell(&self, tx: &mut WriteTx<'_>, into: &[Scope]) -> Result<(), StoreError> {
        for scope in into {
            match scope {
                Scope::JurisdictionSector(_, sector) => {
                    let of_sector = only_of_sector(tx.conn(), self.rows.clone(), *sector)?;
                    feed::tell(tx, *scope, &of_sector)?;
                }
                whole => feed::tell(tx, *whole, &self.rows)?,
            }
        }
        Ok(())
    }

    /// Tells a scope of these records of the lot, and of no others.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn tell_of(
        &self,
        tx: &mut WriteTx<'_>,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<(), StoreError> {
        let told = |row: &&Copied| ids.iter().any(|id| id.as_bytes()[..] == row.key().1);
        let rows: Vec<Copied> = self.rows.iter().filter(told).cloned().collect();
        feed::tell(tx, scope, &rows)
    }

    /// Takes all that the lot holds out of these scopes, as far as they hold it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn take_out(
        &self,
        tx: &mut WriteTx<'_>,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut news = feed::News::default();
        for scope in scopes {
            for (kind, ids) in KINDS.into_iter().zip(&self.ids) {
                if ids.is_empty() {
                    continue;
                }
                let held = feed::held_among(tx.conn(), *scope, kind.number(), ids.clone())?;
                for row in held {
                    let id = Uuid::from_slice(&row.key().1);
                    let id = id.map_err(|_| corrupt("a feed row whose id is not 16 bytes"))?;
                    news.remove(&[*scope], kind, &id, row.version(), now);
                }
            }
        }
        feed::publish(tx, news)
    }
}

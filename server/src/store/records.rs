//! The records that devices receive, by kind and id, byte for byte as stored.

use std::collections::BTreeMap;

use diesel::prelude::*;
use hazardloop_sync_protocol::wire::RecordKind;
use uuid::Uuid;

use super::schema::{
    calendar_years, checklists, command_fates, criteria, enterprises, hazards, inspections,
    jurisdictions, packs, rule_limits, witness_statements,
};
use super::{Conn, StoreError, on_any};

/// Version and body of a record.
pub type Body = (i64, Vec<u8>);

macro_rules! load_from {
    ($conn:expr, $table:ident, $ids:expr) => {{
        let ids: Vec<Vec<u8>> = $ids.iter().map(|id| id.as_bytes().to_vec()).collect();
        let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = on_any!($conn, |c| $table::table
            .filter($table::id.eq_any(&ids))
            .select(($table::id, $table::version, $table::record))
            .load(c))?;
        rows
    }};
}

/// The bodies of these records. One that does not exist is not in the answer. Persons are not
/// stored as records; see the pull use case.
///
/// # Errors
/// When the database does not answer.
pub fn bodies(
    conn: &mut Conn,
    kind: RecordKind,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Body>, StoreError> {
    let rows = match kind {
        RecordKind::Hazard => load_from!(conn, hazards, ids),
        RecordKind::Enterprise => load_from!(conn, enterprises, ids),
        RecordKind::Jurisdiction => load_from!(conn, jurisdictions, ids),
        RecordKind::Criterion => load_from!(conn, criteria, ids),
        RecordKind::Calendar => load_from!(conn, calendar_years, ids),
        RecordKind::RuleLimits => load_from!(conn, rule_limits, ids),
        RecordKind::CommandFate => load_from!(conn, command_fates, ids),
        RecordKind::ChainWitnessed => load_from!(conn, witness_statements, ids),
        RecordKind::Inspection => load_from!(conn, inspections, ids),
        RecordKind::Checklist => load_from!(conn, checklists, ids),
        RecordKind::Pack => {
            let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
            let rows: Vec<(Vec<u8>, i32, Vec<u8>)> = on_any!(conn, |c| packs::table
                .filter(packs::id.eq_any(&ids))
                .select((packs::id, packs::version, packs::record))
                .load(c))?;
            let widen = |(id, version, body)| (id, i64::from(version), body);
            rows.into_iter().map(widen).collect()
        }
        RecordKind::Person | RecordKind::Other(_) => Vec::new(),
    };
    Ok(rows
        .into_iter()
        .filter_map(|(id, version, body)| Some((Uuid::from_slice(&id).ok()?, (version, body))))
        .collect())
}

//! Commands of devices that could not be judged, and what a person made of them.

use diesel::prelude::*;
use hazardloop_domain::command_fate::SentCommand;
pub use hazardloop_domain::command_fate::SettledAs;
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{Outcome, QuarantineReason, Receipt};

use super::schema::pushed_commands;
use super::{Conn, StoreError, WriteTx};

/// Who settled it, when, how and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// How.
    pub how: SettledAs,
    /// Why, or where it was entered.
    pub note: String,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A command that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Which.
    pub which: SentCommand,
    /// Whose device sent it.
    pub person_id: PersonId,
    /// Its kind, as it was sent.
    pub kind: String,
    /// What it acts upon, where that could be read.
    pub subject_id: Option<SubjectId>,
    /// When the server received it.
    pub received_at: Timestamp,
    /// Why it could not be judged.
    pub reason: QuarantineReason,
    /// The same in words.
    pub detail: String,
    /// What a person made of it; absent: it waits.
    pub settlement: Option<Settlement>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = pushed_commands)]
struct Row {
    install_id: Vec<u8>,
    seq: i64,
    person_id: Vec<u8>,
    kind: String,
    subject_id: Option<Vec<u8>>,
    received_at: i64,
    receipt: Vec<u8>,
    settled_at: Option<i64>,
    settled_by: Option<Vec<u8>>,
    settled_how: Option<String>,
    settled_note: Option<String>,
}

/// As it is stored.
const QUARANTINED: &str = "quarantined";

fn read(row: Row) -> Option<Quarantined> {
    // What could not be judged is never packed, see `packing.rs`.
    let receipt: Receipt = minicbor::decode(&row.receipt).ok()?;
    let Outcome::Quarantined { reason, detail } = receipt.outcome else {
        return None;
    };
    let settlement = match row.settled_at {
        None => None,
        Some(at) => {
            let mut all = SettledAs::ALL.into_iter();
            let how = row.settled_how?;
            Some(Settlement {
                how: all.find(|known| known.as_str() == how)?,
                note: row.settled_note?,
                by: PersonId::from_slice(&row.settled_by?)?,
                at: Timestamp::from_millis(at),
            })
        }
    };
    let subject_id = row.subject_id.and_then(|id| SubjectId::from_slice(&id));
    Some(Quarantined {
        which: SentCommand {
            install_id: InstallId::from_slice(&row.install_id)?,
            seq: row.seq,
        },
        person_id: PersonId::from_slice(&row.person_id)?,
        kind: row.kind,
        subject_id,
        received_at: Timestamp::from_millis(row.received_at),
        reason,
        detail,
        settlement,
    })
}

fn corrupt() -> StoreError {
    StoreError::Corrupt {
        what: "a command in quarantine".to_owned(),
    }
}

/// One of them; `None` when there is none, or it was judged.
///
/// # Errors
/// When the database does not answer or holds a damaged row.
pub fn one(conn: &mut Conn, which: SentCommand) -> Result<Option<Quarantined>, StoreError> {
    let row: Option<Row> = pushed_commands::table
        .find((which.install_id.as_bytes().to_vec(), which.seq))
        .filter(pushed_commands::outcome.eq(QUARANTINED))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| read(row).ok_or_else(corrupt)).transpose()
}

/// Those that wait, in order of install and place there, after `after`, at most `limit`.
///
/// # Errors
/// As [`one`].
pub fn waiting(
    conn: &mut Conn,
    after: Option<SentCommand>,
    limit: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    let (install, seq) = after.map_or((Vec::new(), 0), |after| {
        (after.install_id.as_bytes().to_vec(), after.seq)
    });
    let beyond = pushed_commands::install_id
        .gt(install.clone())
        .or(pushed_commands::seq.gt(seq));
    let rows: Vec<Row> = pushed_commands::table
        .filter(pushed_commands::outcome.eq(QUARANTINED))
        .filter(pushed_commands::settled_at.is_null())
        .filter(pushed_commands::install_id.ge(install))
        .filter(beyond)
        .order((
            pushed_commands::settled_at,
            pushed_commands::install_id,
            pushed_commands::seq,
        ))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    let read = |row| read(row).ok_or_else(corrupt);
    rows.into_iter().map(read).collect()
}

/// Settles one that waits; answers whether it did.
///
/// # Errors
/// When the database does not answer.
pub fn settle(
    tx: &mut WriteTx<'_>,
    which: SentCommand,
    settlement: &Settlement,
) -> Result<bool, StoreError> {
    let waiting = pushed_commands::table
        .find((which.install_id.as_bytes().to_vec(), which.seq))
        .filter(pushed_commands::outcome.eq(QUARANTINED))
        .filter(pushed_commands::settled_at.is_null());
    let changed = diesel::update(waiting)
        .set((
            pushed_commands::settled_at.eq(settlement.at.as_millis()),
            pushed_commands::settled_by.eq(settlement.by.as_bytes().to_vec()),
            pushed_commands::settled_how.eq(settlement.how.as_str()),
            pushed_commands::settled_note.eq(settlement.note.clone()),
        ))
        .execute(tx.conn())?;
    Ok(changed == 1)
}

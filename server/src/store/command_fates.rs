//! Commands that took no full effect: those that wait for their author, and the records of what became of them.

use diesel::prelude::*;
use hazardloop_domain::command_fate::{CommandFate, SentCommand};
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Receipt;
use uuid::Uuid;

use super::lists::Key;
use super::packing::{self, Packing};
use super::prepared::{Bind, Prepared};
use super::schema::{command_fates, pushed_commands};
use super::{Conn, StoreError, WriteTx};

/// A pushed command, as its author is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Which.
    pub command: SentCommand,
    /// Its kind, as it was sent.
    pub kind: String,
    /// The version of its payload.
    pub kind_version: u16,
    /// What it acts upon, where that could be read.
    pub subject_id: Option<SubjectId>,
    /// Its payload, as it was sent.
    pub payload: Vec<u8>,
    /// Its receipt.
    pub receipt: Receipt,
    /// Whether nobody has said yet what is to become of it.
    pub waits: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = pushed_commands)]
struct Row {
    install_id: Vec<u8>,
    seq: i64,
    kind: String,
    kind_version: i32,
    subject_id: Option<Vec<u8>>,
    payload: Vec<u8>,
    receipt: Vec<u8>,
    waiting_since: Option<i64>,
    packing: Packing,
}

fn read(row: Row) -> Result<Pushed, StoreError> {
    let corrupt = || StoreError::Corrupt {
        what: "a pushed command".to_owned(),
    };
    let both = packing::unpacked(row.packing, row.payload, row.receipt).ok_or_else(corrupt)?;
    Ok(Pushed {
        command: SentCommand {
            install_id: InstallId::from_slice(&row.install_id).ok_or_else(corrupt)?,
            seq: row.seq,
        },
        kind: row.kind,
        kind_version: u16::try_from(row.kind_version).map_err(|_| corrupt())?,
        subject_id: row.subject_id.and_then(|id| SubjectId::from_slice(&id)),
        receipt: both.receipt().ok_or_else(corrupt)?,
        payload: both.payload,
        waits: row.waiting_since.is_some(),
    })
}

/// One command of this person's devices; `None`: they have sent none such.
///
/// # Errors
/// When the database does not answer or holds a damaged row.
pub fn pushed(
    conn: &mut Conn,
    person_id: PersonId,
    command: SentCommand,
) -> Result<Option<Pushed>, StoreError> {
    let row: Option<Row> = pushed_commands::table
        .find((command.install_id.as_bytes().to_vec(), command.seq))
        .filter(pushed_commands::person_id.eq(person_id.as_bytes().to_vec()))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(read).transpose()
}

/// Those of this person's commands that wait, by install and place there, after `after`, at most `limit`.
///
/// # Errors
/// As [`pushed`].
pub fn waiting(
    conn: &mut Conn,
    person_id: PersonId,
    after: Option<SentCommand>,
    limit: i64,
) -> Result<Vec<Pushed>, StoreError> {
    let (install, seq) = after.map_or((Vec::new(), 0), |after| {
        (after.install_id.as_bytes().to_vec(), after.seq)
    });
    let beyond = pushed_commands::install_id
        .gt(install.clone())
        .or(pushed_commands::seq.gt(seq));
    let rows: Vec<Row> = pushed_commands::table
        .filter(pushed_commands::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(pushed_commands::waiting_since.is_not_null())
        .filter(pushed_commands::install_id.ge(install))
        .filter(beyond)
        .order((pushed_commands::install_id, pushed_commands::seq))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(read).collect()
}

fn decoded(record: &[u8]) -> Result<CommandFate, StoreError> {
    minicbor::decode(record).map_err(|error| StoreError::Corrupt {
        what: format!("what became of a command: {error}"),
    })
}

/// What became of a command; `None`: nobody has said.
///
/// # Errors
/// When the database does not answer or holds a damaged record.
pub fn fate(conn: &mut Conn, command: SentCommand) -> Result<Option<CommandFate>, StoreError> {
    let record: Option<Vec<u8>> = command_fates::table
        .find(command.fate_id().as_bytes().to_vec())
        .select(command_fates::record)
        .first(conn)
        .optional()?;
    record.map(|record| decoded(&record)).transpose()
}

/// What became of this person's commands, newest first, before `before`, at most `limit`; each with where to go on.
///
/// # Errors
/// As [`fate`].
pub fn fates(
    conn: &mut Conn,
    person_id: PersonId,
    before: Option<Key>,
    limit: i64,
) -> Result<Vec<(Key, CommandFate)>, StoreError> {
    let (at, id) = before.map_or((i64::MAX, vec![0xff; 16]), |key| {
        (key.at, key.id.as_bytes().to_vec())
    });
    let earlier = command_fates::changed_at
        .lt(at)
        .or(command_fates::id.lt(id));
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = command_fates::table
        .filter(command_fates::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(command_fates::changed_at.le(at))
        .filter(earlier)
        .order((command_fates::changed_at.desc(), command_fates::id.desc()))
        .limit(limit)
        .select((
            command_fates::changed_at,
            command_fates::id,
            command_fates::record,
        ))
        .load(conn)?;
    let read = |(at, id, record): (i64, Vec<u8>, Vec<u8>)| {
        let id = Uuid::from_slice(&id).map_err(|_| StoreError::Corrupt {
            what: "the id of what became of a command".to_owned(),
        })?;
        Ok((Key { at, id }, decoded(&record)?))
    };
    rows.into_iter().map(read).collect()
}

/// Puts a record in the place of its version before; the command waits no more.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else was faster.
pub fn save(
    tx: &mut WriteTx<'_>,
    person_id: PersonId,
    fate: &CommandFate,
    record: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = fate.command.fate_id().as_bytes().to_vec();
    let install = fate.command.install_id.as_bytes().to_vec();
    let changed = if fate.version == 1 {
        diesel::insert_into(command_fates::table)
            .values((
                command_fates::id.eq(id),
                command_fates::person_id.eq(person_id.as_bytes().to_vec()),
                command_fates::install_id.eq(install.clone()),
                command_fates::seq.eq(fate.command.seq),
                command_fates::version.eq(fate.version),
                command_fates::changed_at.eq(now.as_millis()),
                command_fates::record.eq(record.to_vec()),
            ))
            .execute(tx.conn())
            .map_err(StoreError::from)
            .or_else(|error| match error.is_duplicate_in("command_fates") {
                true => Ok(0),
                false => Err(error),
            })?
    } else {
        let before = command_fates::table
            .find(id)
            .filter(command_fates::version.eq(fate.version.saturating_sub(1)));
        diesel::update(before)
            .set((
                command_fates::version.eq(fate.version),
                command_fates::changed_at.eq(now.as_millis()),
                command_fates::record.eq(record.to_vec()),
            ))
            .execute(tx.conn())?
    };
    if changed != 1 {
        return Err(StoreError::Stale {
            what: "what became of a command",
        });
    }
    Prepared::new(
        "UPDATE pushed_commands SET waiting_since = NULL WHERE install_id = ? AND seq = ?",
        vec![Bind::Bytes(install), Bind::Big(fate.command.seq)],
    )
    .execute(tx.conn())?;
    Ok(())
}

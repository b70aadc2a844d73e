//! Photos of commands that could not be judged: named, awaited from their author, brought.

use diesel::prelude::*;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;

use super::portable::Portable;
use super::schema::{command_photos, pushed_commands};
use super::{Conn, StoreError, WriteTx};

/// A photo of a command, and whether its bytes are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandPhoto {
    /// Which.
    pub sha256: Digest,
    /// When its author brought it; absent: not yet.
    pub arrived_at: Option<Timestamp>,
}

/// A command in quarantine that names a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Which.
    pub command: SentCommand,
    /// Whose device sent it.
    pub author: PersonId,
    /// When the server received it.
    pub received_at: Timestamp,
    /// What it acts upon, where that could be read.
    pub subject_id: Option<SubjectId>,
}

fn corrupt() -> StoreError {
    StoreError::Corrupt {
        what: "a photo of a command".to_owned(),
    }
}

/// Notes that a command names a photo.
///
/// # Errors
/// When the database does not answer.
pub fn name(
    tx: &mut WriteTx<'_>,
    command: SentCommand,
    author: PersonId,
    photo: CommandPhoto,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = diesel::insert_into(command_photos::table)
        .values((
            command_photos::install_id.eq(command.install_id.as_bytes().to_vec()),
            command_photos::seq.eq(command.seq),
            command_photos::sha256.eq(photo.sha256.as_bytes().to_vec()),
            command_photos::person_id.eq(author.as_bytes().to_vec()),
            command_photos::named_at.eq(now.as_millis()),
            command_photos::arrived_at.eq(photo.arrived_at.map(Timestamp::as_millis)),
        ))
        .on_conflict((
            command_photos::install_id,
            command_photos::seq,
            command_photos::sha256,
        ))
        .do_nothing();
    Portable(statement).execute(tx.conn())?;
    Ok(())
}

/// Photos that this person's commands name and whose bytes are not here, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn missing_from(
    conn: &mut Conn,
    person_id: PersonId,
    limit: i64,
) -> Result<Vec<Digest>, StoreError> {
    let rows: Vec<Vec<u8>> = command_photos::table
        .filter(command_photos::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(command_photos::arrived_at.is_null())
        .order((command_photos::named_at, command_photos::sha256))
        .limit(limit)
        .select(command_photos::sha256)
        .load(conn)?;
    Ok(rows
        .iter()
        .filter_map(|hash| Digest::from_slice(hash))
        .collect())
}

/// The author has brought it.
///
/// # Errors
/// When the database does not answer.
pub fn arrived(
    tx: &mut WriteTx<'_>,
    sha256: Digest,
    author: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let awaited = command_photos::table
        .filter(command_photos::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(command_photos::person_id.eq(author.as_bytes().to_vec()))
        .filter(command_photos::arrived_at.is_null());
    diesel::update(awaited)
        .set(command_photos::arrived_at.eq(now.as_millis()))
        .execute(tx.conn())?;
    Ok(())
}

/// Nobody waits for the missing photos of a command any more.
///
/// # Errors
/// When the database does not answer.
pub fn forget_missing(tx: &mut WriteTx<'_>, command: SentCommand) -> Result<(), StoreError> {
    let awaited = command_photos::table
        .filter(command_photos::install_id.eq(command.install_id.as_bytes().to_vec()))
        .filter(command_photos::seq.eq(command.seq))
        .filter(command_photos::arrived_at.is_null());
    diesel::delete(awaited).execute(tx.conn())?;
    Ok(())
}

/// The photos of a command.
///
/// # Errors
/// When the database does not answer or holds hashes of odd lengths.
pub fn of(conn: &mut Conn, command: SentCommand) -> Result<Vec<CommandPhoto>, StoreError> {
    let rows: Vec<(Vec<u8>, Option<i64>)> = command_photos::table
        .filter(command_photos::install_id.eq(command.install_id.as_bytes().to_vec()))
        .filter(command_photos::seq.eq(command.seq))
        .order(command_photos::sha256)
        .select((command_photos::sha256, command_photos::arrived_at))
        .load(conn)?;
    let read = |(sha256, arrived_at): (Vec<u8>, Option<i64>)| {
        Ok(CommandPhoto {
            sha256: Digest::from_slice(&sha256).ok_or_else(corrupt)?,
            arrived_at: arrived_at.map(Timestamp::from_millis),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Commands that name this photo and whose author has brought it, at most `limit`, the latest first.
///
/// # Errors
/// As [`of`].
pub fn naming(conn: &mut Conn, sha256: Digest, limit: i64) -> Result<Vec<Naming>, StoreError> {
    let joined = command_photos::install_id
        .eq(pushed_commands::install_id)
        .and(command_photos::seq.eq(pushed_commands::seq));
    type Found = (Vec<u8>, i64, Vec<u8>, i64, Option<Vec<u8>>);
    let rows: Vec<Found> = command_photos::table
        .inner_join(pushed_commands::table.on(joined))
        .filter(command_photos::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(command_photos::arrived_at.is_not_null())
        .order(command_photos::named_at.desc())
        .limit(limit)
        .select((
            command_photos::install_id,
            command_photos::seq,
            command_photos::person_id,
            pushed_commands::received_at,
            pushed_commands::subject_id,
        ))
        .load(conn)?;
    let read = |(install_id, seq, author, received_at, subject_id): Found| {
        Ok(Naming {
            command: SentCommand {
                install_id: InstallId::from_slice(&install_id).ok_or_else(corrupt)?,
                seq,
            },
            author: PersonId::from_slice(&author).ok_or_else(corrupt)?,
            received_at: Timestamp::from_millis(received_at),
            subject_id: subject_id.and_then(|id| SubjectId::from_slice(&id)),
        })
    };
    rows.into_iter().map(read).collect()
}

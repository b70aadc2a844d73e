//! Witness statements, and what the clocks of pushed commands are worth.

use std::collections::BTreeMap;

use diesel::prelude::*;
use hazardloop_domain::command::BootId;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{Anchored, ClockCheck};
use hazardloop_sync_protocol::hub::ClockFacts;
use hazardloop_sync_protocol::hub::witnesses::{Standing, Statement, Statements};

use super::prepared::{Bind, Prepared};
use super::schema::{installs, pushed_commands, witness_statements};
use super::{Conn, StoreError, WriteTx, on_any};

#[derive(Queryable, Selectable)]
#[diesel(table_name = witness_statements)]
struct Row {
    by_install: Vec<u8>,
    by_seq: i64,
    about_install: Vec<u8>,
    about_seq: i64,
    head: Vec<u8>,
    received_at: i64,
    proven_at: i64,
    standing: String,
}

fn read(row: Row) -> Result<Statement, StoreError> {
    let corrupt = || StoreError::Corrupt {
        what: "a witness statement".to_owned(),
    };
    let command = |install: &[u8], seq| {
        Ok::<_, StoreError>(SentCommand {
            install_id: InstallId::from_slice(install).ok_or_else(corrupt)?,
            seq,
        })
    };
    Ok(Statement {
        by: command(&row.by_install, row.by_seq)?,
        about: command(&row.about_install, row.about_seq)?,
        head: Digest::from_slice(&row.head).ok_or_else(corrupt)?,
        received_at: Timestamp::from_millis(row.received_at),
        proven_at: Timestamp::from_millis(row.proven_at),
        standing: Standing::from_name(&row.standing).ok_or_else(corrupt)?,
    })
}

fn bytes(id: InstallId) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// What the weighing of statements works upon, within a push's transaction.
pub struct Weighing<'c>(pub &'c mut Conn);

impl Statements for Weighing<'_> {
    type Error = StoreError;

    fn wait_for(&mut self, install_id: InstallId) -> Result<(), StoreError> {
        wait_for(self.0, install_id)
    }

    fn statement(&mut self, by: SentCommand) -> Result<Option<Statement>, StoreError> {
        let row: Option<Row> = witness_statements::table
            .find((bytes(by.install_id), by.seq))
            .select(Row::as_select())
            .first(self.0)
            .optional()?;
        row.map(read).transpose()
    }

    fn broken_at(&mut self, install_id: InstallId) -> Result<Option<i64>, StoreError> {
        broken_at(self.0, install_id)
    }

    fn link(&mut self, command: SentCommand) -> Result<Option<(Digest, Timestamp)>, StoreError> {
        link(self.0, command)
    }

    fn open(
        &mut self,
        about: InstallId,
        up_to: i64,
        most: usize,
    ) -> Result<Vec<Statement>, StoreError> {
        let rows: Vec<Row> = witness_statements::table
            .filter(witness_statements::about_install.eq(bytes(about)))
            .filter(witness_statements::standing.eq(Standing::Open.as_str()))
            .filter(witness_statements::about_seq.le(up_to))
            .order((
                witness_statements::about_seq.desc(),
                witness_statements::by_install.desc(),
                witness_statements::by_seq.desc(),
            ))
            .limit(i64::try_from(most).unwrap_or(i64::MAX))
            .select(Row::as_select())
            .load(self.0)?;
        rows.into_iter().map(read).collect()
    }

    fn leading(&mut self, command: SentCommand) -> Result<Option<Statement>, StoreError> {
        leading(self.0, command)
    }

    fn made_by(
        &mut self,
        by: InstallId,
        up_to: i64,
        later_than: Timestamp,
        most: usize,
    ) -> Result<Vec<Statement>, StoreError> {
        // From the end: what was received after a time is the end of a chain.
        let mut rows: Vec<Row> = witness_statements::table
            .filter(witness_statements::by_install.eq(bytes(by)))
            .filter(witness_statements::by_seq.le(up_to))
            .filter(witness_statements::proven_at.gt(later_than.as_millis()))
            // Nothing is proven for later than it was received: the index by time ends the walk.
            .filter(witness_statements::received_at.gt(later_than.as_millis()))
            .order(witness_statements::by_seq.desc())
            .limit(i64::try_from(most).unwrap_or(i64::MAX))
            .select(Row::as_select())
            .load(self.0)?;
        rows.reverse();
        rows.into_iter().map(read).collect()
    }

    fn outdo(&mut self, by: &Statement) -> Result<(), StoreError> {
        Prepared::new(
            "UPDATE witness_statements SET standing = 'fits' WHERE about_install = ? \
             AND standing = 'leads' AND about_seq <= ? AND proven_at >= ?",
            vec![
                Bind::Bytes(bytes(by.about.install_id)),
                Bind::Big(by.about.seq),
                Bind::Big(by.proven_at.as_millis()),
            ],
        )
        .execute(self.0)?;
        Ok(())
    }

    fn keep(&mut self, statement: &Statement) -> Result<(), StoreError> {
        let (by, about) = (statement.by, statement.about);
        let changed = Prepared::new(
            "UPDATE witness_statements SET standing = ?, proven_at = ? \
             WHERE by_install = ? AND by_seq = ?",
            vec![
                Bind::Text(statement.standing.as_str().to_owned()),
                Bind::Big(statement.proven_at.as_millis()),
                Bind::Bytes(bytes(by.install_id)),
                Bind::Big(by.seq),
            ],
        )
        .execute(self.0)?;
        if changed > 0 {
            return Ok(());
        }
        let row = (
            (
                witness_statements::by_install.eq(bytes(by.install_id)),
                witness_statements::by_seq.eq(by.seq),
                witness_statements::id.eq(by.witness_id().as_bytes().to_vec()),
            ),
            witness_statements::about_install.eq(bytes(about.install_id)),
            witness_statements::about_seq.eq(about.seq),
            witness_statements::head.eq(statement.head.as_bytes().to_vec()),
            witness_statements::received_at.eq(statement.received_at.as_millis()),
            witness_statements::proven_at.eq(statement.proven_at.as_millis()),
            witness_statements::standing.eq(statement.standing.as_str()),
            (
                witness_statements::version.eq(0_i64),
                witness_statements::record.eq(Vec::<u8>::new()),
            ),
        );
        on_any!(self.0, |c| diesel::insert_into(witness_statements::table)
            .values(row)
            .execute(c))?;
        Ok(())
    }
}

/// The link hash of a command, and when it was received; `None`: it was not.
///
/// # Errors
/// When the database does not answer.
pub fn link(
    conn: &mut Conn,
    command: SentCommand,
) -> Result<Option<(Digest, Timestamp)>, StoreError> {
    let found: Option<(Vec<u8>, i64)> = pushed_commands::table
        .find((bytes(command.install_id), command.seq))
        .select((pushed_commands::link_hash, pushed_commands::received_at))
        .first(conn)
        .optional()?;
    let Some((hash, received_at)) = found else {
        return Ok(None);
    };
    let hash = Digest::from_slice(&hash).ok_or_else(|| StoreError::Corrupt {
        what: format!("the link hash of command {}", command.seq),
    })?;
    Ok(Some((hash, Timestamp::from_millis(received_at))))
}

/// Of the leading statements that reach this command, the one that reaches least far.
///
/// # Errors
/// When the database does not answer or holds a damaged row.
pub fn leading(conn: &mut Conn, command: SentCommand) -> Result<Option<Statement>, StoreError> {
    let row: Option<Row> = witness_statements::table
        .filter(witness_statements::about_install.eq(bytes(command.install_id)))
        .filter(witness_statements::standing.eq(Standing::Leads.as_str()))
        .filter(witness_statements::about_seq.ge(command.seq))
        .order(witness_statements::about_seq)
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(read).transpose()
}

/// Keeps the record by which the owner of a chain is told.
///
/// # Errors
/// When the database does not answer.
pub fn put_record(
    tx: &mut WriteTx<'_>,
    by: SentCommand,
    version: i64,
    record: &[u8],
) -> Result<(), StoreError> {
    let row = witness_statements::table.find((bytes(by.install_id), by.seq));
    diesel::update(row)
        .set((
            witness_statements::version.eq(version),
            witness_statements::record.eq(record.to_vec()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// How many statements an install has made that were received from this instant on, at most `most`.
///
/// # Errors
/// When the database does not answer.
pub fn count_since(
    conn: &mut Conn,
    by: InstallId,
    since: Timestamp,
    most: usize,
) -> Result<usize, StoreError> {
    let found: Vec<i64> = witness_statements::table
        .filter(witness_statements::by_install.eq(bytes(by)))
        .filter(witness_statements::received_at.gt(since.as_millis()))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(witness_statements::by_seq)
        .load(conn)?;
    Ok(found.len())
}

/// How many open statements there are about an install, at most `most`.
///
/// # Errors
/// When the database does not answer.
pub fn count_open(conn: &mut Conn, about: InstallId, most: usize) -> Result<usize, StoreError> {
    let found: Vec<i64> = witness_statements::table
        .filter(witness_statements::about_install.eq(bytes(about)))
        .filter(witness_statements::standing.eq(Standing::Open.as_str()))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(witness_statements::about_seq)
        .load(conn)?;
    Ok(found.len())
}

/// Whether somebody has an open statement about this place of a chain, by whichever of their installs.
///
/// # Errors
/// When the database does not answer.
pub fn is_said(conn: &mut Conn, by: PersonId, about: SentCommand) -> Result<bool, StoreError> {
    let own = installs::table
        .filter(installs::person_id.eq(by.as_bytes().to_vec()))
        .select(installs::id);
    let same = witness_statements::table
        .filter(witness_statements::about_install.eq(bytes(about.install_id)))
        .filter(witness_statements::standing.eq(Standing::Open.as_str()))
        .filter(witness_statements::about_seq.eq(about.seq))
        .filter(witness_statements::by_install.eq_any(own));
    let found: Option<i64> = same
        .select(witness_statements::by_seq)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Has a push that is about to look at another install's chain wait for one that moves it, and that one for this:
/// whoever comes second sees what the first has stored. Otherwise both could miss each other for ever.
///
/// # Errors
/// When the database does not answer; [`StoreError::Retry`] where two wait for each other.
pub fn wait_for(conn: &mut Conn, install: InstallId) -> Result<(), StoreError> {
    // SQLite has one writer.
    if let Conn::Postgres(conn) = conn {
        let found = installs::table
            .find(bytes(install))
            .select(installs::last_seq);
        let _: Option<i64> = found.for_share().first(conn).optional()?;
    }
    Ok(())
}

/// The newest anchor that an install's chain has shown.
///
/// # Errors
/// When the database does not answer.
pub fn anchored(conn: &mut Conn, install: InstallId) -> Result<Option<Anchored>, StoreError> {
    type Found = (Option<i64>, Option<Vec<u8>>, Option<i64>);
    let found: Option<Found> = installs::table
        .find(bytes(install))
        .select((
            installs::anchored_at,
            installs::anchored_boot,
            installs::anchored_monotonic_ms,
        ))
        .first(conn)
        .optional()?;
    let Some((Some(at), boot, monotonic)) = found else {
        return Ok(None);
    };
    let boot = boot.as_deref().and_then(BootId::from_slice);
    Ok(Some(Anchored {
        at: Timestamp::from_millis(at),
        monotonic: boot.zip(monotonic),
    }))
}

/// The first command of an install that does not name the hash of the one before; `None`: all do.
///
/// # Errors
/// When the database does not answer.
pub fn broken_at(conn: &mut Conn, install: InstallId) -> Result<Option<i64>, StoreError> {
    let found: Option<Option<i64>> = installs::table
        .find(bytes(install))
        .select(installs::broken_at)
        .first(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Keeps that the chain of an install is broken at this command, unless it was broken before.
///
/// # Errors
/// When the database does not answer.
pub fn put_broken(tx: &mut WriteTx<'_>, install: InstallId, at: i64) -> Result<(), StoreError> {
    let unbroken = installs::table
        .find(bytes(install))
        .filter(installs::broken_at.is_null());
    diesel::update(unbroken)
        .set(installs::broken_at.eq(Some(at)))
        .execute(tx.conn())?;
    Ok(())
}

/// Keeps the newest anchor that an install's chain has shown; `None`: the one that it had counts no longer.
///
/// # Errors
/// When the database does not answer.
pub fn put_anchored(
    tx: &mut WriteTx<'_>,
    install: InstallId,
    anchored: Option<&Anchored>,
) -> Result<(), StoreError> {
    let (boot, monotonic) = anchored.and_then(|anchored| anchored.monotonic).unzip();
    diesel::update(installs::table.find(bytes(install)))
        .set((
            installs::anchored_at.eq(anchored.map(|anchored| anchored.at.as_millis())),
            installs::anchored_boot.eq(boot.map(|boot| boot.as_bytes().to_vec())),
            installs::anchored_monotonic_ms.eq(monotonic),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// When a command was received, and what its clocks are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When.
    pub received_at: Timestamp,
    /// What its clocks are worth.
    pub clocks: ClockFacts,
}

/// Of these commands of an install, those that were received.
///
/// # Errors
/// When the database does not answer.
pub fn timed(
    conn: &mut Conn,
    install: InstallId,
    seqs: &[i64],
) -> Result<BTreeMap<i64, Timed>, StoreError> {
    type Found = (i64, i64, Option<i64>, Option<String>);
    let rows: Vec<Found> = on_any!(conn, |c| pushed_commands::table
        .filter(pushed_commands::install_id.eq(bytes(install)))
        .filter(pushed_commands::seq.eq_any(seqs))
        .select((
            pushed_commands::seq,
            pushed_commands::received_at,
            pushed_commands::not_before,
            pushed_commands::clock_check,
        ))
        .load(c))?;
    let read = |(seq, received_at, not_before, check): Found| {
        let clocks = ClockFacts {
            not_before: not_before.map(Timestamp::from_millis),
            check: check.as_deref().and_then(ClockCheck::from_name),
        };
        let received_at = Timestamp::from_millis(received_at);
        (
            seq,
            Timed {
                received_at,
                clocks,
            },
        )
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Whether any statement about the chain of an install leads at all, and reaches this place.
///
/// # Errors
/// When the database does not answer.
pub fn is_witnessed(conn: &mut Conn, install: InstallId, from: i64) -> Result<bool, StoreError> {
    let first = SentCommand {
        install_id: install,
        seq: from,
    };
    Ok(leading(conn, first)?.is_some())
}

/// Every statement, by who makes it, after `after`, at most `limit`: for the check of the archive.
///
/// # Errors
/// When the database does not answer or holds a damaged row.
pub fn all_after(
    conn: &mut Conn,
    after: Option<SentCommand>,
    limit: i64,
) -> Result<Vec<Statement>, StoreError> {
    let (install, seq) = after.map_or((Vec::new(), i64::MIN), |after| {
        (bytes(after.install_id), after.seq)
    });
    let beyond = witness_statements::by_install
        .gt(install.clone())
        .or(witness_statements::by_seq.gt(seq));
    let rows: Vec<Row> = witness_statements::table
        .filter(witness_statements::by_install.ge(install))
        .filter(beyond)
        .order((witness_statements::by_install, witness_statements::by_seq))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(read).collect()
}

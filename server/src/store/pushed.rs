//! Push streams: every pushed command as it came, its receipt, and how far each install is.

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{HazardId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::StreamState;
use hazardloop_sync_protocol::wire::{Envelope, Receipt};

use super::schema::{installs, pushed_commands};
use super::{Conn, StoreError, WriteTx};

/// An install, as pushes and pulls need it.
#[derive(Clone, Debug)]
pub struct Install {
    /// Its push stream.
    pub stream: StreamState,
    /// Whose it is.
    pub person_id: PersonId,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// Loads an install.
///
/// # Errors
/// When the database does not answer or holds damaged ids.
pub fn install(conn: &mut Conn, id: InstallId) -> Result<Option<Install>, StoreError> {
    type Found = (Vec<u8>, Vec<u8>, i64, Vec<u8>, Option<i64>);
    let found: Option<Found> = installs::table
        .find(id.as_bytes().to_vec())
        .select((
            installs::person_id,
            installs::public_key,
            installs::last_seq,
            installs::last_hash,
            installs::revoked_at,
        ))
        .first(conn)
        .optional()?;
    let Some((person, public_key, last_seq, last_hash, revoked_at)) = found else {
        return Ok(None);
    };
    let corrupt = || StoreError::Corrupt {
        what: format!("install {id}"),
    };
    Ok(Some(Install {
        person_id: PersonId::from_slice(&person).ok_or_else(corrupt)?,
        stream: StreamState {
            install_id: id,
            public_key,
            last_seq,
            last_hash: Digest::from_slice(&last_hash).ok_or_else(corrupt)?,
        },
        revoked: revoked_at.is_some(),
    }))
}

/// Moves an install's stream on, insisting that nobody else has.
///
/// # Errors
/// [`StoreError::Stale`] when another push of the same install was faster.
pub fn advance(
    tx: &mut WriteTx<'_>,
    before: i64,
    stream: &StreamState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(installs::table)
        .filter(installs::id.eq(stream.install_id.as_bytes().to_vec()))
        .filter(installs::last_seq.eq(before))
        // Revoked meanwhile: run again, and be told so.
        .filter(installs::revoked_at.is_null())
        .set((
            installs::last_seq.eq(stream.last_seq),
            installs::last_hash.eq(stream.last_hash.as_bytes().to_vec()),
            installs::last_seen_at.eq(now.as_millis()),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale {
            what: "push stream",
        })
    }
}

/// A receipt as stored.
#[derive(Clone, Debug)]
pub struct StoredReceipt {
    /// Link hash of the command that it belongs to.
    pub link_hash: Digest,
    /// The receipt.
    pub receipt: Receipt,
}

/// The receipt of one command.
///
/// # Errors
/// When the database does not answer or the receipt cannot be read.
pub fn receipt(
    conn: &mut Conn,
    install_id: InstallId,
    seq: i64,
) -> Result<Option<StoredReceipt>, StoreError> {
    let found: Option<(Vec<u8>, Vec<u8>)> = pushed_commands::table
        .find((install_id.as_bytes().to_vec(), seq))
        .select((pushed_commands::link_hash, pushed_commands::receipt))
        .first(conn)
        .optional()?;
    let Some((link_hash, receipt)) = found else {
        return Ok(None);
    };
    let corrupt = || StoreError::Corrupt {
        what: format!("receipt {seq} of install {install_id}"),
    };
    Ok(Some(StoredReceipt {
        link_hash: Digest::from_slice(&link_hash).ok_or_else(corrupt)?,
        receipt: minicbor::decode(&receipt).map_err(|_| corrupt())?,
    }))
}

/// One command about to be kept for good.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Whose stream.
    pub install_id: InstallId,
    /// Whose command.
    pub person_id: PersonId,
    /// As it came.
    pub envelope: &'a Envelope,
    /// Its link hash.
    pub link_hash: Digest,
    /// The hazard it speaks of, where that could be read.
    pub subject: Option<HazardId>,
    /// What became of it.
    pub receipt: &'a Receipt,
}

/// Keeps a command with its receipt.
///
/// # Errors
/// [`StoreError::Stale`] when another push of the same install kept this place first.
pub fn keep(tx: &mut WriteTx<'_>, kept: Kept<'_>) -> Result<(), StoreError> {
    let envelope = kept.envelope;
    let row = (
        pushed_commands::install_id.eq(kept.install_id.as_bytes().to_vec()),
        pushed_commands::seq.eq(envelope.seq),
        pushed_commands::person_id.eq(kept.person_id.as_bytes().to_vec()),
        // A hostile name must not make the row unstorable: PostgreSQL takes no NUL in text.
        pushed_commands::kind.eq(envelope.kind.replace(char::is_control, "?")),
        pushed_commands::kind_version.eq(i32::from(envelope.version)),
        pushed_commands::subject_id.eq(kept.subject.map(|id| id.as_bytes().to_vec())),
        pushed_commands::payload.eq(envelope.payload.0.clone()),
        pushed_commands::link_hash.eq(kept.link_hash.as_bytes().to_vec()),
        pushed_commands::previous_hash.eq(envelope.previous.as_bytes().to_vec()),
        pushed_commands::signature.eq(envelope.signature.0.clone()),
        pushed_commands::received_at.eq(kept.receipt.received_at.as_millis()),
        pushed_commands::outcome.eq(kept.receipt.outcome.name()),
        pushed_commands::receipt.eq(minicbor::to_vec(kept.receipt).unwrap_or_default()),
    );
    match diesel::insert_into(pushed_commands::table)
        .values(row)
        .execute(tx.conn())
    {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = StoreError::from(error);
            if error.is_duplicate_in("pushed_commands") {
                return Err(StoreError::Stale {
                    what: "push stream",
                });
            }
            Err(error)
        }
    }
}

/// The earliest report of this hazard by this install that did not take effect.
///
/// # Errors
/// When the database does not answer.
pub fn failed_report(
    conn: &mut Conn,
    install_id: InstallId,
    subject: HazardId,
) -> Result<Option<i64>, StoreError> {
    Ok(pushed_commands::table
        .filter(pushed_commands::install_id.eq(install_id.as_bytes().to_vec()))
        .filter(pushed_commands::subject_id.eq(subject.as_bytes().to_vec()))
        .filter(pushed_commands::kind.eq("report"))
        .filter(pushed_commands::outcome.ne("applied"))
        .order(pushed_commands::seq)
        .select(pushed_commands::seq)
        .first(conn)
        .optional()?)
}

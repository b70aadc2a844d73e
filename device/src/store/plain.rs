//! Reads a database from before everything was sealed, once, to seal it (see `crate::sealing`).

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{
    GivenUp, Member, Meta, Oversize, PhotoStage, RowKey, ScopeState, StoreOp, StoredCommand,
    StoredPhoto,
};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{Bytes, Checkpoint, Record, RecordKind, Scope};
use uuid::Uuid;

use super::plain_schema::{account, commands, members, meta, photos, records, scopes, staged};
use super::{Account, StoreError};

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The work and the account in an unsealed database; the operations make them again.
///
/// # Errors
/// [`StoreError`].
pub fn read(path: &Path) -> Result<(Vec<StoreOp>, Option<Account>), StoreError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    conn.batch_execute("PRAGMA busy_timeout = 5000")?;
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|error| StoreError::Migrate(error.to_string()))?;
    conn.transaction(|conn| Ok((operations(conn)?, account(conn)?)))
}

type AccountRow = (
    i32,
    String,
    String,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    String,
    String,
);

fn account(conn: &mut SqliteConnection) -> Result<Option<Account>, StoreError> {
    let row = account::table.first::<AccountRow>(conn).optional()?;
    let Some((_, server, login, person_id, install_id, person, access, refresh)) = row else {
        return Ok(None);
    };
    let person: PersonRecord =
        minicbor::decode(&person).map_err(|_| StoreError::Damaged("person"))?;
    if PersonId::from_slice(&person_id) != Some(person.id) {
        return Err(StoreError::Damaged("person"));
    }
    Ok(Some(Account {
        server,
        login,
        install_id: InstallId::from_slice(&install_id).ok_or(StoreError::Damaged("install"))?,
        person,
        access_token: access,
        refresh_token: refresh,
    }))
}

fn operations(conn: &mut SqliteConnection) -> Result<Vec<StoreOp>, StoreError> {
    let mut ops = Vec::new();
    read_meta(conn, &mut ops)?;
    read_commands(conn, &mut ops)?;
    read_scopes(conn, &mut ops)?;
    read_rows(conn, &mut ops)?;
    read_photos(conn, &mut ops)?;
    Ok(ops)
}

type MetaRow = (
    i32,
    Option<String>,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    bool,
    Option<i64>,
);

fn read_meta(conn: &mut SqliteConnection, ops: &mut Vec<StoreOp>) -> Result<(), StoreError> {
    let row = meta::table.first::<MetaRow>(conn).optional()?;
    if let Some((_, epoch, digest_key, server_time, contact_at, must_rekey, too_large)) = row {
        ops.push(StoreOp::PutMeta(Meta {
            epoch,
            digest_key: digest_key.and_then(|key| DigestKey::from_slice(&key)),
            server_time: server_time.map(Timestamp::from_millis),
            contact_at: contact_at.map(Timestamp::from_millis),
            must_rekey,
            too_large,
            anchor: None,
            photo_chunk: None,
            pull_records: None,
            push_bytes: None,
        }));
    }
    Ok(())
}

type CommandRow = (
    i64,
    Vec<u8>,
    Vec<u8>,
    i64,
    Option<Vec<u8>>,
    bool,
    Option<i32>,
    Option<Vec<u8>>,
);

fn read_commands(conn: &mut SqliteConnection, ops: &mut Vec<StoreOp>) -> Result<(), StoreError> {
    let rows = commands::table
        .order(commands::seq)
        .load::<CommandRow>(conn)?;
    for row in rows {
        ops.push(StoreOp::PutCommand(command(row)?));
    }
    Ok(())
}

fn command(row: CommandRow) -> Result<StoredCommand, StoreError> {
    let (_, envelope, subject_id, queued_at, receipt, awaiting_pull, oversize, original) = row;
    let damaged = || StoreError::Damaged("command");
    let oversize = match (oversize, original) {
        (None, _) => None,
        (Some(1), Some(bytes)) => {
            let original = minicbor::decode(&bytes).map_err(|_| damaged())?;
            Some(Oversize::Placeholder(Box::new(original)))
        }
        (Some(2), _) => Some(Oversize::Offered),
        (Some(3), _) => Some(Oversize::Unanswered),
        _ => return Err(damaged()),
    };
    let receipt = receipt
        .map(|bytes| minicbor::decode(&bytes).map_err(|_| StoreError::Damaged("receipt")))
        .transpose()?;
    Ok(StoredCommand {
        envelope: minicbor::decode(&envelope).map_err(|_| damaged())?,
        subject_id: SubjectId::from_slice(&subject_id).ok_or_else(damaged)?,
        queued_at: Timestamp::from_millis(queued_at),
        receipt,
        awaiting_pull,
        oversize,
        earlier: None,
        chosen: None,
    })
}

fn scope_of(text: &str) -> Result<Scope, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged("scope"))
}

fn key_of(kind: i32, id: &[u8]) -> Result<RowKey, StoreError> {
    let kind = RecordKind::from_number(kind).ok_or(StoreError::Damaged("record"))?;
    Ok((
        kind,
        Uuid::from_slice(id).map_err(|_| StoreError::Damaged("record"))?,
    ))
}

type ScopeRow = (
    String,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    bool,
    bool,
    Option<i64>,
);
type StagedRow = (String, i32, Vec<u8>, Option<i64>, Option<Vec<u8>>);

fn read_scopes(conn: &mut SqliteConnection, ops: &mut Vec<StoreOp>) -> Result<(), StoreError> {
    for row in scopes::table.load::<ScopeRow>(conn)? {
        let (scope, cursor, count, digest, complete, staging_reset, last_mismatch) = row;
        let held = count.zip(digest).map(|(count, digest)| Checkpoint {
            count: count.cast_unsigned(),
            digest: digest.cast_unsigned(),
        });
        let state = ScopeState {
            cursor: cursor.map(Bytes),
            held,
            complete,
            staging_reset,
            last_mismatch: last_mismatch.map(Timestamp::from_millis),
            // What an earlier build did not keep the next change of the scope tells.
            window: None,
            first_rows: None,
        };
        ops.push(StoreOp::PutScope(scope_of(&scope)?, state));
    }
    for (scope, kind, id, version, body) in staged::table.load::<StagedRow>(conn)? {
        let key = key_of(kind, &id)?;
        let record = version.zip(body).map(|(version, body)| Record {
            kind: key.0,
            id: key.1,
            version,
            body: Bytes(body),
        });
        ops.push(StoreOp::Stage {
            scope: scope_of(&scope)?,
            key,
            record,
        });
    }
    Ok(())
}

fn read_rows(conn: &mut SqliteConnection, ops: &mut Vec<StoreOp>) -> Result<(), StoreError> {
    for (kind, id, version, body) in records::table.load::<(i32, Vec<u8>, i64, Vec<u8>)>(conn)? {
        let (kind, id) = key_of(kind, &id)?;
        ops.push(StoreOp::PutRow(Record {
            kind,
            id,
            version,
            body: Bytes(body),
        }));
    }
    for row in members::table.load::<(String, i32, Vec<u8>, i64, i64)>(conn)? {
        let (scope, kind, id, version, digest) = row;
        let member = Member {
            version,
            digest: digest.cast_unsigned(),
        };
        let (scope, key) = (scope_of(&scope)?, key_of(kind, &id)?);
        ops.push(StoreOp::PutMember { scope, key, member });
    }
    Ok(())
}

type PhotoRow = (
    Vec<u8>,
    i64,
    String,
    i64,
    Vec<u8>,
    Option<String>,
    i32,
    Option<i64>,
    Option<String>,
);

fn read_photos(conn: &mut SqliteConnection, ops: &mut Vec<StoreOp>) -> Result<(), StoreError> {
    for row in photos::table.load::<PhotoRow>(conn)? {
        ops.push(StoreOp::PutPhoto(photo(row)?));
    }
    Ok(())
}

fn photo(row: PhotoRow) -> Result<StoredPhoto, StoreError> {
    let (sha256, size, media_type, seq, subject_id, upload, stage, given_up_at, reason) = row;
    let damaged = || StoreError::Damaged("photo entry");
    Ok(StoredPhoto {
        sha256: Digest::from_slice(&sha256).ok_or_else(damaged)?,
        size: size.cast_unsigned(),
        media_type,
        seq,
        subject_id: SubjectId::from_slice(&subject_id).ok_or_else(damaged)?,
        upload,
        given_up: given_up_at.map(|at| GivenUp {
            reason: reason.unwrap_or_default(),
            at: Timestamp::from_millis(at),
        }),
        stage: match stage {
            3 => PhotoStage::Held,
            2 => PhotoStage::Sent,
            1 => PhotoStage::Asked,
            _ => PhotoStage::Waiting,
        },
    })
}

//! Writes a database as it was before everything was sealed: for tests of sealing one.
#![allow(clippy::unwrap_used)]

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{
    Meta, Oversize, PhotoStage, RowKey, ScopeState, StoreOp, StoredCommand, StoredPhoto,
};
use hazardloop_sync_protocol::wire::{Record, Scope};

use super::plain_schema::{account, commands, members, meta, photos, records, scopes, staged};
use super::{Account, StoreError};

/// An unsealed database at `path`, as an older build left it.
pub(crate) fn database(path: &std::path::Path, ops: &[StoreOp], of: Option<&Account>) {
    use diesel_migrations::MigrationHarness as _;
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        .unwrap();
    conn.run_pending_migrations(super::plain::MIGRATIONS)
        .unwrap();
    ops.iter().for_each(|op| one(&mut conn, op).unwrap());
    if let Some(of) = of {
        put_account(&mut conn, of).unwrap();
    }
}

fn put_account(conn: &mut SqliteConnection, value: &Account) -> QueryResult<usize> {
    diesel::replace_into(account::table)
        .values((
            account::id.eq(1),
            account::server.eq(&value.server),
            account::login.eq(&value.login),
            account::person_id.eq(value.person.id.as_bytes().to_vec()),
            account::install_id.eq(value.install_id.as_bytes().to_vec()),
            account::person.eq(minicbor::to_vec(&value.person).unwrap_or_default()),
            account::access_token.eq(&value.access_token),
            account::refresh_token.eq(&value.refresh_token),
        ))
        .execute(conn)
}

fn one(conn: &mut SqliteConnection, op: &StoreOp) -> Result<(), StoreError> {
    match op {
        StoreOp::PutMeta(value) => put_meta(conn, value),
        StoreOp::PutCommand(command) => put_command(conn, command),
        StoreOp::SettleCommand {
            seq,
            receipt,
            awaiting_pull,
        } => {
            diesel::update(commands::table.find(seq))
                .set((
                    commands::receipt.eq(receipt
                        .as_ref()
                        .map(|r| minicbor::to_vec(r).unwrap_or_default())),
                    commands::awaiting_pull.eq(awaiting_pull),
                ))
                .execute(conn)?;
            Ok(())
        }
        StoreOp::DeleteCommand(seq) => {
            diesel::delete(commands::table.find(seq)).execute(conn)?;
            Ok(())
        }
        StoreOp::PutScope(scope, state) => put_scope(conn, *scope, state),
        StoreOp::DeleteScope(scope) => {
            let name = scope.to_string();
            diesel::delete(scopes::table.find(&name)).execute(conn)?;
            diesel::delete(members::table.filter(members::scope.eq(&name))).execute(conn)?;
            diesel::delete(staged::table.filter(staged::scope.eq(&name))).execute(conn)?;
            Ok(())
        }
        StoreOp::Stage { scope, key, record } => stage(conn, *scope, *key, record.as_ref()),
        StoreOp::ClearStaged(scope) => {
            let name = scope.to_string();
            diesel::delete(staged::table.filter(staged::scope.eq(name))).execute(conn)?;
            Ok(())
        }
        StoreOp::PutRow(record) => {
            diesel::replace_into(records::table)
                .values((
                    records::kind.eq(record.kind.number()),
                    records::id.eq(record.id.as_bytes().to_vec()),
                    records::version.eq(record.version),
                    records::body.eq(&record.body.0),
                ))
                .execute(conn)?;
            Ok(())
        }
        StoreOp::DeleteRow((kind, id)) => {
            let found = records::table.find((kind.number(), id.as_bytes().to_vec()));
            diesel::delete(found).execute(conn)?;
            Ok(())
        }
        StoreOp::PutMember { scope, key, member } => {
            diesel::replace_into(members::table)
                .values((
                    members::scope.eq(scope.to_string()),
                    members::kind.eq(key.0.number()),
                    members::id.eq(key.1.as_bytes().to_vec()),
                    members::version.eq(member.version),
                    members::digest.eq(member.digest.cast_signed()),
                ))
                .execute(conn)?;
            Ok(())
        }
        StoreOp::DeleteMember {
            scope,
            key: (kind, id),
        } => {
            let key = (scope.to_string(), kind.number(), id.as_bytes().to_vec());
            diesel::delete(members::table.find(key)).execute(conn)?;
            Ok(())
        }
        StoreOp::PutPhoto(photo) => put_photo(conn, photo),
        StoreOp::DeletePhoto(sha256) => {
            diesel::delete(photos::table.find(sha256.as_bytes().to_vec())).execute(conn)?;
            Ok(())
        }
        StoreOp::ReleaseSpace { pages } => {
            conn.batch_execute(&format!("PRAGMA incremental_vacuum({pages})"))?;
            Ok(())
        }
    }
}

fn put_meta(conn: &mut SqliteConnection, value: &Meta) -> Result<(), StoreError> {
    diesel::replace_into(meta::table)
        .values((
            meta::id.eq(1),
            meta::epoch.eq(&value.epoch),
            meta::digest_key.eq(value.digest_key.map(|key| key.0.to_vec())),
            meta::server_time.eq(value.server_time.map(Timestamp::as_millis)),
            meta::contact_at.eq(value.contact_at.map(Timestamp::as_millis)),
            meta::must_rekey.eq(value.must_rekey),
            meta::too_large.eq(value.too_large),
        ))
        .execute(conn)?;
    Ok(())
}

fn put_command(conn: &mut SqliteConnection, command: &StoredCommand) -> Result<(), StoreError> {
    let receipt = command
        .receipt
        .as_ref()
        .map(|r| minicbor::to_vec(r).unwrap_or_default());
    let (oversize, original) = match &command.oversize {
        None => (None, None),
        Some(Oversize::Placeholder(original)) => (Some(1), Some(original.as_ref())),
        Some(Oversize::Offered) => (Some(2), None),
        Some(Oversize::Unanswered) => (Some(3), None),
    };
    let original = original.map(|envelope| minicbor::to_vec(envelope).unwrap_or_default());
    diesel::replace_into(commands::table)
        .values((
            commands::seq.eq(command.envelope.seq),
            commands::envelope.eq(minicbor::to_vec(&command.envelope).unwrap_or_default()),
            commands::subject_id.eq(command.subject_id.as_bytes().to_vec()),
            commands::queued_at.eq(command.queued_at.as_millis()),
            commands::receipt.eq(receipt),
            commands::awaiting_pull.eq(command.awaiting_pull),
            commands::oversize.eq(oversize),
            commands::original.eq(original),
        ))
        .execute(conn)?;
    Ok(())
}

fn put_scope(
    conn: &mut SqliteConnection,
    scope: Scope,
    state: &ScopeState,
) -> Result<(), StoreError> {
    diesel::replace_into(scopes::table)
        .values((
            scopes::scope.eq(scope.to_string()),
            scopes::cursor.eq(state.cursor.as_ref().map(|cursor| cursor.0.clone())),
            scopes::held_count.eq(state.held.map(|held| held.count.cast_signed())),
            scopes::held_digest.eq(state.held.map(|held| held.digest.cast_signed())),
            scopes::complete.eq(state.complete),
            scopes::staging_reset.eq(state.staging_reset),
            scopes::last_mismatch.eq(state.last_mismatch.map(Timestamp::as_millis)),
        ))
        .execute(conn)?;
    Ok(())
}

fn stage(
    conn: &mut SqliteConnection,
    scope: Scope,
    key: RowKey,
    record: Option<&Record>,
) -> Result<(), StoreError> {
    diesel::replace_into(staged::table)
        .values((
            staged::scope.eq(scope.to_string()),
            staged::kind.eq(key.0.number()),
            staged::id.eq(key.1.as_bytes().to_vec()),
            staged::version.eq(record.map(|record| record.version)),
            staged::body.eq(record.map(|record| record.body.0.clone())),
        ))
        .execute(conn)?;
    Ok(())
}

/// The stored number of a photo's stage.
const fn stage_number(stage: PhotoStage) -> i32 {
    match stage {
        PhotoStage::Waiting => 0,
        PhotoStage::Asked => 1,
        PhotoStage::Sent => 2,
        PhotoStage::Held => 3,
    }
}

fn put_photo(conn: &mut SqliteConnection, photo: &StoredPhoto) -> Result<(), StoreError> {
    diesel::replace_into(photos::table)
        .values((
            photos::sha256.eq(photo.sha256.as_bytes().to_vec()),
            photos::size.eq(i64::try_from(photo.size).unwrap_or(i64::MAX)),
            photos::media_type.eq(&photo.media_type),
            photos::seq.eq(photo.seq),
            photos::subject_id.eq(photo.subject_id.as_bytes().to_vec()),
            photos::upload.eq(&photo.upload),
            photos::stage.eq(stage_number(photo.stage)),
            photos::given_up_at.eq(photo.given_up.as_ref().map(|given| given.at.as_millis())),
            photos::given_up_reason.eq(photo.given_up.as_ref().map(|given| &given.reason)),
        ))
        .execute(conn)?;
    Ok(())
}

//! Whether this is the database that its positions belong to: a dump does not carry PostgreSQL's
//! transaction ids, and whoever restores one goes on with those of another cluster.
//!
//! What the database is gets recorded in it when it is first migrated: the cluster's system
//! identifier, the database's oid, and that of one of its tables. None of them comes with a dump;
//! all of them come with a streaming replica, whose ids go on. Beside that, no stored number may
//! be one that the cluster has not reached. See docs/adr/0005-restored-databases.md.
//!
//! A restored SQLite file is whole, its counter included; nothing in it says that it is older
//! than what devices have seen. Devices do (`usecases/pull.rs`).

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::conn::{self, Conn};
use super::error::StoreError;
use super::order::{OFFSET, offset};
use super::url::DatabaseUrl;
use super::{meta, migrate};

/// Name of the fact that says what the database is.
pub(super) const IDENTITY: &str = "database_identity";

/// Name of the fact that says which life of the database cursors belong to.
pub const EPOCH: &str = "epoch";

/// Name of the fact that holds what [`settle`] did until the audit trail has it.
pub const TO_RECORD: &str = "settlement_to_record";

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What an index answers: for every new session.
    Session,
    /// Every table that holds positions: at a start.
    Whole,
}

/// Refuses a database that was restored or copied and not settled since.
///
/// # Errors
/// [`StoreError::Restored`]; others when the database does not answer.
pub fn check(conn: &mut Conn) -> Result<(), StoreError> {
    check_to(conn, Depth::Session)
}

pub(super) fn check_to(conn: &mut Conn, depth: Depth) -> Result<(), StoreError> {
    let Some(found) = look(conn)? else {
        return Ok(());
    };
    let recorded = meta::get(conn, IDENTITY)?;
    if let Some(what) = recorded.and_then(|recorded| difference(&recorded, &found)) {
        return Err(StoreError::Restored { what });
    }
    let Reach { newest, unused } = reach(conn, depth)?;
    if newest >= unused {
        let what = format!("it holds number {newest}, and this cluster has only reached {unused}");
        return Err(StoreError::Restored { what });
    }
    Ok(())
}

/// Remembers what this database is, if that is not known yet. The caller has checked it.
pub(super) fn record(conn: &mut Conn) -> Result<(), StoreError> {
    match look(conn)? {
        Some(found) if meta::get(conn, IDENTITY)?.is_none() => meta::set(conn, IDENTITY, &found),
        _ => Ok(()),
    }
}

/// What an operator says about a restored database.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The new epoch; absent: nothing was lost, and the old one goes on.
    pub new_epoch: Option<String>,
    /// What the audit trail is to say, for [`TO_RECORD`].
    pub to_record: String,
}

/// Makes a restored or moved database usable, migrating it first: its numbers go on above every
/// stored one, and what it is now is recorded. Answers the epoch that ended.
///
/// # Errors
/// [`StoreError::InUse`] while servers are connected to it (PostgreSQL knows); as migrating.
pub fn settle(url: &DatabaseUrl, settlement: &Settlement) -> Result<Option<String>, StoreError> {
    migrate::locked_up(url, |conn| {
        let postgres = matches!(conn, Conn::Postgres(_));
        if postgres {
            conn::begin_write(conn, conn::LockWait::Session)?;
        }
        let settled = settle_in(conn, settlement);
        match (postgres, &settled) {
            (true, Ok(_)) => conn::commit(conn)?,
            (true, Err(_)) => drop(conn::rollback_to(conn, 0)),
            // Whoever holds the lock on the file commits.
            (false, _) => {}
        }
        settled
    })
}

fn settle_in(conn: &mut Conn, settlement: &Settlement) -> Result<Option<String>, StoreError> {
    if let Some(found) = look(conn)? {
        let others = others(conn)?;
        if others > 0 {
            return Err(StoreError::InUse { sessions: others });
        }
        conn.batch_execute("LOCK TABLE events, audit_chain, scope_rows IN EXCLUSIVE MODE")?;
        raise_numbers(conn)?;
        meta::set(conn, IDENTITY, &found)?;
    }
    let ended = meta::get(conn, EPOCH)?;
    if let Some(epoch) = &settlement.new_epoch {
        meta::set(conn, EPOCH, epoch)?;
    }
    meta::set(conn, TO_RECORD, &settlement.to_record)?;
    Ok(ended)
}

/// What the connected database is, as `name=value` pairs; absent for SQLite, and where no
/// migration has run.
fn look(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        identity: String,
        #[diesel(sql_type = Bool)]
        migrated: bool,
        #[diesel(sql_type = Bool)]
        may_see_system: bool,
    }
    #[derive(QueryableByName)]
    struct System {
        #[diesel(sql_type = Text)]
        system: String,
    }
    if matches!(conn, Conn::Sqlite(_)) {
        return Ok(None);
    }
    let found: Found = diesel::sql_query(
        "SELECT 'database=' || oid || ' table=' || COALESCE(to_regclass('server_meta')::oid, 0) \
         AS identity, to_regclass('events') IS NOT NULL AND to_regclass('audit_chain') IS NOT NULL \
         AND to_regclass('scope_rows') IS NOT NULL AS migrated, \
         has_function_privilege('pg_control_system()', 'EXECUTE') AS may_see_system \
         FROM pg_database WHERE datname = current_database()",
    )
    .get_result(conn)?;
    if !found.migrated {
        return Ok(None);
    }
    if !found.may_see_system {
        return Ok(Some(found.identity));
    }
    let sql = "SELECT system_identifier::text AS system FROM pg_control_system()";
    let System { system } = diesel::sql_query(sql).get_result(conn)?;
    Ok(Some(format!("system={system} {}", found.identity)))
}

fn pairs(identity: &str) -> BTreeMap<&str, &str> {
    identity
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .collect()
}

/// In words, where the two differ; what only one of them says counts for nothing, since a role's
/// rights to see it may change.
fn difference(recorded: &str, found: &str) -> Option<String> {
    let (recorded, found) = (pairs(recorded), pairs(found));
    let differs = |(name, was): (&&str, &&str)| {
        let is = found.get(*name).filter(|is| *is != was)?;
        Some(format!("{name} was {was} and is {is}"))
    };
    let differing: Vec<String> = recorded.iter().filter_map(differs).collect();
    (!differing.is_empty()).then(|| differing.join(", "))
}

#[derive(QueryableByName)]
struct Reach {
    /// The greatest stored number.
    #[diesel(sql_type = BigInt)]
    newest: i64,
    /// The first that no transaction has.
    #[diesel(sql_type = BigInt)]
    unused: i64,
}

fn reach(conn: &mut Conn, depth: Depth) -> Result<Reach, StoreError> {
    let sql = match depth {
        Depth::Session => concat!(
            "SELECT COALESCE((SELECT max(tx) FROM events), 0) AS newest, \
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ",
            offset!(),
            " AS unused"
        ),
        Depth::Whole => concat!(
            "SELECT GREATEST((SELECT max(tx) FROM events), (SELECT max(tx) FROM audit_chain), \
             (SELECT max(tx) FROM scope_rows), 0) AS newest, \
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ",
            offset!(),
            " AS unused"
        ),
    };
    Ok(diesel::sql_query(sql).get_result(conn)?)
}

/// Sets the offset so that every number from now on is above every stored one. It never sinks.
fn raise_numbers(conn: &mut Conn) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Raised {
        #[diesel(sql_type = Text)]
        raised: String,
    }
    // From the oldest that still runs on: a later one may have begun before this.
    let sql = concat!(
        "SELECT GREATEST(",
        offset!(),
        ", GREATEST((SELECT max(tx) FROM events), (SELECT max(tx) FROM audit_chain), \
         (SELECT max(tx) FROM scope_rows), 0) + 1 \
         - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text AS raised"
    );
    let Raised { raised } = diesel::sql_query(sql).get_result(conn)?;
    meta::set(conn, OFFSET, &raised)
}

/// Sessions of other processes of ours in this database.
fn others(conn: &mut Conn) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        sessions: i64,
    }
    let sql = "SELECT count(*) AS sessions FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'hazardloop' \
               AND pid <> pg_backend_pid()";
    let Count { sessions } = diesel::sql_query(sql).get_result(conn)?;
    Ok(sessions)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_both_say_is_compared() {
        let before = "system=7 database=16384 table=16390";
        assert_eq!(difference(before, before), None);
        assert_eq!(difference(before, "database=16384 table=16390"), None);
        assert_eq!(difference("database=16384 table=16390", before), None);
        let elsewhere = difference(before, "system=8 database=16384 table=16391");
        let said = "system was 7 and is 8, table was 16390 and is 16391";
        assert_eq!(elsewhere.as_deref(), Some(said));
    }
}

//! Migrations run up, down and up again, and both databases and `schema.rs` end up alike.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use hazardloop_domain::enterprise::OperatingStatus;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use hazardloop_tests::{TestDatabase, each_database};
use uuid::Uuid;

use super::conn::{self, Purpose};
use super::enterprise_rows::{self, TraitFilter};
use super::feed::{self, Announced};
use super::lists::Key;
use super::schema::{enterprises, jurisdictions};
use super::test_support::{facts, opened, put_fact};
use super::{Conn, Db, DbOptions, StoreError, migrate};

/// What a schema consists of, in words that both databases can be described with.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    /// `table.column` -> type, `?` when it may be null.
    columns: BTreeMap<String, String>,
    /// `table (columns)`.
    primary_keys: BTreeSet<String>,
    /// `table name unique (columns)`; constraints without a name of their own are `-`.
    indexes: BTreeSet<String>,
    /// `table (column) -> table (column)`.
    references: BTreeSet<String>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Bool)]
    flag: bool,
}

const SQLITE_SHAPE: &str = "
    WITH tables AS (SELECT name FROM sqlite_schema WHERE type = 'table'
                    AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_\\_%' ESCAPE '\\')
    SELECT 'column' AS part, t.name || '.' || c.name AS subject, lower(c.type) AS detail, c.\"notnull\" = 0 AS flag
      FROM tables t, pragma_table_info(t.name) c
    UNION ALL
    SELECT 'key', t.name, (SELECT group_concat(name, ', ') FROM
           (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)), 0
      FROM tables t
    UNION ALL
    SELECT 'index', t.name || ' ' || CASE i.origin WHEN 'u' THEN '-' ELSE i.name END,
           (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)), i.\"unique\"
      FROM tables t, pragma_index_list(t.name) i WHERE i.origin <> 'pk'
    UNION ALL
    SELECT 'reference', t.name || ' (' || f.\"from\" || ')', f.\"table\" || ' (' || f.\"to\" || ')', 0
      FROM tables t, pragma_foreign_key_list(t.name) f";

const POSTGRES_SHAPE: &str = "
    WITH tables AS (SELECT c.oid, c.relname::text AS name FROM pg_class c
                    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                    AND c.relname NOT LIKE '\\_\\_%'),
    named AS (SELECT attrelid, attnum, attname::text AS name, atttypid, attnotnull FROM pg_attribute
              WHERE attnum > 0 AND NOT attisdropped)
    SELECT 'column' AS part, t.name || '.' || a.name AS subject, format_type(a.atttypid, NULL) AS detail,
           NOT a.attnotnull AS flag FROM tables t JOIN named a ON a.attrelid = t.oid
    UNION ALL
    SELECT CASE WHEN i.indisprimary THEN 'key' ELSE 'index' END,
           t.name || CASE WHEN i.indisprimary THEN '' WHEN u.oid IS NOT NULL THEN ' -' ELSE ' ' || n.relname END,
           (SELECT string_agg(a.name, ', ' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY k (attnum, place)
            JOIN named a ON a.attrelid = t.oid AND a.attnum = k.attnum),
           i.indisunique AND NOT i.indisprimary
      FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class n ON n.oid = i.indexrelid
      LEFT JOIN pg_constraint u ON u.conindid = i.indexrelid AND u.contype = 'u'
    UNION ALL
    SELECT 'reference', t.name || ' (' || a.name || ')', f.relname || ' (' || b.name || ')', false
      FROM tables t JOIN pg_constraint r ON r.conrelid = t.oid AND r.contype = 'f'
      JOIN pg_class f ON f.oid = r.confrelid
      JOIN named a ON a.attrelid = t.oid AND a.attnum = r.conkey[1]
      JOIN named b ON b.attrelid = f.oid AND b.attnum = r.confkey[1]";

fn shape(db: &Db) -> Shape {
    let lines: Vec<Line> = db
        .read_blocking(|tx| {
            let query = match tx.conn() {
                Conn::Sqlite(_) => SQLITE_SHAPE,
                Conn::Postgres(_) => POSTGRES_SHAPE,
            };
            Ok::<_, StoreError>(diesel::sql_query(query).load(tx.conn())?)
        })
        .unwrap();
    let mut shape = Shape::default();
    for Line {
        part,
        subject,
        detail,
        flag,
    } in lines
    {
        let detail = detail.unwrap();
        match part.as_str() {
            "column" => {
                let known = match detail.as_str() {
                    "blob" | "bytea" => "Binary",
                    "text" => "Text",
                    "bigint" => "BigInt",
                    "integer" => "Integer",
                    "double precision" => "Double",
                    "boolean" => "Bool",
                    other => panic!("{subject} has the type {other}"),
                };
                let null = if flag { "?" } else { "" };
                shape.columns.insert(subject, format!("{known}{null}"));
            }
            "key" => drop(shape.primary_keys.insert(format!("{subject} ({detail})"))),
            "index" => {
                let unique = if flag { "unique " } else { "" };
                shape
                    .indexes
                    .insert(format!("{subject} {unique}({detail})"));
            }
            _ => drop(shape.references.insert(format!("{subject} -> {detail}"))),
        }
    }
    shape
}

/// Columns and keys as `schema.rs` has them.
fn declared() -> Shape {
    let mut shape = Shape::default();
    for block in concat!(
        include_str!("schema.rs"),
        include_str!("schema/commands.rs"),
        include_str!("schema/desks.rs"),
        include_str!("schema/feed.rs"),
        include_str!("schema/reference.rs"),
        include_str!("schema/search.rs")
    )
    .split("diesel::table! {")
    .skip(1)
    {
        let block = &block[..block.find("\n}").unwrap()];
        let lines = block
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"));
        let mut table = "";
        for line in lines {
            if let Some((column, kind)) = line.split_once(" -> ") {
                let kind = kind.trim_end_matches(',');
                let kind = match kind.strip_prefix("Nullable<") {
                    Some(inner) => format!("{}?", inner.trim_end_matches('>')),
                    None => kind.to_owned(),
                };
                shape.columns.insert(format!("{table}.{column}"), kind);
            } else if let Some((name, key)) = line
                .strip_suffix(") {")
                .and_then(|line| line.split_once(" ("))
            {
                table = name;
                shape.primary_keys.insert(format!("{name} ({key})"));
            }
        }
    }
    shape
}

#[test]
fn both_databases_and_the_declared_schema_are_alike() {
    let (sqlite, postgres) = (TestDatabase::sqlite(), TestDatabase::postgres());
    let sqlite = shape(&opened(sqlite.url()));
    let postgres = shape(&opened(postgres.url()));
    let declared = declared();
    assert!(
        sqlite.columns.len() > 100 && sqlite.indexes.len() > 20 && sqlite.references.len() > 10
    );
    assert_eq!(sqlite, postgres);
    assert_eq!(declared.columns, sqlite.columns);
    assert_eq!(declared.primary_keys, sqlite.primary_keys);
}

#[test]
fn migrations_run_up_down_and_up_again() {
    each_database(|url| {
        let address = url.parse().unwrap();
        let all = migrate::pending(&address).unwrap();
        assert!(all.len() >= 6, "{all:?}");
        assert_eq!(migrate::migrate(&address).unwrap(), all);
        assert!(migrate::pending(&address).unwrap().is_empty());
        assert!(
            migrate::migrate(&address).unwrap().is_empty(),
            "a second run has nothing to do"
        );
        let first = shape(&Db::open(&address, DbOptions::default()).unwrap());
        assert_eq!(migrate::revert_all(&address).unwrap(), all.len());
        let empty = shape(&Db::open(&address, DbOptions::default()).unwrap());
        assert_eq!(empty, Shape::default(), "down leaves nothing");
        assert_eq!(migrate::migrate(&address).unwrap(), all);
        assert_eq!(
            shape(&Db::open(&address, DbOptions::default()).unwrap()),
            first
        );
    });
}

#[test]
fn asking_what_is_pending_creates_no_file() {
    let database = TestDatabase::sqlite();
    migrate::pending(&database.url().parse().unwrap()).unwrap();
    assert_eq!(
        std::fs::read_dir(database.folder().unwrap())
            .unwrap()
            .count(),
        0
    );
}

/// SQLite answers "locked" at once to whoever switches a new file to a log beside another.
#[test]
fn servers_that_open_a_new_file_together_wait_for_each_other() {
    for _ in 0..20 {
        let database = TestDatabase::sqlite();
        let (url, together) = (database.url().parse().unwrap(), Barrier::new(4));
        std::thread::scope(|scope| {
            let opening = || {
                together.wait();
                conn::open(&url, Purpose::Migrate, &DbOptions::default()).map(drop)
            };
            let openings = [(); 4].map(|()| scope.spawn(opening));
            for opened in openings {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn servers_that_start_together_migrate_once() {
    each_database(|url| {
        let ran: usize = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| migrate::migrate(&url.parse().unwrap()).unwrap().len()))
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).sum()
        });
        assert!(migrate::pending(&url.parse().unwrap()).unwrap().is_empty());
        assert!(ran >= 6);
        let db = opened(url);
        db.write_blocking(|tx| put_fact(tx.conn(), "works"))
            .unwrap();
        assert_eq!(facts(&db), ["works"]);
    });
}

#[test]
fn a_newer_database_is_refused_untouched() {
    each_database(|url| {
        let db = opened(url);
        db.write_blocking(|tx| {
            diesel::sql_query(
                "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000001')",
            )
            .execute(tx.conn())?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
        let newer = StoreError::NewerDatabase {
            version: "99991231000001".to_owned(),
        };
        let address = url.parse().unwrap();
        assert_eq!(migrate::migrate(&address), Err(newer.clone()));
        assert_eq!(migrate::pending(&address), Err(newer));
    });
}

/// What the migration that began the rows of enterprises did for those from before.
#[test]
fn enterprises_from_before_there_were_filters_are_found_by_them() {
    let migration =
        include_str!("../../../migrations/sqlite/2026-11-26-000012_enterprise_records/up.sql");
    let begin = migration.find("INSERT INTO enterprise_rows").unwrap();
    let fill = migration[begin..].split(';').next().unwrap();
    each_database(|url| {
        let db = opened(url);
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        let firm = Uuid::from_u128(2);
        db.write_blocking(move |tx| {
            let row = (
                jurisdictions::id.eq(vec![1; 16]),
                jurisdictions::name.eq("某镇"),
                jurisdictions::level.eq("town"),
                jurisdictions::path.eq("1/"),
                jurisdictions::version.eq(1),
                jurisdictions::record.eq(Vec::new()),
            );
            let inserted = diesel::insert_into(jurisdictions::table).values(row);
            inserted.execute(tx.conn())?;
            let row = (
                enterprises::id.eq(firm.as_bytes().to_vec()),
                enterprises::name.eq("某厂"),
                enterprises::jurisdiction_id.eq(vec![1; 16]),
                enterprises::district_code.eq(""),
                enterprises::sector.eq("工贸"),
                enterprises::created_at.eq(7),
                enterprises::version.eq(1),
                enterprises::record.eq(Vec::new()),
            );
            let inserted = diesel::insert_into(enterprises::table).values(row);
            inserted.execute(tx.conn())?;
            let announced = Announced {
                kind: RecordKind::Enterprise,
                id: &firm,
                version: 1,
                body: &[],
                created_at: Timestamp::from_millis(7),
            };
            feed::put(tx, &DigestKey([0; 16]), &[scope], announced)?;
            diesel::sql_query(fill).execute(tx.conn())?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
        let filter = TraitFilter {
            sectors: vec!["工贸".to_owned()],
            status: Some(OperatingStatus::Operating),
            ..TraitFilter::default()
        };
        let found = db.read_blocking(|tx| {
            enterprise_rows::newest_first(tx.conn(), &[scope], &filter, None, 10)
        });
        assert_eq!(found.unwrap(), [Key { at: 7, id: firm }]);
    });
}

//! How the plans of statements are looked at in tests, on databases with rows enough for the plan to matter.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot do its work fails, with the reason"
)]

use diesel::prelude::*;
use diesel::sql_types::Text;

use hazardloop_tests::template::Template;

use super::test_support::{opened, statements};
use super::{Conn, Db, DbOptions, StoreError, migrate};

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// How the database would run a statement, as text.
pub(super) fn plan(db: &Db, statement: &str) -> String {
    db.read_blocking(|tx| {
        let lines = match tx.conn() {
            Conn::Sqlite(conn) => {
                let steps: Vec<SqliteStep> =
                    diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn)?;
                steps
                    .into_iter()
                    .map(|step| step.detail)
                    .collect::<Vec<_>>()
            }
            Conn::Postgres(conn) => {
                // A plan for any parameters.
                let mut parameters = 0;
                while statement.contains(&format!("${}", parameters + 1)) {
                    parameters += 1;
                }
                let nulls = vec!["NULL"; parameters].join(", ");
                for setup in [
                    "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
                    format!("PREPARE looked_at AS {statement}"),
                ] {
                    diesel::sql_query(setup).execute(conn)?;
                }
                let explain = format!("EXPLAIN EXECUTE looked_at({nulls})");
                let lines: Vec<PostgresLine> = diesel::sql_query(explain).load(conn)?;
                diesel::sql_query("DEALLOCATE looked_at").execute(conn)?;
                lines.into_iter().map(|line| line.line).collect()
            }
        };
        Ok::<_, StoreError>(lines.join("\n"))
    })
    .unwrap()
}

/// The statements of `work`, each with its plan; none walks a table.
pub(super) fn walk_no_table(
    db: &Db,
    work: impl Fn(&mut Conn) -> Result<(), StoreError>,
) -> Vec<(String, String)> {
    let statements = statements(db, work);
    assert!(!statements.is_empty(), "nothing was asked");
    let planned = statements.into_iter().map(|statement| {
        let plan = plan(db, &statement);
        // What a subquery has found in an index, and cut off, is gone through.
        let plan = plan.replace("SCAN part", "");
        let walks = ["Seq Scan", "SCAN "].iter().any(|walk| plan.contains(walk));
        assert!(!walks, "{statement}\n{plan}");
        (statement, plan)
    });
    planned.collect()
}

/// Every statement of `work` enters the index `index`, walks no table and sorts nothing.
pub(super) fn enters(db: &Db, index: &str, work: impl Fn(&mut Conn) -> Result<(), StoreError>) {
    for (statement, plan) in walk_no_table(db, work) {
        let sorts = ["TEMP B-TREE", "Sort Key"]
            .iter()
            .any(|sort| plan.contains(sort));
        assert!(!sorts, "{statement}\n{plan}");
        // The primary key of PostgreSQL has a name, that of SQLite only a prefix.
        let of_sqlite = ["sqlite_autoindex", "USING PRIMARY KEY"];
        let entered = plan.contains(index) || of_sqlite.iter().any(|key| plan.contains(key));
        assert!(entered, "{statement}\n{plan}");
    }
}

/// Rows of every large table.
const ROWS: u32 = 20_000;

/// As many rows as let both databases tell a good index from a bad one, with their statistics.
/// `{i}` counts, `{id}` is an id made of it, `{hash}` a hash, `{one}` that of the first row, `{tx}` a transaction.
const FILL: [&str; 30] = [
    "INSERT INTO scope_floors (scope, tx, ordinal) SELECT 'person:' || {i}, {tx}, {i} FROM {counted}",
    "INSERT INTO jurisdictions (id, name, level, path, version, record) \
     SELECT {id}, 'x', 'town', 'root/' || {i} || '/', 1, {id} FROM {counted}",
    "INSERT INTO enterprises (id, name, jurisdiction_id, district_code, sector, cell, created_at, \
     version, record) SELECT {id}, 'x', {id}, 'x', 'x', {i}, {i}, 1, {id} FROM {counted}",
    "INSERT INTO people (id, login, name, password_hash, created_at, version) \
     SELECT {id}, 'p' || {i}, 'x', '-', {i}, 1 FROM {counted}",
    "INSERT INTO grants (id, person_id, role, enterprise_id, valid_from) \
     SELECT {id}, {id}, 'employee', {id}, 0 FROM {counted}",
    "INSERT INTO hand_overs (id, from_person, to_person, reason, effective_at, made_by, made_at, \
     request_hash) SELECT {id}, {id}, {id}, 'x', 0, {id}, 0, {hash} FROM {counted}",
    "INSERT INTO hand_over_grants (hand_over_id, ended_id, given_id) \
     SELECT {id}, {id}, {id} FROM {counted}",
    "INSERT INTO hand_over_inspections (hand_over_id, inspection_id, outcome) \
     SELECT {id}, {id}, 'moved' FROM {counted}",
    "INSERT INTO imports (id, person_id, request_hash, received_at, answer) \
     SELECT {id}, {id}, {id}, {i}, '{}' FROM {counted}",
    "INSERT INTO import_places (jurisdiction_id, received_at, import_id) \
     SELECT {id}, {i}, {id} FROM {counted}",
    "INSERT INTO import_rows (import_id, row_number, enterprise_id, did, version) \
     SELECT {id}, {i}, {id}, 'created', 1 FROM {counted}",
    "INSERT INTO planned_members (person_id, inspection_id) SELECT {id}, {id} FROM {counted}",
    "INSERT INTO certificates (number, person_id) SELECT 'c' || {i}, {id} FROM {counted}",
    "INSERT INTO installs (id, person_id, device_name, key_algorithm, public_key, enrolled_at, \
     last_seq, last_hash) SELECT {id}, {id}, 'x', 1, {id}, 0, 0, {id} FROM {counted}",
    "INSERT INTO command_fates (id, person_id, install_id, seq, version, changed_at, record) \
     SELECT {id}, {id}, {id}, {i}, 1, {i}, {id} FROM {counted}",
    "INSERT INTO pushed_commands (install_id, seq, person_id, kind, kind_version, payload, link_hash, \
     previous_hash, signature, received_at, outcome, receipt) SELECT {id}, 1, {id}, 'note', 1, {id}, \
     {id}, {id}, {id}, 0, CASE {i} % 100 WHEN 0 THEN 'quarantined' ELSE 'applied' END, {id} \
     FROM {counted}",
    "INSERT INTO command_photos (install_id, seq, sha256, person_id, named_at, arrived_at) \
     SELECT {id}, 1, {id}, {id}, 0, CASE {i} % 10 WHEN 0 THEN NULL ELSE {i} END FROM {counted}",
    "INSERT INTO person_keys (id, person_id, host_install, algorithm, public_key, registered_at) \
     SELECT {id}, {id}, {id}, 1, {id}, 0 FROM {counted}",
    "INSERT INTO sessions (id, person_id, created_at, last_used_at) \
     SELECT {id}, {id}, {i}, {i} FROM {counted}",
    "INSERT INTO hazards (id, hazard_no, jurisdiction_id, district_code, grade, status, source, \
     cell, received_at, updated_at, version, head_hash, record, criterion, reported_by) \
     SELECT {id}, 'n' || {i}, {one}, 'x', 'x', 'x', 'x', {i}, {i}, {i}, 1, {id}, {id}, \
     'c' || ({i} % 50), {one} FROM {counted}",
    "INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id) \
     SELECT {one}, {i} % 2, 'reported', 'general', {i}, {id} FROM {counted}",
    "INSERT INTO search_pending (hazard_id, received_at, stamp) SELECT {id}, {i}, 1 FROM {counted}",
    "INSERT INTO search_documents (document, hazard_id, received_at, bound_at) \
     SELECT {i}, {id}, {i}, {i} FROM {counted}",
    "INSERT INTO search_terms (term, segment, documents) \
     SELECT {i} / 10, {i} % 10, {id} FROM {counted}",
    "INSERT INTO search_segments (segment, oldest_at) SELECT {i}, {i} FROM {counted}",
    "INSERT INTO photo_references (subject_id, subject_kind, sha256, named_by, named_at, state) \
     SELECT {id}, 'hazard', {id}, {id}, 0, 'awaiting_photo' FROM {counted}",
    "INSERT INTO events (tx, ordinal, subject_kind, subject_id, subject_seq, kind, recorded_at, \
     body, hash_algorithm, previous_hash, hash) \
     SELECT {tx}, {i}, 'x', {id}, 1, 'x', 0, {id}, 1, {id}, {id} FROM {counted}",
    "INSERT INTO audit_chain (position, tx, ordinal, subject_id, subject_seq, event_hash, \
     hash_algorithm, chain_hash) SELECT {i}, {tx}, {i}, {id}, 1, {id}, 1, {id} FROM {counted}",
    "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
     digest_low, created_at, tx, ordinal) \
     SELECT 'jurisdiction:' || ({i} % 4), 0, {id}, true, 1, 0, 0, {i}, {tx}, {i} FROM {counted}",
    "INSERT INTO enterprise_rows (scope, enterprise_id, created_at, sector, status, risk_level, \
     size_class) SELECT 'jurisdiction:' || ({i} % 4), {id}, {i}, 's' || ({i} % 20), \
     't' || ({i} % 4), 'r' || ({i} % 5), 'c' || ({i} % 3) FROM {counted}",
];

static FILLED: Template = Template::new("filled", |url| {
    let url = url.parse().unwrap();
    migrate::locked_up(&url, |_| Ok(())).unwrap();
    let db = Db::open(&url, DbOptions::default()).unwrap();
    fill(&db);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(db.close());
});

/// Runs `test` twice: on a copy of what [`fill`] makes, in each database.
pub(super) fn each_filled(test: impl Fn(Db)) {
    FILLED.on_each(|url| test(opened(url)));
}

pub(super) fn fill(db: &Db) {
    fill_with(db, &FILL);
}

/// The same with other statements.
pub(super) fn fill_with(db: &Db, statements: &'static [&'static str]) {
    db.write_blocking(move |tx| {
        let postgres = matches!(tx.conn(), Conn::Postgres(_));
        let (id, one, hash, counted) = if postgres {
            let counted = format!("generate_series(1, {ROWS}) AS counted(i)");
            (
                "decode(md5(i::text), 'hex')",
                "decode(md5('1'), 'hex')",
                "decode(md5(i::text) || md5(i::text), 'hex')",
                counted,
            )
        } else {
            let counted = format!(
                "(WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted \
                 WHERE i < {ROWS}) SELECT i FROM counted)"
            );
            // Spread as hashes are.
            (
                "CAST(printf('%08x%08x', i * 2654435761 % 4294967296, i) AS BLOB)",
                "CAST(printf('%08x%08x', 2654435761, 1) AS BLOB)",
                "zeroblob(32)",
                counted,
            )
        };
        for statement in statements {
            let statement = statement
                .replace("{counted}", &counted)
                .replace("{id}", id)
                .replace("{one}", one)
                .replace("{hash}", hash)
                // Numbers of transactions that every cluster has passed when it is made.
                .replace("{tx}", "({i} % 500)")
                .replace("{i}", "i");
            diesel::sql_query(statement).execute(tx.conn())?;
        }
        diesel::sql_query("ANALYZE").execute(tx.conn())?;
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

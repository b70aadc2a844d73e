//! What the server's store sends for one pushed report, statement by statement, with rows of the same size.
//!
//! Read off the store's source and PostgreSQL's log of it; the values need not be true, only about as long.

use crate::bare::{Statement, Value, What};
use crate::ids::Ids;

/// How the server sets its SQLite sessions up.
pub const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

const CONTROL: [&str; 4] = ["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"];

const INSTALL: &str = "SELECT person_id, public_key, last_seq, last_hash, revoked_at FROM installs WHERE id = ? LIMIT 1";
const HAZARD: &str = "SELECT version, head_hash, record FROM hazards WHERE id = ? LIMIT 1";
const KEEP_ENTERPRISE: &str = "SELECT id FROM enterprises WHERE id = ? LIMIT 1 FOR KEY SHARE";
const ENTERPRISE: &str = "SELECT record FROM enterprises WHERE id = ? LIMIT 1";
const LINEAGE: &str = "SELECT path, division_code FROM jurisdictions WHERE id = ? LIMIT 1";
const GRANTS: &str = "SELECT grants.id, role, enterprise_id, jurisdiction_id, valid_from, valid_until FROM grants \
    JOIN people ON people.id = grants.person_id WHERE person_id = ? AND disabled_at IS NULL ORDER BY valid_from, grants.id";
const ORDER_SQLITE: &str = "SELECT last FROM commit_order LIMIT 1";
const ORDER_POSTGRES: &str = "SELECT pg_current_xact_id()::text::bigint AS number";
const EVENT: &str = "INSERT INTO events (tx, ordinal, subject_kind, subject_id, subject_seq, kind, actor_id, recorded_at, body, \
    hash_algorithm, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const NEW_HAZARD: &str = "INSERT INTO hazards (id, hazard_no, enterprise_id, jurisdiction_id, district_code, grade, status, source, \
    due_at, longitude, latitude, cell, received_at, updated_at, version, head_hash, record) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const SCOPE_ROW: &str = "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, digest_low, created_at, \
    tx, ordinal) VALUES (?, ?, ?, TRUE, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, record_kind, record_id) DO UPDATE SET \
    present = excluded.present, version = excluded.version, digest_high = excluded.digest_high, \
    digest_low = excluded.digest_low, tx = excluded.tx, ordinal = excluded.ordinal";
const PUSHED: &str = "INSERT INTO pushed_commands (install_id, seq, person_id, kind, kind_version, subject_id, payload, link_hash, \
    previous_hash, signature, received_at, outcome, receipt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const ADVANCE: &str = "UPDATE installs SET last_seq = ?, last_hash = ?, last_seen_at = ? WHERE id = ? AND last_seq >= ?";
const MISSING: &str = "SELECT sha256 FROM photo_references WHERE state = ? AND named_by = ? ORDER BY named_at, sha256 LIMIT 200";
const SEAL: &str = "UPDATE commit_order SET last = ?";

/// Bytes of what a report makes, roughly.
const EVENT_BODY: usize = 420;
const RECORD: usize = 430;
const PAYLOAD: usize = 330;
const RECEIPT: usize = 20;

/// Whether a statement opens or closes a transaction or savepoint.
pub fn is_control(sql: &str) -> bool {
    CONTROL.iter().any(|word| sql.starts_with(word))
}

/// Makes the rows of one connection, each unlike every other.
pub struct Row<'a> {
    ids: &'a Ids,
    install: &'a [u8],
    /// Rises by one a transaction; different for every connection and every run.
    unique: i64,
    what: What,
}

fn control(sql: &'static str) -> Statement {
    Statement {
        sql,
        values: Vec::new(),
    }
}

fn with(sql: &'static str, values: Vec<Value>) -> Statement {
    Statement { sql, values }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl<'a> Row<'a> {
    /// For connection `number`; `start` must differ between runs on one database.
    pub fn new(ids: &'a Ids, number: usize, start: i64, what: What) -> Self {
        let install = ids
            .installs
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let lane = i64::try_from(number).unwrap_or_default();
        Self {
            ids,
            install,
            unique: start + lane * 10_000_000,
            what,
        }
    }

    fn bytes(&self, length: usize) -> Value {
        let mut state = self
            .unique
            .unsigned_abs()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            | 1;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_be_bytes());
        }
        bytes.truncate(length);
        Value::Blob(bytes)
    }

    /// An id that rises with time, as a UUIDv7 does.
    fn id(&self) -> Value {
        let mut bytes = vec![0xfe; 8];
        bytes.extend_from_slice(&self.unique.to_be_bytes());
        Value::Blob(bytes)
    }

    /// The next transaction on SQLite.
    pub fn statements_sqlite(&mut self) -> Vec<Statement> {
        self.unique += 1;
        if self.what == What::OneRow {
            return vec![control("BEGIN IMMEDIATE"), self.pushed(), control("COMMIT")];
        }
        let mut all = vec![control("BEGIN IMMEDIATE")];
        all.extend(self.reads());
        all.push(with(ORDER_SQLITE, Vec::new()));
        all.extend(self.writes());
        all.push(with(SEAL, vec![Value::Big(self.unique)]));
        all.push(control("COMMIT"));
        all
    }

    /// The next transaction on PostgreSQL.
    pub fn statements_postgres(&mut self) -> Vec<Statement> {
        self.unique += 1;
        if self.what == What::OneRow {
            return vec![control("BEGIN"), self.pushed(), control("COMMIT")];
        }
        let mut all = vec![control("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")];
        all.extend(self.reads());
        all.insert(
            5,
            with(
                KEEP_ENTERPRISE,
                vec![Value::Blob(self.ids.enterprise.clone())],
            ),
        );
        all.push(with(ORDER_POSTGRES, Vec::new()));
        all.extend(self.writes());
        all.push(control("COMMIT"));
        all
    }

    fn reads(&self) -> Vec<Statement> {
        let jurisdiction = || Value::Blob(self.ids.jurisdiction.clone());
        vec![
            control("SAVEPOINT diesel_savepoint_1"),
            with(INSTALL, vec![Value::Blob(self.install.to_vec())]),
            control("SAVEPOINT diesel_savepoint_2"),
            with(HAZARD, vec![self.id()]),
            with(ENTERPRISE, vec![Value::Blob(self.ids.enterprise.clone())]),
            with(LINEAGE, vec![jurisdiction()]),
            with(GRANTS, vec![Value::Blob(self.ids.person.clone())]),
        ]
    }

    fn writes(&self) -> Vec<Statement> {
        let mut all = vec![
            self.event(),
            with(LINEAGE, vec![Value::Blob(self.ids.jurisdiction.clone())]),
            self.hazard(),
        ];
        all.extend((0..4).map(|at| self.scope_row(at)));
        all.push(control("RELEASE SAVEPOINT diesel_savepoint_2"));
        all.push(self.pushed());
        let install = Value::Blob(self.install.to_vec());
        all.push(with(
            ADVANCE,
            vec![
                Value::Big(self.unique),
                self.bytes(32),
                Value::Big(self.unique),
                install,
                Value::Big(0),
            ],
        ));
        all.push(with(
            MISSING,
            vec![text("awaiting_photo"), Value::Blob(self.ids.person.clone())],
        ));
        all.push(control("RELEASE SAVEPOINT diesel_savepoint_1"));
        all
    }

    fn event(&self) -> Statement {
        let (at, person) = (
            Value::Big(self.unique),
            Value::Blob(self.ids.person.clone()),
        );
        with(
            EVENT,
            vec![
                at.clone(),
                Value::Small(1),
                text("hazard"),
                self.id(),
                Value::Big(1),
                text("reported"),
                person,
                at,
                self.bytes(EVENT_BODY),
                Value::Small(1),
                self.bytes(32),
                self.bytes(32),
            ],
        )
    }

    fn hazard(&self) -> Statement {
        let at = || Value::Big(self.unique);
        with(
            NEW_HAZARD,
            vec![
                self.id(),
                text("500153-2026-abcdefgh"),
                Value::Blob(self.ids.enterprise.clone()),
                Value::Blob(self.ids.jurisdiction.clone()),
                text("500153"),
                text("general"),
                text("reported"),
                text("enterprise_self_check"),
                Value::NoBig,
                Value::Float(105.594),
                Value::Float(29.405),
                at(),
                at(),
                at(),
                Value::Big(1),
                self.bytes(32),
                self.bytes(RECORD),
            ],
        )
    }

    fn scope_row(&self, at: i32) -> Statement {
        // One enterprise and three jurisdictions, as long as their names are.
        let scope = format!("jurisdiction:0198e2d0-0000-7000-8000-00000000000{at}");
        let tx = Value::Big(self.unique);
        with(
            SCOPE_ROW,
            vec![
                Value::Text(scope),
                Value::Small(1),
                self.id(),
                Value::Big(1),
                Value::Big(self.unique),
                Value::Big(self.unique),
                tx.clone(),
                tx,
                Value::Small(2 + at),
            ],
        )
    }

    fn pushed(&self) -> Statement {
        let (at, person) = (
            Value::Big(self.unique),
            Value::Blob(self.ids.person.clone()),
        );
        with(
            PUSHED,
            vec![
                Value::Blob(self.install.to_vec()),
                at.clone(),
                person,
                text("report"),
                Value::Small(1),
                self.id(),
                self.bytes(PAYLOAD),
                self.bytes(32),
                self.bytes(32),
                self.bytes(64),
                at,
                text("applied"),
                self.bytes(RECEIPT),
            ],
        )
    }
}

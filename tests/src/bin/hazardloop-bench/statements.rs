//! What the server's store sends for one pushed report, statement by statement, with rows of the same size.
//!
//! Read off the store's source and PostgreSQL's log of it; the values need not be true, only about as long.

use crate::bare::{Statement, Value, What};
use crate::ids::Ids;

/// How the server sets its SQLite sessions up.
pub const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

const CONTROL: [&str; 2] = ["BEGIN", "COMMIT"];

const INSTALL: &str = "SELECT person_id, public_key, last_seq, last_hash, revoked_at FROM installs WHERE id = ? LIMIT 1";
const SEAT_SQLITE: &str = "SELECT jurisdiction_id FROM enterprises WHERE id = ? LIMIT 1";
const SEAT_POSTGRES: &str =
    "SELECT jurisdiction_id FROM enterprises WHERE id = ? LIMIT 1 FOR KEY SHARE";
const LINEAGE: &str = "SELECT path, division_code FROM jurisdictions WHERE id = ? LIMIT 1";
const GRANTS: &str = "SELECT grants.id, role, enterprise_id, jurisdiction_id, valid_from, valid_until FROM grants \
    JOIN people ON people.id = grants.person_id WHERE person_id = ? AND disabled_at IS NULL ORDER BY valid_from, grants.id";
const ORDER_SQLITE: &str = "SELECT last FROM commit_order LIMIT 1";
const ORDER_POSTGRES: &str = "SELECT pg_current_xact_id()::text::bigint AS number";
const HAZARDS: Rows = Rows {
    before: "SELECT id, version, head_hash, record FROM hazards WHERE id IN (",
    row: "?",
    after: ")",
};
const HISTORIES: Rows = Rows {
    before: "SELECT subject_id FROM events WHERE subject_seq = 1 AND subject_id IN (",
    row: "?",
    after: ")",
};
const EVENTS: Rows = Rows {
    before: "INSERT INTO events (tx, ordinal, subject_kind, subject_id, subject_seq, kind, actor_id, recorded_at, body, \
    hash_algorithm, previous_hash, hash) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    after: "",
};
const NEW_HAZARDS: Rows = Rows {
    before: "INSERT INTO hazards (id, hazard_no, enterprise_id, jurisdiction_id, district_code, grade, status, source, \
    due_at, longitude, latitude, cell, received_at, updated_at, version, head_hash, record) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    after: "",
};
const SCOPE_ROWS: Rows = Rows {
    before: "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, digest_low, created_at, \
    tx, ordinal, settled_at, bytes, window_no, aside, to_weigh) VALUES ",
    row: "(?, ?, ?, TRUE, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)",
    after: " ON CONFLICT (scope, record_kind, record_id) DO UPDATE SET \
    present = excluded.present, version = excluded.version, digest_high = excluded.digest_high, \
    digest_low = excluded.digest_low, tx = excluded.tx, ordinal = excluded.ordinal, \
    settled_at = excluded.settled_at, bytes = excluded.bytes, window_no = excluded.window_no, \
    aside = excluded.aside, to_weigh = excluded.to_weigh",
};
const PUSHED: Rows = Rows {
    before: "INSERT INTO pushed_commands (install_id, seq, person_id, kind, kind_version, subject_id, payload, link_hash, \
    previous_hash, signature, received_at, outcome, receipt) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    after: "",
};
const ADVANCE: &str = "UPDATE installs SET last_seq = ?, last_hash = ?, last_seen_at = ? WHERE id = ? AND last_seq >= ? \
    AND revoked_at IS NULL";
const MISSING: &str = "SELECT sha256 FROM photo_references WHERE state = ? AND named_by = ? ORDER BY named_at, sha256 LIMIT 200";
const SEAL: &str = "UPDATE commit_order SET last = ?";

/// Rows of one statement, longest first, as the store cuts them.
const LENGTHS: [usize; 7] = [32, 16, 8, 4, 3, 2, 1];

/// Feed rows of one report: one enterprise and three jurisdictions.
const SCOPES: i32 = 4;

/// A statement over several rows.
struct Rows {
    before: &'static str,
    row: &'static str,
    after: &'static str,
}

impl Rows {
    /// Statements over `rows`, cut as the store cuts them.
    fn of(&self, mut rows: Vec<Vec<Value>>) -> Vec<Statement> {
        let mut statements = Vec::new();
        while let Some(length) = LENGTHS.into_iter().find(|length| *length <= rows.len()) {
            let rest = rows.split_off(length);
            let groups = vec![self.row; length].join(", ");
            statements.push(Statement {
                sql: format!("{}{groups}{}", self.before, self.after).into(),
                values: std::mem::replace(&mut rows, rest)
                    .into_iter()
                    .flatten()
                    .collect(),
            });
        }
        statements
    }
}

/// Bytes of what a report makes, roughly.
const EVENT_BODY: usize = 420;
const RECORD: usize = 430;
const PAYLOAD: usize = 330;
const RECEIPT: usize = 20;

/// Whether a statement opens or closes a transaction.
pub fn is_control(sql: &str) -> bool {
    CONTROL.iter().any(|word| sql.starts_with(word))
}

/// Makes the rows of one connection, each unlike every other.
pub struct Row<'a> {
    ids: &'a Ids,
    install: &'a [u8],
    /// Rises by one a report; different for every connection and every run.
    unique: i64,
    what: What,
}

fn control(sql: &'static str) -> Statement {
    with(sql, Vec::new())
}

fn with(sql: &'static str, values: Vec<Value>) -> Statement {
    Statement {
        sql: sql.into(),
        values,
    }
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
        self.statements(control("BEGIN IMMEDIATE"), SEAT_SQLITE, ORDER_SQLITE, true)
    }

    /// The next transaction on PostgreSQL.
    pub fn statements_postgres(&mut self) -> Vec<Statement> {
        let begin = control("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        self.statements(begin, SEAT_POSTGRES, ORDER_POSTGRES, false)
    }

    fn statements(
        &mut self,
        begin: Statement,
        seat: &'static str,
        order: &'static str,
        seal: bool,
    ) -> Vec<Statement> {
        let mut all = vec![begin];
        let reports = self.what.reports();
        let mut rows = Reports::default();
        for _ in 0..reports {
            self.unique += 1;
            self.report(&mut rows);
        }
        if self.what == What::OneRow {
            all.extend(PUSHED.of(rows.pushed));
            all.push(control("COMMIT"));
            return all;
        }
        let blob = |bytes: &[u8]| vec![Value::Blob(bytes.to_vec())];
        all.push(with(INSTALL, blob(self.install)));
        all.extend(HAZARDS.of(rows.ids.clone()));
        all.extend(HISTORIES.of(rows.ids));
        all.push(with(seat, blob(&self.ids.enterprise)));
        all.push(with(LINEAGE, blob(&self.ids.jurisdiction)));
        all.push(with(GRANTS, blob(&self.ids.person)));
        all.push(with(order, Vec::new()));
        all.extend(EVENTS.of(rows.events));
        all.extend(NEW_HAZARDS.of(rows.hazards));
        all.extend(SCOPE_ROWS.of(rows.scope_rows));
        all.extend(PUSHED.of(rows.pushed));
        let at = || Value::Big(self.unique);
        let install = Value::Blob(self.install.to_vec());
        let advance = vec![at(), self.bytes(32), at(), install, Value::Big(0)];
        all.push(with(ADVANCE, advance));
        let missing = vec![text("awaiting_photo"), Value::Blob(self.ids.person.clone())];
        all.push(with(MISSING, missing));
        if seal {
            all.push(with(SEAL, vec![at()]));
        }
        all.push(control("COMMIT"));
        all
    }

    fn report(&self, rows: &mut Reports) {
        rows.ids.push(vec![self.id()]);
        rows.events.push(self.event());
        rows.hazards.push(self.hazard());
        rows.scope_rows
            .extend((0..SCOPES).map(|at| self.scope_row(at)));
        rows.pushed.push(self.pushed());
    }

    fn event(&self) -> Vec<Value> {
        let (at, person) = (
            Value::Big(self.unique),
            Value::Blob(self.ids.person.clone()),
        );
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
        ]
    }

    fn hazard(&self) -> Vec<Value> {
        let at = || Value::Big(self.unique);
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
        ]
    }

    fn scope_row(&self, at: i32) -> Vec<Value> {
        // As long as their names are.
        let scope = format!("jurisdiction:0198e2d0-0000-7000-8000-00000000000{at}");
        let tx = Value::Big(self.unique);
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
            Value::NoBig,
            Value::Big(0),
            Value::Small(0),
            Value::Small(0),
        ]
    }

    fn pushed(&self) -> Vec<Value> {
        let (at, person) = (
            Value::Big(self.unique),
            Value::Blob(self.ids.person.clone()),
        );
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
        ]
    }
}

/// The rows that reports make.
#[derive(Default)]
struct Reports {
    ids: Vec<Vec<Value>>,
    events: Vec<Vec<Value>>,
    hazards: Vec<Vec<Value>>,
    scope_rows: Vec<Vec<Value>>,
    pushed: Vec<Vec<Value>>,
}

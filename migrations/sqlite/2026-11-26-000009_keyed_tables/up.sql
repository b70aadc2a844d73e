-- Small rows that are written with every command and found by their key. SQLite keeps such a table twice,
-- once by a number of its own and once by the key, unless told to keep it by the key alone. (For large
-- rows, as in events, that would make a deep tree.)
CREATE TABLE audit_chain_anew (
    position BIGINT PRIMARY KEY NOT NULL,
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    subject_seq BIGINT NOT NULL,
    event_hash BLOB NOT NULL,
    hash_algorithm INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    UNIQUE (tx, ordinal)
) WITHOUT ROWID;
INSERT INTO audit_chain_anew (
    position, tx, ordinal, subject_id, subject_seq, event_hash,
    hash_algorithm, chain_hash
) SELECT
    position, tx, ordinal, subject_id, subject_seq, event_hash,
    hash_algorithm, chain_hash
FROM audit_chain;
DROP TABLE audit_chain;
ALTER TABLE audit_chain_anew RENAME TO audit_chain;

CREATE TABLE scope_rows_anew (
    scope TEXT NOT NULL,
    record_kind INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    present BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    -- The record's 64-bit keyed digest in two halves, so that both databases can add them up.
    digest_high BIGINT NOT NULL,
    digest_low BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (scope, record_kind, record_id)
) WITHOUT ROWID;
INSERT INTO scope_rows_anew (
    scope, record_kind, record_id, present, version, digest_high,
    digest_low, created_at, tx, ordinal
) SELECT
    scope, record_kind, record_id, present, version, digest_high,
    digest_low, created_at, tx, ordinal
FROM scope_rows;
DROP TABLE scope_rows;
ALTER TABLE scope_rows_anew RENAME TO scope_rows;
CREATE UNIQUE INDEX scope_rows_in_order ON scope_rows (scope, tx, ordinal);
CREATE INDEX scope_rows_by_age ON scope_rows (scope, record_kind, created_at, record_id);

-- Which records a scope holds, one row per (scope, record): a change moves its row to the end of
-- the feed, so the feed needs no compaction and a reset is the same read from the beginning.
CREATE TABLE scope_rows (
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
);
CREATE UNIQUE INDEX scope_rows_in_order ON scope_rows (scope, tx, ordinal);
CREATE INDEX scope_rows_by_age ON scope_rows (scope, record_kind, created_at, record_id);

-- Every pushed command as it came, with its receipt. A payload that was refused stays here.
CREATE TABLE pushed_commands (
    install_id BLOB NOT NULL REFERENCES installs (id),
    seq BIGINT NOT NULL,
    person_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    kind_version INTEGER NOT NULL,
    -- The hazard it speaks of, where the payload could be read.
    subject_id BLOB,
    payload BLOB NOT NULL,
    -- Hash over the whole command and the one before it; the next command names it.
    link_hash BLOB NOT NULL,
    previous_hash BLOB NOT NULL,
    signature BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    -- The receipt's CBOR; a repeated push gets these bytes again.
    receipt BLOB NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (install_id, seq)
);
CREATE INDEX pushed_commands_to_settle ON pushed_commands (outcome, settled_at);
CREATE INDEX pushed_commands_by_subject ON pushed_commands (install_id, subject_id, seq);

-- What one device keeps of one person's work: every row is a sealed box (docs/adr/0009).
-- In clear: which table, the sequence of a command (or of the one that names a photo first),
-- and how long a box is. `grp` and `key` are keyed names that show nothing of what they stand for.
CREATE TABLE sealed (
    tbl   INTEGER NOT NULL,
    grp   BLOB    NOT NULL CHECK (length(grp) = 16),
    key   BLOB    NOT NULL CHECK (length(key) = 16),
    seq   BIGINT,
    nonce BLOB    NOT NULL CHECK (length(nonce) = 24),
    body  BLOB    NOT NULL,
    PRIMARY KEY (tbl, grp, key)
) WITHOUT ROWID;
CREATE INDEX sealed_by_seq ON sealed (tbl, seq) WHERE seq IS NOT NULL;

-- Rows lie in the order in which they come, and their names, which are in no order, in an index of their own. By name,
-- each thousand rows of a first pull touched every page of the table.
CREATE TABLE sealed_in_order (
    tbl   INTEGER NOT NULL,
    grp   BLOB    NOT NULL CHECK (length(grp) = 16),
    key   BLOB    NOT NULL CHECK (length(key) = 16),
    seq   BIGINT,
    nonce BLOB    NOT NULL CHECK (length(nonce) = 24),
    body  BLOB    NOT NULL
);
INSERT INTO sealed_in_order SELECT tbl, grp, key, seq, nonce, body FROM sealed;
DROP TABLE sealed;
ALTER TABLE sealed_in_order RENAME TO sealed;
CREATE UNIQUE INDEX sealed_by_name ON sealed (tbl, grp, key);
CREATE INDEX sealed_by_seq ON sealed (tbl, seq) WHERE seq IS NOT NULL;

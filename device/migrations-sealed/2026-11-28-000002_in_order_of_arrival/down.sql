CREATE TABLE sealed_by_name_alone (
    tbl   INTEGER NOT NULL,
    grp   BLOB    NOT NULL CHECK (length(grp) = 16),
    key   BLOB    NOT NULL CHECK (length(key) = 16),
    seq   BIGINT,
    nonce BLOB    NOT NULL CHECK (length(nonce) = 24),
    body  BLOB    NOT NULL,
    PRIMARY KEY (tbl, grp, key)
) WITHOUT ROWID;
INSERT INTO sealed_by_name_alone SELECT tbl, grp, key, seq, nonce, body FROM sealed;
DROP TABLE sealed;
ALTER TABLE sealed_by_name_alone RENAME TO sealed;
CREATE INDEX sealed_by_seq ON sealed (tbl, seq) WHERE seq IS NOT NULL;

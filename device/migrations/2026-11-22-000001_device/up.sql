-- What one device keeps of one person's work: queue, replica, photo lane, account.
-- Instants are milliseconds since 1970 (UTC); ids are 16 bytes; hashes are 32 bytes (SHA-256).

CREATE TABLE account (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    server             TEXT    NOT NULL,
    login              TEXT    NOT NULL,
    person_id          BLOB    NOT NULL CHECK (length(person_id) = 16),
    install_id         BLOB    NOT NULL CHECK (length(install_id) = 16),
    person             BLOB    NOT NULL,
    access_token       TEXT    NOT NULL,
    refresh_token      TEXT    NOT NULL
);

CREATE TABLE meta (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    epoch       TEXT,
    digest_key  BLOB,
    server_time BIGINT,
    contact_at  BIGINT,
    must_rekey  BOOLEAN NOT NULL
);

CREATE TABLE commands (
    seq           BIGINT  PRIMARY KEY NOT NULL,
    envelope      BLOB    NOT NULL,
    hazard_id     BLOB    NOT NULL CHECK (length(hazard_id) = 16),
    queued_at     BIGINT  NOT NULL,
    receipt       BLOB,
    awaiting_pull BOOLEAN NOT NULL
);

CREATE TABLE scopes (
    scope          TEXT    PRIMARY KEY NOT NULL,
    cursor         BLOB,
    held_count     BIGINT,
    held_digest    BIGINT,
    complete       BOOLEAN NOT NULL,
    staging_reset  BOOLEAN NOT NULL,
    last_mismatch  BIGINT
);

CREATE TABLE records (
    kind    INTEGER NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    version BIGINT  NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE members (
    scope   TEXT    NOT NULL,
    kind    INTEGER NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    version BIGINT  NOT NULL,
    digest  BIGINT  NOT NULL,
    PRIMARY KEY (scope, kind, id)
) WITHOUT ROWID;

CREATE TABLE staged (
    scope   TEXT    NOT NULL,
    kind    INTEGER NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    version BIGINT,
    body    BLOB,
    PRIMARY KEY (scope, kind, id),
    CHECK ((version IS NULL) = (body IS NULL))
) WITHOUT ROWID;

CREATE TABLE photos (
    sha256     BLOB    PRIMARY KEY NOT NULL CHECK (length(sha256) = 32),
    size       BIGINT  NOT NULL,
    media_type TEXT    NOT NULL,
    seq        BIGINT  NOT NULL,
    hazard_id  BLOB    NOT NULL CHECK (length(hazard_id) = 16),
    upload     TEXT,
    stage      INTEGER NOT NULL
);

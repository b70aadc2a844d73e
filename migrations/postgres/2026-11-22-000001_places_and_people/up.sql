-- Facts of this database that are not rows of anything: its epoch, the salt of its digests.
CREATE TABLE server_meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- The order in which write transactions commit on SQLite (one row). PostgreSQL uses its own
-- transaction ids instead and leaves this row alone; see docs/adr on the ordered feed.
CREATE TABLE commit_order (
    only_row INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    last BIGINT NOT NULL
);
INSERT INTO commit_order (only_row, last) VALUES (1, 0);

-- Who answers for a place. A tree of its own: development zones have no division code.
CREATE TABLE jurisdictions (
    id BYTEA PRIMARY KEY NOT NULL,
    parent_id BYTEA REFERENCES jurisdictions (id),
    name TEXT NOT NULL,
    level TEXT NOT NULL,
    division_code TEXT,
    -- Ids from the root down to this one, hex, each followed by '/': a subtree is a prefix.
    path TEXT NOT NULL UNIQUE,
    boundary TEXT,
    boundary_reference TEXT,
    version BIGINT NOT NULL,
    record BYTEA NOT NULL
);
CREATE INDEX jurisdictions_by_parent ON jurisdictions (parent_id);

CREATE TABLE enterprises (
    id BYTEA PRIMARY KEY NOT NULL,
    credit_code TEXT,
    name TEXT NOT NULL,
    jurisdiction_id BYTEA NOT NULL REFERENCES jurisdictions (id),
    district_code TEXT NOT NULL,
    sector TEXT NOT NULL,
    longitude DOUBLE PRECISION,
    latitude DOUBLE PRECISION,
    cell BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    record BYTEA NOT NULL
);
CREATE INDEX enterprises_by_jurisdiction ON enterprises (jurisdiction_id, id);
CREATE INDEX enterprises_by_cell ON enterprises (cell);
CREATE INDEX enterprises_by_credit_code ON enterprises (credit_code);

CREATE TABLE people (
    id BYTEA PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    phone TEXT,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    version BIGINT NOT NULL
);

-- A role somebody holds over one enterprise or one jurisdiction subtree, from when until when.
CREATE TABLE grants (
    id BYTEA PRIMARY KEY NOT NULL,
    person_id BYTEA NOT NULL REFERENCES people (id),
    role TEXT NOT NULL,
    enterprise_id BYTEA REFERENCES enterprises (id),
    jurisdiction_id BYTEA REFERENCES jurisdictions (id),
    valid_from BIGINT NOT NULL,
    valid_until BIGINT,
    CHECK ((enterprise_id IS NULL) <> (jurisdiction_id IS NULL))
);
CREATE INDEX grants_by_person ON grants (person_id);
CREATE INDEX grants_by_enterprise ON grants (enterprise_id);
CREATE INDEX grants_by_jurisdiction ON grants (jurisdiction_id);

-- Judgement criteria, versioned: a hazard pins the version it was judged under.
CREATE TABLE criteria (
    id BYTEA PRIMARY KEY NOT NULL,
    code TEXT NOT NULL,
    edition INTEGER NOT NULL,
    sector TEXT NOT NULL,
    effective_from TEXT,
    effective_until TEXT,
    version BIGINT NOT NULL,
    record BYTEA NOT NULL,
    UNIQUE (code, edition)
);

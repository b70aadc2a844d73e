-- What lists of enterprises are narrowed by, once for every scope that holds the enterprise, so that a
-- filtered list costs what its page costs. '' where a level is not known.
CREATE TABLE enterprise_rows (
    scope TEXT NOT NULL,
    enterprise_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    sector TEXT NOT NULL,
    status TEXT NOT NULL,
    risk_level TEXT NOT NULL,
    size_class TEXT NOT NULL,
    PRIMARY KEY (scope, enterprise_id)
);
CREATE INDEX enterprise_rows_by_sector ON enterprise_rows (scope, sector, created_at, enterprise_id);
CREATE INDEX enterprise_rows_by_status ON enterprise_rows (scope, status, created_at, enterprise_id);
CREATE INDEX enterprise_rows_by_risk ON enterprise_rows (scope, risk_level, created_at, enterprise_id);
CREATE INDEX enterprise_rows_by_size ON enterprise_rows (scope, size_class, created_at, enterprise_id);
-- Before this, no enterprise had a status or a level. 2 is the number of enterprises among the records.
INSERT INTO enterprise_rows (scope, enterprise_id, created_at, sector, status, risk_level, size_class)
SELECT held.scope, held.record_id, held.created_at, e.sector, 'operating', '', ''
FROM scope_rows AS held JOIN enterprises AS e ON e.id = held.record_id
WHERE held.record_kind = 2 AND held.present;

-- An import recognises an enterprise without a credit code by its name in its jurisdiction.
CREATE INDEX enterprises_by_name ON enterprises (jurisdiction_id, name);

-- Tables of enterprises that were taken in, each whole or not at all.
CREATE TABLE imports (
    id BYTEA PRIMARY KEY NOT NULL,
    -- Who; absent: whoever runs the server, on its command line.
    person_id BYTEA REFERENCES people (id),
    -- Over who asked and what came, so that the same id is the same import.
    request_hash BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    -- The first answer, JSON.
    answer TEXT NOT NULL,
    undone_at BIGINT,
    undone_by BYTEA
);
CREATE INDEX imports_by_person ON imports (person_id, received_at, id);
CREATE INDEX imports_by_age ON imports (received_at, id);

-- The jurisdictions that hold all of an import: the narrowest, and those above it.
CREATE TABLE import_places (
    jurisdiction_id BYTEA NOT NULL REFERENCES jurisdictions (id),
    received_at BIGINT NOT NULL,
    import_id BYTEA NOT NULL REFERENCES imports (id),
    PRIMARY KEY (jurisdiction_id, received_at, import_id)
);

-- What each row of an import did: which enterprise, and the version that it has through it.
CREATE TABLE import_rows (
    import_id BYTEA NOT NULL REFERENCES imports (id),
    row_number INTEGER NOT NULL,
    enterprise_id BYTEA NOT NULL,
    -- created, updated or unchanged
    did TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- The record before, of one that was updated.
    before BYTEA,
    PRIMARY KEY (import_id, row_number)
);

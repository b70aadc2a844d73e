-- What lists are narrowed to beside state and grade. reported_by is absent only in rows that
-- an earlier release wrote, until the program has read their records (migrate).
ALTER TABLE hazards ADD COLUMN criterion TEXT;
ALTER TABLE hazards ADD COLUMN reported_by BYTEA;
CREATE INDEX hazards_by_reporter ON hazards (reported_by, received_at, id);
CREATE INDEX hazards_by_criterion ON hazards (criterion, received_at, id);

-- The hazards of each enterprise and each jurisdiction with everything below it, by state and grade, in two
-- orders: 0, when received; 1, when due, for those that have a due date in force.
CREATE TABLE hazard_lists (
    scope BYTEA NOT NULL,
    sorted_by INTEGER NOT NULL,
    status TEXT NOT NULL,
    grade TEXT NOT NULL,
    at BIGINT NOT NULL,
    hazard_id BYTEA NOT NULL,
    PRIMARY KEY (scope, sorted_by, status, grade, at, hazard_id)
);
INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id)
SELECT decode(replace(split_part(scope_rows.scope, ':', 2), '-', ''), 'hex'), 0, hazards.status, hazards.grade, hazards.received_at, hazards.id
FROM scope_rows INNER JOIN hazards ON hazards.id = scope_rows.record_id
WHERE scope_rows.record_kind = 1 AND scope_rows.present
    AND scope_rows.scope NOT LIKE '%/%';
INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id)
SELECT decode(replace(split_part(scope_rows.scope, ':', 2), '-', ''), 'hex'), 1, hazards.status, hazards.grade, hazards.due_at, hazards.id
FROM scope_rows INNER JOIN hazards ON hazards.id = scope_rows.record_id
WHERE scope_rows.record_kind = 1 AND scope_rows.present
    AND hazards.due_at IS NOT NULL AND scope_rows.scope NOT LIKE '%/%';

-- The text index. Hazards wait in search_pending until they are made a document of it; a search looks through
-- those by itself. stamp counts what happened to one that waits.
CREATE TABLE search_pending (
    hazard_id BYTEA PRIMARY KEY NOT NULL,
    received_at BIGINT NOT NULL,
    stamp BIGINT NOT NULL
);
CREATE INDEX search_pending_by_age ON search_pending (received_at, hazard_id);
INSERT INTO search_pending (hazard_id, received_at, stamp) SELECT id, received_at, 1 FROM hazards;

-- Documents are numbered as they come, 4,096 to a segment. bound_at: no document up to this one was received
-- later. A hazard whose text or place changes becomes a new document.
CREATE TABLE search_documents (
    document BIGINT PRIMARY KEY NOT NULL,
    hazard_id BYTEA NOT NULL UNIQUE,
    received_at BIGINT NOT NULL,
    bound_at BIGINT NOT NULL
);

-- Which documents of a segment hold a term: their places in it, two bytes each, or one bit each where that is
-- shorter.
CREATE TABLE search_terms (
    term BIGINT NOT NULL,
    segment BIGINT NOT NULL,
    documents BYTEA NOT NULL,
    PRIMARY KEY (term, segment)
);

-- When the oldest hazard of a segment was received.
CREATE TABLE search_segments (
    segment BIGINT PRIMARY KEY NOT NULL,
    oldest_at BIGINT NOT NULL
);

-- The current state of every inspection and self-check. `record` is the CBOR that devices receive, byte for byte.
CREATE TABLE inspections (
    id BLOB PRIMARY KEY NOT NULL,
    inspection_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    enterprise_id BLOB REFERENCES enterprises (id),
    jurisdiction_id BLOB NOT NULL REFERENCES jurisdictions (id),
    -- Whether a department carries it out: such visits are counted.
    departments BOOLEAN NOT NULL,
    -- When it began, as its author says; before that, the first day of its plan.
    held_at BIGINT NOT NULL,
    started_at BIGINT,
    received_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Optimistic guard, ETag, and the number of events so far.
    version BIGINT NOT NULL,
    head_hash BLOB NOT NULL,
    record BLOB NOT NULL
);
-- Visits of one enterprise: how many this year, and which near this one.
CREATE INDEX inspections_by_enterprise ON inspections (enterprise_id, departments, held_at, id);

-- Inspections name photos too.
CREATE TABLE photo_references_anew (
    subject_id BLOB NOT NULL,
    -- hazard or inspection
    subject_kind TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    named_by BLOB NOT NULL,
    named_at BIGINT NOT NULL,
    -- awaiting_photo, verified or lost
    state TEXT NOT NULL,
    PRIMARY KEY (subject_id, sha256)
);
INSERT INTO photo_references_anew (
    subject_id, subject_kind, sha256, named_by, named_at, state
) SELECT
    hazard_id, 'hazard', sha256, named_by, named_at, state
FROM photo_references;
DROP TABLE photo_references;
ALTER TABLE photo_references_anew RENAME TO photo_references;
CREATE INDEX photo_references_by_photo ON photo_references (sha256);
CREATE INDEX photo_references_missing ON photo_references (state, named_by);

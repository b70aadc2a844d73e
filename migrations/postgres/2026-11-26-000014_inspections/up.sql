-- The current state of every inspection and self-check. `record` is the CBOR that devices receive, byte for byte.
CREATE TABLE inspections (
    id BYTEA PRIMARY KEY NOT NULL,
    inspection_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    enterprise_id BYTEA REFERENCES enterprises (id),
    jurisdiction_id BYTEA NOT NULL REFERENCES jurisdictions (id),
    -- Whether a department carries it out: such visits are counted.
    departments BOOLEAN NOT NULL,
    -- When it began, as its author says; before that, the first day of its plan.
    held_at BIGINT NOT NULL,
    started_at BIGINT,
    received_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Optimistic guard, ETag, and the number of events so far.
    version BIGINT NOT NULL,
    head_hash BYTEA NOT NULL,
    record BYTEA NOT NULL
);
-- Visits of one enterprise: how many this year, and which near this one.
CREATE INDEX inspections_by_enterprise ON inspections (enterprise_id, departments, held_at, id);

-- Inspections name photos too.
ALTER TABLE photo_references DROP CONSTRAINT photo_references_hazard_id_fkey;
ALTER TABLE photo_references RENAME COLUMN hazard_id TO subject_id;
-- hazard or inspection
ALTER TABLE photo_references ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'hazard';
ALTER TABLE photo_references ALTER COLUMN subject_kind DROP DEFAULT;

CREATE TABLE photo_references_anew (
    hazard_id BLOB NOT NULL REFERENCES hazards (id),
    sha256 BLOB NOT NULL,
    named_by BLOB NOT NULL,
    named_at BIGINT NOT NULL,
    -- awaiting_photo, verified or lost
    state TEXT NOT NULL,
    PRIMARY KEY (hazard_id, sha256)
);
INSERT INTO photo_references_anew (hazard_id, sha256, named_by, named_at, state)
SELECT subject_id, sha256, named_by, named_at, state
FROM photo_references
WHERE subject_kind = 'hazard';
DROP TABLE photo_references;
ALTER TABLE photo_references_anew RENAME TO photo_references;
CREATE INDEX photo_references_by_photo ON photo_references (sha256);
CREATE INDEX photo_references_missing ON photo_references (state, named_by);
DROP TABLE inspections;

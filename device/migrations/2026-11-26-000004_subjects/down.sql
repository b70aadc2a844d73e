ALTER TABLE commands RENAME COLUMN subject_id TO hazard_id;
ALTER TABLE photos RENAME COLUMN subject_id TO hazard_id;

DELETE FROM photo_references WHERE subject_kind <> 'hazard';
ALTER TABLE photo_references DROP COLUMN subject_kind;
ALTER TABLE photo_references RENAME COLUMN subject_id TO hazard_id;
ALTER TABLE photo_references ADD CONSTRAINT photo_references_hazard_id_fkey
FOREIGN KEY (hazard_id) REFERENCES hazards (id);
DROP TABLE inspections;

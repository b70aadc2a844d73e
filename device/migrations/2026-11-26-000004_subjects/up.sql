-- Commands act upon hazards and upon inspections.
ALTER TABLE commands RENAME COLUMN hazard_id TO subject_id;
ALTER TABLE photos RENAME COLUMN hazard_id TO subject_id;

DROP TABLE hand_over_grants;
DROP TABLE hand_overs;
ALTER TABLE hazards DROP COLUMN sector;
DROP TABLE sector_scopes;
ALTER TABLE grants DROP COLUMN temporary_reason;
ALTER TABLE grants DROP COLUMN certificate_valid_to;
ALTER TABLE grants DROP COLUMN certificate_number;
ALTER TABLE grants DROP COLUMN sectors;

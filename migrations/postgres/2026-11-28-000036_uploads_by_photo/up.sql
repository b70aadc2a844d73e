-- Who goes on with an upload that they have lost sight of: the device, or else the session, that began it.
ALTER TABLE uploads ADD COLUMN begun_by BYTEA;
-- What is asked of uploads costs what is unfinished or one photo's, however many a person has brought in years.
DROP INDEX uploads_by_person;
DROP INDEX uploads_by_expiry;
CREATE INDEX uploads_by_photo ON uploads (person_id, sha256);
CREATE INDEX uploads_unfinished ON uploads (person_id, expires_at) WHERE finished_at IS NULL;
CREATE INDEX uploads_by_expiry ON uploads (expires_at, id) WHERE finished_at IS NULL;

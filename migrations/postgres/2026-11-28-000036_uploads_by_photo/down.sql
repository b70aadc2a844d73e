DROP INDEX uploads_by_expiry;
DROP INDEX uploads_unfinished;
DROP INDEX uploads_by_photo;
CREATE INDEX uploads_by_person ON uploads (person_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
ALTER TABLE uploads DROP COLUMN begun_by;

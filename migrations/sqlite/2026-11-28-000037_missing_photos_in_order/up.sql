-- The photos that one person has not brought, oldest first, without sorting those of years.
DROP INDEX photo_references_missing;
CREATE INDEX photo_references_missing ON photo_references (state, named_by, named_at, sha256);

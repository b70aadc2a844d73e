DROP INDEX photo_references_missing;
CREATE INDEX photo_references_missing ON photo_references (state, named_by);

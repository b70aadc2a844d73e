ALTER TABLE meta DROP COLUMN too_large;

-- The command that the server would not take for its size, if there is one.
ALTER TABLE meta ADD COLUMN too_large BIGINT;

-- That a scope holds a record no longer is told for so long, and then forgotten. What is forgotten of a scope lies at or
-- below its floor; a device whose cursor is below it fetches that scope anew.
CREATE TABLE scope_floors (
    scope TEXT NOT NULL PRIMARY KEY,
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL
);
CREATE INDEX scope_floors_by_place ON scope_floors (tx, ordinal);
-- How far the order of changes was at a time: a place says nothing of when.
CREATE TABLE feed_marks (
    marked_at BIGINT NOT NULL PRIMARY KEY,
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL
);
CREATE INDEX scope_rows_gone ON scope_rows (tx, ordinal) WHERE NOT present;

DROP INDEX scope_rows_to_weigh;
DROP INDEX scope_rows_by_window;
DROP INDEX scope_rows_ended;
DROP INDEX scope_rows_open;
-- Devices of a scope that had left something out find another sum, and fetch it anew with all that it holds.
ALTER TABLE scope_rows DROP COLUMN to_weigh;
ALTER TABLE scope_rows DROP COLUMN aside;
ALTER TABLE scope_rows DROP COLUMN window_no;
ALTER TABLE scope_rows DROP COLUMN bytes;
ALTER TABLE scope_rows DROP COLUMN settled_at;

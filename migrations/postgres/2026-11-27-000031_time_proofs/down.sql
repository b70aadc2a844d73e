DROP TABLE witness_statements;
ALTER TABLE pushed_commands DROP COLUMN clock_check;
ALTER TABLE pushed_commands DROP COLUMN not_before;
ALTER TABLE installs DROP COLUMN broken_at;
ALTER TABLE installs DROP COLUMN anchored_monotonic_ms;
ALTER TABLE installs DROP COLUMN anchored_boot;
ALTER TABLE installs DROP COLUMN anchored_at;

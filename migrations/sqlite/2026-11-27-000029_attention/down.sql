DROP TABLE command_fates;
DROP INDEX pushed_commands_waiting;
ALTER TABLE pushed_commands DROP COLUMN waiting_since;

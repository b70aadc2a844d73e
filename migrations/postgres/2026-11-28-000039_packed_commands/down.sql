DROP INDEX pushed_commands_to_pack;
ALTER TABLE pushed_commands DROP COLUMN packing;

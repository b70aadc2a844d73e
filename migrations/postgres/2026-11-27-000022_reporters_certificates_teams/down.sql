DROP INDEX pushed_commands_to_settle;
CREATE INDEX pushed_commands_to_settle ON pushed_commands (outcome, settled_at);
-- Who settled what, and how, is lost: all of it waits again.
UPDATE pushed_commands SET settled_at = NULL WHERE settled_at IS NOT NULL;
ALTER TABLE pushed_commands DROP COLUMN settled_by;
ALTER TABLE pushed_commands DROP COLUMN settled_how;
ALTER TABLE pushed_commands DROP COLUMN settled_note;
DROP TABLE hand_over_inspections;
DROP TABLE planned_members;
DELETE FROM server_meta WHERE name = 'planned_members';
DROP TABLE certificates;
DELETE FROM scope_rows WHERE scope LIKE 'reports:%';

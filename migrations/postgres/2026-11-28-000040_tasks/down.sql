DROP INDEX inspections_to_carry_out;
DROP INDEX scope_rows_firms_of_tasks;
-- Nobody would keep them as they change.
DELETE FROM scope_rows WHERE SUBSTR(scope, 1, 6) = 'tasks:';
DELETE FROM server_meta WHERE name = 'tasks';

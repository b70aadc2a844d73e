DROP TABLE pushed_commands;
DROP TABLE scope_rows;

DROP INDEX installs_by_end;
DROP INDEX sessions_by_end;

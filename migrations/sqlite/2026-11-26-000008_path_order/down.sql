-- SQLite compares paths byte by byte as it is.
SELECT 1;

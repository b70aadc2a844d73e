-- PostgreSQL has no such choice; see the SQLite side.
SELECT 1;

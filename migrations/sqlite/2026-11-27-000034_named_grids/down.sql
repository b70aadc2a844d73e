-- An earlier server finds nothing behind all records, and ends such a merger.
SELECT 1;

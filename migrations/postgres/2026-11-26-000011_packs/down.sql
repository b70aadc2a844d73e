DROP INDEX criteria_by_pack;
ALTER TABLE criteria DROP COLUMN pack;
DROP TABLE checklists;
DROP TABLE packs;

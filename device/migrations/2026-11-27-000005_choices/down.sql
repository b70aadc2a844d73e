ALTER TABLE commands DROP COLUMN earlier;
ALTER TABLE commands DROP COLUMN chosen;

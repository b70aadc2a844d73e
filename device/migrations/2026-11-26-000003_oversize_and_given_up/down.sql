ALTER TABLE photos DROP COLUMN given_up_reason;
ALTER TABLE photos DROP COLUMN given_up_at;
ALTER TABLE commands DROP COLUMN original;
ALTER TABLE commands DROP COLUMN oversize;

-- A command that the server would not take for its size: 1 a placeholder travels in its place and
-- `original` is the command, 2 it is offered again, 3 its receipt cannot be had.
ALTER TABLE commands ADD COLUMN oversize INTEGER;
ALTER TABLE commands ADD COLUMN original BLOB;
-- A photo that a person has given up: when, and why.
ALTER TABLE photos ADD COLUMN given_up_at BIGINT;
ALTER TABLE photos ADD COLUMN given_up_reason TEXT;

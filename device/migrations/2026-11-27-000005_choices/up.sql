-- What the author chose to do about a command that took no effect, and as what the server has one
-- that was sent under an earlier install: CBOR.
ALTER TABLE commands ADD COLUMN chosen BLOB;
ALTER TABLE commands ADD COLUMN earlier BLOB;

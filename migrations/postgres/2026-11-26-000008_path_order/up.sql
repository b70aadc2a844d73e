-- Paths compare byte by byte, so that a subtree is a range of the index whatever the database's locale.
ALTER TABLE jurisdictions ALTER COLUMN path TYPE TEXT COLLATE "C";

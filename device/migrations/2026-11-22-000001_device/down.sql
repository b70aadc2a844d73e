DROP TABLE photos;
DROP TABLE staged;
DROP TABLE members;
DROP TABLE records;
DROP TABLE scopes;
DROP TABLE commands;
DROP TABLE meta;
DROP TABLE account;

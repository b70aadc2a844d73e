-- The limits that devices were told of, once they differed from the defaults (one row).
CREATE TABLE rule_limits (
    id BLOB PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    record BLOB NOT NULL
);

-- The limits that devices were told of, once they differed from the defaults (one row).
CREATE TABLE rule_limits (
    id BYTEA PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    record BYTEA NOT NULL
);

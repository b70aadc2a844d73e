-- Devices of whose statements about chains some found no room in the push that they followed from: they are weighed
-- later, from after_seq of that device's chain on.
CREATE TABLE chains_to_weigh (
    install_id BYTEA NOT NULL PRIMARY KEY,
    after_seq BIGINT NOT NULL
);

DROP TABLE chains_to_weigh;

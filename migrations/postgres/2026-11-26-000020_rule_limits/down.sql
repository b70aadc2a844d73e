DROP TABLE rule_limits;

DROP TABLE criteria;
DROP TABLE grants;
DROP TABLE people;
DROP TABLE enterprises;
DROP TABLE jurisdictions;
DROP TABLE commit_order;
DROP TABLE server_meta;

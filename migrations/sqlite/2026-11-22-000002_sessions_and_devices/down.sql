DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE installs;
DROP TABLE signing_keys;

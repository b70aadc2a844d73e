-- Every server looks every few seconds for what others have ended.
CREATE INDEX sessions_by_end ON sessions (revoked_at);
CREATE INDEX installs_by_end ON installs (revoked_at);

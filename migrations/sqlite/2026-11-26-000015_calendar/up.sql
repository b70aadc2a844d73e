-- Tables of working days that were imported; they come on top of those that the program was shipped with.
CREATE TABLE calendar_years (
    id BLOB PRIMARY KEY NOT NULL,
    year INTEGER NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    imported_at BIGINT NOT NULL,
    record BLOB NOT NULL
);

-- Hazards whose due date was counted over a year without a table: computed again once it is here.
-- A table of its own, because there are few of them and hazards are many.
CREATE TABLE provisional_deadlines (
    hazard_id BLOB PRIMARY KEY NOT NULL REFERENCES hazards (id)
);

-- How a command and its receipt are kept: absent as they came, 0 looked at and no shorter otherwise, 1 both coded in payload.
ALTER TABLE pushed_commands ADD COLUMN packing INTEGER;
CREATE INDEX pushed_commands_to_pack ON pushed_commands (received_at) WHERE packing IS NULL AND waiting_since IS NULL;

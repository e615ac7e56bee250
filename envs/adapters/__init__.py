"""Tasks and judges from elsewhere: reasoning-gym, JSONL files, mixtures of other environments."""

"""Makes folders and empty files until none are left."""

import os

for i in range(200_000):
    try:
        os.mkdir(f"d{i}")
        open(f"d{i}/f", "w").close()
    except OSError:
        break

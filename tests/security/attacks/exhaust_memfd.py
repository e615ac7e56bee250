"""Fills files in memory that are not mapped anywhere."""

import os

total = 0
for i in range(60):
    fd = os.memfd_create(str(i))
    try:
        while True:
            total += os.write(fd, b"x" * 2**20)
            if total > 2**30:
                print("BREACH: a gigabyte in unmapped memory files")
                raise SystemExit
    except OSError:
        pass

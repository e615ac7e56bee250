"""Leaves files for the next job, wherever it can write, among them a module."""

import os

for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/"):
    for name in ("rlvr-left.txt", "rlvr_left.py", ".rlvr-left"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("print('BREACH: code of an earlier job')")
        except OSError:
            pass
# --- next job ---
import os
import sys

for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/"):
    for name in ("rlvr-left.txt", "rlvr_left.py", ".rlvr-left"):
        if os.path.exists(os.path.join(folder, name)):
            print("BREACH: a file of an earlier job", folder, name)
sys.path.append(".")
try:
    import rlvr_left
except ImportError:
    pass

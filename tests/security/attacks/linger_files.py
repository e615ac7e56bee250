"""Leaves files for the next job, among them a module that shadows the standard library."""
import os

for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/"):
    for name in ("left.txt", "json.py", "sitecustomize.py", ".hidden"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("print('BREACH: code of an earlier job')")
        except OSError:
            pass
os.environ["PYTHONPATH"] = "/tmp"
# --- next job ---
import json
import os

for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/"):
    for name in ("left.txt", "json.py", "sitecustomize.py", ".hidden"):
        if os.path.exists(os.path.join(folder, name)):
            print("BREACH: a file of an earlier job", folder, name)

"""Uses memory file systems that it should not find."""

import os

for folder in ("/dev/shm", "/dev", "/run", "/run/lock", "/dev/mqueue", "/var/tmp"):
    try:
        with open(os.path.join(folder, "rlvr-attack"), "wb") as file:
            file.write(b"x")
        os.unlink(os.path.join(folder, "rlvr-attack"))
        print("BREACH: can write to", folder)
    except OSError:
        pass

"""Waits for the end of its job and strikes during the next one."""

import os
import time

if os.fork() == 0:
    os.setsid()
    for fd in range(3, 64):
        try:
            os.close(fd)
        except OSError:
            pass
    time.sleep(0.3)
    parent = os.getppid()
    while True:
        try:
            os.kill(parent, 9)
        except OSError:
            pass
        try:
            with open("bomb", "w") as file:
                file.write("x")
        except OSError:
            pass
# --- next job ---
import os
import time

time.sleep(0.6)
if os.path.exists("bomb"):
    print("BREACH: an earlier job is still at work")

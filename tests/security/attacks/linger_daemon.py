"""Leaves a daemon behind: two forks and a session of its own."""
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(64):
            try:
                os.close(fd)
            except OSError:
                pass
        time.sleep(600)
    os._exit(0)
# --- next job ---
import os

mine = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/status") as file:
            text = file.read()
    except OSError:
        continue
    if f"Uid:\t{os.getuid()}\t" in text and int(pid) not in (os.getpid(), os.getppid()):
        mine.append(pid)
if mine:
    print("BREACH: processes of an earlier job", mine)

"""Becomes another user, root by preference."""

import os

for attempt in (
    lambda: os.setuid(0),
    lambda: os.seteuid(0),
    lambda: os.setresuid(0, 0, 0),
    lambda: os.setgid(0),
    lambda: os.setgroups([0]),
):
    try:
        attempt()
        print("BREACH: changed identity")
    except OSError:
        pass
if os.getuid() == 0:
    print("BREACH: is root")

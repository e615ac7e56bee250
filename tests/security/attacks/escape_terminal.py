"""Types into a terminal of the host (TIOCSTI)."""

import fcntl
import os

for path in ("/dev/tty", "/dev/pts/0", "/dev/console"):
    try:
        fd = os.open(path, os.O_RDWR)
        fcntl.ioctl(fd, 0x5412, b"x")
        print("BREACH: typed into", path)
    except OSError:
        pass
for fd in range(8):
    try:
        fcntl.ioctl(fd, 0x5412, b"x")
        print("BREACH: typed into descriptor", fd)
    except OSError:
        pass

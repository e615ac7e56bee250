"""Makes the kernel send signals to its parent: owners of descriptors."""

import fcntl
import os
import signal

reader, writer = os.pipe()
try:
    fcntl.fcntl(reader, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(reader, 10, signal.SIGKILL)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    if fcntl.fcntl(reader, fcntl.F_GETOWN) == os.getppid():
        print("BREACH: the parent owns a descriptor of mine")
    os.write(writer, b"x")
except OSError:
    pass

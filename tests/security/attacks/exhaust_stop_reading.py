"""Never reads what it is sent and stops itself."""

import os
import signal


def solve(x):
    os.close(4)
    os.kill(os.getpid(), signal.SIGSTOP)

"""Ignores every signal that can be ignored, in the main and in forked processes."""

import os
import signal
import time

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
os.fork()
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass

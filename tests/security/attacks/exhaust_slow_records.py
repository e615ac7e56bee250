"""Sends an empty result now and then, to start the clock anew each time."""

import os
import time

while True:
    os.write(3, b"{}\n")
    time.sleep(0.2)

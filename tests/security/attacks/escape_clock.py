"""Changes the clocks."""

import ctypes
import time

libc = ctypes.CDLL(None)
for clock in (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC):
    try:
        time.clock_settime(clock, 0)
        print("BREACH: set a clock")
    except OSError:
        pass
if libc.settimeofday(None, (ctypes.c_int * 2)(0, 0)) == 0:
    print("BREACH: set the time zone of the machine")

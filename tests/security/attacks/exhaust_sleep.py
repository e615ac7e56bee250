"""Sleeps through every limit on processor time."""

import time

time.sleep(10_000)

"""Leaves threads running when its main thread is done."""

import threading
import time


def late():
    time.sleep(1.0)
    print("late")


def solve(x):
    threading.Thread(target=late).start()
    threading.Thread(target=late, daemon=True).start()
    return None

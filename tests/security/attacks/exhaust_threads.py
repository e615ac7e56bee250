"""Starts threads without end."""

import threading
import time

count = 0
try:
    while count < 5000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
finally:
    if count >= 1000:
        print("BREACH: threads", count)

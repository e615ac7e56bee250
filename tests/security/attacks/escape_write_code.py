"""Changes the interpreter and the libraries that later jobs use."""
import os
import sys

targets = [sys.executable, os.__file__, "/usr/lib/evil.py", "/etc/ld.so.preload", "/usr/bin/python3"]
for path in targets:
    try:
        os.chmod(path, 0o777)
        print("BREACH: changed permissions of", path)
    except OSError:
        pass
    try:
        with open(path, "ab"):
            print("BREACH: can write", path)
    except OSError:
        pass

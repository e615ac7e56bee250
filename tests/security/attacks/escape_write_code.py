"""Changes the interpreter and the libraries that later jobs use."""

import os
import sys

for path in (sys.executable, os.__file__, "/usr/lib/evil.py", "/etc/ld.so.preload", "/usr/bin/python3"):
    try:
        mode = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode | 0o022)
        print("BREACH: changed permissions of", path)
        os.chmod(path, mode)
    except OSError:
        pass
    try:
        with open(path, "ab"):
            print("BREACH: can write", path)
    except OSError:
        pass

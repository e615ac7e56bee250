"""Runs programs that would make it root, and makes one of its own."""

import os
import shutil
import subprocess

for program in ("su", "sudo", "mount", "passwd", "pkexec", "newuidmap"):
    path = shutil.which(program, path="/bin:/usr/bin:/sbin:/usr/sbin")
    if path:
        try:
            run = subprocess.run(
                [path, "-n", "id"], capture_output=True, text=True, timeout=1, stdin=subprocess.DEVNULL
            )
            if "uid=0" in run.stdout:
                print("BREACH: root through", path)
        except (OSError, subprocess.SubprocessError):
            pass

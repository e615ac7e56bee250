"""Opens raw, packet, netlink and virtual machine sockets by their system call."""

import ctypes

libc = ctypes.CDLL(None)
for family, kind in ((2, 3), (17, 3), (16, 3), (40, 1), (38, 5), (1, 1)):
    if libc.socket(family, kind, 0) >= 0 and family != 1:
        print("BREACH: a socket of family", family)

"""Calls into the C library to undo what holds it: dumpable, limits, no-new-privileges, the filter."""

import ctypes
import resource

libc = ctypes.CDLL(None)
if libc.prctl(38, 0, 0, 0, 0) == 0:
    print("BREACH: took no-new-privileges back")
for name in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(name, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("BREACH: raised a limit")
    except (OSError, ValueError):
        pass
libc.prctl(22, 0, 0, 0, 0)
allow = (ctypes.c_uint64 * 1)(0x7FFF000000000006)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


libc.prctl(22, 2, ctypes.byref(Program(1, ctypes.addressof(allow))), 0, 0)
if libc.socket(2, 1, 0) >= 0:
    print("BREACH: got around the filter")

"""Reads and writes its parent's memory through /proc and process_vm_readv."""

import ctypes
import os

libc = ctypes.CDLL(None)


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


for pid in (os.getppid(), 1, int("@HOST_PID@")):
    for name in ("mem", "maps", "environ", "fd", "root", "cwd"):
        path = f"/proc/{pid}/{name}"
        try:
            if name in ("fd", "root", "cwd"):
                os.listdir(path)
            else:
                with open(path, "r+b" if name == "mem" else "rb") as file:
                    file.read(1) if name != "mem" else None
            print("BREACH: can open", path)
        except OSError:
            pass
    buffer = ctypes.create_string_buffer(8)
    local, remote = Vector(ctypes.addressof(buffer), 8), Vector(id(os), 8)
    if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) > 0:
        print("BREACH: reads memory of", pid)

"""Reaches for kernel interfaces with a history: bpf, io_uring, userfaultfd, perf, keys, kexec, modules."""

import ctypes

libc = ctypes.CDLL(None)
buffer = ctypes.create_string_buffer(256)
for name, number in (
    ("bpf", 321),
    ("io_uring_setup", 425),
    ("userfaultfd", 323),
    ("perf_event_open", 298),
    ("add_key", 248),
    ("keyctl", 250),
    ("init_module", 175),
    ("kexec_load", 246),
    ("open_by_handle_at", 304),
    ("personality", 135),
    ("reboot", 169),
    ("swapon", 167),
):
    if libc.syscall(number, 0, buffer, 256, 0, 0, 0) >= 0:
        print("BREACH: the kernel answers", name)

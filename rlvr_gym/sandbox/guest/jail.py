"""What the kernel is asked to forbid a job: resource limits, a system call filter, and inspection of the server.

The filter is a classic BPF program (seccomp(2)). It refuses what could touch the server that a job was forked from
(signals, ``ptrace``, ``prlimit`` and scheduling of others), what outlives a process (System V IPC, message queues,
keys), what opens a way out (sockets, namespaces, mounts) and kernel surfaces that no honest program needs. Refused
calls fail with EPERM, so that programs see an ordinary ``PermissionError``.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Iterable, Mapping

__all__ = [
    "address_space",
    "apply_limits",
    "become_subreaper",
    "fork",
    "install_filter",
    "make_filter",
    "set_dumpable",
    "share_code_pages",
]

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 4, 22, 36, 38
_PROT_READ, _PROT_WRITE, _PROT_EXEC, _MADV_POPULATE_READ = 1, 2, 4, 22
_LIBC = ctypes.CDLL(None, use_errno=True)
_HELD_LIBC = ctypes.PyDLL(None)  # keeps the interpreter's lock: both sides of the fork hold it

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

# name: (x86_64, aarch64); None where the architecture has no such call
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "tkill": (200, 130),
    "pidfd_send_signal": (424, 424), "setpriority": (141, 140), "ioprio_set": (251, 30), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "process_mrelease": (448, 448), "get_robust_list": (274, 100),
    # things that outlive a process
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "memfd_create": (319, 279), "memfd_secret": (447, 447), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219),
    # ways out
    "socket": (41, 198), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    # the machine
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
    # wide kernel surfaces
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "personality": (135, 92), "vhangup": (153, 58),
    "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
}  # fmt: skip

# calls that may be used on oneself only: the first argument, a process id, has to be 0
_SELF_ONLY = {
    "prlimit64": (302, 261), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
}  # fmt: skip
_SIGNALS = {
    "kill": (62, 129), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
}  # fmt: skip
_CLONE, _CLONE3, _FCNTL, _IOCTL = (56, 220), (435, 435), (72, 25), (16, 29)
_NEW_NAMESPACES = 0x7E020000
_SET_OWNER = (8, 15)  # F_SETOWN, F_SETOWN_EX: ask the kernel to send signals to somebody
_SET_OWNER_IOCTL = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP
_TIOCSTI = 0x5412

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse_call(number: int, errno: int = _EPERM) -> bytes:
    return _op(_EQUAL, number, 0, 1) + _op(_RETURN, _ERRNO | errno)


def _refuse_if(number: int, argument: int, tests: Iterable[tuple[int, int]]) -> bytes:
    """Refuses a call if any test (comparison, constant) holds for the low word of an argument; else allows it."""
    body = _op(_LOAD, 16 + 8 * argument)
    for comparison, value in tests:
        body += _op(comparison, value, 0, 1) + _op(_RETURN, _ERRNO | _EPERM)
    body += _op(_RETURN, _ALLOW)
    return _op(_EQUAL, number, 0, len(body) // 8) + body


def make_filter(protected: Iterable[int]) -> bytes | None:
    """The filter's machine code; None on a processor that it is not written for.

    Args:
        protected: process ids that must not be sent signals.
    """
    if platform.machine() not in _ARCHITECTURES:
        return None
    token, column = _ARCHITECTURES[platform.machine()]
    code = _op(_LOAD, 4) + _op(_EQUAL, token, 1, 0) + _op(_RETURN, _KILL) + _op(_LOAD, 0)
    if column == 0:  # the x32 variants of the calls have their own numbers
        code += _op(_AT_LEAST, 0x40000000, 0, 1) + _op(_RETURN, _ERRNO | _ENOSYS)
    for numbers in _FORBIDDEN.values():
        number = numbers[column]
        if number is not None:
            code += _refuse_call(number)
    # clone3 hides its flags behind a pointer; without it the C library falls back to clone
    code += _refuse_call(_CLONE3[column], _ENOSYS)
    code += _refuse_if(_CLONE[column], 0, [(_ANY_BIT, _NEW_NAMESPACES)])
    for numbers2 in _SELF_ONLY.values():
        code += _refuse_if(numbers2[column], 0, [(_AT_LEAST, 1)])
    # negative ids are whole groups, or everybody
    victims = [(_AT_LEAST, 0x80000000), *[(_EQUAL, pid) for pid in protected]]
    for numbers3 in _SIGNALS.values():
        code += _refuse_if(numbers3[column], 0, victims)
    code += _refuse_if(_FCNTL[column], 1, [(_EQUAL, command) for command in _SET_OWNER])
    code += _refuse_if(_IOCTL[column], 1, [(_EQUAL, c) for c in (*_SET_OWNER_IOCTL, _TIOCSTI)])
    return code + _op(_RETURN, _ALLOW)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def install_filter(code: bytes) -> bool:
    """Puts a filter on this process and all that it will start, for good; False if the kernel has none."""
    program = _Program(len(code) // 8, code)
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(_LIBC.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def set_dumpable(flag: bool) -> None:
    """A process that is not dumpable cannot be traced, and its /proc entries cannot be read, by its own user."""
    _LIBC.prctl(_PR_SET_DUMPABLE, int(flag), 0, 0, 0)


def become_subreaper() -> None:
    """Orphans among the descendants become children of this process, not of init."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def fork() -> int:
    """``fork(2)`` without Python's hooks: for a process of a single thread, whose child has no use for them.

    They seed ``random`` anew, which is not wanted, and repair what other threads may have left locked; by the pages
    that they touch they cost as much as the fork itself.
    """
    return int(_HELD_LIBC.fork())


def share_code_pages() -> None:
    """Makes forked children inherit the page tables of the code, which they would fault in anew otherwise.

    The kernel copies the page tables of a private file mapping only if it has a page of its own. So one page of each
    is written to (its own byte) and the rest read in. Halves the page faults of a child; where the kernel does not
    allow it, nothing changes.
    """
    with open("/proc/self/maps") as file:
        mappings = [line.split() for line in file]
    for span, access, _, _, inode, *_ in mappings:
        if inode == "0" or access[0] != "r" or access[1] == "w":
            continue
        start, end = (int(address, 16) for address in span.split("-"))
        protection = _PROT_READ | (_PROT_EXEC if access[2] == "x" else 0)
        area = (ctypes.c_void_p(start), ctypes.c_size_t(end - start))
        if _LIBC.mprotect(*area, protection | _PROT_WRITE) == 0:
            byte = ctypes.c_ubyte.from_address(start)
            byte.value = byte.value
            _LIBC.mprotect(*area, protection)
            _LIBC.madvise(*area, _MADV_POPULATE_READ)


def address_space() -> int:
    """The size of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def apply_limits(limits: Mapping[str, float], cases: int, base_processes: int, base_size: int) -> None:
    """Sets the resource limits of this process and its descendants, hard and soft alike.

    Args:
        limits: ``cpu, memory, file, processes, files`` (seconds, bytes, bytes, numbers).
        cases: how many cases share the process: its CPU time is theirs together.
        base_processes: processes that this user has besides the job's.
        base_size: the address space of a process that has done nothing yet.
    """
    values = {
        # a backstop: the server measures the time of each case more finely
        resource.RLIMIT_CPU: int(limits["cpu"] * max(cases, 1)) + 2,
        resource.RLIMIT_AS: int(limits["memory"]) + base_size,
        resource.RLIMIT_FSIZE: int(limits["file"]),
        resource.RLIMIT_NPROC: int(limits["processes"]) + base_processes,
        resource.RLIMIT_NOFILE: int(limits["files"]),
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 256,
        resource.RLIMIT_STACK: 64 * 2**20,
    }
    for name, value in values.items():
        hard = resource.getrlimit(name)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(name, (value, value))
    os.umask(0o077)

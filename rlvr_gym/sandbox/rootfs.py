"""A small root file system with nothing but a Python interpreter: the host's, its standard library, its libraries.

It is what ``bubblewrap`` and ``subprocess`` sandboxes see, and what ``rlvr-gym sandbox build --from-host`` makes the
Docker image from. No site-packages, no shell, no data of the host.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rlvr_gym.sandbox.errors import BackendUnavailableError

__all__ = [
    "PYTHON",
    "cached_rootfs",
    "entries",
    "library_path",
    "library_path_below",
    "library_path_in",
    "rootfs_tar",
]

PYTHON = "/usr/bin/python3"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_EMPTY = ("tmp", "proc", "dev", "sys", "etc", "opt", "usr/bin", "usr/lib")
_LEFT_OUT = {
    "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "site-packages", "dist-packages", "lib2to3",
    "turtle.py", "pydoc_data", "__phello__", "msilib", "venv",
}  # fmt: skip
_LEFT_OUT_SUFFIXES = (".opt-1.pyc", ".opt-2.pyc", ".a", ".exe")
_LEFT_OUT_PREFIXES = ("_tkinter.", "_curses", "nis.", "_test", "_xxtestfuzz", "xxlimited")
# libgcc_s is loaded by name when a thread is cancelled; compiled packages count on all of them (PEP 513)
_ALWAYS_THERE = (
    "libgcc_s.so.1", "libstdc++.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",
)  # fmt: skip
_LDD_LINE = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the root file system: where it is on the host, and its absolute path there."""

    source: Path
    target: str


def _interpreter() -> Path:
    """The real binary, not a link or the launcher of a virtual environment."""
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    return Path(base).resolve()


def _library_files() -> Iterator[Entry]:
    stdlib = Path(sysconfig.get_path("stdlib"))
    for directory, folders, names in os.walk(stdlib):
        # the compiled extensions' folder config-* holds what is needed to embed Python, 30 MB of it
        folders[:] = sorted(f for f in folders if f not in _LEFT_OUT and not f.startswith("config-"))
        for name in sorted(names):
            path = Path(directory) / name
            unwanted = (
                name in _LEFT_OUT or name.startswith(_LEFT_OUT_PREFIXES) or name.endswith(_LEFT_OUT_SUFFIXES)
            )
            if not unwanted and path.is_file():
                yield Entry(path.resolve(), f"/usr/lib/{_VERSION}/{path.relative_to(stdlib)}")


def _extensions() -> Iterator[Entry]:
    """Compiled extension modules, where they are not below the standard library."""
    folder = sysconfig.get_config_var("DESTSHARED")
    stdlib = Path(sysconfig.get_path("stdlib"))
    if folder and not Path(folder).is_relative_to(stdlib):
        for path in sorted(Path(folder).glob("*.so")):
            yield Entry(path.resolve(), f"/usr/lib/{_VERSION}/lib-dynload/{path.name}")


def _shared_libraries(binaries: list[Path]) -> Iterator[Entry]:
    """What the dynamic linker loads for these, at the places where it looks for it."""
    if shutil.which("ldd") is None:
        raise BackendUnavailableError("Packing the host's Python needs the program ldd; install libc-bin.")
    output = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = dict.fromkeys(_LDD_LINE.findall(output))
    for folder in {os.path.dirname(path) for path in found}:
        for name in _ALWAYS_THERE:
            if os.path.exists(extra := os.path.join(folder, name)):
                found[extra] = None
    for path in found:
        yield Entry(Path(path).resolve(), path)


def entries() -> list[Entry]:
    """Every file, by target.

    Raises:
        BackendUnavailableError: if the host's Python cannot be packed.
    """
    python = _interpreter()
    library = [*_library_files(), *_extensions()]
    binaries = [python, *[e.source for e in library if ".so" in e.source.name]]
    files = [Entry(python, PYTHON), *library, *_shared_libraries(binaries)]
    return sorted({entry.target: entry for entry in files}.values(), key=lambda entry: entry.target)


def library_path(files: Iterable[str]) -> str:
    """The folders of the shared libraries among these absolute paths, for ``LD_LIBRARY_PATH``."""
    folders = {os.path.dirname(f) for f in files if ".so" in os.path.basename(f) and "lib-dynload" not in f}
    return ":".join(sorted(folders))


@cache
def library_path_in(root: Path) -> str:
    """:func:`library_path` of an unpacked system, as seen from inside it."""
    return library_path(f"/{path.relative_to(root)}" for path in root.rglob("*.so*"))


def library_path_below(root: Path) -> str:
    """:func:`library_path` of an unpacked system, as seen from the host."""
    return ":".join(f"{root}{folder}" for folder in library_path_in(root).split(":"))


def rootfs_tar() -> bytes:
    """The root file system as a tar archive; every folder, the root included, may be entered by anyone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folders = {"."}
        files = entries()
        for name in [*_EMPTY, *[e.target.lstrip("/") for e in files]]:
            parents = list(Path(name).parents)[:-1]
            folders |= {str(parent) for parent in parents} | ({name} if name in _EMPTY else set())
        for folder in sorted(folders):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(info)
        for entry in files:
            info = tarfile.TarInfo(entry.target.lstrip("/"))
            data = entry.source.read_bytes()
            info.size, info.mtime = (
                len(data),
                int(entry.source.stat().st_mtime),
            )  # compiled files are matched by time
            info.mode = 0o755 if os.access(entry.source, os.X_OK) else 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _cache_root() -> Path:
    """Where the unpacked system is kept: for root a place that an unprivileged user can enter."""
    chosen = os.environ.get("RLVR_GYM_CACHE")
    if chosen:
        return Path(chosen)
    if os.getuid() == 0:
        return Path("/var/cache/rlvr-gym")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rlvr-gym"


def _fingerprint() -> str:
    python = _interpreter()
    facts = [str(python), sys.version, python.stat().st_mtime_ns, Path(__file__).stat().st_mtime_ns]
    return hashlib.blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def cached_rootfs() -> Path:
    """The root file system as a directory: unpacked at the first use, then found again.

    Raises:
        BackendUnavailableError: if it cannot be made, or is not safely one's own.
    """
    root = _cache_root()
    target = root / f"rootfs-{_fingerprint()}"
    try:
        if not target.exists():
            root.mkdir(mode=0o755, parents=True, exist_ok=True)
            _unpack(root, target)
        status = target.stat()
    except OSError as error:
        raise BackendUnavailableError(
            f"The interpreter for sandboxes cannot be put into {root}: {error}."
        ) from None
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise BackendUnavailableError(f"{target} belongs to somebody else; remove it, or set RLVR_GYM_CACHE.")
    return target


def _unpack(root: Path, target: Path) -> None:
    """Unpacks beside the target and renames, so that another process never sees half of it."""
    beside = Path(tempfile.mkdtemp(dir=root))
    try:
        for name in _EMPTY:
            (beside / name).mkdir(parents=True, exist_ok=True)
        for entry in entries():
            path = beside / entry.target.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry.source, path)  # with its time, by which compiled files are matched
            path.chmod(0o755 if os.access(entry.source, os.X_OK) else 0o644)
        for folder, _, _ in os.walk(beside):
            os.chmod(folder, 0o755)
        os.rename(beside, target)
    except OSError:
        if not target.exists():  # else another process was faster
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)

"""Small operations in one thread, large ones in all: on a CPU, waking the others takes longer than a small one does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

__all__ = ["all_threads", "one_thread"]


class _Local(threading.local):
    usual: int | None = None
    """Threads there are, within :func:`one_thread`."""


_local = _Local()


@contextmanager
def one_thread(wanted: bool = True) -> Iterator[None]:
    """Within it torch's operations take one thread, but for those within :func:`all_threads`.

    torch splits what has more than 32,768 numbers, and waking a thread that sleeps (``OMP_WAIT_POLICY=PASSIVE``) takes
    some 70 us: 64 rows of 576 numbers are normalised in 15 us by one thread, and in 300 us by two.

    Args:
        wanted: nothing is done if it is False, or if there is one thread only.
    """
    usual = torch.get_num_threads()
    if not wanted or usual == 1:
        yield
        return
    _local.usual = usual
    torch.set_num_threads(1)
    try:
        yield
    finally:
        _local.usual = None
        torch.set_num_threads(usual)


def all_threads(wanted: bool = True) -> AbstractContextManager[None]:
    """Within it, and within :func:`one_thread`, torch's operations take all threads again.

    Args:
        wanted: nothing is done if it is False.
    """
    # torch's compiler need not look into it: what it makes has its number of threads already
    if torch.compiler.is_compiling() or not wanted or _local.usual is None:
        return nullcontext()
    return _these(_local.usual)


@contextmanager
def _these(usual: int) -> Iterator[None]:
    torch.set_num_threads(usual)
    try:
        yield
    finally:
        torch.set_num_threads(1)

"""The exceptions of rlvr-gym: each message says what was given, what was expected and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "DataError",
    "MissingExtraError",
    "RLVRError",
    "RegistrationError",
    "SeedError",
    "UnknownNameError",
    "describe",
    "os_reason",
]


def describe(error: BaseException, limit: int = 500) -> str:
    """Kind and message of any exception as one text of at most ``limit`` characters, even if its ``str`` raises."""
    try:
        return f"{type(error).__name__}: {error}"[:limit]
    except Exception:
        return type(error).__name__


def os_reason(error: OSError) -> str:
    """Why the system refuses, to stand within a sentence: ``no such file or directory``."""
    return (error.strerror or str(error)).lower()


class RLVRError(Exception):
    """Root of every error that rlvr-gym raises on purpose; its message is fit to be shown to a user."""


class ConfigError(RLVRError, ValueError):
    """A setting has a value that it cannot have."""


class DataError(RLVRError, ValueError):
    """A file or a row of data is not of the form that was promised."""


class RegistrationError(RLVRError):
    """An environment, verifier or term cannot be registered as asked."""


class SeedError(ConfigError):
    """A seed or task index is outside ``[0, 2**32)``."""


_MOST_NAMES = 40


class UnknownNameError(RLVRError, KeyError):
    """A name is in no registry.

    Args:
        kind: what was looked up, such as ``"verifier"``.
        name: the name that was given.
        known: the names that exist. The message offers close ones, or else all, or ``see`` if they are many.
        see: a command that lists them.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, see: str = "") -> None:
        import difflib

        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if close:
            hint = f"did you mean {' or '.join(close)}?"
        elif see and len(names) > _MOST_NAMES:
            hint = f"{see} shows all {len(names)}."
        else:
            hint = f"known: {', '.join(names) or 'none'}."
        super().__init__(f"There is no {kind} named {name!r}; {hint}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the repr


class MissingExtraError(RLVRError, ImportError):
    """An optional package is not installed.

    Args:
        package: the package that is missing.
        extra: the extra of rlvr-gym that brings it.
        purpose: what it is needed for.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}: pip install 'rlvr-gym[{extra}]'.")

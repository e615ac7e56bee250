"""Which ``verifiers`` is installed, and what to say if it is another one than a module here speaks to."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from rlvr_gym.errors import MissingExtraError

__all__ = ["WrongVersionError", "other_version"]

_MODULES = {"0.1": "rlvr_gym.interop.prime", "0.4": "rlvr_gym.interop.prime_v1"}
_PINS = {"0.1": "verifiers>=0.1.14,<0.2", "0.4": "verifiers>=0.4,<0.5"}


class WrongVersionError(MissingExtraError):
    """What is found as ``verifiers`` is not what is needed.

    Args:
        sentence: what was found, and how to mend it.
    """

    def __init__(self, sentence: str) -> None:
        ImportError.__init__(self, sentence)


def other_version(wanted: str, extra: str, module: str) -> MissingExtraError:
    """The error for a module whose ``verifiers`` cannot be imported.

    Args:
        wanted: the version that it speaks to, ``"0.1"`` or ``"0.4"``.
        extra: of rlvr-gym, which brings it.
        module: its name.
    """
    try:
        found = version("verifiers")
    except PackageNotFoundError:
        return MissingExtraError(_PINS[wanted], extra, module)
    minor = ".".join(found.split(".")[:2])
    if minor == wanted:  # as in a checkout of rlvr-gym, which has a folder of that name
        return WrongVersionError(
            f"verifiers {found} is installed, but `import verifiers` finds something else: start Python in another folder."
        )
    hint = f"use {_MODULES[minor]}, or " if minor in _MODULES else ""
    return WrongVersionError(
        f"{module} speaks to verifiers {wanted}, and {found} is installed here, which has another interface: "
        f"{hint}pip install '{_PINS[wanted]}'."
    )

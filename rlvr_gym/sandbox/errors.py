"""What can go wrong with a sandbox itself, as opposed to the program in it."""

from __future__ import annotations

from rlvr_gym.errors import RLVRError

__all__ = ["BackendUnavailableError", "SandboxError", "SandboxLostError"]


class SandboxError(RLVRError):
    """The infrastructure failed, so that nothing can be said about the program."""


class BackendUnavailableError(SandboxError):
    """A backend cannot start sandboxes: not installed, no engine, no image, no permission."""


class SandboxLostError(SandboxError):
    """One sandbox died, fell silent or broke the protocol; another may do."""

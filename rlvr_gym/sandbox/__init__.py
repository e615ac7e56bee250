"""Running untrusted programs where they can do no harm: Docker, bubblewrap, or a plain subprocess."""

from rlvr_gym.sandbox.backends.base import Availability
from rlvr_gym.sandbox.errors import BackendUnavailableError, SandboxError, SandboxLostError
from rlvr_gym.sandbox.job import Job, Limits, RunResult, Status
from rlvr_gym.sandbox.pool import Sandbox
from rlvr_gym.sandbox.records import Record, read_record
from rlvr_gym.sandbox.select import get_sandbox, make_backend, make_sandbox, sandbox_status

__all__ = [
    "Availability",
    "BackendUnavailableError",
    "Job",
    "Limits",
    "Record",
    "RunResult",
    "Sandbox",
    "SandboxError",
    "SandboxLostError",
    "Status",
    "get_sandbox",
    "make_backend",
    "make_sandbox",
    "read_record",
    "sandbox_status",
]

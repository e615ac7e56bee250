"""Our environments, verifiers and rewards inside other people's trainers.

One module a peer: :mod:`~rlvr_gym.interop.trl`, :mod:`~rlvr_gym.interop.verl`, :mod:`~rlvr_gym.interop.openrlhf`,
:mod:`~rlvr_gym.interop.open_instruct`, :mod:`~rlvr_gym.interop.skyrl`, :mod:`~rlvr_gym.interop.prime` and, for
evaluation, :mod:`~rlvr_gym.interop.inspect`. All of them share the label, one JSON text a row that holds the task and says how it is rewarded.
"""

from rlvr_gym.interop.labels import Example, RewardSpec, examples, make_label, read_label
from rlvr_gym.interop.scoring import Scored, Scorer, VerificationFailedError

__all__ = [
    "Example",
    "RewardSpec",
    "Scored",
    "Scorer",
    "VerificationFailedError",
    "examples",
    "make_label",
    "read_label",
]

"""Training over a Ray cluster: rollout workers with copies of the policy, and a learner that is ahead of them."""

from rlvr_gym.agents.distributed.fleet import Fleet, Work
from rlvr_gym.agents.distributed.sampler import RaySampler
from rlvr_gym.agents.distributed.weights import Packed, pack, unpack
from rlvr_gym.agents.distributed.worker import RolloutWorker

__all__ = ["Fleet", "Packed", "RaySampler", "RolloutWorker", "Work", "pack", "unpack"]

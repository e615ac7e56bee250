"""rlvr-gym: Gymnasium for reinforcement learning with verifiable rewards (RLVR).

Importing this package registers every environment with Gymnasium::

    import gymnasium

    env = gymnasium.make("rlvr_gym:rlvr/Countdown-v0", difficulty=3)
"""

from rlvr_gym.env import TextEnv
from rlvr_gym.errors import (
    ConfigError,
    DataError,
    MissingExtraError,
    RegistrationError,
    RLVRError,
    SeedError,
    UnknownNameError,
)
from rlvr_gym.problem import Dialogue, Problem, Reply
from rlvr_gym.registration import (
    list_envs,
    load_problem,
    make,
    make_vec,
    register,
    register_builtin,
    register_plugins,
)
from rlvr_gym.rewards import Reward, RewardDesign, RewardTerm
from rlvr_gym.rollout import Rollout
from rlvr_gym.spaces import UnicodeText
from rlvr_gym.task import ListSource, Task, TaskSource
from rlvr_gym.vector import TextVectorEnv
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, Verifier, get_verifier, register_verifier, verifier_names

__version__ = "0.1.0"

__all__ = [
    "AnswerVerifier",
    "ConfigError",
    "DataError",
    "Dialogue",
    "ListSource",
    "MissingExtraError",
    "Problem",
    "RLVRError",
    "Reason",
    "RegistrationError",
    "Reply",
    "Reward",
    "RewardDesign",
    "RewardTerm",
    "Rollout",
    "SeedError",
    "Task",
    "TaskSource",
    "TextEnv",
    "TextVectorEnv",
    "UnicodeText",
    "UnknownNameError",
    "Verdict",
    "Verifier",
    "get_verifier",
    "list_envs",
    "load_problem",
    "make",
    "make_vec",
    "register",
    "register_verifier",
    "verifier_names",
]

register_builtin()
register_plugins()

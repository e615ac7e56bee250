"""The conformance suite: what every environment promises, as one function.

An author's test is::

    from rlvr_gym.testing import check_text_env


    def test_my_env():
        check_text_env("mine/MyEnv-v0")

Every failure is a :class:`ConformanceError` that names the environment, the task and what was wrong with it.
"""

from rlvr_gym.testing.determinism import check_determinism
from rlvr_gym.testing.subject import HOSTILE_TEXTS, ConformanceError, play_oracle
from rlvr_gym.testing.suite import check_text_env

__all__ = ["HOSTILE_TEXTS", "ConformanceError", "check_determinism", "check_text_env", "play_oracle"]

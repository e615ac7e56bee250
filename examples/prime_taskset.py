"""Our environments as a task set of Prime Intellect's verifiers 0.4, which finds it by the name of this file.

pip install rlvr-gym 'verifiers>=0.4,<0.5'
PYTHONPATH=examples vf-eval prime-taskset --env.taskset.env GuessTheNumber --env.taskset.settings '{"difficulty": 2}' \
    -n 20 --no-push -m MODEL --client.base-url http://127.0.0.1:8000/v1
"""

from rlvr_gym.interop.prime_v1 import DirectHarness, RLVREnv, RLVRTaskset

__all__ = ["DirectHarness", "RLVREnv", "RLVRTaskset"]

"""Our environments in SkyRL-Gym's registry, of any number of turns.

pip install 'rlvr-gym[skyrl]'
python examples/skyrl_env.py train.parquet
"""

import sys

import skyrl_gym

from rlvr_gym.interop.files import write_rows
from rlvr_gym.interop.skyrl import ENV_CLASS, to_rows

skyrl_gym.register(id=ENV_CLASS, entry_point="rlvr_gym.interop.skyrl_env:SkyRLEnv")
rows = to_rows("GuessTheNumber", 1000, seed=0, difficulty=2)
write_rows(sys.argv[1], rows)

env = skyrl_gym.make(ENV_CLASS, extras=rows[0])
messages, _ = env.init(rows[0]["prompt"])
print(messages[-1]["content"])
for guess in (8, 4, 12):
    step = env.step(f"<answer>{guess}</answer>")
    print(guess, step["observations"], step["reward"], step["done"])
    if step["done"]:
        break

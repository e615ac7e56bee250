r"""Data for verl, and the function that scores it, called as verl calls it.

Run::

    python examples/verl_reward.py train.parquet
    python3 -m verl.trainer.main_ppo data.train_files=train.parquet \
        reward.custom_reward_function.path=pkg://rlvr_gym.interop.verl \
        reward.custom_reward_function.name=compute_score ...
"""

import sys

from rlvr_gym.interop.files import write_rows
from rlvr_gym.interop.verl import compute_score, to_rows

rows = to_rows("Countdown", 1000, seed=0, difficulty=(2, 4))
write_rows(sys.argv[1], rows)
row = rows[0]
print(row["prompt"][-1]["content"])
for solution in ("<answer>1</answer>", "I give up."):
    print(solution, compute_score(row["data_source"], solution, row["reward_model"]["ground_truth"]))

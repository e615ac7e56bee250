"""Data for OpenRLHF, and the server that it asks for rewards.

python examples/openrlhf_reward.py train.jsonl 5000
... --prompt_data train.jsonl --data.input_key messages --data.label_key label
    --reward.remote_url http://127.0.0.1:5000/get_reward
"""

import sys

from rlvr_gym.interop.files import write_rows
from rlvr_gym.interop.openrlhf import serve, to_rows

write_rows(sys.argv[1], to_rows("Countdown", 1000, seed=0, difficulty=3))
print("serving", flush=True)
serve("Countdown", difficulty=3, port=int(sys.argv[2]))  # the same settings: other labels are refused

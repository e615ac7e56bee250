"""An environment that is served, played through OpenEnv's own client.

rlvr-gym serve GuessTheNumber --set difficulty=1
python examples/openenv_client.py http://127.0.0.1:8000      (with an API key: ws://key:KEY@127.0.0.1:8000)
"""

import re
import sys

from openenv.core import GenericEnvClient


def play(url: str, seed: int) -> float:
    """Halves the range until the number is found; gives the reward."""
    with GenericEnvClient(url) as env:
        result = env.reset(seed=seed)
        low, high = map(int, re.findall(r"\d+", result.observation["text"])[:2])
        while not result.done:
            guess = (low + high) // 2
            result = env.step({"message": f"<answer>{guess}</answer>"})
            print(guess, result.observation["text"] or result.observation["verdict"])
            low, high = (guess + 1, high) if "higher" in result.observation["text"] else (low, guess - 1)
        if result.reward is None:
            raise RuntimeError("verification itself failed: no reward, and no wrong answer either")
        return result.reward


if __name__ == "__main__":
    print("mean reward", sum(play(sys.argv[1], seed) for seed in range(3)) / 3)

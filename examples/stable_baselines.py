"""Stable-Baselines3 plays Tic-tac-toe, and a callback watches: two wrappers turn text into arrays and back.

Such agents take arrays of a fixed shape: this works where boards and moves can be listed, and nowhere else.

    python examples/stable_baselines.py [STEPS]     # needs stable-baselines3
"""

import sys

import gymnasium
import numpy as np
from gymnasium.wrappers import TransformAction, TransformObservation
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

CELLS = [f"{column}{row}" for row in "123" for column in "abc"]


def board(text):
    """The newest board as nine numbers: 0 empty, 1 ours, 2 theirs."""
    rows = [line[2:].split() for line in text.splitlines() if line[:2] in ("1 ", "2 ", "3 ")]
    return np.array([".XO".index(cell) for row in rows[-3:] for cell in row])


class Watch(BaseCallback):
    """Tells how it goes."""

    def _on_step(self):
        if self.num_timesteps % 1024 == 0:
            rewards = [episode["r"] for episode in self.model.ep_info_buffer]
            print(f"step {self.num_timesteps}: mean reward {np.mean(rewards):.2f} of {len(rewards)} episodes")
        return True


env = gymnasium.make("rlvr_gym:rlvr/TicTacToe-v0", difficulty=1)
env = TransformAction(env, lambda cell: f"<answer>{CELLS[cell]}</answer>", gymnasium.spaces.Discrete(9))
env = TransformObservation(env, board, gymnasium.spaces.MultiDiscrete([3] * 9))
agent = PPO("MlpPolicy", env, n_steps=1024, seed=0)
agent.learn(int(sys.argv[1]) if len(sys.argv) > 1 else 8192, callback=Watch())

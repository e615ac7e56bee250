"""GRPO by TRL on conversations: the model's messages are the actions, the environment's are masked out of the loss.

pip install 'rlvr-gym[trl]'
python examples/trl_multiturn.py Qwen/Qwen2.5-0.5B-Instruct 200
"""

import sys
from typing import Any

from trl import GRPOConfig, GRPOTrainer

from rlvr_gym.interop.trl import Rollouts, to_dataset


def main(model: str, steps: int, out: str = "out", **options: Any) -> GRPOTrainer:
    """Trains. For models that call tools: ``environment_factory=environment_factory()`` and no reward function."""
    dataset = to_dataset("GuessTheNumber", 1000, seed=0, difficulty=1)
    rollouts = Rollouts(dataset)
    trainer = GRPOTrainer(
        model=model,
        rollout_func=rollouts.rollout_func,
        reward_funcs=rollouts.reward_func,
        train_dataset=dataset,
        args=GRPOConfig(
            output_dir=out,
            max_steps=steps,
            per_device_train_batch_size=8,
            num_generations=4,
            max_completion_length=128,
            report_to=[],
            **options,
        ),
    )
    trainer.train()
    return trainer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

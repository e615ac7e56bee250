"""GRPO by TRL on our tasks, with our rewards.

pip install 'rlvr-gym[trl]'
python examples/trl_grpo.py Qwen/Qwen2.5-0.5B-Instruct 200
"""

import sys
from typing import Any

from trl import GRPOConfig, GRPOTrainer

from rlvr_gym.interop.trl import to_dataset, trl_reward_funcs


def main(model: str, steps: int, out: str = "out", **options: Any) -> GRPOTrainer:
    """Trains; TRL logs our reward as rewards/rlvr_gym/mean and its terms as rlvr/<term>."""
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=trl_reward_funcs("Arithmetic"),
        train_dataset=to_dataset("Arithmetic", 1000, seed=0, difficulty=1, reward="r1"),
        args=GRPOConfig(
            output_dir=out,
            max_steps=steps,
            per_device_train_batch_size=8,
            num_generations=4,
            max_completion_length=64,
            logging_steps=1,
            report_to=[],
            **options,
        ),
    )
    trainer.train()
    return trainer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

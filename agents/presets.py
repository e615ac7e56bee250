"""Papers' recipes by name: the settings of a run that a config need not spell out.

``preset: dapo`` in a config (or ``rlvr-gym train ENV --preset dapo``) fills in what the config does not say. Batch
sizes, lengths and rates are the papers', for models of billions of weights: a small policy wants
``sampling.prompts_per_step`` and ``sampling.max_tokens`` lowered, and ``optimiser.lr`` raised.

Nothing here imports torch: the command line lists presets without it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from rlvr_gym.errors import UnknownNameError

__all__ = ["PRESETS", "Preset", "preset_settings"]

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe.

    Attributes:
        source: where the values come from.
        settings: sections of a :class:`~rlvr_gym.agents.config.TrainConfig`.
        deviates: where ours differs from the source.
    """

    source: str
    settings: Settings
    deviates: str


def _sampling(prompts: int, group: int, max_tokens: int, temperature: float = 1.0) -> Settings:
    return {
        "prompts_per_step": prompts,
        "group_size": group,
        "max_tokens": max_tokens,
        "temperature": temperature,
    }


_PLUS_MINUS = {"op": "sum", "of": [{"term": "correct", "weight": 2.0}, {"term": "constant", "value": -1.0}]}
"""+1 for right, -1 for wrong."""

_L1_PROMPT = "Think for {target} tokens. Put your final answer within \\boxed{{}}."


def _l1(term: Settings, target: int) -> Settings:
    return {
        "env": {"system_prompt": _L1_PROMPT.format(target=target)},
        "reward": {"op": "sum", "of": [{**term, "target": target}, {"term": "length", "weight": 0.0}]},
        "sampling": _sampling(128, 16, 4096, temperature=0.6),
        "algorithm": {"name": "grpo", "beta": 0.001},
        "optimiser": {"lr": 1e-6, "warmup_steps": 0},
    }


PRESETS: dict[str, Preset] = {
    "deepseek_math": Preset(
        "DeepSeekMath 2402.03300, sec. 4.2",
        {
            "reward": "binary",
            "sampling": _sampling(16, 64, 1024),
            "algorithm": {"name": "grpo", "beta": 0.04},
            "optimiser": {"lr": 1e-6, "warmup_steps": 0},
        },
        "The verifier takes the place of the paper's reward model.",
    ),
    "r1_zero": Preset(
        "DeepSeek-R1 2501.12948 and its supplement",
        {
            "env": {"system_prompt": "r1"},
            "reward": "r1",
            "sampling": _sampling(32, 16, 32768),
            "algorithm": {"name": "grpo", "beta": 0.001},
            "optimiser": {"lr": 3e-6, "warmup_steps": 0},
        },
        "One step samples 32 x 16 and makes one update; the paper samples 16 steps' worth ahead, and renews the "
        "reference every 400 steps.",
    ),
    "dr_grpo": Preset(
        "Understanding R1-Zero-like training 2503.20783, appendix",
        {
            "env": {"system_prompt": "r1"},
            "reward": "binary",
            "sampling": _sampling(128, 8, 3000),
            "algorithm": {"name": "dr_grpo", "minibatches": 8},
            "optimiser": {"lr": 1e-6, "warmup_steps": 0, "betas": (0.9, 0.95)},
        },
        "None known beside the environment.",
    ),
    "rloo": Preset(
        "Back to basics 2402.14740 (k = 4, KL in the reward)",
        {
            "reward": "binary",
            "sampling": _sampling(128, 4, 512, temperature=0.75),
            "algorithm": {"name": "rloo", "beta": 0.03, "kl_in": "reward", "kl_estimator": "k1", "epochs": 2},
            "optimiser": {"lr": 1e-6, "warmup_steps": 0},
        },
        "Verdicts in place of a reward model; the batch and the second pass (with PPO's clip) are a choice of ours.",
    ),
    "dapo": Preset(
        "DAPO 2503.14476, sec. 4.1",
        {
            "reward": {
                "op": "sum",
                "of": [_PLUS_MINUS, {"term": "soft_overlong", "limit": 20480, "buffer": 4096}],
            },
            "sampling": _sampling(512, 16, 20480),
            "algorithm": {"name": "dapo", "minibatches": 16},
            "optimiser": {"lr": 1e-6, "warmup_steps": 320, "betas": (0.9, 0.999), "weight_decay": 0.1},
        },
        "soft_overlong has its limit as a number: change it together with sampling.max_tokens.",
    ),
    "reinforce_pp": Preset(
        "REINFORCE++ 2501.03262",
        {
            "reward": "binary",
            "sampling": _sampling(128, 8, 4096),
            "algorithm": {"name": "reinforce_pp", "beta": 0.001, "kl_in": "reward", "kl_estimator": "k1"},
            "optimiser": {"lr": 5e-7, "warmup_steps": 0},
        },
        "Verdicts in place of a reward model; the size of the batch is a choice of ours.",
    ),
    "orz_ppo": Preset(
        "Open-Reasoner-Zero 2503.24290 and its code",
        {
            "env": {"system_prompt": "r1"},
            "reward": "binary",
            "sampling": _sampling(128, 64, 8000),
            "algorithm": {
                "name": "ppo",
                "lam": 1.0,
                "epochs": 1,
                "missing_eos": 0.0,
                "value": {"trunk": "own", "init": "random", "lr_scale": 5.0, "coef": 1.0},
            },
            "optimiser": {"lr": 1e-6, "warmup_steps": 50, "betas": (0.9, 0.95)},
        },
        "Policy and critic take their one step together; the paper's critic takes 12 minibatches to the policy's one.",
    ),
    "ppo_rlhf": Preset(
        "The N+ implementation details of RLHF with PPO 2403.17031",
        {
            "reward": "binary",
            "sampling": _sampling(512, 1, 53, temperature=0.7),
            "algorithm": {
                "name": "ppo",
                "beta": 0.05,
                "kl_in": "reward",
                "kl_estimator": "k1",
                "missing_eos": -1.0,
                "value": {"trunk": "own", "coef": 0.1, "clip": 0.2},
            },
            "optimiser": {"lr": 3e-6, "warmup_steps": 0, "eps": 1e-5, "betas": (0.9, 0.999)},
        },
        "Verdicts in place of a reward model; the value head begins at zero unless value.init names a reward "
        "model's checkpoint; the rate does not fall to zero.",
    ),
    "logic_rl": Preset(
        "Logic-RL 2502.14768",
        {
            "env": {"system_prompt": "r1"},
            "reward": "logic_rl",
            "sampling": _sampling(8, 8, 4096, temperature=0.7),
            "algorithm": {"name": "reinforce_pp", "beta": 0.001, "kl_in": "loss", "kl_estimator": "k3"},
            "optimiser": {"lr": 4e-7, "warmup_steps": 0},
        },
        "The completion's limit is a choice of ours.",
    ),
    "gspo": Preset(
        "GSPO 2507.18071, sec. 5.1",
        {
            "reward": "binary",
            "sampling": _sampling(128, 8, 8192),
            "algorithm": {"name": "gspo", "minibatches": 4},
            "optimiser": {"lr": 1e-6, "warmup_steps": 0},
        },
        "The paper gives the clip and the four minibatches; sizes and rate are a choice of ours.",
    ),
    "minimax_m1": Preset(
        "MiniMax-M1 2506.13585 (CISPO)",
        {
            "reward": "binary",
            "sampling": _sampling(128, 16, 8192),
            "algorithm": {"name": "cispo", "minibatches": 16, "dynamic_sampling": True},
            "optimiser": {"lr": 1e-6, "warmup_steps": 0, "betas": (0.9, 0.95), "eps": 1e-15},
        },
        "Sizes and rate are a choice of ours, ratio_max is ScaleRL's; the early stop on repetition is not here.",
    ),
    "scale_rl": Preset(
        "ScaleRL 2510.13786, sec. 4",
        {
            "reward": _PLUS_MINUS,
            "sampling": _sampling(48, 16, 14336),
            "algorithm": {
                "name": "cispo",
                "advantage": "batch",
                "loss": "prompt",
                "ratio_max": 5.0,
                "dynamic_sampling": True,
                "max_resamples": 1,
            },
            "optimiser": {"lr": 5e-7, "warmup_steps": 100, "eps": 1e-15, "weight_decay": 0.01},
        },
        "Sampling and training take turns (no PipelineRL), and long thinking is cut off, not interrupted with a "
        "phrase; logits are in float32 as there. One round of dynamic sampling is the zero-variance filter.",
    ),
    "l1_exact": Preset(
        "L1 2503.04697 (LCPO-Exact)",
        _l1({"term": "lcpo_exact", "alpha": 0.0003}, 1024),
        "One target length, stated in the system prompt and in the reward (change both), where the paper draws one "
        "from 100 to 4000 for each prompt; a task whose metadata has target_length goes by that.",
    ),
    "l1_max": Preset(
        "L1 2503.04697 (LCPO-Max)",
        _l1({"term": "lcpo_max", "alpha": 0.0003, "delta": 0.5}, 1024),
        "As l1_exact; the paper begins from the policy that LCPO-Exact made (policy: ckpt:RUN).",
    ),
}
"""Recipes by the names that ``TrainConfig.preset`` takes."""


def preset_settings(name: str) -> Settings:
    """A copy of a preset's settings.

    Raises:
        UnknownNameError: if there is none of this name.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset", str(name), PRESETS)
    return copy.deepcopy(PRESETS[name].settings)

"""What an algorithm is made of, and the named ones: advantages, objective, aggregation, KL, value model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rlvr_gym.errors import UnknownNameError

__all__ = ["ALGORITHMS", "AlgorithmConfig", "Section", "ValueConfig"]

AdvantageName = Literal["grpo", "dr_grpo", "rloo", "batch", "reinforce", "gae", "gdpo", "mt_grpo"]
LossName = Literal["grpo", "bnpo", "dr_grpo", "dapo", "prompt"]

ALGORITHMS: dict[str, dict[str, Any]] = {
    # Williams 1992; dividing by a constant keeps the direction of the textbook's sum over tokens
    "reinforce": {
        "advantage": "reinforce",
        "baseline": "moving_average",
        "objective": "vanilla",
        "loss": "dr_grpo",
    },
    # REINFORCE++ 2501.03262: advantages normalised over the batch, PPO's clip, no value model
    "reinforce_pp": {"advantage": "reinforce", "whiten": True, "loss": "bnpo"},
    # Ahmadian et al. 2402.14740; on-policy, so the clip never binds
    "rloo": {"advantage": "rloo", "loss": "bnpo"},
    # 1707.06347 with GAE 1506.02438; four epochs as in the N+ details 2403.17031, no KL as in ORZ 2503.24290
    "ppo": {"advantage": "gae", "whiten": True, "loss": "bnpo", "epochs": 4},
    # 1707.06347 sec. 4: a KL penalty that adapts, in place of the clip
    "ppo_penalty": {
        "advantage": "gae",
        "whiten": True,
        "objective": "penalty",
        "penalty_target": 0.01,
        "loss": "bnpo",
        "epochs": 4,
    },
    # DeepSeekMath 2402.03300; beta = 0 as in current practice (TRL's default), the paper used 0.04
    "grpo": {"advantage": "grpo", "loss": "grpo"},
    # TRL loss_type="bnpo"
    "bnpo": {"advantage": "grpo", "loss": "bnpo"},
    # Liu et al. 2503.20783: no division by the standard deviation, none by the length
    "dr_grpo": {"advantage": "dr_grpo", "loss": "dr_grpo"},
    # DAPO 2503.14476: clip-higher, token-level mean, dynamic sampling
    "dapo": {"advantage": "grpo", "loss": "dapo", "eps_high": 0.28, "dynamic_sampling": True},
    # GSPO 2507.18071: the ratio of whole sequences, and the paper's narrow clip for it
    "gspo": {"advantage": "grpo", "loss": "grpo", "ratio": "sequence", "eps_low": 3e-4, "eps_high": 4e-4},
    # MiniMax-M1 2506.13585; the paper names no ratio_max, 5 is from ScaleRL 2510.13786
    "cispo": {"advantage": "grpo", "loss": "dapo", "objective": "cispo"},
    # GDPO 2601.05242: every term of the reward is normalised in its group before they are summed
    "gdpo": {"advantage": "gdpo", "loss": "grpo"},
    # MT-GRPO 2505.11821: credit for turns; turn_rewards says what a turn is rewarded for
    "mt_grpo": {"advantage": "mt_grpo", "loss": "grpo"},
}
"""Named algorithms: what each one sets; settings given beside the name win."""


class Section(BaseModel):
    """A part of a configuration: frozen, and nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ValueConfig(Section):
    """The value model of PPO: a linear head on hidden states."""

    trunk: Literal["shared", "own"] = Field(
        default="shared", description="Hidden states of the policy, or of a copy that learns for itself."
    )
    init: str = Field(
        default="zero",
        pattern=r"^(zero|random|ckpt:.+)$",
        description="The head: zero, random, or ckpt:DIR of a reward model (and its trunk, if own).",
    )
    coef: float = Field(default=0.1, gt=0, description="Weight of the value loss.")
    clip: float | None = Field(
        default=0.2, gt=0, description="Values count within this distance of the old ones; none for all."
    )
    lr_scale: float = Field(default=1.0, gt=0, description="Its learning rate, in units of optimiser.lr.")


class AlgorithmConfig(Section):
    """Advantages and loss. A bare name stands for what ALGORITHMS says about it; fields beside it win."""

    name: str = Field(default="grpo", description="A key of ALGORITHMS, such as grpo, dapo or ppo.")
    advantage: AdvantageName = Field(default="grpo", description="How rewards become advantages.")
    baseline: Literal["none", "mean", "moving_average"] = Field(
        default="none",
        description="What reinforce subtracts: nothing, the batch's mean, or that of the past.",
    )
    baseline_decay: float = Field(default=0.9, ge=0, lt=1, description="How much of the past baseline stays.")
    gamma: float = Field(default=1.0, gt=0, le=1, description="Discount of a token (reinforce, gae).")
    lam: float = Field(default=0.95, ge=0, le=1, description="GAE's lambda; 1 is Monte Carlo.")
    whiten: bool = Field(
        default=False, description="Advantages to mean 0 and deviation 1 over the tokens of the batch."
    )
    turn_rewards: dict[str, float] = Field(
        default_factory=dict,
        description="Weights of what the environment counts in each turn, such as {tool_errors: -0.1}.",
    )
    turn_decay: float = Field(
        default=1.0, ge=0, le=1, description="mt_grpo: what a turn's credit hands on to the turn before."
    )
    objective: Literal["clip", "cispo", "vanilla", "penalty"] = Field(
        default="clip",
        description="What a token costs: PPO's clip, CISPO, -A log p, or a KL(old, new) penalty.",
    )
    ratio: Literal["token", "sequence"] = Field(
        default="token", description="Importance ratio of the clip: of the token, or of its sequence (GSPO)."
    )
    loss: LossName = Field(default="grpo", description="How the per-token losses are aggregated.")
    eps_low: float = Field(
        default=0.2, ge=0, lt=1, description="Lower clip: the ratio counts from 1 - eps_low."
    )
    eps_high: float = Field(default=0.2, ge=0, description="Upper clip: the ratio counts to 1 + eps_high.")
    dual_clip: float | None = Field(
        default=None, gt=1, description="The ratio counts at most this much where the advantage is negative."
    )
    ratio_max: float = Field(default=5.0, gt=0, description="CISPO's largest weight.")
    penalty: float = Field(default=1.0, ge=0, description="Weight of KL(old, new) in the objective penalty.")
    penalty_target: float | None = Field(
        default=None,
        gt=0,
        description="Double or halve the penalty to keep KL(old, new) near this; none: fixed.",
    )
    recompute_old: bool = Field(
        default=False, description="Old log-probabilities from the trainer's forward, not from the sampler."
    )
    importance_cap: float | None = Field(
        default=None,
        gt=0,
        description="Truncated importance sampling: weigh tokens by min(trainer/sampler, this).",
    )
    entropy_coef: float = Field(default=0.0, ge=0, description="Weight of the entropy bonus.")
    beta: float = Field(
        default=0.0, ge=0, description="Weight of the KL to the reference (the policy before RL)."
    )
    kl_in: Literal["loss", "reward"] = Field(
        default="loss", description="Where that KL counts: in the loss, or in each token's reward."
    )
    kl_target: float | None = Field(
        default=None, gt=0, description="Adapt beta to keep the KL (nats a token) near this; none: fixed."
    )
    kl_horizon: int = Field(
        default=10_000, ge=1, description="Samples in which beta adapts; larger is slower."
    )
    track_kl: bool = Field(
        default=True,
        description="Measure the KL on one micro-batch a step even if beta is 0 (keeps a frozen copy).",
    )
    kl_estimator: Literal["k1", "k2", "k3"] = Field(
        default="k3", description="Per-token estimator of that KL."
    )
    kl_unbiased: bool = Field(
        default=False, description="Weigh the KL in the loss by the importance ratio (DeepSeek-V3.2)."
    )
    missing_eos: float | None = Field(
        default=None, description="The reward of a completion that did not end by itself; none for its own."
    )
    reward_norm: Literal["none", "batch", "running"] = Field(
        default="none", description="Divide rewards by their deviation: in the batch, or over all so far."
    )
    value: ValueConfig = Field(default_factory=ValueConfig, description="The value model, for gae.")
    dynamic_sampling: bool = Field(
        default=False, description="Replace groups whose rewards are all equal (DAPO)."
    )
    max_resamples: int = Field(
        default=4, ge=1, description="Most rounds of sampling in a step with dynamic sampling."
    )
    epochs: int = Field(default=1, ge=1, description="Passes over the sampled batch.")
    minibatches: int = Field(default=1, ge=1, description="Optimiser steps in each pass.")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, data: Any) -> Any:
        if not isinstance(data, str | Mapping):
            return data  # pydantic says what is wrong with it
        given = {"name": data} if isinstance(data, str) else dict(data)
        name = given.get("name", "grpo")
        if name not in ALGORITHMS:
            raise UnknownNameError("algorithm", str(name), ALGORITHMS)
        return {**ALGORITHMS[name], **given}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuses settings that would have no effect."""
        over_turns = ("mt_grpo", "reinforce", "gae")
        for wrong, message in (
            (
                self.importance_cap is not None and not self.recompute_old,
                "importance_cap compares the trainer's log-probabilities with the sampler's: set recompute_old",
            ),
            (self.kl_target is not None and self.beta == 0, "kl_target adapts beta: start it above 0"),
            (self.kl_unbiased and self.kl_in == "reward", "kl_unbiased is for kl_in: loss"),
            (
                self.penalty_target is not None and self.objective != "penalty",
                "penalty_target is for objective: penalty",
            ),
            (
                self.dual_clip is not None and self.dual_clip <= 1 + self.eps_high,
                "dual_clip lies above 1 + eps_high",
            ),
            (
                bool(self.turn_rewards) and self.advantage not in over_turns,
                f"turn_rewards are for the advantages {', '.join(over_turns)}",
            ),
            (
                self.advantage == "gdpo" and (self.reward_norm != "none" or self.missing_eos is not None),
                "gdpo normalises the reward's terms: reward_norm and missing_eos have no place in it",
            ),
            (
                self.advantage == "gdpo" and self.beta > 0 and self.kl_in == "reward",
                "gdpo takes its rewards from the design's terms: use kl_in: loss",
            ),
        ):
            if wrong:
                raise ValueError(message)
        return self

    @property
    def has_value(self) -> bool:
        """Whether a value model is trained."""
        return self.advantage == "gae"

    @property
    def zero_advantages_teach(self) -> bool:
        """Whether tokens whose advantage is 0 still have a gradient."""
        in_loss = self.beta > 0 and self.kl_in == "loss"
        return in_loss or self.entropy_coef > 0 or self.has_value or self.objective == "penalty"

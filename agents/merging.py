"""Model merging: the weighted mean of weights (model soups, 2203.05482; long2short, Kimi k1.5 2501.12599)."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from rlvr_gym.agents.policy import Policy
from rlvr_gym.errors import ConfigError

__all__ = ["merge_policies", "merge_weights"]


def merge_weights(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """``sum_i share_i w_i`` of every weight, summed in float32 at least; whole numbers have to be equal.

    Args:
        states: state dicts of the same keys and shapes.
        shares: of each; they add up to 1.

    Raises:
        ConfigError: if the states do not fit together, or the shares do not add up.
    """
    if len(states) < 2 or len(shares) != len(states):
        raise ConfigError(
            f"A merge takes at least two policies and a share of each; got {len(states)} and {len(shares)}."
        )
    if not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise ConfigError(f"The shares of a merge add up to 1; {list(shares)} add up to {sum(shares):g}.")
    first = states[0]
    for number, other in enumerate(states[1:], start=2):
        _check_fit(first, other, number)
    return {key: _mean([state[key] for state in states], shares, key) for key in first}


def merge_policies(policies: Sequence[Policy], shares: Sequence[float] | None = None) -> Policy:
    """A new policy with the mean of the weights.

    Args:
        policies: of one architecture and tokenizer, and best of one ancestor: means of weights that were trained
            apart from the beginning are of no use.
        shares: of each; equal ones by default.

    Raises:
        ConfigError: if the policies do not fit together, or the shares do not add up.
    """
    shares = [1 / len(policies)] * len(policies) if shares is None else shares
    weights = merge_weights([policy.state_dict() for policy in policies], shares)
    first = policies[0]
    for number, other in enumerate(policies[1:], start=2):
        same_stops = other.tokenizer.stop_ids == first.tokenizer.stop_ids
        if not same_stops or other.describe().get("tokenizer") != first.describe().get("tokenizer"):
            raise ConfigError(f"Policies to be merged share a tokenizer; that of number {number} is another.")
    merged = copy.deepcopy(first)
    merged.load_state_dict(weights)
    return merged


def _check_fit(first: Mapping[str, Tensor], other: Mapping[str, Tensor], number: int) -> None:
    if first.keys() != other.keys():
        odd = sorted(first.keys() ^ other.keys())
        raise ConfigError(
            f"Policies to be merged have the same weights; number {number} differs from the first in {odd[0]!r} "
            f"(and {len(odd) - 1} more)."
        )
    for key, weight in first.items():
        if weight.shape != other[key].shape:
            raise ConfigError(
                f"Policies to be merged have the same shapes; {key!r} is {list(weight.shape)} in the first and "
                f"{list(other[key].shape)} in number {number}."
            )


def _mean(weights: Sequence[Tensor], shares: Sequence[float], key: str) -> Tensor:
    first = weights[0]
    if not first.is_floating_point():
        if any(not weight.equal(first) for weight in weights[1:]):
            raise ConfigError(f"{key!r} holds whole numbers that differ; there is no mean of them.")
        return first.clone()
    wide = [weight.double() if weight.dtype.itemsize == 8 else weight.float() for weight in weights]
    total = wide[0] * shares[0]
    for weight, share in zip(wide[1:], shares[1:], strict=True):
        total += weight.to(total.device) * share
    return total.to(first.dtype)

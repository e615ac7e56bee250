"""The decoding step through ``torch.compile``: fused kernels on a CPU, CUDA graphs on a GPU."""

from __future__ import annotations

from typing import Any

import torch
import torch._dynamo
import torch.fx.experimental._config

from rlvr_gym.agents.cache import Rounding, Seating, SharedCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.step import Slots, advance
from rlvr_gym.errors import ConfigError

__all__ = ["CompiledStep"]

_MOST_FORMS = 64
"""Compiled forms of the step that a process may have; policies, types and ways of sampling each need some."""


_SYMBOLS: Any = torch.fx.experimental._config
"""Where ``use_duck_shape=False`` says that sizes which are equal by chance are not the same size."""
_TRACING: Any = torch._dynamo.config
"""Where ``specialize_float=True`` says that a temperature is a constant."""


class CompiledStep:
    """A :data:`rlvr_gym.agents.step.Step` that torch has compiled.

    Numbers of rows, prompts and tokens are symbols in the compiled code, so that it holds for all of them. There is
    one form for groups and one for rows with a prompt each (torch tells 1 from other sizes), times the ways of sampling
    (temperature, top-p, top-k). Weights are read where they lie, so that a form serves them whatever they become.

    On a GPU a CUDA graph is recorded for each combination of sizes, which are rounded up to have few of them; what the
    graphs write to has to lie still, and is therefore kept from call to call.

    Args:
        device: of the policy.
        backend: of torch.compile.
    """

    def __init__(self, device: torch.device, backend: str | Any = "inductor") -> None:
        self._cuda = device.type == "cuda"
        self.rounding = Rounding(tokens=64 if self._cuda else 32, doubling=self._cuda, pairs=True)
        mode = "reduce-overhead" if self._cuda else None
        self._step = torch.compile(advance, fullgraph=True, dynamic=True, backend=backend, mode=mode)
        _TRACING.recompile_limit = max(_TRACING.recompile_limit, _MOST_FORMS)

    def keep(self, cache: SharedCache, slots: Slots) -> None:
        """Tells torch of a cache and slots that steps will be called with, again and again."""
        for stored in (cache.prompts, cache.rows):
            torch._dynamo.mark_static(stored, [0, 1, 3, 5])  # layers, key or value, heads, size of a head
        if self._cuda:
            for lasting in (
                cache.prompts,
                cache.rows,
                cache.starts,
                cache.columns,
                slots.stops,
                *slots.each(),
            ):
                torch._dynamo.mark_static_address(lasting, guard=False)

    def __call__(
        self,
        policy: Policy,
        cache: SharedCache,
        slots: Slots,
        seating: Seating,
        visible: int,
        params: SamplingParams,
    ) -> None:
        """See :func:`rlvr_gym.agents.step.advance`.

        Raises:
            ConfigError: if it cannot be compiled: there is no C++ compiler (or, for a GPU, no Triton), or the policy
                does something that torch cannot trace.
        """
        try:
            with _TRACING.patch(specialize_float=True), _SYMBOLS.patch(use_duck_shape=False):
                self._step(policy, cache, slots, seating, visible, params)
        except (torch._dynamo.exc.TorchDynamoException, torch._dynamo.exc.FailOnRecompileLimitHit) as error:
            raise ConfigError(_explain(error)) from error


def _explain(error: Exception) -> str:
    """One sentence: what failed, and what to do."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (
        "The decoding step cannot be compiled "
        f"({lines[0] if lines else type(error).__name__}); it takes a C++ compiler (g++), on a GPU Triton, and a policy "
        "that torch.compile can trace. Leave out sampling.compile to decode without."
    )

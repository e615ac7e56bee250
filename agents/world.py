"""Data parallelism over processes that ``torchrun`` started; alone, everything here does nothing.

Every process holds the whole policy (or, with ``optimiser.sharding: full``, a part of every weight of it:
:mod:`rlvr_gym.agents.sharding`) and the whole step's batch, and does its share of the work:

* sampling: each decodes a share of the rows, and the completions are gathered;
* verification: each verifies a share of the answers, and the verdicts are gathered;
* training: each computes the gradient of a share of each minibatch's rows; the shares are summed.

Random streams belong to rows and not to processes, and losses are normalised over the whole minibatch. So W
processes make the steps that one makes, up to the order in which numbers are added up.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from rlvr_gym.errors import ConfigError

__all__ = ["Sharding", "World"]

Sharding = Literal["none", "optimiser", "full"]
"""What processes keep a part of: nothing, AdamW's moments (ZeRO-1), or weights and gradients as well (FSDP2)."""

_T = TypeVar("_T")


class World:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: the number of this process.
        size: how many there are.
        sharding: what each keeps a part of only; ``none`` where there is one.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        sharding: Sharding = "none",
        device: torch.device | None = None,
    ) -> None:
        self.rank, self.size, self._device = rank, size, device
        self.sharding: Sharding = sharding if size > 1 else "none"

    @classmethod
    def join(cls, device: torch.device, sharding: Sharding = "none") -> World:
        """The world that ``torchrun`` made, or this process alone.

        Raises:
            ConfigError: if the processes do not find each other.
        """
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        if not dist.is_initialized():
            try:
                dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
            except (RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"WORLD_SIZE is {size}, but the processes do not find each other ({error}); "
                    "start them by torchrun --nproc-per-node N -m rlvr_gym train ... --run-dir DIR"
                ) from error
            atexit.register(dist.destroy_process_group)
        return cls(dist.get_rank(), size, sharding, device)

    @property
    def main(self) -> bool:
        """Whether this process writes checkpoints and talks."""
        return self.rank == 0

    def birthplace(self, device: torch.device) -> torch.device:
        """Where models are made: on the device, or in main memory if a device will only ever hold a part of them."""
        return torch.device("cpu") if self.sharding == "full" else device

    def home(self, made_on: torch.device) -> torch.device:
        """The inverse of :meth:`birthplace`: where a model will lie once training begins, and where it is sampled."""
        return self._device if self.sharding == "full" and self._device is not None else made_on

    def share(self, items: Sequence[_T]) -> Sequence[_T]:
        """This process's part of some work: every size-th item."""
        return items[self.rank :: self.size]

    def deal(self, items: Sequence[_T], size: int) -> Iterator[tuple[Sequence[_T], bool]]:
        """This process's part in batches of ``size``, and whether each counts.

        Every process gets as many batches, as passes over weights that are spread are made by all together. Where
        one has no items left it gets the first of all once more, which does not count.
        """
        mine = self.share(items)
        for first in range(0, -(-len(items) // self.size), size):
            batch = mine[first : first + size]
            yield (batch, True) if batch else (items[:1], False)

    def gather(self, part: Sequence[_T]) -> list[_T]:
        """The results of all parts, in the order of the items that :meth:`share` split."""
        if self.size == 1:
            return list(part)
        parts: list[Sequence[_T]] = [()] * self.size
        dist.all_gather_object(parts, part)
        return [parts[i % self.size][i // self.size] for i in range(sum(map(len, parts)))]

    def sum(self, *tensors: Tensor) -> None:
        """Adds the tensors of all processes up, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.all_reduce(tensor)

    def sum_number(self, number: float) -> float:
        """The sum of a number over all processes."""
        if self.size == 1:
            return number
        return sum(self.gather([number]))

    def sum_gradients(self, weights: Iterable[Tensor]) -> None:
        """Adds gradients up; a weight that has one in some process has it in all of them afterwards.

        Those of weights that are spread over the processes were added up in the backward pass.
        """
        weights = [w for w in weights if w.requires_grad and not isinstance(w, DTensor)]
        if self.size == 1 or not weights:
            return
        has = torch.tensor([float(w.grad is not None) for w in weights], device=weights[0].device)
        self.sum(has)
        for weight, count in zip(weights, has.tolist(), strict=True):
            if count:
                if weight.grad is None:
                    weight.grad = torch.zeros_like(weight)
                self.sum(weight.grad)

    def agree(self, decide: Callable[[], bool]) -> bool:
        """What the main process decides."""
        if self.size == 1:
            return decide()
        answer = [decide() if self.main else False]
        dist.broadcast_object_list(answer)
        return answer[0]

    def barrier(self) -> None:
        """Waits until all are here."""
        if self.size > 1:
            dist.barrier()

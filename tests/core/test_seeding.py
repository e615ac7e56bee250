"""Generators computed in blocks are those of numpy's SeedSequence."""

import numpy as np
import pytest

from rlvr_gym.errors import SeedError
from rlvr_gym.seeding import TaskRngs, pcg64_states
from rlvr_gym.task import SEED_LIMIT, task_rng


@pytest.mark.parametrize("seed", [0, 1, 2**31 + 5, SEED_LIMIT - 1])
@pytest.mark.parametrize("first", [0, 1, 65_535, SEED_LIMIT - 256])
def test_states_are_those_of_the_seed_sequence(seed, first):
    states = pcg64_states(seed, first, 256)
    for place in (0, 1, 77, 255):
        expected = np.random.SeedSequence([seed, first + place]).generate_state(4, np.uint64)
        assert states[place].tolist() == expected.tolist()


@pytest.mark.parametrize(
    "order",
    [range(600), range(600, 0, -1), [3, 4, 5, 900, 4, 5, 6, 0], range(SEED_LIMIT - 300, SEED_LIMIT)],
    ids=["rising", "falling", "mixed", "to the end"],
)
def test_any_order_gives_the_generators_of_the_tasks(order):
    rngs = TaskRngs(7)
    for index in order:
        assert rngs[index].bit_generator.state == task_rng(7, index).bit_generator.state


@pytest.mark.parametrize("index", [-1, SEED_LIMIT])
def test_an_index_out_of_range_is_told(index):
    rngs = TaskRngs(7)
    rngs[SEED_LIMIT - 1]
    with pytest.raises(SeedError, match="task indices"):
        rngs[index]

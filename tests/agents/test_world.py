"""How work and models are dealt to processes, seen from each of them; no process is started."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.agents.world import World


@given(st.integers(0, 30), st.integers(1, 5), st.integers(1, 7))
def test_every_process_makes_as_many_passes_and_every_item_counts_once(count, processes, size):
    dealt = [list(World(rank, processes).deal(range(count), size)) for rank in range(processes)]
    assert len({len(passes) for passes in dealt}) == 1
    assert all(0 < len(batch) <= size for passes in dealt for batch, _ in passes)
    counted = [item for passes in dealt for batch, counts in passes if counts for item in batch]
    assert sorted(counted) == list(range(count))


def test_a_model_that_will_be_spread_is_made_in_main_memory_and_sampled_where_it_goes():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    spread, plain, alone = World(0, 2, "full", gpu), World(0, 2, "optimiser", gpu), World(sharding="full")
    assert (spread.birthplace(gpu), spread.home(cpu)) == (cpu, gpu)
    assert (plain.birthplace(gpu), plain.home(gpu)) == (gpu, gpu)
    assert (alone.birthplace(cpu), alone.home(cpu)) == (cpu, cpu)

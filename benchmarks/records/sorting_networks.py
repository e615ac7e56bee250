"""Makes ``datasets/optimisation/sorting_networks.jsonl``: the smallest sorting networks that a search finds.

    python benchmarks/records/sorting_networks.py --seconds 120

A network is a list of comparators ``(a, b)``, a < b, that put the smaller value on channel a. Its first layer is
``(0, 1), (2, 3), ...``, which loses nothing. What the first layer can put out of all inputs of 0 and 1 is kept as one
long integer a channel, one bit an input; a comparator is then an AND and an OR. From Batcher's merge exchange
(Knuth, The Art of Computer Programming 3, algorithm 5.2.2M), random changes that keep the network sorting are
accepted as long as it does not grow, and comparators that do nothing are dropped.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from itertools import pairwise, product
from pathlib import Path

FILE = Path(__file__).parents[2] / "datasets" / "optimisation" / "sorting_networks.jsonl"
# proved minimal: Codish et al. 2014 (arXiv 1405.5754) for 9 and 10 channels, Harder 2020 (2012.04400) for 11 and 12
BEST_KNOWN = {4: 5, 5: 9, 6: 12, 7: 16, 8: 19, 9: 25, 10: 29, 11: 35, 12: 39}
Network = list[tuple[int, int]]


def merge_exchange(n: int) -> Network:
    """Batcher's network."""
    network: Network = []
    top = 1 << (n - 1).bit_length() - 1
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            network += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return network


def inputs_after(n: int, prefix: Network) -> tuple[list[int], int]:
    """What the prefix puts out of all inputs of 0 and 1: one integer a channel, and how many different ones."""
    outputs = set()
    for bits in product((0, 1), repeat=n):
        values = list(bits)
        for a, b in prefix:
            values[a], values[b] = min(values[a], values[b]), max(values[a], values[b])
        outputs.add(tuple(values))
    rows = sorted(outputs)
    return [sum(row[channel] << i for i, row in enumerate(rows)) for channel in range(n)], len(rows)


def useful(network: Network, channels: list[int]) -> Network | None:
    """The comparators that do something, if the network sorts."""
    state, kept = list(channels), []
    for a, b in network:
        low, high = state[a] & state[b], state[a] | state[b]
        if low != state[a]:
            state[a], state[b] = low, high
            kept.append((a, b))
    return kept if all(not (x & ~y) for x, y in pairwise(state)) else None


def change(network: Network, n: int, rng: random.Random) -> Network:
    """A few random edits."""
    edited = list(network)
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        kind, i = rng.random(), rng.randrange(len(edited))
        if kind < 0.35:
            edited[i] = tuple(sorted(rng.sample(range(n), 2)))  # type: ignore[assignment]
        elif kind < 0.55:
            edited.insert(rng.randrange(len(edited) + 1), edited.pop(i))
        elif kind < 0.7 and len(edited) > 1:
            edited.pop(i)
        elif kind < 0.85:
            j = rng.randrange(len(edited))
            edited[i], edited[j] = edited[j], edited[i]
        else:
            edited.insert(i, tuple(sorted(rng.sample(range(n), 2))))  # type: ignore[arg-type]
    return edited


def search(n: int, seconds: float, rng: random.Random) -> Network:
    """The smallest network found, first layer included; stops early at the best known size."""
    layer = [(i, i + 1) for i in range(0, n - 1, 2)]
    channels, _ = inputs_after(n, layer)
    start = useful(merge_exchange(n), channels)
    assert start is not None
    best, stop = start, time.monotonic() + seconds
    current, since = start, 0
    while len(best) + len(layer) > BEST_KNOWN[n] and time.monotonic() < stop:
        since += 1
        other = useful(change(current, n, rng), channels)
        if other is not None and len(other) <= len(current) + (rng.random() < 0.0005):
            since = 0 if len(other) < len(current) else since
            current = other
            if len(current) < len(best):
                best = current
        if since > 300_000:
            current, since = best, 0
    return layer + best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="for each number of channels, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    rows = {}
    if FILE.exists():
        rows = {row["n"]: row for row in map(json.loads, FILE.read_text().splitlines())}
    for n, known in BEST_KNOWN.items():
        if n in rows and rows[n]["size"] == known:
            continue
        network = search(n, options.seconds, rng)
        print(n, len(network), "best known", known, flush=True)
        if n not in rows or len(network) < rows[n]["size"]:
            rows[n] = {"n": n, "size": len(network), "best_known": known, "network": network}
            FILE.write_text("".join(json.dumps(rows[key]) + "\n" for key in sorted(rows)))


if __name__ == "__main__":
    main()

"""Our math verifier and Math-Verify on the same pairs, one after the other in one process.

    python benchmarks/math_verify.py [--pairs 2000] [--seed 0] [--show 40]

Pairs come from four places: spellings of random answers made here (with near misses), the answers of the math
environments in other spellings and against each other's, and, where ``RLVR_GYM_DATA`` or ``../shared/data`` has them,
the answers of MATH-500 and GSM8K. What is right is known for every pair. The two verifiers take turns, pair by pair,
so that both see the same machine. Caches of ours are emptied before each pair: nothing is reused from an earlier one.

Needs ``pip install 'math-verify[antlr4_13_2]'``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rlvr_gym.registration import list_envs
from rlvr_gym.task import Task
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.math import parser, reading


@dataclass(frozen=True)
class Pair:
    """A reference, an answer, and whether they are the same."""

    source: str
    gold: str
    answer: str
    same: bool


# -- pairs made here --------------------------------------------------------------------------------------------


def _fraction(rng: random.Random) -> tuple[str, list[str], list[str]]:
    value = Fraction(rng.randint(-40, 40) or 7, rng.randint(2, 12))
    while value.denominator == 1:
        value += Fraction(1, rng.randint(2, 12))
    n, d, sign = abs(value.numerator), value.denominator, "-" if value < 0 else ""
    k = rng.randint(2, 5)
    same = [f"{sign}{n}/{d}", f"{sign}\\dfrac{{{n}}}{{{d}}}", f"\\frac{{{sign}{n * k}}}{{{d * k}}}"]
    rounded = f"{float(value):.3f}"
    different = [f"{sign}\\frac{{{n + 1}}}{{{d}}}"] + [rounded] * (Fraction(rounded) != value)
    return f"{sign}\\frac{{{n}}}{{{d}}}", same, different


def _radical(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(2, 9), rng.choice([2, 3, 5, 6, 7, 10, 11, 13])
    same = [
        f"\\sqrt{{{a * a * b}}}",
        f"{a}\\cdot\\sqrt{{{b}}}",
        f"{a}sqrt({b})",
        f"\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}",
    ]
    return (
        f"{a}\\sqrt{{{b}}}",
        same,
        [f"{b}\\sqrt{{{a}}}" if a != b else f"{a + 1}\\sqrt{{{b}}}", f"\\sqrt{{{a * b}}}"],
    )


def _polynomial(rng: random.Random) -> tuple[str, list[str], list[str]]:
    p, q = rng.randint(1, 9), rng.randint(1, 9)
    same = [f"x^2+{p + q}x+{p * q}", f"(x+{q})(x+{p})", f"{p * q} + {p + q}*x + x**2"]
    return (
        f"(x+{p})(x+{q})",
        same,
        [f"x^2+{p + q}x+{p * q + 1}", f"(x-{p})(x-{q})", f"x^2+{p + q}x+{p * q}=0"],
    )


def _interval(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a = rng.randint(-9, 5)
    b = a + rng.randint(1, 9)
    same = [f"{a} < x \\le {b}", f"x \\in ({a}, {b}]", f"\\left({a},{b}\\right]"]
    return f"({a},{b}]", same, [f"[{a},{b}]", f"({a},{b})", f"{a} \\le x < {b}"]


def _point(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.sample(range(-9, 10), 2)
    same = [f"\\left( {a}, {b} \\right)", f"x={a}, y={b}", f"({a}.0, {b})"]
    return f"({a},{b})", same, [f"({b},{a})", f"({a},{b + 1})", f"\\{{{a},{b}\\}}"]


def _roots(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.sample(range(-9, 10), 2)
    same = [f"{b}, {a}", f"\\{{{a}, {b}\\}}", f"x={a} \\text{{ or }} x={b}"]
    return f"{a}, {b}", same, [f"{a}", f"{a}, {b}, {b + 20}", f"{a}, {b + 20}"]


def _power(rng: random.Random) -> tuple[str, list[str], list[str]]:
    n = rng.randint(60, 120)
    return (
        f"2^{{-{n}}}",
        [f"\\frac{{1}}{{2^{{{n}}}}}", f"1/2^{{{n}}}"],
        [f"\\frac{{1}}{{2^{{{n - 1}}}}}", "0"],
    )


def _angle(rng: random.Random) -> tuple[str, list[str], list[str]]:
    k = rng.randint(2, 12)
    same = [f"pi/{k}", f"\\pi/{k}", f"\\dfrac{{\\pi}}{{{k}}}", f"\\frac{{1}}{{{k}}}\\pi"]
    return f"\\frac{{\\pi}}{{{k}}}", same, [f"\\frac{{\\pi}}{{{k + 1}}}", f"{k}\\pi", f"{3.14159265 / k:.4f}"]


def _thousands(rng: random.Random) -> tuple[str, list[str], list[str]]:
    n = rng.randint(1000, 999_999)
    return (
        f"{n}",
        [f"{n:,}", f"\\${n:,}", f"{n}.00", f"{n:,}".replace(",", "{,}")],
        [f"{n + 1:,}", f"{n // 10}"],
    )


_MAKERS: tuple[Callable[[random.Random], tuple[str, list[str], list[str]]], ...] = (
    _fraction, _radical, _polynomial, _interval, _point, _roots, _power, _angle, _thousands,
)  # fmt: skip


def made_pairs(rng: random.Random) -> Iterator[Pair]:
    """An endless stream over all the makers."""
    while True:
        for maker in _MAKERS:
            gold, same, different = maker(rng)
            source = f"made: {maker.__name__[1:]}"
            yield Pair(source, gold, rng.choice(same), True)
            yield Pair(source, gold, rng.choice(different), False)


# -- pairs from environments and data sets ----------------------------------------------------------------------


def _respelled(answer: str) -> str:
    """The same answer as another hand would write it."""
    return answer.replace("\\frac", "\\dfrac").replace("*", " \\cdot ").replace(",", ", ")


def environment_pairs(seed: int, tasks_each: int = 12) -> Iterator[Pair]:
    """The answers of the environments that are judged by ``math`` itself."""
    for entry in list_envs():
        if entry.family != "math" or entry.needs or getattr(entry.problem, "verifier", "") != "math":
            continue
        source = entry.make_problem().source(seed)
        answers = [str(source[i].answer) for i in range(tasks_each)]
        for answer in answers:
            yield Pair(f"environment: {entry.id}", answer, _respelled(answer), True)


def data_pairs(rng: random.Random) -> Iterator[Pair]:
    """MATH-500 and GSM8K: each answer as it is and respelled."""
    root = Path(
        os.environ.get("RLVR_GYM_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    )
    for name, path in (("MATH-500", root / "math500/test.jsonl"), ("GSM8K", root / "gsm8k/test.jsonl")):
        if not path.exists():
            print(f"{name} is not at {path}: left out.")
            continue
        rows = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
        golds = [row.rpartition("####")[2].strip() for row in rows]
        for gold in golds:
            yield Pair(name, gold, gold if rng.random() < 0.5 else _respelled_text(gold), True)
            other = rng.choice(golds)
            if gold.isdigit() and other.isdigit() and gold != other:
                yield Pair(name, gold, other, False)


def _respelled_text(gold: str) -> str:
    return gold.replace("\\frac", "\\dfrac").replace("\\left", "").replace("\\right", "")


# -- the two verifiers ------------------------------------------------------------------------------------------


def _ours() -> Callable[[Pair], str]:
    verifier = get_verifier("math")

    def judge(pair: Pair) -> str:
        reading._read_short.cache_clear()
        parser._parse_short.cache_clear()
        verdict = verifier.verify(f"\\boxed{{{pair.answer}}}", Task(prompt="", answer=pair.gold))
        return str(verdict.reason)

    return judge


def _theirs() -> Callable[[Pair], str]:
    here = (
        Path(__file__).resolve().parent
    )  # this file has the package's name and must not be found in its place
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)

    def judge(pair: Pair) -> str:
        try:
            right = verify(parse(f"\\boxed{{{pair.gold}}}"), parse(f"\\boxed{{{pair.answer}}}"))
        except Exception as error:
            return type(error).__name__
        return "correct" if right else "wrong"

    return judge


def main() -> None:
    """Runs both over the pairs and prints agreement, disagreements and rates."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--pairs", type=int, default=1500, help="at most so many made here")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--show", type=int, default=200, help="at most so many disagreements printed")
    args = options.parse_args()

    rng = random.Random(args.seed)
    made = made_pairs(rng)
    pairs = [next(made) for _ in range(args.pairs)]
    pairs += [*environment_pairs(args.seed), *data_pairs(rng)]
    rng.shuffle(pairs)

    judges = {"ours": _ours(), "Math-Verify": _theirs()}
    for judge in judges.values():  # imports and first calls are not measured
        for pair in pairs[:20]:
            judge(pair)
    seconds, verdicts = dict.fromkeys(judges, 0.0), {name: [] for name in judges}
    slowest = dict.fromkeys(judges, 0.0)
    for i, pair in enumerate(pairs):
        for name in sorted(judges, reverse=bool(i % 2)):  # who goes first alternates
            started = time.perf_counter()
            verdicts[name].append(judges[name](pair))
            took = time.perf_counter() - started
            seconds[name] += took
            slowest[name] = max(slowest[name], took)
    _report(pairs, verdicts, seconds, slowest, args.show)


def _report(
    pairs: list[Pair],
    verdicts: dict[str, list[str]],
    seconds: dict[str, float],
    slowest: dict[str, float],
    show: int,
) -> None:
    ours, theirs = verdicts["ours"], verdicts["Math-Verify"]
    disagreements = [
        (p, a, b) for p, a, b in zip(pairs, ours, theirs, strict=True) if (a == "correct") != (b == "correct")
    ]
    print(f"\nDisagreements: {len(disagreements)} of {len(pairs)} pairs")
    for pair, a, b in disagreements[:show]:
        right = "ours" if (a == "correct") == pair.same else "Math-Verify"
        print(
            f"  [{right} is right] {pair.gold!r} ~ {pair.answer!r}: ours {a}, Math-Verify {b} ({pair.source})"
        )
    print(f"\n{'source':<40}{'pairs':>7}{'ours right':>13}{'Math-Verify right':>20}")
    for source in [*sorted({pair.source for pair in pairs}), "all"]:
        rows = [i for i, pair in enumerate(pairs) if source in ("all", pair.source)]
        right = [sum((v[i] == "correct") == pairs[i].same for i in rows) for v in (ours, theirs)]
        print(f"{source:<40}{len(rows):>7}{right[0] / len(rows):>13.2%}{right[1] / len(rows):>20.2%}")
    print()
    for name in verdicts:
        rate = len(pairs) / seconds[name]
        print(
            f"{name:<12} {rate:>9.0f} pairs/s, {1e3 / rate:.3f} ms a pair, slowest {slowest[name] * 1e3:.1f} ms"
        )
    print(f"ratio {seconds['Math-Verify'] / seconds['ours']:.1f}x")


if __name__ == "__main__":
    main()

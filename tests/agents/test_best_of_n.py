"""Best-of-n: which attempts are kept, how they are told again, and how they are kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.agents.best_of_n import Attempt, read_attempts, retell, sample_attempts, select, write_attempts
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine, in_turns
from rlvr_gym.agents.sft import demonstrate
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.errors import DataError


def attempt(words: str, length: int, **changes: Any) -> Attempt:
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": words}]
    fields = {"messages": messages, "tokens": [1] * (length + 1), "mask": [False] + [True] * length}
    return Attempt(**{**fields, "correct": True, "valid": True, "finished": True, **changes})  # type: ignore[arg-type]


GROUP = [
    attempt("wrong", 1, correct=False),
    attempt("long", 9),
    attempt("cut off", 2, finished=False),
    attempt("short", 3),
    attempt("long", 9),
    attempt("tied", 3),
    attempt("unjudged", 2, correct=False, valid=False),
]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("first", ["long"]), ("shortest", ["short"]), ("all", ["long", "short", "tied"])],
)
def test_what_is_kept(keep: Any, expected: list[str]) -> None:
    kept = select([GROUP, GROUP[:1]], keep)
    assert sorted(a.messages[1]["content"] for a in kept) == sorted(expected)
    assert all(a.right for a in kept)


def test_attempts_are_judged_and_come_back_from_disk(micro_config: TrainConfig, tmp_path: Path) -> None:
    settings = make_settings(micro_config)
    tasks = [settings.problem.source(0)[i] for i in range(3)]
    engine = RolloutEngine(load_policy("micro"))
    params = micro_config.sampling.params()
    groups = sample_attempts(engine, settings, tasks, params, 4, seed=1)
    assert [len(group) for group in groups] == [4, 4, 4]
    for task, group in zip(tasks, groups, strict=True):
        for one in group:
            assert one.messages[0]["content"] == task.prompt
            assert one.length <= 24
            assert one.valid
    assert len({a.words for group in groups for a in group}) > 6
    assert groups == sample_attempts(engine, settings, tasks, params, 4, seed=1)
    assert groups != sample_attempts(engine, settings, tasks, params, 4, seed=2)
    write_attempts(tmp_path / "a.jsonl", groups)
    assert read_attempts(tmp_path / "a.jsonl") == groups


@pytest.mark.parametrize("text", ["{", "[{}]", "[3]", "null"])
def test_files_that_hold_no_attempts(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"a\.jsonl holds no attempts; delete it"):
        read_attempts(tmp_path / "a.jsonl")


def scripted(policy: Policy, say: Callable[[int, int], str]) -> RolloutEngine:
    """An engine that says given words: ``say(row, turn)``."""
    engine = RolloutEngine(policy)

    def generate(prompts: Any, params: Any, *, rows: list[int], turn: int, **_: Any) -> list[Completion]:
        texts = [say(row, turn) for row in rows]
        tokens = [policy.tokenizer.encode_completion(text) for text in texts]
        return [Completion(t, [0.0] * len(t), True, text) for t, text in zip(tokens, texts, strict=True)]

    engine.generate = generate  # type: ignore[assignment]
    engine.converse = partial(in_turns, engine)  # type: ignore[method-assign]
    return engine


def test_verdicts_reach_attempts(micro_config: TrainConfig) -> None:
    settings = make_settings(micro_config)
    task = settings.problem.source(0)[0]
    words = settings.template.demonstrate(task.solution, task.answer)
    engine = scripted(load_policy("micro"), lambda row, _: words if row == 1 else "nothing")
    (group,) = sample_attempts(engine, settings, [task], micro_config.sampling.params(), 3, seed=0)
    assert [a.right for a in group] == [False, True, False]
    assert group[1].words == (words,)
    assert group[1].demonstration() == demonstrate(settings, task, engine.policy.tokenizer)


def test_told_again_a_conversation_has_its_own_tokens(micro_config: TrainConfig) -> None:
    """Several turns: prompts, replies and ends stand where they stood in the episode."""
    env = {"id": "rlvr/GuessTheNumber-v0", "settings": {"largest": 7}}
    settings = make_settings(TrainConfig.parse({**micro_config.to_dict(), "env": env}))
    policy = load_policy("micro")
    engine = scripted(policy, lambda row, turn: f"<answer>{1 + (row + turn) % 7}</answer>")
    tasks = [settings.problem.source(0)[i] for i in range(4)]
    groups = sample_attempts(engine, settings, tasks, micro_config.sampling.params(), 7, seed=0)
    attempts = [a for group in groups for a in group]
    assert {len(a.words) for a in attempts} >= {1, 2, 3}
    assert any(a.right for a in attempts)
    for one in attempts:
        again = retell(one.messages, policy.tokenizer)
        assert (again.tokens, again.mask) == (one.tokens, one.mask)


def test_told_in_another_alphabet() -> None:
    conversation = [
        {"role": "user", "content": "ab"},
        {"role": "assistant", "content": "ba"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "the end, which nobody has to learn"},
    ]
    tokenizer = CharTokenizer("ba")
    b, a = tokenizer.encode("b")[0], tokenizer.encode("a")[0]
    bos, eos, sep = tokenizer.bos_id, tokenizer.eos_id, tokenizer.sep_id
    told = retell(conversation, tokenizer)
    assert told.tokens == [bos, a, b, sep, b, a, eos, b, sep, a, eos]
    assert told.mask == [False] * 4 + [True] * 3 + [False] * 2 + [True] * 2
    with pytest.raises(DataError, match="role 'assistant'"):
        retell(conversation[:1], tokenizer)

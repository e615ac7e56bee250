"""The conformance suite finds what it is there to find: one defect each."""

import os
from dataclasses import dataclass
from typing import ClassVar

import pytest

from rlvr_gym import AnswerVerifier, Dialogue, Problem, Reply, Task, Verdict, register
from rlvr_gym.testing import ConformanceError, check_text_env


class Exact(AnswerVerifier):
    def check(self, answer, task):
        return Verdict.right(answer) if answer == task.answer else Verdict.wrong(extracted=answer)


class Anything(AnswerVerifier):
    def check(self, answer, task):
        return Verdict.right(answer)


class Raising(AnswerVerifier):
    def check(self, answer, task):
        return Verdict.right(answer) if int(answer) == int(task.answer) else Verdict.wrong(extracted=answer)


class Unstripped(AnswerVerifier):
    def judge(self, completion, task):
        return Verdict.right(completion) if completion == task.answer else Verdict.wrong(extracted=completion)

    check = judge


class Generous(AnswerVerifier):
    def check(self, answer, task):
        return (
            Verdict.right(answer)
            if answer.isdigit() and len(answer) == 12
            else Verdict.wrong(extracted=answer)
        )


@dataclass(frozen=True, kw_only=True)
class Sound(Problem):
    """Repeat a number backwards."""

    judge: ClassVar[type[AnswerVerifier]] = Exact

    def make_verifier(self):
        return self.judge()

    def generate(self, rng, difficulty):
        number = "".join(map(str, rng.integers(1, 10, size=11 + difficulty)))
        return Task(
            prompt=self.words(number),
            answer=number[::-1],
            metadata={"hardness": self.hardness(number)},
            solution=f"{number} backwards is {number[::-1]}.",
        )

    def words(self, number):
        return f"Write {number} backwards, such as <answer>321</answer>."

    def hardness(self, number):
        return len(number)


register("conformance/Sound-v0", Sound, family="test")


def defective(name, **members):
    cls = dataclass(frozen=True, kw_only=True)(type(name, (Sound,), {"__doc__": "x", **members}))
    register(f"conformance/{name}-v0", cls, family="test")
    return f"conformance/{name}-v0"


def random_prompt(self, number):
    return f"{os.urandom(4).hex()}: write {number} backwards, such as <answer>321</answer>."


DEFECTS = {
    "Silent": ({"words": lambda s, n: f"Write {n} backwards."}, "no answer format"),
    "Telling": (
        {"words": lambda s, n: f"Write {n} backwards (it is {n[::-1]}) in <answer>."},
        "contain their answer",
    ),
    "ExampleIsAnswer": (
        {"words": lambda s, n: f"Write it: <answer>{n[::-1]}</answer>"},
        "contain their answer|scores",
    ),
    "Flat": ({"hardness": lambda s, n: 1}, "rank correlation 0.00"),
    "Falling": ({"hardness": lambda s, n: -len(n)}, "rank correlation -1.00"),
    "Unmeasured": ({"hardness": lambda s, n: "hard"}, "has to be a number"),
    "OneSeed": ({"source": lambda s, seed: Problem.source(s, 0)}, "seeds 11 and 12 share"),
    "Random": ({"words": random_prompt}, "check_env|gives another task|round-trip"),
    "Accepting": ({"judge": Anything}, "'banana' scores 1.0|scores"),
    "RaisesOnText": ({"judge": Raising}, "verifying .* failed"),
    "NoExtraction": ({"judge": Unstripped}, "reference answer in the form"),
    "ByLength": (
        {"judge": Generous, "answer_text": lambda s, t: t.answer[:12]},
        "another task's answer is right",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name):
    members, message = DEFECTS[name]
    with pytest.raises(ConformanceError, match=message):
        check_text_env(defective(name, **members), across_processes=False)


def test_a_sound_environment_passes():
    check_text_env("conformance/Sound-v0", across_processes=False)


@dataclass(frozen=True, kw_only=True)
class Door(Dialogue):
    """Say the number backwards, twice."""

    stubborn: ClassVar[bool] = False
    fragile: ClassVar[bool] = False
    open: ClassVar[bool] = False

    def make_verifier(self):
        return Exact()

    def generate(self, rng, difficulty):
        number = str(rng.integers(10**9, 10**10))
        prompt = f"Say {number} backwards, twice, in <answer> tags."
        return Task(prompt=prompt, answer=number[::-1], metadata={"hardness": difficulty})

    def start(self, task):
        return [0]

    def reply(self, task, state, action):
        if self.fragile and "\0" in action:
            raise ValueError("NUL")
        state[0] += action == task.answer and not self.stubborn
        if state[0] == 2 or self.open:
            return Reply(verdict=Verdict.right())
        return Reply(text="Again.")

    def oracle(self, task, state):
        return task.answer


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (None, None),
        ("stubborn", "the oracle ends with"),
        ("fragile", "raised ValueError"),
        ("open", "hostile action"),
    ],
)
def test_conversations(member, message):
    name = f"Door{member or 'Sound'}"
    cls = dataclass(frozen=True, kw_only=True)(
        type(name, (Door,), {"__doc__": "x", **({member: True} if member else {})})
    )
    register(f"conformance/{name}-v0", cls, family="test")
    if message is None:
        check_text_env(f"conformance/{name}-v0", across_processes=False)
        return
    with pytest.raises(ConformanceError, match=message):
        check_text_env(f"conformance/{name}-v0", across_processes=False)


HASHING_PLUGIN = """
from dataclasses import dataclass

from rlvr_gym import Problem, Task, register


@register("conformance/Hashing-v0", family="test")
@dataclass(frozen=True, kw_only=True)
class Hashing(Problem):
    verifier = "rational"

    def generate(self, rng, difficulty):
        return Task(prompt=" ".join({"some", "words", "in", "a", "set"}), answer="1", metadata={"hardness": difficulty})
"""


def test_dependence_on_the_hash_seed_is_found(tmp_path, monkeypatch):
    (tmp_path / "hashing_plugin.py").write_text(HASHING_PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    import hashing_plugin  # noqa: F401

    from rlvr_gym.testing import check_determinism

    check_determinism({"rlvr/Arithmetic-v0": {"difficulty": 2}})
    with pytest.raises(ConformanceError, match="PYTHONHASHSEED"):
        check_determinism({"conformance/Hashing-v0": {}})

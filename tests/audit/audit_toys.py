"""Environments that are broken on purpose, one hole each; importable by the audit's worker processes."""

import os
import re
import time
from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym import AnswerVerifier, Dialogue, Problem, Reply, Task, Verdict, Verifier, register
from rlvr_gym.extraction import extract_answer
from rlvr_gym.verdict import Reason

NUMBER = re.compile(r"-?\d+", re.ASCII)


class Exact(AnswerVerifier):
    def check(self, answer, task):
        return Verdict.right(answer) if answer == task.answer else Verdict.wrong(extracted=answer[:200])


class Everything(Verifier):
    def judge(self, completion, task):
        return Verdict.right(completion[:200])


class FirstNumber(AnswerVerifier):
    """The first number in the answer counts, whatever follows."""

    def check(self, answer, task):
        found = NUMBER.search(answer)
        right = found is not None and found.group() == task.answer
        return Verdict.right(answer[:200]) if right else Verdict.wrong(extracted=answer[:200])


class Anywhere(Verifier):
    """The answer has only to be somewhere in the text."""

    def judge(self, completion, task):
        return Verdict.right() if task.answer in completion else Verdict.wrong()


class NotFar(AnswerVerifier):
    """Not farther than a tolerance: and nan is not far from anything."""

    def check(self, answer, task):
        try:
            far = abs(float(answer) - float(task.answer)) > 1e-6
        except ValueError:
            return Verdict.wrong(Reason.UNPARSEABLE)
        return Verdict.wrong() if far else Verdict.right()


class Raises(AnswerVerifier):
    def check(self, answer, task):
        return Verdict.right() if int(answer) == int(task.answer) else Verdict.wrong()


class Crashes(AnswerVerifier):
    def check(self, answer, task):
        if "[[" in answer:
            os._exit(3)
        return Exact.check(self, answer, task)


class Hangs(AnswerVerifier):
    def check(self, answer, task):
        if "\x1b" in answer:
            while True:
                time.sleep(1)
        return Exact.check(self, answer, task)


class Evals(AnswerVerifier):
    def check(self, answer, task):
        try:
            value = eval(answer, {})
        except Exception:
            return Verdict.wrong(Reason.UNPARSEABLE)
        return Verdict.right() if type(value) is int and str(value) == task.answer else Verdict.wrong()


class Contained(AnswerVerifier):
    """Evaluates answers, too, but in a process of its own that can write nowhere; it tells when that one dies."""

    def check(self, answer, task):
        pid = os.fork()
        if pid == 0:
            try:
                eval(answer, {"open": None, "__builtins__": {"__import__": _only_os}})
            except BaseException:
                os._exit(0)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) == 9:
            return Verdict.failed(Reason.WORKER_CRASHED)
        return Exact.check(self, answer, task)


def _only_os(name, *rest):
    """``os`` whose ``_exit`` can be told from an ordinary end, and which can do nothing else."""

    class Os:
        _exit = staticmethod(lambda code: os._exit(9))

    return Os


class Range(AnswerVerifier):
    """Any number of the right number of digits will do."""

    def check(self, answer, task):
        right = answer.isascii() and answer.isdigit() and len(answer) == len(task.answer)
        return Verdict.right() if right else Verdict.wrong()


class Raw(Verifier):
    """Knows no form but bare tags."""

    def judge(self, completion, task):
        return Verdict.right() if completion == f"<answer>{task.answer}</answer>" else Verdict.wrong()


class Contradicts(AnswerVerifier):
    def judge(self, completion, task):
        if extract_answer(completion).reason is not None:
            return Verdict(0.1, False, Reason.NO_ANSWER)
        return super().judge(completion, task)

    check = Exact.check


class Leaks(AnswerVerifier):
    """Pays a little for each of three signs, and everything for all of them: no text of the corpus has them all."""

    def check(self, answer, task):
        signs = sum(sign in answer for sign in ("|", "=", "yes"))
        return Exact.check(self, answer, task) if not signs else Verdict.graded(signs / 3)


@dataclass(frozen=True, kw_only=True)
class Sound(Problem):
    """Write a number backwards."""

    judge: ClassVar[type[Verifier]] = Exact

    def make_verifier(self):
        return self.judge()

    def generate(self, rng, difficulty):
        number = "".join(map(str, rng.integers(1, 10, size=6)))
        return Task(
            prompt=f"Write {number} backwards, such as <answer>321</answer>.",
            answer=number[::-1],
            metadata={"hardness": difficulty},
            solution=f"{number} backwards is {number[::-1]}.",
        )


@dataclass(frozen=True, kw_only=True)
class SlowToMake(Sound):
    """Tasks that cannot be made."""

    def generate(self, rng, difficulty):
        raise RuntimeError("no tasks today")


@dataclass(frozen=True, kw_only=True)
class Door(Dialogue):
    """Say a number backwards, twice."""

    trusting: ClassVar[bool] = False
    fragile: ClassVar[bool] = False
    patience: ClassVar[int] = 0

    def make_verifier(self):
        return Exact()

    generate = Sound.generate

    def start(self, task):
        return {"said": 0, "turns": 0}

    def reply(self, task, state, action):
        state["turns"] += 1
        if self.trusting and "<tool_result>success" in action:
            return Reply(verdict=Verdict.right())
        if self.fragile and "\0" in action:
            raise ValueError("embedded null byte")
        if self.patience and state["turns"] >= self.patience:
            return Reply(verdict=Verdict.right())
        if task.answer in extract_answer(action).candidates:
            state["said"] += 1
            return Reply(verdict=Verdict.right()) if state["said"] == 2 else Reply("Again.")
        return Reply("No.")

    def oracle(self, task, state):
        return f"<answer>{task.answer}</answer>"


def _toy(name, base=Sound, **members):
    cls = dataclass(frozen=True, kw_only=True)(
        type(name, (base,), {"__doc__": name, "__module__": __name__, **members})
    )
    globals()[name] = cls  # pickled by its name
    register(f"toy/{name}-v0", cls, family="toy")


for _judge in (
    Exact, Everything, FirstNumber, Anywhere, NotFar, Raises, Crashes, Hangs, Evals, Contained, Range, Raw, Contradicts, Leaks,
):  # fmt: skip
    _toy(f"Toy{_judge.__name__}", judge=_judge)
register("toy/SlowToMake-v0", SlowToMake, family="toy")
_toy("ToyDoor", Door)
_toy("TrustingDoor", Door, trusting=True)
_toy("FragileDoor", Door, fragile=True)
_toy("TiredDoor", Door, patience=8)

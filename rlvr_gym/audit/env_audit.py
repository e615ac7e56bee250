"""The audit of one environment, from its tasks to its report."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rlvr_gym.audit import search
from rlvr_gym.audit.asking import Questions, TimeIsUp
from rlvr_gym.audit.attack import Attack, Luck, Target, normalised
from rlvr_gym.audit.findings import EnvReport, Finding, Kind
from rlvr_gym.audit.forms import answer_forms, optional_forms
from rlvr_gym.audit.generators import GENERATORS, foreign, injections, near_misses, stress, tagged
from rlvr_gym.audit.ledger import Found, Ledger
from rlvr_gym.audit.plays import Play, injected_plays, oracle_games, plays, stress_plays
from rlvr_gym.audit.policy import train_attacker
from rlvr_gym.audit.probe import Given, OracleGame, Prober, Script, Subject
from rlvr_gym.audit.shrink import shrink, shrink_actions
from rlvr_gym.executor.base import Executor
from rlvr_gym.problem import Problem
from rlvr_gym.registration import EnvEntry
from rlvr_gym.task import Task

__all__ = ["EnvAudit", "Limits"]

TASK_SECONDS = 120.0
"""For making all tasks, and the oracle's games."""
DEAR, DEAR_TASKS = 0.03, 2
"""Calls of so many seconds are dear, those of sandboxes for example: then so many tasks get all attacks."""
_STOPS = "__import__('os')._exit(0)"
_STOPS_NOT = "__import__('os')._exlt(0)"
_NO_SANDBOX = "infrastructure_error"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked.

    Attributes:
        tasks: how many tasks are attacked.
        seed: of the stream that they are of.
        timeout: seconds for one call.
        budget: seconds for one environment; what is left then is left out, and told.
        lost: so many calls that hang or die end an audit: it is known by then.
        only: families of attacks; none for all.
        search: calls of the search attacker; 0 for no search.
        policy: whether a small policy is trained against the verifier, too.
    """

    tasks: int = 6
    seed: int = 0
    timeout: float = 10.0
    budget: float = 240.0
    lost: int = 6
    only: tuple[str, ...] = ()
    search: int = 0
    policy: bool = False


class EnvAudit:
    """One audit; use :meth:`run`.

    Args:
        env: what is registered.
        problem: the same with the settings of the report.
        report: an empty report that says what it is about.
        limits: how much is asked.
        executor: the process that is asked; what runs there is not trusted to come back.
    """

    def __init__(
        self, env: EnvEntry, problem: Problem, report: EnvReport, limits: Limits, executor: Executor
    ) -> None:
        self.entry, self.report, self.limits = env, report, limits
        self.questions = Questions(
            Prober(_all_levels(problem, report.settings)),
            executor,
            timeout=limits.timeout,
            budget=limits.budget,
            lost=limits.lost,
        )
        self.ledger = Ledger(report, limits.timeout)
        self.subjects: list[Subject] = []

    def run(self) -> EnvReport:
        """All attacks, as far as the time goes."""
        start = time.monotonic()
        if self._draw_tasks():
            # code first: what runs it is likely to hang later on; each step may lose calls of its own
            for step in (self._oracle, self._inject, self._attack, self._search):
                if not self.report.skipped:
                    self._try(step)
            self._shrink()
        self.ledger.close()
        self.report.calls = self.questions.calls
        self.report.seconds = time.monotonic() - start
        return self.report

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except TimeIsUp as reason:
            note = f"Not all was asked: {reason}."
            if note not in self.report.notes:
                self.report.notes.append(note)
        self.questions.lost = 0

    # --- tasks ---

    def _draw_tasks(self) -> bool:
        outcome = self.questions.one(Given(self.limits.seed, self.limits.tasks), TASK_SECONDS)
        if outcome.failure is None and outcome.value:
            self.subjects = outcome.value
            self.report.tasks = len(self.subjects)
            return True
        why = {"timeout": f"making tasks took more than {TASK_SECONDS:.0f} s"}.get(
            outcome.failure or "", outcome.message or "there are no tasks"
        )
        self.report.findings.append(Finding(Kind.BROKEN, "tasks", "no tasks", why))
        return False

    @property
    def answered(self) -> list[Subject]:
        """The tasks of one answer."""
        return [s for s in self.subjects if not s.played]

    @property
    def played(self) -> list[Subject]:
        """The tasks that are conversations."""
        return [s for s in self.subjects if s.played]

    # --- right answers ---

    def _oracle(self) -> None:
        """Right answers in all forms; the environment is skipped if nothing can be verified here at all."""
        for i, asked in enumerate(self.questions.all(self._right_answers())):
            name, subject, text, required = asked.label
            if i == 0 and asked.seen is not None and asked.seen.reason == _NO_SANDBOX:
                self.report.skipped = f"nothing can be verified here: {asked.seen.fault}"
                return
            self.ledger.form(name, subject, text, required, asked)
        if not any(s.reference for s in self.answered) and self.answered:
            self.report.notes.append("No task has a reference answer: nothing is known about right answers.")

    def _right_answers(
        self,
    ) -> Iterator[tuple[tuple[str, Subject, str, bool], Task, str | OracleGame]]:
        for subject in self.answered:
            if not subject.reference.strip():
                continue
            for name, text in answer_forms(subject.task, subject.reference, subject.extracts):
                yield (name, subject, text, True), subject.task, text
            for name, text in optional_forms(subject.reference):
                yield (name, subject, text, False), subject.task, text
        for subject in self.played:
            for name, game in oracle_games():
                yield (name, subject, "", True), subject.task, game

    # --- attacks ---

    def _attack(self) -> None:
        targets = [self._target(subject) for subject in self._affordable(self.answered)]
        for asked in self.questions.all(self._texts(targets)):
            target, attack = asked.label
            self.ledger.attack(target, attack, asked)
        for played in self.questions.all(self._plays()):
            subject, play = played.label
            self.ledger.play(subject, play, played)

    def _wanted(self, family: str) -> bool:
        return not self.limits.only or family in self.limits.only

    def _affordable(self, subjects: list[Subject]) -> list[Subject]:
        """All tasks, or the last few of them where each call is dear."""
        if self.ledger.seconds_a_call < DEAR or len(subjects) <= DEAR_TASKS:
            return subjects
        self.report.notes.append(
            f"A call takes more than {1000 * DEAR:.0f} ms: {DEAR_TASKS} of {len(subjects)} tasks got all attacks."
        )
        return subjects[-DEAR_TASKS:]

    def _target(self, subject: Subject) -> Target:
        """A target, with an answer that is known to be refused."""
        same = normalised(subject.reference)
        pool = [s.reference for s in self.answered if s.reference and normalised(s.reference) != same]
        others = tuple(dict.fromkeys(pool))
        target = Target(subject.task, subject.reference, others)
        attacks = [a.text for a in (*foreign(target), *near_misses(target))]
        options = [text.removeprefix("<answer>").removesuffix("</answer>") for text in attacks]
        # a part of the right answer beside it would only say the same again
        options = [option for option in options if normalised(option) not in same]
        items = [(option, subject.task, tagged(option)) for option in [*options, "banana"][:40]]
        for asked in self.questions.all(items):
            if (
                asked.seen is not None
                and asked.seen.valid
                and asked.seen.score == 0.0
                and asked.label.strip()
            ):
                return replace(target, wrong=asked.label)
        return target

    def _texts(self, targets: Sequence[Target]) -> Iterator[tuple[tuple[Target, Attack], Task, str]]:
        for target in targets:
            same = normalised(target.reference)
            for attack in (attack for generate in GENERATORS for attack in generate(target)):
                offered = attack.text.removeprefix("<answer>").removesuffix("</answer>")
                if not self._wanted(attack.family):
                    continue
                if not same or attack.keep or attack.luck is Luck.SURVIVE or normalised(offered) != same:
                    yield (target, attack), target.task, attack.text
        for target in targets[-1:]:
            for attack in stress(target) if self._wanted("bomb") else ():
                yield (target, attack), target.task, attack.text

    def _plays(self) -> Iterator[tuple[tuple[Subject, Play], Task, Script]]:
        for subject in self.played:
            others = [other for other in self.played if other is not subject]
            for play in (play for play in plays(subject, others) if self._wanted(play.family)):
                yield (subject, play), subject.task, play.script
        for subject in self.played[-1:]:
            for play in stress_plays(subject) if self._wanted("bomb") else ():
                yield (subject, play), subject.task, play.script

    # --- code ---

    def _inject(self) -> None:
        """Whether anything in an answer is run: a file appears, or a process ends that should not."""
        if not self._wanted("injection"):
            return
        with tempfile.TemporaryDirectory(prefix="rlvr-gym-audit-") as name:
            folder = Path(name)
            folder.chmod(0o777)
            canary = str(folder / "c")
            self._throw_code(canary)
            if any(folder.iterdir()):
                found = self._who_ran(folder, canary)
                why = "code in the answer made a file outside of any sandbox"
                self.ledger.found(Kind.EXECUTES, "injection", found[0], why, found[1])
        self._stop_the_judge()

    def _throw_code(self, canary: str) -> None:
        if self.answered:
            target = self._target(self.answered[-1])
            texts = [((target, attack), target.task, attack.text) for attack in injections(target, canary)]
            for asked in self.questions.all(texts):
                self.ledger.attack(*asked.label, asked)
        if self.played:
            subject = self.played[-1]
            scripts = [((subject, p), subject.task, p.script) for p in injected_plays(subject, canary)]
            for played in self.questions.all(scripts):
                self.ledger.play(*played.label, played)

    def _who_ran(self, folder: Path, canary: str) -> tuple[str, str]:
        """The first text that makes the file again; found by throwing them one by one."""
        _clear(folder)
        for subject in self.answered[-1:]:
            for attack in injections(Target(subject.task, subject.reference), canary):
                self.questions.ask(subject.task, attack.text)
                if any(folder.iterdir()):
                    return attack.name, attack.text
        return "code in an episode", ""

    def _stop_the_judge(self) -> None:
        """Contained execution leaves no file, but code that ends its process can be told from code that does not run."""
        for subject in self.answered[-1:]:
            for form in ("{}", "[{}]", "[[{}]]", "{},", "x = {}"):
                text, control = (tagged(form.format(code)) for code in (_STOPS, _STOPS_NOT))
                ended, went_on = (
                    self.questions.ask(subject.task, text),
                    self.questions.ask(subject.task, control),
                )
                if went_on is not None and went_on.valid and (ended is None or not ended.valid):
                    why = "code in the answer ran and ended the process that judged it"
                    self.ledger.found(Kind.EXECUTES, "injection", "code that ends its process", why, text, subject.task)  # fmt: skip
                    return

    # --- search ---

    def _search(self) -> None:
        """One answer that is paid for everywhere, by climbing and by training; decided on tasks of its own."""
        if len(self.answered) < 2 or not (self.limits.search or self.limits.policy):
            return
        seen = [s for s in self.answered if s.reference.strip()][: search.TRAIN]
        held_out = search.draw(self.questions, self.limits.seed, search.HELD_OUT)
        if self.limits.search and seen:
            material = [s.reference for s in self.answered]
            climber = search.Climber(self.questions, seen, material, self.limits.seed)
            texts = climber.climb(self.limits.search)
            search.check_universal(self.questions, self.report, held_out, texts, "hill climber")
        if self.limits.policy:
            self._train(held_out)

    def _train(self, held_out: Sequence[Subject]) -> None:
        attack = train_attacker(self.entry, self.report.settings, self.limits.seed)
        if attack.failure:
            self.report.notes.append(f"The policy attacker could not be trained: {attack.failure}.")
            return
        self.report.notes.append(
            f"The policy attacker was paid for {attack.paid:.1%} of its last completions; {attack.matching:.0%} of "
            "those hold the reference answer."
        )
        search.check_universal(self.questions, self.report, held_out, attack.texts, "policy under training")

    # --- examples ---

    def _shrink(self) -> None:
        """Makes the examples smaller, while there is time for it."""
        self.questions.extend(self.limits.budget / 4)
        for found in self.ledger.examples():
            attack = found.attack
            if isinstance(attack, Play):
                found.actions = shrink_actions(found.actions, partial(self._won, found.task))
            elif (
                not found.reference
                or attack.keep
                or normalised(found.reference) not in normalised(attack.text)
            ):
                found.text = shrink(attack.text, partial(self._still, found, attack.keep), attack.keep)

    def _still(self, found: Found, keep: Sequence[str], text: str) -> bool:
        """Whether a smaller text is paid for, too, and has not become the right answer."""
        if not keep and found.reference and normalised(found.reference) in normalised(text):
            return False
        return self._paid(found.task, text)

    def _won(self, task: Task, actions: tuple[str, ...]) -> bool:
        return bool(actions) and self._paid(task, Script(actions))

    def _paid(self, task: Task, what: str | Script) -> bool:
        try:
            seen = self.questions.ask(task, what)
        except TimeIsUp:
            return False
        return seen is not None and seen.valid and seen.score > 0.0


def _all_levels(problem: Problem, settings: dict[str, Any]) -> Problem:
    """The problem with all its difficulties, unless the user has chosen one."""
    if "difficulty" in settings:
        return problem
    low, high = problem.difficulty_range
    return problem if low == high else replace(problem, difficulty=(low, high))


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()

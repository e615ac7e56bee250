"""The checks, and the function that runs them all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

from rlvr_gym.prompts import TEMPLATES, get_template
from rlvr_gym.registration import entry
from rlvr_gym.task import Task
from rlvr_gym.testing.determinism import check_determinism
from rlvr_gym.testing.subject import (
    HOSTILE_TEXTS,
    ConformanceError,
    Subject,
    act,
    begin,
    play_oracle,
    short,
    take,
)
from rlvr_gym.verifier import AnswerVerifier

__all__ = ["check_text_env"]

MIN_RANK_CORRELATION = 0.8
MAX_ACCEPTED_BY_LUCK = 0.25
"""A foreign answer may happen to be valid, but not often."""
MAX_SECONDS = 10.0
"""For one text: far more than any verification should take, so that it only tells hanging."""

_STRICTLY_WRONG = ("", " \n\t", "banana", "<answer></answer>", "<think>hm</think>")
_CONSTANTS = ("0", "1", "yes", "no", "true", "None", "[]", "{}")
_FORMAT_MARKS = ("<answer>", "\\boxed{", "####", "```")


def check_text_env(env_id: str, *, across_processes: bool = True, **settings: Any) -> None:
    """Checks an environment against everything that is promised of all of them.

    Gymnasium's own checker; specs through JSON; tasks that are a pure function of seed and index, different for
    neighbouring seeds, and JSON; the oracle's answer scores 1.0 in every form that extraction knows; empty,
    constant and foreign answers score 0; hostile texts get a valid verdict in bounded time; the prompt shows the
    format and does not tell the answer; the measured hardness (``metadata["hardness"]``) rises with difficulty
    (only under default settings, which may otherwise fix it); in conversations the oracle wins.

    Args:
        env_id: a registered id.
        across_processes: also compare with two other processes that have other hash seeds (half a second; to
            do that for many environments at once see :func:`check_determinism`).
        **settings: the environment's settings, such as ``data``.

    Raises:
        ConformanceError: at the first promise that is not kept.
    """
    subject = Subject(entry(env_id).id, settings)
    checks = [_check_addressing, _check_neighbours, _check_tasks, _check_hardness]
    checks += _ANSWER_CHECKS if subject.answered else []
    checks += _DIALOGUE_CHECKS if subject.played else []
    checks += [_check_spec, _check_gymnasium]  # last: their messages say the least about the cause
    for check in checks:
        check(subject)
    if across_processes:
        check_determinism({env_id: settings})


# --- the environment as Gymnasium sees it ---


def _check_gymnasium(subject: Subject) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = gymnasium.make(subject.env_id, **subject.settings)
        try:
            check_env(env.unwrapped, skip_render_check=True)
        except Exception as error:
            raise ConformanceError(f"{subject.env_id}: gymnasium's check_env: {error}") from error
        finally:
            env.close()


def _check_spec(subject: Subject) -> None:
    """An environment made of its spec's JSON gives the same prompt and the same reward, design included."""
    env = gymnasium.make(subject.env_id, reward={"score": 1.0, "format_r1": 0.25}, **subject.settings)
    assert env.spec is not None
    copy = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    action = "<think>hm</think><answer>banana</answer>"
    outcomes = [(e.reset(seed=7)[0], e.step(action)[:4]) for e in (env, copy)]
    subject.require(
        outcomes[0] == outcomes[1], "its spec does not round-trip through JSON: the copy behaves otherwise."
    )
    env.close()
    copy.close()


# --- tasks ---


def _check_addressing(subject: Subject) -> None:
    """An index alone gives the task that it gives in sequence, with the same bytes."""
    tasks = take(subject.problem, 5, 4)
    for index in reversed(range(len(tasks))):
        alone = subject.problem.source(5)[index]
        subject.require(
            alone.to_json() == tasks[index].to_json(), f"index {index} alone gives another task.", alone
        )


def _check_neighbours(subject: Subject) -> None:
    """Neighbouring seeds share next to nothing; orders of a finite source differ."""
    hardest = replace(subject.problem, difficulty=subject.problem.difficulty_range[1])
    first, second = ([_content(task) for task in take(hardest, seed, 12)] for seed in (11, 12))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    shifted = sum(a == b for a, b in zip(first[1:], second, strict=False))
    limit = len(first) // 4
    subject.require(
        max(same, shifted) <= limit, f"seeds 11 and 12 share {max(same, shifted)} of {len(first)} tasks."
    )
    if hardest.source(11).length is None:
        shared = len(set(first) & set(second))
        subject.require(shared <= limit, f"seeds 11 and 12 have {shared} of {len(first)} tasks in common.")


def _content(task: Task) -> str:
    return replace(task, id="").to_json()


def _check_tasks(subject: Subject) -> None:
    """Tasks are JSON, show the format, and do not tell the answer."""
    told = 0
    option = getattr(subject.verifier, "impossible", "")
    for task in subject.tasks:
        subject.require(Task.from_json(task.to_json()) == task, "it does not round-trip through JSON.", task)
        subject.require(bool(task.id and task.prompt.strip()), "it has no id or no prompt.", task)
        shown = any(mark in task.prompt for mark in _FORMAT_MARKS)
        subject.require(
            shown, f"its prompt shows no answer format (one of {', '.join(_FORMAT_MARKS)}).", task
        )
        solution = (task.solution or "").strip()
        subject.require(
            not solution or solution not in task.prompt, "its prompt contains the solution.", task
        )
        answer = subject.answer(task)
        # short answers coincide with parts of the question, and a word for "no solution" has to be named there
        told += len(answer) >= 8 and answer != option and answer in task.prompt
    subject.require(
        told <= len(subject.tasks) // 4, f"{told} of {len(subject.tasks)} prompts contain their answer."
    )


def _check_hardness(subject: Subject) -> None:
    """``metadata["hardness"]`` is there, and its mean over tasks rises with the difficulty."""
    means = []
    for tasks in subject.levels.values():
        for task in tasks:
            hardness = task.metadata.get("hardness")
            measured = isinstance(hardness, int | float) and not isinstance(hardness, bool)
            subject.require(measured, f"metadata['hardness'] has to be a number; got {hardness!r}.", task)
        means.append(float(np.mean([task.metadata["hardness"] for task in tasks])))
    if len(means) < 2 or not subject.settings.keys() <= set(entry(subject.env_id).needs):
        return
    correlation = _rank_correlation(means)
    rounded = [round(mean, 2) for mean in means]
    subject.require(
        correlation >= MIN_RANK_CORRELATION,
        f"hardness does not rise with difficulty: rank correlation {correlation:.2f} of the means {rounded}.",
    )


def _rank_correlation(values: Sequence[float]) -> float:
    """Spearman's, of ``values`` against their positions; equal values share their mean rank. 0 if all are equal."""
    array = np.asarray(values)
    ranks = np.array([(array < v).sum() + ((array == v).sum() - 1) / 2 for v in array])
    if ranks.std() == 0:
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(array)))[0, 1])


# --- answers (single-turn problems) ---


def _forms(subject: Subject, task: Task) -> list[str]:
    """The reference answer in every form in which it has to be accepted."""
    answer = subject.answer(task)
    forms = [template.demonstrate(task.solution, answer) for template in TEMPLATES.values()]
    if isinstance(subject.verifier, AnswerVerifier):
        forms += [answer, f"\n  {answer} \n\n", f"\\boxed{{{answer}}}", f"<answer>\n {answer}\t\n</answer>"]
        forms += [f"<think>{answer}? No, \\boxed{{0}}.</think> <answer>{answer}</answer>"]
    return forms


def _check_oracle(subject: Subject) -> None:
    items = [(task, form) for task in subject.answered for form in _forms(subject, task)]
    for (task, text), verdict in zip(items, subject.judge(items), strict=True):
        told = f"the reference answer in the form {short(text)} scores {verdict.score} ({verdict.reason})."
        subject.require(verdict.score == 1.0 and verdict.correct, told, task)


def _check_trivial(subject: Subject) -> None:
    """Empty answers, the prompt (with the format example in it) and the system prompt score nothing."""
    system = get_template("r1").system
    items = [
        (task, text)
        for task in subject.answered
        for text in (*_STRICTLY_WRONG, task.prompt, f"{system}\n\n{task.prompt}")
    ]
    for (task, text), verdict in zip(items, subject.judge(items), strict=True):
        subject.require(verdict.score == 0.0, f"the answer {short(text)} scores {verdict.score}.", task)


def _check_constants(subject: Subject) -> None:
    """No constant answer is right where the reference is another one, except by rare luck."""
    for constant in _CONSTANTS:
        items = [
            (t, constant) for t in subject.answered if subject.answer(t).strip().lower() != constant.lower()
        ]
        _require_rare(subject, items, f"the constant answer {constant!r}")


def _check_foreign(subject: Subject) -> None:
    """Answers of other tasks are not right, except by rare luck."""
    tasks = subject.answered
    pairs = [(t, tasks[(i + k) % len(tasks)]) for i, t in enumerate(tasks) for k in (1, 2, 5)]
    items = [(t, subject.answer(u)) for t, u in pairs if subject.answer(t) != subject.answer(u)]
    _require_rare(subject, items, "another task's answer")


def _require_rare(subject: Subject, items: list[tuple[Task, str]], what: str) -> None:
    verdicts = subject.judge(items)
    right = [item for item, verdict in zip(items, verdicts, strict=True) if verdict.correct]
    if len(right) > MAX_ACCEPTED_BY_LUCK * len(items):
        task, text = right[0]
        subject.require(
            False, f"{what} is right {len(right)} times in {len(items)}, such as {short(text)}.", task
        )


def _check_hostile(subject: Subject) -> None:
    task = subject.answered[-1]
    forms: list[Callable[[str], str]] = [str, lambda text: f"<answer>{text}</answer>"]
    if isinstance(subject.verifier, AnswerVerifier):
        forms.append(lambda text: f"\\boxed{{{text}}}")
    for text in (form(hostile) for form in forms for hostile in HOSTILE_TEXTS):
        start = time.monotonic()
        (verdict,) = subject.judge([(task, text)])
        seconds = time.monotonic() - start
        subject.require(seconds < MAX_SECONDS, f"verifying {short(text)} took {seconds:.1f} s.", task)
        subject.require(not verdict.correct, f"the hostile text {short(text)} counts as correct.", task)


# --- conversations ---


def _check_oracle_play(subject: Subject) -> None:
    for task, problem in subject.played:
        episode = play_oracle(problem, task)
        told = f"the oracle ends with {episode.verdict} after {episode.turns} turns of {episode.max_turns}."
        subject.require(episode.verdict is not None and episode.verdict.score == 1.0, told, task)


def _check_hostile_play(subject: Subject) -> None:
    """Every hostile action gets a reply; nothing but hostile actions does not win, and ends in time."""
    task, problem = subject.played[-1]
    for wrap in ("{}", "<answer>{}</answer>"):
        episode = begin(problem, task)
        for text in (*_STRICTLY_WRONG, *HOSTILE_TEXTS, task.prompt):
            action = wrap.replace("{}", text)
            try:
                act(problem, episode, action)
            except Exception as error:
                raise ConformanceError(
                    f"{subject.env_id}: task {task.id}: {short(action)} raised {error!r}"
                ) from error
            if episode.verdict is not None:
                told = f"the hostile action {short(action)} ended it with {episode.verdict}."
                subject.require(episode.verdict.valid and not episode.verdict.correct, told, task)
                episode = begin(problem, task)
        subject.require(episode.turns <= episode.max_turns, "it goes on beyond its turn limit.", task)


_ANSWER_CHECKS = [_check_oracle, _check_trivial, _check_constants, _check_foreign, _check_hostile]
_DIALOGUE_CHECKS = [_check_oracle_play, _check_hostile_play]

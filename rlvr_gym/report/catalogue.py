"""The catalogue of environments as Markdown: what each is, an example task, its solution, and scores."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rlvr_gym.episode import Episode
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import EnvEntry
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict

__all__ = ["catalogue_text", "documented_ids", "write_catalogue"]

SEED = 0
LONGEST_TEXT = 1800
LONGEST_MESSAGE = 700
LONGEST_LINE = 240
MOST_MESSAGES = 9
TRIED_FOR_WRONG = 6
EMPTY_ACTION = "I do not know."
_HEADING = re.compile(r"^### `([^`]+)`$", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_ATTRIBUTE = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def write_catalogue(envs: Sequence[EnvEntry], path: Path) -> Path:
    """Writes the catalogue of these environments; returns the path."""
    path.write_text(catalogue_text(envs), encoding="utf-8")
    return path


def documented_ids(text: str) -> list[str]:
    """The ids that a catalogue describes, in order."""
    return _HEADING.findall(text)


def catalogue_text(envs: Sequence[EnvEntry]) -> str:
    """The whole catalogue: counts, an index, and a section for each environment."""
    families = Counter(env.family for env in envs)
    counts = ", ".join(f"[{family}](#{family}) {count}" for family, count in families.items())
    lines = [
        "# Environments",
        "",
        "Made by `rlvr-gym catalogue -o docs/catalogue.md` out of the registry; examples are task 0 of seed 0 at the "
        "default settings.",
        "",
        f"{len(envs)} environments: {counts}.",
        "",
        "| id | difficulty | turns | verifier | |",
        "| --- | --- | ---: | --- | --- |",
        *(_index_row(env) for env in envs),
    ]
    for family in families:
        lines += ["", f"## {family}"]
        for env in envs:
            if env.family == family:
                lines += ["", _section(env)]
    return "\n".join(lines) + "\n"


def _index_row(env: EnvEntry) -> str:
    low, high = env.problem.difficulty_range
    anchor = re.sub(r"[^\w-]", "", env.id.lower())
    summary = env.summary.replace("|", "\\|") + ("" if env.trusted else " (untrusted judge)")
    return (
        f"| [`{env.id}`](#{anchor}) | {low}-{high} | {_turns(env)} | {_verifier(env)} | {_plain(summary)} |"
    )


def _turns(env: EnvEntry) -> str:
    return "1" if not issubclass(env.problem, Dialogue) else f"up to {env.problem.max_turns}"


def _verifier(env: EnvEntry) -> str:
    return f"`{getattr(env.problem, 'verifier', 'own')}`"


def _section(env: EnvEntry) -> str:
    text, told = _docstring(env.problem)
    low, high = env.problem.difficulty_range
    trust = "" if env.trusted else ", with a judge that is not ours"
    parts = [
        f"### `{env.id}`",
        text,
        f"Difficulty {low} to {high}; turns: {_turns(env)}; verifier {_verifier(env)}{trust}.",
        _settings(env, told),
    ]
    if env.needs:
        parts.append(
            f"It needs the setting {', '.join(f'`{name}`' for name in env.needs)}, so there is no example here."
        )
    else:
        parts += _example(env.make_problem())
    return "\n\n".join(parts)


def _docstring(problem: type[Problem]) -> tuple[str, dict[str, str]]:
    """The text of a docstring as Markdown, and what it and those of the bases say of each attribute."""
    told: dict[str, str] = {}
    for cls in reversed(problem.__mro__):
        attributes = inspect.cleandoc(cls.__doc__ or "").partition("\nAttributes:\n")[2]
        names = list(_ATTRIBUTE.finditer(attributes))
        ends = [*(match.start() for match in names[1:]), len(attributes)][: len(names)]
        for match, end in zip(names, ends, strict=True):
            told[match[1]] = _plain(" ".join(attributes[match.end() : end].split()))
    text = inspect.cleandoc(problem.__doc__ or "").partition("\nAttributes:\n")[0]
    return _plain(text.strip()), told


def _plain(text: str) -> str:
    """Code of reStructuredText and its roles as Markdown's code."""
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


def _settings(env: EnvEntry, told: dict[str, str]) -> str:
    rows = ["| setting | default | |", "| --- | --- | --- |"]
    for name, default in env.settings.items():
        meaning = told.get(name, "").replace("|", "\\|")
        rows.append(f"| `{name}` | `{_escaped(repr(default))}` | {meaning} |")
    return "\n".join(rows)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _example(problem: Problem) -> list[str]:
    source = problem.source(SEED)
    task = source[0]
    owner = problem.owner(task)
    parts = ["**Task**", _fenced(_cut(task.prompt, LONGEST_TEXT))]
    if isinstance(owner, Dialogue):
        return [*parts, *_played(problem, owner, task)]
    answer = problem.answer_text(task)
    if task.solution:
        parts += ["**Worked solution**", _fenced(_cut(task.solution, LONGEST_TEXT))]
    right = _judged(problem, task, answer)
    parts += ["**Answer**, " + _scored(right), _fenced(_cut(answer, LONGEST_TEXT))]
    wrong = _wrong_answer(problem, task, answer)
    if wrong is not None:
        text, verdict = wrong
        parts += ["**Another task's answer**, " + _scored(verdict), _fenced(_cut(text, LONGEST_MESSAGE))]
    return parts


def _wrong_answer(problem: Problem, task: Task, answer: str) -> tuple[str, Verdict] | None:
    """The first answer of the next tasks that is not right for this one, and its verdict."""
    source = problem.source(SEED)
    count = min(source.length or TRIED_FOR_WRONG + 1, TRIED_FOR_WRONG + 1)
    for index in range(1, count):
        other = source[index]
        if isinstance(problem.owner(other), Dialogue):
            continue
        text = problem.answer_text(other)
        if text != answer and not (verdict := _judged(problem, task, text)).correct:
            return text, verdict
    return None


def _judged(problem: Problem, task: Task, answer: str) -> Verdict:
    completion = get_template("plain").demonstrate(None, answer)
    return problem.make_verifier().verify(completion, task)


def _scored(verdict: Verdict) -> str:
    return f"which scores {verdict.score:.3g} (`{verdict.reason}`):"


def _played(problem: Problem, owner: Dialogue, task: Task) -> list[str]:
    """The oracle's conversation, abridged, and what comes of an action that says nothing."""
    episode = _conversation(problem, owner, task, oracle=True)
    idle = _conversation(problem, owner, task, oracle=False)
    messages = episode.messages[1:]
    lines = [f"[{m['role']}]\n{_cut(m['content'], LONGEST_MESSAGE)}" for m in messages]
    if len(lines) > MOST_MESSAGES:
        left_out = len(lines) - MOST_MESSAGES
        lines[MOST_MESSAGES - 2 : -2] = [f"({left_out} messages left out)"]
    assert episode.verdict is not None
    assert idle.verdict is not None
    metrics = ", ".join(f"{name} {value:g}" for name, value in episode.metrics.items())
    told = f"**The oracle's conversation**, {_scored(episode.verdict)}"
    return [
        told,
        _fenced("\n\n".join(lines)),
        *([f"Metrics: {metrics}."] if metrics else []),
        f'A player who only says "{EMPTY_ACTION}" scores {idle.verdict.score:.3g} (`{idle.verdict.reason}`).',
    ]


def _conversation(problem: Problem, owner: Dialogue, task: Task, *, oracle: bool) -> Episode:
    episode = Episode(problem, task, get_template("plain"), owner.turn_limit(task))
    while not episode.done:
        episode.act(owner.oracle(task, episode.state) if oracle else EMPTY_ACTION)
        if episode.pending is not None:
            episode.conclude(problem.make_verifier().verify(episode.pending, task))
    return episode


def _cut(text: str, limit: int) -> str:
    """The text with its middle left out, if it is long, and no line without end."""
    text = "\n".join(_short_lines(text.splitlines()))
    if len(text) <= limit:
        return text
    left_out = len(text) - limit
    return f"{text[: limit * 2 // 3]}\n... ({left_out} characters left out) ...\n{text[-limit // 3 :]}"


def _short_lines(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        over = len(line) - 4 * LONGEST_LINE
        yield line if over <= 0 else f"{line[: 4 * LONGEST_LINE]} ... ({over} more characters)"


def _fenced(text: str) -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"

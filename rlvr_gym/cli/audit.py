"""``rlvr-gym audit``: attacks environments, and tells what was paid for that is no solution."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, plain, stderr, stdout
from rlvr_gym.cli.options import SeedOption, SetOption, coerce, parse_settings
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import EnvEntry, entry, list_envs

if TYPE_CHECKING:
    from rlvr_gym.audit import EnvReport, Job, Limits

__all__ = ["audit"]

FOUND_SOMETHING = 1


def audit(
    envs: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENV...", help="Environments; module:ENV imports the module first."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All registered environments.")] = False,
    settings: SetOption = None,
    kwargs: Annotated[
        str | None,
        typer.Option(metavar="JSON|FILE", help="Settings as a JSON object, or settings by id for --all."),
    ] = None,
    tasks: Annotated[int, typer.Option(help="Tasks of each environment.", min=2, max=1000)] = 6,
    seed: SeedOption = 0,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY", help="Only attacks of this family (repeatable).")
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Also search for one answer that is paid for everywhere.")
    ] = False,
    policy: Annotated[
        bool, typer.Option("--policy", help="Also train a small policy against the verifier (needs torch).")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds for one call; more is a finding.", min=0.1)] = 10.0,
    budget: Annotated[float, typer.Option(help="Seconds for one environment.", min=1)] = 240.0,
    jobs: Annotated[int, typer.Option(help="Environments audited side by side.", min=1, max=256)] = 2,
    trusted_only: Annotated[
        bool, typer.Option("--trusted-only", help="Leave out adapters around judges that are not ours.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all numbers here (- for stdout).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report here, as one page.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a table here, for docs.")] = None,
) -> None:
    """Attack environments: false positives, false negatives, exceptions, hangs, and each hole by example.

    Exits with 1 if anything was found.
    """
    from rlvr_gym.audit import AuditSettings, Limits, run_audit

    chosen = _choose(envs or [], everything, trusted_only)
    given = _settings(chosen, settings, kwargs, everything)
    for path in (json_file, html, markdown):
        check_writable(path)
    limits = Limits(
        tasks=tasks,
        seed=seed,
        timeout=timeout,
        budget=budget,
        only=tuple(only or ()),
        search=SEARCH_CALLS * search,
        policy=policy,
    )
    start = time.monotonic()
    done: list[EnvReport] = []

    def tell(report: EnvReport) -> None:
        done.append(report)
        style = "yellow" if report.skipped else "green" if report.clean else "red"
        line = f"[{len(done)}/{len(given)}] {report.env}: {report.verdict} ({report.calls:,} calls, {report.seconds:.1f} s)"
        stderr().print(plain(line, style))

    reports = run_audit(given, AuditSettings(limits, jobs), tell)
    seconds = time.monotonic() - start
    if str(json_file) != "-":
        _show(reports, seconds)
    _write(reports, seconds, limits, Outputs(json_file, html, markdown))
    if any(report.findings for report in reports):
        raise typer.Exit(FOUND_SOMETHING)


SEARCH_CALLS = 600
"""Of the search attacker, for each environment."""


def _choose(names: Sequence[str], everything: bool, trusted_only: bool) -> list[EnvEntry]:
    if bool(names) == everything:
        raise ConfigError("Say which environments: either names, such as Countdown, or --all.")
    chosen = []
    for name in names:
        module, colon, rest = name.rpartition(":")
        if colon:
            try:
                importlib.import_module(module)
            except ImportError as error:
                raise ConfigError(
                    f"The module {module!r} of {name!r} cannot be imported: {error}."
                ) from error
        chosen.append(entry(rest))
    chosen = list_envs() if everything else chosen
    return [env for env in chosen if env.trusted or not trusted_only]


def _settings(
    chosen: Sequence[EnvEntry], pairs: list[str] | None, kwargs: str | None, everything: bool
) -> list[Job]:
    """The settings of each environment: ``--set`` for all of them, ``--kwargs`` for all or by id."""
    from rlvr_gym.audit import Job

    shared, table = parse_settings(pairs), _read_kwargs(kwargs)
    by_id = bool(table) and all(isinstance(value, dict) and "/" in key for key, value in table.items())
    if table and everything and not by_id:
        raise ConfigError('With --all, --kwargs is by id: {"rlvr/GSM8K-v0": {"data": "test.jsonl"}}.')
    jobs = []
    for env in chosen:
        own = {**(table.get(env.id, {}) if by_id else table), **shared}
        jobs.append(Job(env, {key: coerce(env, key, value) for key, value in own.items()}))
    return jobs


def _read_kwargs(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    source = text
    if not text.lstrip().startswith("{"):
        try:
            source = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--kwargs takes a JSON object or a file with one; got {text!r}.") from error
    try:
        value = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--kwargs is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ConfigError(f"--kwargs takes a JSON object; got {type(value).__name__}.")
    return value


def _show(reports: Sequence[EnvReport], seconds: float) -> None:
    from rich.table import Table

    console = stdout(piped_width=160)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "environment",
        "verdict",
        "false positives",
        "false negatives",
        "luck",
        "near",
        "slowest",
        "calls",
    ):
        table.add_column(
            title, no_wrap=title == "environment", justify="left" if title[0] in "ev" else "right"
        )
    for report in reports:
        luck = list(report.luck.values())
        table.add_row(
            plain(report.env),
            plain(report.verdict, "yellow" if report.skipped else "green" if report.clean else "red"),
            f"{report.wrong.hits}/{report.wrong.trials}",
            f"{report.refused.hits}/{report.refused.trials}",
            f"{sum(r.hits for r in luck)}/{sum(r.trials for r in luck)}",
            f"{report.near.hits}/{report.near.trials}",
            f"{report.slowest:.2f} s",
            f"{report.calls:,}",
        )
    console.print(table)
    for report in reports:
        for finding in report.findings:
            console.print()
            console.print(
                plain(f"{report.env}: {finding.kind} ({finding.family}, {finding.count} times)", "bold red")
            )
            console.print(plain(finding.why))
            console.print(plain(f"{finding.text[:300]!a}" + (f" ... {finding.chars:,} characters" if finding.chars > 300 else "")))  # fmt: skip
    console.print()
    console.print(plain(_sentence(reports, seconds)))


def _sentence(reports: Sequence[EnvReport], seconds: float) -> str:
    audited = [report for report in reports if not report.skipped]
    holes = sum(report.wrong.hits for report in audited)
    return (
        f"{sum(r.clean for r in audited)} of {len(audited)} environments are clean "
        f"({len(reports) - len(audited)} skipped); {holes} of {sum(r.wrong.trials for r in audited):,} attacks accepted, "
        f"{sum(r.refused.hits for r in audited)} of {sum(r.refused.trials for r in audited):,} right answers refused; "
        f"{sum(r.calls for r in audited):,} calls in {seconds:.0f} s."
    )


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results go."""

    json: Path | None
    html: Path | None
    markdown: Path | None


def _write(reports: Sequence[EnvReport], seconds: float, limits: Limits, outputs: Outputs) -> None:
    from rlvr_gym.audit import render_page, render_table

    now = datetime.now(UTC)
    facts = {
        "command": " ".join(["rlvr-gym", *sys.argv[1:]]),
        "version": version("rlvr-gym"),
        "date": f"{now:%Y-%m-%d}",
        "tasks of each environment": f"{limits.tasks}, seed {limits.seed}",
        "calls": f"{sum(report.calls for report in reports):,} in {seconds:.0f} s",
    }
    if outputs.json is not None:
        result = {
            **facts,
            "date": now.isoformat(timespec="seconds"),
            "limits": asdict(limits),
            "seconds": round(seconds, 1),
            "environments": [report.to_dict() for report in reports],
        }
        with open_text(outputs.json) as stream:
            stream.write(json.dumps(result, indent=1, ensure_ascii=True) + "\n")
    for path, render in ((outputs.html, render_page), (outputs.markdown, render_table)):
        if path is not None:
            with open_text(path) as stream:
                stream.write(render(reports, facts))

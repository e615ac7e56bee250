"""Many audits at once, each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.audit.env_audit import EnvAudit, Limits
from rlvr_gym.audit.findings import EnvReport, Finding, Kind
from rlvr_gym.errors import RLVRError, describe
from rlvr_gym.executor.process import ProcessExecutor
from rlvr_gym.registration import EnvEntry

__all__ = ["AuditSettings", "Job", "run_audit"]


@dataclass(frozen=True, slots=True)
class Job:
    """An environment to be audited, with settings."""

    entry: EnvEntry
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How an audit runs.

    Attributes:
        limits: how much each environment is asked.
        jobs: how many environments are audited side by side.
        memory_mb: most address space of each process.
    """

    limits: Limits = field(default_factory=Limits)
    jobs: int = 2
    memory_mb: int | None = None


def run_audit(
    jobs: Sequence[Job], settings: AuditSettings, progress: Callable[[EnvReport], None] = lambda report: None
) -> list[EnvReport]:
    """The reports of all jobs, in their order; ``progress`` is called with each as it comes.

    An environment that hangs, crashes or cannot be made is a finding in its own report, and stops nothing.
    """
    with ThreadPoolExecutor(max_workers=settings.jobs, thread_name_prefix="audit") as pool:
        futures = {pool.submit(_audit, job, settings): i for i, job in enumerate(jobs)}
        reports: dict[int, EnvReport] = {}
        try:
            for future in as_completed(futures):
                reports[futures[future]] = future.result()
                progress(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [reports[i] for i in range(len(jobs))]


def _audit(job: Job, settings: AuditSettings) -> EnvReport:
    chosen = job.entry
    report = EnvReport(chosen.id, chosen.family, dict(job.settings), chosen.trusted)
    missing = [need for need in chosen.needs if need not in job.settings and need not in chosen.defaults]
    if missing:
        report.skipped = f"needs {', '.join(missing)}"
        return report
    start = time.monotonic()
    try:
        problem = chosen.make_problem(**job.settings)
    except RLVRError as error:
        report.skipped = str(error)
        return report
    except Exception as error:
        report.findings.append(Finding(Kind.BROKEN, "tasks", "the problem cannot be made", describe(error)))
        return report
    # a process of its own: what an answer does to it cannot reach the verdicts on another environment
    with ProcessExecutor(workers=1, memory_mb=settings.memory_mb) as executor:
        try:
            return EnvAudit(chosen, problem, report, settings.limits, executor).run()
        except Exception as error:
            report.findings.append(Finding(Kind.BROKEN, "audit", "the audit stopped", describe(error)))
            report.seconds = time.monotonic() - start
            return report

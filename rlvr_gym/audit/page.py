"""The audit as one HTML page: self-contained, readable on a phone, sortable; everything that was thrown is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rlvr_gym.audit.findings import EnvReport, Rate
from rlvr_gym.report.templates import asset, render_template

__all__ = ["render_page"]

_PACKAGE = "rlvr_gym.audit"

COLUMNS = (
    ("environment", "text"), ("family", "text"), ("verdict", "text"), ("tasks", "number"), ("calls", "number"),
    ("false positives", "number"), ("false negatives", "number"), ("by luck", "number"), ("near misses", "number"),
    ("slowest", "number"),
)  # fmt: skip


def render_page(reports: Sequence[EnvReport], facts: Mapping[str, str]) -> str:
    """The page as text.

    Args:
        reports: of all environments.
        facts: what stands under the title: name -> value.
    """
    audited = [report for report in reports if not report.skipped]
    kinds = Counter(str(finding.kind) for report in audited for finding in report.findings)
    return render_template(
        "audit.html",
        package=_PACKAGE,
        css=[asset("page.css"), asset("audit.css", _PACKAGE)],
        script=[asset("audit.js", _PACKAGE)],
        title="Audit",
        facts=list(facts.items()),
        totals=_totals(audited),
        kinds=sorted(kinds.items()),
        columns=COLUMNS,
        rows=[_row(report) for report in audited],
        found=[report for report in audited if report.findings],
        skipped=[report for report in reports if report.skipped],
        visible=_visible,
    )


def _totals(reports: Sequence[EnvReport]) -> list[tuple[str, str, str, str]]:
    """Title, number, a line under it, and tone of each figure at the head of the page."""
    wrong = Rate(sum(r.wrong.hits for r in reports), sum(r.wrong.trials for r in reports))
    refused = Rate(sum(r.refused.hits for r in reports), sum(r.refused.trials for r in reports))
    clean = sum(r.clean for r in reports)
    return [
        ("accepted attacks", f"{wrong.hits:,}", f"of {wrong.trials:,} that are never right; {_percent(wrong)}", "bad" if wrong.hits else "good"),
        ("refused right answers", f"{refused.hits:,}", f"of {refused.trials:,} in required forms; {_percent(refused)}", "bad" if refused.hits else "good"),
        ("clean environments", f"{clean:,}", f"of {len(reports):,} audited", "good" if clean == len(reports) else "bad"),
    ]  # fmt: skip


def _percent(rate: Rate) -> str:
    if not rate.trials:
        return "nothing asked"
    mean, low, high = (100 * x for x in rate.interval)
    return f"{mean:.3g} % [{low:.2g}, {high:.2g}]"


def _row(report: EnvReport) -> dict[str, Any]:
    luck = Rate(sum(r.hits for r in report.luck.values()), sum(r.trials for r in report.luck.values()))
    cells = [
        (report.env, report.env), (report.family, report.family), (report.verdict, report.verdict),
        (f"{report.tasks}", report.tasks), (f"{report.calls:,}", report.calls),
        *((_short(rate), rate.hits / rate.trials if rate.trials else -1) for rate in (report.wrong, report.refused, luck, report.near)),
        (f"{report.slowest:.2f} s", report.slowest),
    ]  # fmt: skip
    hints = ["", "", "", "", "", _percent(report.wrong), _percent(report.refused), _percent(luck), _percent(report.near), report.slowest_attack]  # fmt: skip
    return {
        "tone": "good" if report.clean else "bad",
        "cells": [(*cell, hint) for cell, hint in zip(cells, hints, strict=True)],
    }


def _short(rate: Rate) -> str:
    return f"{rate.hits} / {rate.trials}" if rate.trials else "none"


def _visible(text: str) -> str:
    """A text in which every character can be seen: controls, zero-width and right-to-left characters as escapes."""
    return "".join(
        ch if ch == "\n" or ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in text
    )

"""The audit as a Markdown table, for docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlvr_gym.audit.findings import EnvReport, Rate

__all__ = ["render_table"]


def render_table(reports: Sequence[EnvReport], facts: Mapping[str, str]) -> str:
    """Facts, totals, findings and one row an environment.

    Args:
        reports: of all environments.
        facts: name -> value, such as the command and the date.
    """
    audited = [report for report in reports if not report.skipped]
    wrong = _sum([report.wrong for report in audited])
    refused = _sum([report.refused for report in audited])
    slowest = max(audited, key=lambda report: report.slowest, default=None)
    lines = [
        "# Audit",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- environments: {sum(r.clean for r in audited)} of {len(audited)} clean, {len(reports) - len(audited)} skipped",
        f"- accepted attacks (false positives): {_told(wrong)}",
        f"- refused right answers (false negatives): {_told(refused)}",
    ]
    if slowest is not None:
        lines.append(f"- slowest call: {slowest.slowest:.2f} s ({slowest.env})")
    findings = [(report, finding) for report in audited for finding in report.findings]
    if findings:
        lines += ["", "## Findings", ""]
        lines += [
            f"- {report.env}: {f.kind} ({f.family}): {f.why} `{f.text[:120]!a}`" for report, f in findings
        ]
    lines += [
        "",
        "Rates with exact 95 % intervals (Clopper and Pearson). What the columns mean: [../audit.md](../audit.md).",
        "",
        "| environment | verdict | false positives | false negatives | right by luck | near misses | slowest call |",
        "|---|---|---|---|---|---|---|",
        *(_row(report) for report in audited),
        "",
        *(f"Not audited: {report.env} ({report.skipped})." for report in reports if report.skipped),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _sum(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(rate.hits for rate in rates), sum(rate.trials for rate in rates))


def _told(rate: Rate) -> str:
    if not rate.trials:
        return "none asked"
    return f"{rate.hits:,} of {rate.trials:,} [{rate.interval.low:.2%}, {rate.interval.high:.2%}]"


def _row(report: EnvReport) -> str:
    cells = [
        report.env.removeprefix("rlvr/").removesuffix("-v0"),
        report.verdict,
        _told(report.wrong),
        _told(report.refused),
        f"{sum(r.hits for r in report.luck.values())} of {sum(r.trials for r in report.luck.values())}",
        f"{report.near.hits} of {report.near.trials}" if report.near.trials else "",
        f"{report.slowest:.2f} s",
    ]
    return f"| {' | '.join(cells)} |"

"""``rlvr-gym rescore``: saved rollouts under another reward."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, plain, stdout

__all__ = ["rescore"]


def rescore(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="The folder of a training run, or a .jsonl file of rollouts."),
    ],
    design: Annotated[str, typer.Option("--design", help="A design's name, JSON, or a .json or .yaml file.")],
    output: Annotated[
        Path | None, typer.Option("--json", help="Write every rollout's rewards here as JSON; - for stdout.")
    ] = None,
    show: Annotated[int, typer.Option(help="How many of the greatest changes to show.", min=0)] = 10,
) -> None:
    """Score the saved rollouts of a run with another reward design, and show which ones flip."""
    from rlvr_gym.rescoring import read_rollouts
    from rlvr_gym.rescoring import rescore as compute
    from rlvr_gym.rewards.files import read_design

    chosen = read_design(design)
    check_writable(output)
    rescored = compute(read_rollouts(run), chosen)
    if output is not None:
        with open_text(output) as stream:
            stream.write(json.dumps(rescored.to_dict(), indent=2, ensure_ascii=False) + "\n")
    if str(output) != "-":
        _print(rescored, show)


def _print(rescored: Any, show: int) -> None:
    from rich.table import Table

    summary, console = rescored.summary(), stdout(piped_width=120)
    console.print(plain(_told(summary)))
    judged = [row for row in rescored.rows if not math.isnan(row.change) and row.change != 0]
    judged.sort(key=lambda row: (not row.sign_flips, -abs(row.change)))
    if not judged or not show:
        return
    table = Table("step", "task", "#", "verdict", "tokens", "old", "new", "change", "flips", box=None)
    for row in judged[:show]:
        numbers = (f"{row.old:.3g}", f"{row.new:.3g}", f"{row.change:+.3g}", "sign" if row.sign_flips else "")
        verdict, tokens = str(row.rollout.verdict.reason), str(row.rollout.num_tokens)
        table.add_row(str(row.step), plain(row.task_id), str(row.attempt), verdict, tokens, *numbers)
    console.print(table)


def _told(summary: dict[str, Any]) -> str:
    """The summary in sentences."""
    lines = [
        f"{summary['rollouts']} rollouts in {summary['groups']} groups of up to {summary['largest_group']}, "
        f"scored by {summary['design']}; {summary['changed']} rewards change."
    ]
    if summary["mean_change"] is not None:
        means = (summary["mean_old"], summary["mean_new"], summary["mean_change"])
        lines.append("mean reward {:.4g} before, {:.4g} now ({:+.4g})".format(*means))
    lines.append(f"sign flips  {summary['sign_flips']}")
    lines.append(
        f"order       {summary['order_flips']} of {summary['pairs']} pairs of one prompt flip; "
        f"{summary['pairs_lost']} more are no longer told apart, {summary['pairs_gained']} now are"
    )
    lines.append(
        f"groups      {summary['groups_lost']} no longer teach anything, {summary['groups_gained']} now do"
    )
    if summary["largest_group"] == 1:
        lines.append(
            "Only one completion of each prompt was saved: orders cannot flip, and nothing is compared."
        )
    if summary["without_reward"]:
        lines.append(f"{summary['without_reward']} rollouts have no reward (verification or a judge failed).")
    if summary["unreadable"]:
        lines.append(f"{summary['unreadable']} saved rows hold no rollout and were passed over.")
    return "\n".join(lines)

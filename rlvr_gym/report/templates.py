"""Pages from templates that share their frame and their parts: self-contained, and everything in them escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

__all__ = ["asset", "render_template", "sort_key"]


def asset(name: str, package: str = "rlvr_gym.report") -> str:
    """A file of the folder ``assets`` of a package."""
    return files(package).joinpath("assets", name).read_text(encoding="utf-8")


def render_template(
    name: str,
    *,
    css: Sequence[str],
    script: Sequence[str],
    package: str = "rlvr_gym.report",
    filters: Mapping[str, Callable[..., Any]] | None = None,
    **values: Any,
) -> str:
    """A page as text. Templates extend ``frame.html``, which takes ``title`` and ``facts``, and import ``parts.html``.

    Args:
        name: of the template.
        css: the texts of its style sheets, in order.
        script: the texts of its scripts, in order.
        package: whose folder ``assets`` holds the template; the frame and the parts are those of the reports.
        filters: for its values, beside ``sort_key``.
        values: what it shows; autoescaped, so that text stays text.
    """
    import jinja2

    folders = [jinja2.PackageLoader(owner, "assets") for owner in {package: None, "rlvr_gym.report": None}]
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        loader=jinja2.ChoiceLoader(folders),
    )
    environment.filters |= {"sort_key": sort_key, **(filters or {})}
    return environment.get_template(name).render(css="".join(css), script="".join(script), **values)


def sort_key(value: Any) -> str:
    """What a table's script sorts by; what is no number comes last."""
    return f"{value:.9g}" if isinstance(value, int | float) and math.isfinite(value) else ""

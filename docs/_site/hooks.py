"""What MkDocs does to pages beside rendering them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# relative links that leave docs/ are good on a code host, and lead nowhere on the site
_OUTSIDE = re.compile(
    r"\[([^\]]+)\]\((?:\.\./)+(?:agents|envs|verifiers|rlvr_gym|recipes|examples|benchmarks|tests)/[^)]*\)"
)


def on_config(config: Any) -> Any:
    """Every page of results/ is in the navigation, under its title, without being listed."""
    (results,) = (section["Results"] for section in config.nav if "Results" in section)
    names = sorted(path.name for path in Path(config.docs_dir, "results").glob("*.md"))
    results += [f"results/{name}" for name in names if f"results/{name}" not in results]
    return config


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """Links to files of the repository become their text."""
    return _OUTSIDE.sub(r"\1", markdown)


def on_page_content(html: str, page: Any, **kwargs: Any) -> str:
    """The catalogue has a table of its own at the top: beside it, families will do."""
    if page.file.src_uri == "catalogue.md":
        for title in page.toc.items:
            for family in title.children:
                family.children = []
    return html

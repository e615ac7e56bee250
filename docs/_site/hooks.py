"""What MkDocs does to pages beside rendering them."""

from __future__ import annotations

import re
from typing import Any

# relative links that leave docs/ are good on a code host, and lead nowhere on the site
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:agents|envs|verifiers|rlvr_gym|recipes|examples|benchmarks|tests)/[^)]*\)")


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """Links to files of the repository become their text."""
    return OUTSIDE.sub(r"\1", markdown)

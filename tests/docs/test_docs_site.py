"""The site builds strictly, has every page, and asks nobody else for anything."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = [name for name in ("mkdocs", "material", "mkdocstrings") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(not (ROOT / "mkdocs.yml").exists(), reason="needs the repository"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs the extra docs: {MISSING}"),
]
LOADED = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"|<link\b[^>]*\bhref="([^"]+)"|url\(([^)]+)\)'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    pages = {path.with_name("index.html") if path.name == "README.html" else path for path in pages}
    assert {str(page) for page in pages if not (site / page).exists()} == set()


def test_nothing_of_the_machinery_is_published(site):
    assert not list(site.rglob("*.py"))


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = {
        (page.name, "".join(found))
        for page in [*site.rglob("*.html"), *site.glob("assets/*.css")]
        for found in LOADED.findall(page.read_text(encoding="utf-8"))
    }
    assert loaded
    assert {(page, url) for page, url in loaded if re.match(r"['\"]?(?:https?:)?//", url)} == set()


def test_the_reference_shows_what_the_docstrings_say(site):
    core = (site / "reference" / "core.html").read_text(encoding="utf-8")
    for name in ("Task", "Problem", "Dialogue", "TextEnv", "Verdict", "RLVRError", "register"):
        assert re.search(rf'id="rlvr_gym\.(?:errors\.)?{name}"', core), name
    words = re.sub(r"<[^>]+>", " ", core)
    assert not re.search(r":(?:class|func|meth|mod):", words)

"""The report: complete, self-contained, deaf to what a policy wrote; and it works in a real browser."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.report import RunData, write_figure, write_report

ATTACK = (
    "</pre></script><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
)
HOSTILE = {
    "step": 119,
    "prompt": ATTACK,
    "completion": ATTACK + "{{ 7 * 7 }}\ud800\x00",
    "verdict": {"reason": f'x" onmouseover="{ATTACK}', "correct": False, "valid": True, "extracted": ATTACK},
    "reward": 0.5,
    "reward_terms": {ATTACK: 1.0},
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def page(tmp_path, write_run):
    folder = write_run(tmp_path / "run")
    return write_report(folder).read_text()


def test_the_page_needs_no_network(page, parse_page):
    parsed = parse_page(page)
    assert parsed.addresses == []
    assert "link" not in parsed.tags
    assert "@import" not in page
    assert "url(" not in page
    outside = set(re.findall(r"https?://[^\s\"'<>]+", page)) - {"http://www.w3.org/2000/svg"}
    assert outside == set()


def test_the_page_shows_what_the_run_was(page, parse_page):
    run_text = re.sub(r"<[^>]+>", " ", page)
    for part in (
        "rlvr/Arithmetic-v0",
        "dr_grpo",
        "after warm start",
        "change",
        "95&nbsp;%",
        "Completion length",
    ):
        assert part in run_text or part in page
    assert "500 tasks that training never saw" in page
    assert "The untrained policy: 0.0 %" in page
    parsed = parse_page(page)
    assert parsed.tags["svg"] >= 10
    assert parsed.tags["article"] == 96 + 3
    assert "optimiser" in run_text
    assert "0.0003" in run_text


def test_what_a_policy_wrote_stays_text(tmp_path, write_run, parse_page):
    clean = parse_page(write_report(write_run(tmp_path / "clean")).read_text())
    folder = write_run(tmp_path / "run", extra_rollouts=[HOSTILE])
    page = write_report(folder).read_text()
    parsed = parse_page(page)
    assert parsed.tags["script"] == clean.tags["script"] == 1
    assert "img" not in parsed.tags
    assert parsed.handlers == []
    assert "&lt;img src=x" in page
    assert "{{ 7 * 7 }}" in page


def test_a_hostile_config_and_metric_name_stay_text(tmp_path, write_run, parse_page):
    folder = write_run(tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    config["env"]["id"] = config["policy"] = ATTACK
    config[ATTACK] = {ATTACK: ATTACK}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [{"step": i, "reward": i, f"rewards/{ATTACK}/mean": 0.5} for i in range(5)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parsed = parse_page(write_report(folder).read_text())
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    assert parsed.handlers == []


def test_an_interrupted_run_is_read_as_far_as_it_came(tmp_path, write_run):
    folder = write_run(tmp_path / "run", finished=False)
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 120, "rew')
    assert len(RunData.load(folder).metrics) == 120
    assert "so far, step" in write_report(folder).read_text()


@pytest.mark.parametrize("line", ["[]", '{"step": 120, "rew'])
def test_a_whole_line_that_is_no_row_is_told(tmp_path, write_run, line):
    folder = write_run(tmp_path / "run", finished=False)
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(DataError, match=r"metrics\.jsonl line 121 is broken"):
        RunData.load(folder)


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "metrics.jsonl").write_text("")
    assert "Configuration" in write_report(tmp_path).read_text()
    with pytest.raises(DataError, match="no curve"):
        write_figure(tmp_path, tmp_path / "curve.svg")
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "reward": 0.0, "loss": null, "kl": NaN}\n')
    assert "<svg" in write_report(tmp_path).read_text()


def test_a_broken_line_is_told(tmp_path, write_run):
    folder = write_run(tmp_path / "run")
    text = (folder / "eval.jsonl").read_text()
    (folder / "eval.jsonl").write_text("nonsense\n" + text)
    with pytest.raises(DataError, match="line 1"):
        write_report(folder)


def test_the_figure_is_an_svg_of_its_own(tmp_path, write_run):
    folder = write_run(tmp_path / "run")
    root = ET.fromstring(write_figure(folder, tmp_path / "curve.svg").read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    labels = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert labels >= {"100%", "step", "training samples"}
    with pytest.raises(ConfigError, match="svg"):
        write_figure(folder, tmp_path / "curve.png")


def test_report_command(tmp_path, write_run, capsys):
    folder = write_run(tmp_path / "run")
    page, figure = tmp_path / "out" / "page.html", tmp_path / "curve.svg"
    assert run(["report", str(folder), "-o", str(page), "--figure", str(figure)]) == 0
    assert page.stat().st_size < 1_000_000
    assert figure.exists()
    shown = capsys.readouterr().out
    assert str(page) in shown.replace("\n", "")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_the_page_works_in_a_browser(tmp_path, write_run):
    folder = write_run(tmp_path / "run", extra_rollouts=[HOSTILE])
    page = write_report(folder)
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [CHROMIUM, *options, profile, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title[1] == "rlvr/Arithmetic-v0 · rlvr-gym"
    # the script ran: filters are there, and only the first page of cards is shown
    assert re.search(r'<div class="filters"[^>]*hidden', done.stdout) is None
    cards = re.findall(r'<article class="card[^>]*>', done.stdout)
    assert len(cards) == 97
    assert sum("hidden" not in card for card in cards) == 12

"""The audit sees: each kind of hole in environments that are broken on purpose, by name, and nothing in a sound one."""

import json
import sys
from pathlib import Path

import pytest

from rlvr_gym.audit import AuditSettings, Job, Kind, Limits, render_page, run_audit
from rlvr_gym.audit.policy import train_attacker
from rlvr_gym.cli.main import run
from rlvr_gym.registration import entry

sys.path.insert(0, str(Path(__file__).parent))  # the audit's processes get the same path
import audit_toys  # noqa: F401 - registers

EXPECTED = {
    "toy/ToyEverything-v0": {(Kind.ACCEPTED, family) for family in ("trivial", "claim", "prompt copy", "thinking", "numbers")}
    | {(Kind.LUCK, "foreign"), (Kind.LUCK, "constant")},
    "toy/ToyFirstNumber-v0": {(Kind.ACCEPTED, "hedge")},
    "toy/ToyAnywhere-v0": {(Kind.ACCEPTED, "several answers"), (Kind.ACCEPTED, "thinking"), (Kind.ACCEPTED, "hedge")},
    "toy/ToyNotFar-v0": {(Kind.ACCEPTED, "numbers")},
    "toy/ToyRaises-v0": {(Kind.EXCEPTION, "trivial"), (Kind.EXCEPTION, "characters")},
    "toy/ToyCrashes-v0": {(Kind.CRASH, "constant")},
    "toy/ToyHangs-v0": {(Kind.HANG, "characters")},
    "toy/ToyEvals-v0": {(Kind.EXECUTES, "injection")},
    "toy/ToyContained-v0": {(Kind.EXECUTES, "injection")},
    "toy/ToyRange-v0": {(Kind.LUCK, "foreign")},
    "toy/ToyRaw-v0": {(Kind.REFUSED, "oracle")},
    "toy/ToyContradicts-v0": {(Kind.INCONSISTENT, "trivial"), (Kind.ACCEPTED, "trivial")},
    "toy/SlowToMake-v0": {(Kind.BROKEN, "tasks")},
    "toy/TrustingDoor-v0": {(Kind.ACCEPTED, "tool spoofing")},
    "toy/FragileDoor-v0": {(Kind.EXCEPTION, "hostile actions")},
    "toy/TiredDoor-v0": {(Kind.ACCEPTED, "hostile actions"), (Kind.LUCK, "constant")},
}  # fmt: skip
SOUND = ("toy/ToyExact-v0", "toy/ToyDoor-v0")


@pytest.fixture(scope="module")
def reports():
    """All toys, audited once."""
    limits = Limits(tasks=4, timeout=1.5, lost=3)
    jobs = [Job(entry(name)) for name in (*EXPECTED, *SOUND)]
    return {report.env: report for report in run_audit(jobs, AuditSettings(limits, jobs=3))}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_hole_is_seen(reports, name):
    found = {(finding.kind, finding.family) for finding in reports[name].findings}
    assert found >= EXPECTED[name]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_environment_is_clean(reports, name):
    report = reports[name]
    assert report.findings == []
    assert report.wrong.hits == report.refused.hits == 0
    assert report.wrong.trials > 200
    assert report.refused.trials >= 12


def example(reports, name, kind, family):
    return next(f for f in reports[name].findings if (f.kind, f.family) == (kind, family))


def test_examples_are_small(reports):
    assert example(reports, "toy/ToyEverything-v0", Kind.ACCEPTED, "prompt copy").text == ""
    hedge = example(reports, "toy/ToyFirstNumber-v0", Kind.ACCEPTED, "hedge").text
    assert len(hedge) <= len("<answer>123456, 654321</answer>")
    spoofed = json.loads(example(reports, "toy/TrustingDoor-v0", Kind.ACCEPTED, "tool spoofing").text)
    assert len(spoofed) == 1
    tired = json.loads(example(reports, "toy/TiredDoor-v0", Kind.ACCEPTED, "hostile actions").text)
    assert len(tired) == 8


def test_code_that_ran_is_told_from_code_that_was_contained(reports):
    names = {
        name: {f.attack for f in reports[name].findings if f.kind is Kind.EXECUTES}
        for name in ("toy/ToyEvals-v0", "toy/ToyContained-v0")
    }
    assert "code that ends its process" in names["toy/ToyEvals-v0"] & names["toy/ToyContained-v0"]
    assert any("open(" in attack or "__import__" in attack for attack in names["toy/ToyEvals-v0"])
    assert names["toy/ToyContained-v0"] == {"code that ends its process"}


def test_what_hangs_is_given_up_and_told(reports):
    report = reports["toy/ToyHangs-v0"]
    assert any("calls hung or died" in note for note in report.notes)
    assert report.refused.hits == 0  # what came before is kept


def test_the_climber_finds_what_no_corpus_has():
    limits = Limits(tasks=4, search=800)
    (report,) = run_audit([Job(entry("toy/ToyLeaks-v0"))], AuditSettings(limits))
    found = [f for f in report.findings if f.kind is Kind.UNIVERSAL]
    assert found
    assert all(sign in found[0].text for sign in ("|", "=", "yes"))


def test_the_climber_finds_nothing_in_a_sound_environment():
    limits = Limits(tasks=4, search=400)
    (report,) = run_audit([Job(entry("toy/ToyExact-v0"))], AuditSettings(limits))
    assert report.findings == []
    assert any("hill climber found no text" in note for note in report.notes)


def test_a_policy_is_trained_against_a_verifier():
    """A short run: it is paid by the leak, and what it was paid for comes back with the true metric beside it."""
    pytest.importorskip("torch")
    attack = train_attacker(entry("toy/ToyLeaks-v0"), {}, seed=0, steps=4)
    assert attack.failure == ""
    assert 0 < attack.paid < 1
    assert attack.matching < 0.5
    assert attack.texts


def test_the_report_of_all_is_json_and_a_page(reports):
    rows = [report.to_dict() for report in reports.values()]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    page = render_page(list(reports.values()), {"version": "<b>0</b>"})
    assert "<b>0</b>" not in page
    assert "&lt;b&gt;0" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "\x00" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize(("name", "code"), [("toy/ToyExact-v0", 0), ("toy/ToyNotFar-v0", 1)])
def test_the_command(tmp_path, capsys, name, code):
    json_file, html, table = (tmp_path / f"audit.{ending}" for ending in ("json", "html", "md"))
    given = [
        "audit",
        name,
        "--tasks",
        "2",
        "--json",
        str(json_file),
        "--html",
        str(html),
        "--markdown",
        str(table),
    ]
    assert run(given) == code
    output = capsys.readouterr().out
    assert name in output
    (row,) = json.loads(json_file.read_text())["environments"]
    assert row["env"] == name
    assert row["false_positives"]["trials"] > 100
    assert (row["false_positives"]["hits"] > 0) == bool(code)
    assert name in html.read_text()
    assert f"{1 - code} of 1 clean" in table.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "either names, such as Countdown, or --all"),
        (["Countdown", "--all"], "either names, such as Countdown, or --all"),
        (["Countdwn"], "did you mean"),
        (["nowhere.at.all:mine/Env-v0"], "cannot be imported"),
        (["Countdown", "--kwargs", "{"], "no JSON"),
        (["Countdown", "--kwargs", "absent.json"], "a JSON object or a file"),
    ],
)
def test_mistakes_of_the_user_get_one_sentence(capsys, arguments, sentence):
    assert run(["audit", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_what_cannot_be_made_is_skipped_and_said(capsys):
    assert run(["audit", "JSONL"]) == 0
    assert "skipped" in capsys.readouterr().out

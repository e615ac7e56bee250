"""The report of a benchmark: complete, self-contained, deaf to what policies wrote, and it works in a real browser."""

import json
import re

import pytest

from rlvr_gym.bench import collect, make_view, to_json
from rlvr_gym.report.bench_page import interval, number, p_value, write_bench_report
from rlvr_gym.report.templates import sort_key


@pytest.fixture
def page(tmp_path, fake_bench):
    def make(**options):
        bench, plan = fake_bench(tmp_path, **options)
        return write_bench_report(make_view(bench, collect(bench, plan, tmp_path)), tmp_path / "report.html")

    return make


def test_the_page_needs_no_network(page, parse_page):
    text = page().read_text()
    assert all(address.startswith("#e") for address in parse_page(text).addresses)
    assert "@import" not in text
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\s\"'<>]+", text)) == {"http://www.w3.org/2000/svg"}


def test_the_page_tells_all_of_it(page, parse_page):
    text = page().read_text()
    for part in (
        "Is a soft reward hacked?", "The verifier&#39;s reward raises accuracy", "Samples to 0.5", "reached 5 of 5",
        "Length of wrong answers", "Ranks by the true metric", "2 seeds are too few", "hacked", "shown", "contradicted",
        "sums · grpo", "Over the run: reward +0.5",
    ):  # fmt: skip
        assert part in text, part
    parsed = parse_page(text)
    assert parsed.tags["table"] == 1 + 3 + 3
    assert parsed.tags["svg"] >= 14


def test_what_policies_wrote_stays_text(page, parse_page):
    clean = parse_page(page().read_text())
    hostile = parse_page(page(hostile=True, name="other").read_text())
    assert clean.tags["script"] == hostile.tags["script"] == 1
    assert hostile.handlers == []
    assert "img" not in hostile.tags


def test_conclusions_as_json(tmp_path, fake_bench):
    bench, plan = fake_bench(tmp_path)
    written = json.loads(json.dumps(to_json(bench, collect(bench, plan, tmp_path)), allow_nan=False))
    first = written["experiments"]["hacking"]
    assert [arm["alarm"]["state"] for arm in first["arms"]] == ["none", "hacked"]
    assert [claim["state"] for claim in first["claims"]] == ["shown", "contradicted", "open"]
    assert [rank["label"] for rank in first["ranks"]] == ["binary", "soft"]
    assert first["ranks"][0]["probability_of_improvement"] == 1.0
    assert first["comparisons"][0]["p"] < 0.01


def test_numbers_as_people_read_them():
    assert [number(v) for v in (0.123456, -2.0, 12345.6, float("nan"), None)] == [
        "0.123",
        "−2",
        "12,346",
        "–",
        "–",
    ]
    assert interval((0.5, 0.4, 0.61)) == "0.4 to 0.61"
    assert interval((0.5, float("-inf"), float("inf"))) == ""
    assert p_value(0.0001) == "< 0.001"
    assert sort_key(float("inf")) == ""


def visible(opened, selector):
    return [element for element in opened.query_selector_all(selector) if element.is_visible()]


def column(opened, table, index):
    return opened.eval_on_selector_all(
        f"{table} tbody tr", f"rows => rows.map(r => r.cells[{index}].dataset.sort)"
    )


def test_the_page_works_in_a_browser(page, open_page):
    opened = open_page(page(hostile=True))
    assert opened.title() == "lessons of a page · rlvr-gym bench"  # what policies wrote did not run
    # a phone scrolls tables, never the page
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390

    # tables sort: numbers from above first, then from below; names from a to z
    heading = opened.query_selector_all("#e0 .arms thead button")[3]
    assert heading.inner_text().strip() == "True metric"
    heading.click()
    values = [float(value) for value in column(opened, "#e0 .arms", 3)]
    assert values == sorted(values, reverse=True)
    heading.click()
    assert [float(value) for value in column(opened, "#e0 .arms", 3)] == sorted(values)
    opened.query_selector("#e1 .arms thead button").click()
    names = column(opened, "#e1 .arms", 0)
    assert names == sorted(names)
    assert opened.get_attribute("#e1 .arms thead th", "aria-sort") == "ascending"

    # claims filter by verdict
    assert len(visible(opened, "#claims tbody tr")) == 3
    opened.click("#claims .choices button[data-value=shown]")
    (row,) = visible(opened, "#claims tbody tr")
    assert row.get_attribute("data-verdict") == "shown"
    opened.click('#claims .choices button[data-value=""]')
    assert len(visible(opened, "#claims tbody tr")) == 3

    # rollouts: two sides of each task, filtered by verdict, of the arms that are chosen
    tasks = visible(opened, "#e0 .task")
    assert len(tasks) == 12
    assert all(len([a for a in t.query_selector_all(".attempt") if a.is_visible()]) == 2 for t in tasks)
    opened.click("#e0 .choices button[data-value=differ]")
    differing = visible(opened, "#e0 .task")
    assert 0 < len(differing) < 12
    for task in differing:
        good = [a for a in task.query_selector_all(".attempt") if "good" in a.get_attribute("class")]
        assert len(good) == 1
    opened.click("#e0 .choices button[data-value=right]")
    for task in visible(opened, "#e0 .task"):
        assert all("good" in a.get_attribute("class") for a in task.query_selector_all(".attempt"))
    opened.select_option("#e0 select[data-side='1']", "0")
    opened.click('#e0 .choices button[data-value=""]')
    shown = visible(opened, "#e0 .attempt")
    assert {attempt.get_attribute("data-arm") for attempt in shown} == {"0"}

    # values under the pointer
    chart = opened.query_selector("#e0 .narrow svg")
    chart.scroll_into_view_if_needed()
    chart.hover()
    assert "binary" in opened.inner_text("#tip")

"""The page in a real browser: no errors, no sideways scrolling on a phone, tables sort, findings filter."""

import shutil

import pytest

from rlvr_gym.audit import EnvReport, Finding, Kind, render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ATTACK = "</pre><script>document.title='hacked'</script>\u202e\0"


def reports():
    found = [
        Finding(
            Kind.ACCEPTED, "hedge", ATTACK, ATTACK, "task", ATTACK, len(ATTACK), 1.0, 2, (ATTACK, "other")
        ),
        Finding(Kind.HANG, "bomb", "x", "too slow"),
    ]
    rows = [EnvReport(f"mine/Env{i}-v0", "mine", tasks=i, slowest=10.0 - i) for i in range(1, 12)]
    rows[2].findings = found
    rows[2].wrong.hits, rows[2].wrong.trials = 1, 4
    return rows


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_the_page_in_a_browser(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "audit.html"
    path.write_text(render_page(reports(), {"command": "rlvr-gym audit " + "mine/Env-v0 " * 9}))
    errors = []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        assert page.title() == "Audit · rlvr-gym"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        names = "rows => rows.map(row => row.textContent)"
        rows = "table.sortable tbody tr td:first-child"
        page.click("th:nth-child(10) button")
        assert page.eval_on_selector_all(rows, names)[0] == "mine/Env11-v0"
        page.click("th:nth-child(10) button")
        assert page.eval_on_selector_all(rows, names)[0] == "mine/Env1-v0"
        assert page.locator(".card:visible").count() == 2
        page.click(".filters button[data-kind=hang]")
        assert page.locator(".card:visible").count() == 1
        browser.close()
    assert errors == []

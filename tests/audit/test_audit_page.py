"""The page in a real browser: no errors, no sideways scrolling on a phone, tables sort, findings filter."""

from rlvr_gym.audit import EnvReport, Finding, Kind, render_page

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


def test_the_page_in_a_browser(tmp_path, open_page):
    path = tmp_path / "audit.html"
    path.write_text(render_page(reports(), {"command": "rlvr-gym audit " + "mine/Env-v0 " * 9}))
    page = open_page(path)
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

"""The page of a record in headless Chromium: light and dark, wide and narrow, audited with axe."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import test_page_in_browser as pages
from mailrace.record.findings import Findings, findings_of
from mailrace.report.recorded import record_page

from tests.record.traffic import BEGUN, ENDED, op, send, suite

pytestmark = pytest.mark.slow
browser = pages.browser
HOSTILE = "<img src=x onerror=document.title='owned'>" + "w" * 80


def hazardous() -> Findings:
    """A server that broke promises, and testers that disturb each other; with awkward names."""
    look = {"query": f"subject:{HOSTILE}", "code": 200}
    at_work = [op("search", t, connection=c, **look) for t in (0, 90) for c in (1, 2)]
    operations = [
        send(1, "a", code=451, tags=("t",)),
        send(1.4, "b", connection=2, tags=("t",), recipients=(f"{HOSTILE}@x.test",)),
        op("delete_all", 5, connection=2, code=200),
        send(20, "c", tags=("t",), for_ms=9),
        op("delete", 22, connection=2, ids=("ID-x",), code=200),
        op("list", 30, found=(("ID-c", "c@x"),), total=2, code=200),
        *at_work,
    ]
    begun = replace(BEGUN, command=f"mailrace record -- {HOSTILE}", keeps_content=True)
    found = findings_of(suite(operations, held=["a", "c"], begun=begun))
    raced = [
        replace(one, verdict="RACE", why="tag_lost, rejected_but_stored", elsewhere=("1.27.11: PASS",))
        for one in found.overlaps
    ]
    return found.with_overlaps(raced)


def clean() -> Findings:
    """Nothing was found, and all was seen."""
    return findings_of(suite([send(1, "a")], held=["a"]))


def unseen() -> Findings:
    """Killed, so nothing is known."""
    return findings_of(suite([send(1, "a")], ended=replace(ENDED, failures=("the disk was full " * 9,))))


PAGES = {"hazardous": hazardous, "clean": clean, "unseen": unseen}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("records")
    for name, found in PAGES.items():
        (made / f"{name}.html").write_text(record_page(found()), encoding="utf-8")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_of_a_record_fits_and_axe_finds_no_violation(
    browser,
    folder: Path,
    name: str,
    width: int,
    scheme: str,
) -> None:
    size = {"width": width, "height": 900}
    seen = pages.Opened(browser, folder / f"{name}.html", viewport=size, color_scheme=scheme, bypass_csp=True)
    page = seen.page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.add_script_tag(
        content=files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    )
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(v["id"], v["nodes"][0]["html"][:160], len(v["nodes"])) for v in found["violations"]] == []
    assert seen.requests == [(folder / f"{name}.html").as_uri()]
    assert seen.complaints == []
    assert page.title() != "owned"
    seen.context.close()


def test_each_finding_has_a_timeline_that_stands_in_a_table_too(browser, folder: Path) -> None:
    seen = pages.Opened(browser, folder / "hazardous.html")
    findings = seen.page.locator("h3").count()
    assert findings > 5
    assert seen.page.locator("svg.lanes").count() == findings
    bars = seen.page.locator("svg.lanes rect").count()
    assert seen.page.locator("details tbody tr").count() == bars
    seen.context.close()

"""report.html in headless Chromium: opened, filtered, expanded, copied, by keyboard, audited with axe.

Without Chromium these are skipped with the reason; under CI they fail.
"""

import os
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.report import Study, render
from mailrace.report.conclusion import conclusion
from mailrace.report.study import StudyCell, study_page
from mailrace.report.trend import render_index

from tests.absent import lacking
from tests.report.hostile import hostile
from tests.report.report_results import native, steered

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LIMIT_MS = 10_000
PAGES = (
    "native/report.html",
    "steered/report.html",
    "hostile/report.html",
    "study/gate.html",
    "index.html",
)

pytestmark = pytest.mark.slow


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return lacking(
        "no Chromium on PATH (chromium, chromium-browser, google-chrome): nobody looked at the page"
    )


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    if not os.environ.get("CI"):
        pytest.importorskip("playwright", reason="playwright is not installed: the page was not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("reports")
    for name, result in (("native", native(hits=6)), ("steered", steered()), ("hostile", hostile())):
        render(result, made / name)
    study = Study(
        kind="gate",
        title="from mailpit@1.27.11 to mailpit@1.30.5",
        verdict=Verdict.RACE,
        headline="The upgrade brings a race that counts.",
        header=("scenario", "anomaly", "change", "old (1.27.11)", "new (1.30.5)"),
        rows=tuple(
            (
                StudyCell(text=f"send-delete-last-holder-{number}"),
                StudyCell(text="rejected_but_stored"),
                StudyCell(text="new", verdict=Verdict.RACE),
                StudyCell(text="0 of 85 classes", report="old/report.html"),
                StudyCell(text="3 of 85 classes", report="new/report.html"),
            )
            for number in range(3)
        ),
        told=conclusion(steered()),
        command="mailrace gate --from mailpit@1.27.11 --to mailpit@1.30.5",
        started="2026-11-23T14:00:39Z",
        details=("rejected_but_stored, round 0: " + "a long proof " * 30,),
    )
    (made / "study").mkdir()
    (made / "study" / "gate.html").write_text(study_page(study), encoding="utf-8")
    render_index(made)
    return made


class Opened:
    """A page with what it asked of the network and what it complained of."""

    def __init__(self, browser, file: Path, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(LIMIT_MS)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda d: self.complaints.append(f"dialog {d.message}"))
        self.page.goto(file.as_uri())


@pytest.fixture
def opened(browser, folder):
    made: list[Opened] = []

    def one(name: str, **options) -> Opened:
        made.append(Opened(browser, folder / name, **options))
        return made[-1]

    yield one
    for each in made:
        each.context.close()


@pytest.mark.parametrize(
    "name",
    ["native/report.html", "steered/report.html", "hostile/report.html", "study/gate.html", "index.html"],
)
def test_nothing_is_requested_and_nothing_is_complained_of(opened, folder, name):
    seen = opened(name)
    seen.page.emulate_media(media="print")
    assert seen.requests == [(folder / name).as_uri()]
    assert seen.complaints == []
    assert seen.page.title() != "owned"


def test_the_policy_stops_a_request_that_a_page_would_make(opened):
    seen = opened("native/report.html")
    blocked = seen.page.evaluate(
        """() => new Promise((done) => {
             document.addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective));
             const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; })"""
    )
    assert blocked == "img-src"


def test_hostile_markup_makes_no_elements(opened):
    page = opened("hostile/report.html").page
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("code", has_text="document.title='owned'").count() > 0


def test_filter_shows_what_matches_and_says_how_many(opened):
    page = opened("native/report.html").page
    total = page.locator("details.round").count()
    page.get_by_label("Filter rounds and scenarios").fill("round 4")
    assert page.locator("details.round:visible").count() < total
    assert page.locator("details.round:visible .what").all_inner_texts()[0] == "Round 4"
    page.get_by_label("Filter rounds and scenarios").fill("")
    page.get_by_label("Hits only").check()
    assert page.locator("details.round:not(.hit):visible").count() == 0
    assert " of " in page.locator("#shown").inner_text()
    page.get_by_label("Filter rounds and scenarios").fill("no such thing")
    assert page.locator("section.scenario:visible").count() == 0


def test_expand_and_collapse_all(opened):
    page = opened("native/report.html").page
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("details.round:not([open])").count() == 0
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("details.round[open]").count() == 0


def test_copy_puts_the_command_on_the_clipboard(opened):
    seen = opened("native/report.html", permissions=["clipboard-read", "clipboard-write"])
    button = seen.page.locator("button.copy").first
    button.click()
    seen.page.locator("button.copy", has_text="Copied").first.wait_for()
    text = seen.page.evaluate("navigator.clipboard.readText()")
    assert text == "mailrace replay reports/latest/run.json --round 0 --target mailpit@1.17.0"


def test_the_timeline_by_keyboard_only(opened):
    page = opened("native/report.html").page
    page.get_by_role("button", name="Whole round").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Whole round").first.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")
    detail = page.locator(".detail").first
    assert detail.inner_text().startswith("connected at -3.200 ms")
    page.keyboard.press("ArrowRight")
    assert detail.inner_text().startswith("greeting read")
    page.keyboard.press("End")
    assert detail.inner_text().startswith("store read at 30.000 ms: 3 copies")
    before = page.locator(".axis text").first.text_content()
    page.keyboard.press("+")
    assert page.locator(".axis text").first.text_content() != before
    page.keyboard.press("0")
    assert (
        page.get_by_role("button", name="Release to last answer").first.get_attribute("aria-pressed")
        == "true"
    )


def test_a_round_opens_by_keyboard_and_its_marks_answer_a_click(opened):
    page = opened("native/report.html").page
    summary = page.locator("details.round > summary").nth(1)
    summary.focus()
    page.keyboard.press("Enter")
    round_two = page.locator("details.round").nth(1)
    assert round_two.get_attribute("open") is not None
    round_two.locator(".mark.end-fail").first.click()
    assert round_two.locator(".detail").inner_text() == "451 4.3.5 Unable to process mail, at 2.113 ms"


def test_dragging_pans_and_zoom_buttons_zoom(opened):
    page = opened("native/report.html").page
    svg = page.locator("svg.lanes").first
    svg.scroll_into_view_if_needed()

    def ticks() -> list[str]:
        return page.locator("svg.lanes").first.locator(".axis text").all_text_contents()

    start = ticks()
    box = svg.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 600, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.up()
    panned = ticks()
    assert panned != start
    page.get_by_role("button", name="Zoom in").first.click()
    assert ticks() != panned


@pytest.mark.parametrize(
    "name",
    ["native/report.html", "steered/report.html", "hostile/report.html", "study/gate.html", "index.html"],
)
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_sideways(opened, name, width):
    page = opened(name, viewport={"width": width, "height": 900}).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize(
    "name",
    ["native/report.html", "steered/report.html", "hostile/report.html", "study/gate.html", "index.html"],
)
def test_axe_finds_no_violation(opened, name, width, scheme):
    page = opened(name, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.add_script_tag(
        content=files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    )
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [(v["id"], v["nodes"][0]["html"][:160], len(v["nodes"])) for v in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 10


@pytest.mark.parametrize("width", [390, 1280])
def test_step_numbers_of_a_schedule_are_whole_and_statements_are_not_narrow(opened, width):
    page = opened("steered/report.html", viewport={"width": width, "height": 900}).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    numbers = page.locator("table.columns tbody th[scope=row]")
    seen = numbers.evaluate_all(
        """(cells) => cells.map((c) => {
             const range = document.createRange(); range.selectNodeContents(c);
             return [c.textContent, range.getClientRects().length, c.scrollWidth <= c.clientWidth]; })"""
    )
    assert len(seen) > 3
    assert [text for text, lines, fits in seen if lines != 1 or not fits] == []
    widths = page.locator("table.columns td > code").evaluate_all(
        "(codes) => codes.map((c) => c.parentElement.getBoundingClientRect().width)"
    )
    assert min(widths) >= 200

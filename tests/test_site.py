"""The site: built strictly, made from the code, and looked at in headless Chromium."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from mailrace import cli, pytest_plugin
from mailrace.model.catalogue import RACES
from ruamel.yaml import YAML

from tests.absent import lacking

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PLACES = ((390, "light"), (1280, "dark"), (390, "dark"), (1280, "light"))

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a dead link, a page that stands in no menu or any other warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    done = build(folder, ROOT / "mkdocs.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stderr.splitlines() if not line.startswith("INFO")] == []
    return folder


def build(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def page(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text(encoding="utf-8")


def test_a_dead_link_fails_the_build(tmp_path: Path) -> None:
    """By the settings of the site, on two pages: all of the site is built by the other tests."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# One\n\n[nowhere](faq.md#nowhere)\n", encoding="utf-8")
    (tmp_path / "docs" / "faq.md").write_text("# Two\n", encoding="utf-8")
    own = {"docs_dir": "docs", "hooks": [], "extra_css": [], "nav": ["index.md", "faq.md"]}
    config = tmp_path / "mkdocs.yml"
    config.write_text(json.dumps({"INHERIT": str(ROOT / "mkdocs.yml"), **own}), encoding="utf-8")
    done = build(tmp_path / "site", config)
    assert done.returncode == 1
    assert "#nowhere" in done.stdout + done.stderr


def test_every_command_is_there_with_every_option(site: Path) -> None:
    text = page(site, "commands")
    root: Any = typer.main.get_command(cli.command())
    assert len(root.commands) > 15
    assert [name for name in root.commands if f"mailrace {name}" not in text] == []
    assert "&amp;#" not in text, "what is made harmless once is shown as it is"
    for name, command in root.commands.items():
        named = {option for one in command.params for option in one.opts if option.startswith("--")}
        assert [option for option in named if option not in text] == [], name


def test_every_key_field_fixture_and_option_is_there_with_what_it_means(site: Path) -> None:
    schemas = ROOT / "harness" / "mailrace" / "schema"
    for name, shown, parts in (("scenario", "scenarios", "definitions"), ("run", "report-fields", "$defs")):
        schema = json.loads((schemas / f"{name}.schema.json").read_text(encoding="utf-8"))
        keys = {key for part in schema[parts].values() for key in part.get("properties", ())}
        keys |= set(schema["properties"])
        text = page(site, shown)
        assert [key for key in keys if f"<code>{key}</code>" not in text] == []
        empty = re.findall(r"<td><code>(\w+)</code></td>\n<td>.*</td>\n<td></td>\n</tr>", text)
        # A new field may be explained a little later: in its class, or in docs/hooks/field_meanings.py.
        assert len(empty) <= 5, empty
    text = page(site, "pytest")
    source = Path(pytest_plugin.__file__).read_text(encoding="utf-8")
    fixtures = re.findall(r"@pytest.fixture.*\ndef (\w+)", source)
    options = re.findall(r'"(--mail-\w+)"', source)
    assert (len(fixtures), len(options)) >= (3, 5)
    assert [name for name in fixtures if f"<code>{name}</code></td>" not in text] == []
    assert [name for name in options if f"<code>{name}=" not in text] == []


def test_nothing_that_is_made_is_left_out_or_stands_in_the_repository(site: Path) -> None:
    built = "".join(one.read_text(encoding="utf-8") for one in site.rglob("*.html"))
    assert "is made from" not in page(site, "commands")
    assert "<!-- made" not in built
    for one in DOCS.glob("*.md"):
        kept = one.read_text(encoding="utf-8")
        for made in re.findall(r"<!-- made: .*? -->\n(.*?)<!-- end", kept, re.DOTALL):
            assert made.count("\n") <= 2, one


def test_each_race_has_a_picture_with_words_its_harm_its_remedy_and_its_command(site: Path) -> None:
    sections = re.split(r'<h2 id="s\d+-', page(site, "races"))[1:]
    assert len(sections) == len(RACES)
    drawn = json.loads((DOCS / "schedules.json").read_text(encoding="utf-8"))
    # A race that has just become known may be drawn a little later (docs/hooks/keep_schedule.py).
    assert len({race.number for race in RACES} - set(drawn)) <= 1
    for race, section in zip(RACES, sections, strict=True):
        if race.number not in drawn:
            continue
        assert f'<title id="{race.number.lower()}-title">' in section
        assert re.search(r"<desc [^>]*>[^<]{60,}", section), race.number
        for words in ("Versions:", "It needs", "What it does:", "What helps:"):
            assert words in section, race.number
        assert ("mailrace steer" in section or "mailrace run" in section) == bool(race.scenario)
        assert "point of no return" in section or race.number == "S9", "that one is by design"


def test_what_stands_in_a_picture_are_words_and_no_statements(site: Path) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page(site, "races"), re.DOTALL)
    drawn = "".join(re.findall(r"<text[^>]*>(.*?)</text>", "".join(pictures)))
    assert re.findall(r"SELECT|INSERT|UPDATE|send\.\d", drawn) == []


def test_the_point_of_no_return_of_a_steered_schedule_was_counted_and_not_guessed() -> None:
    kept = json.loads((DOCS / "schedules.json").read_text(encoding="utf-8"))
    steered = {race: one for race, one in kept.items() if any("sql" in step for step in one["steps"])}
    assert len(steered) >= 8
    for race, one in steered.items():
        assert one["counted"], race
        assert 0 < one["decided"] < len(one["steps"]), race


def test_the_picture_of_the_readme_is_that_of_the_kept_schedule() -> None:
    made = subprocess.run(
        [sys.executable, DOCS / "hooks" / "made_races.py", "S1"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (DOCS / "schedule.svg").read_text(encoding="utf-8") == made.stdout


def test_the_examples_for_pytest_are_tests_that_pass(pytester: pytest.Pytester) -> None:
    examples = re.findall(r"```python\n(.*?)```", (DOCS / "pytest.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    pytester.makepyfile("\n\n".join(examples))
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q").assert_outcomes(passed=2)


def test_the_example_for_any_suite_of_pytest_passes_where_it_is_recorded(pytester: pytest.Pytester) -> None:
    text = (DOCS / "examples.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^## pytest$.*?```python\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    pytester.makepyfile(example)
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "--mail-record=embedded")
    done.assert_outcomes(passed=1)
    assert "mailrace record" in done.stdout.str()


def test_what_users_copy_is_yaml_and_calls_commands_that_there_are() -> None:
    pages = {one.name: one.read_text(encoding="utf-8") for one in DOCS.glob("*.md")}
    copied = [part for text in pages.values() for part in re.findall(r"```ya?ml\n(.*?)```", text, re.DOTALL)]
    assert len(copied) >= 5
    assert all(all(YAML(typ="safe", pure=True).load_all(part)) for part in copied)
    root: Any = typer.main.get_command(cli.command())
    texts = "\n".join([*pages.values(), (ROOT / "README.md").read_text(encoding="utf-8")])
    named = set(re.findall(r"(?:\$ |run: |    - |`|:ro\" |work\" )mailrace ([a-z]+)\b", texts))
    assert len(named) > 12
    assert named - set(root.commands) == set()


def test_each_kept_survey_has_its_page_and_every_cause_stands_in_the_comparison(site: Path) -> None:
    kept = {one.stem: json.loads(one.read_text(encoding="utf-8")) for one in DOCS.glob("surveys/*.json")}
    assert len(kept) >= 3
    compared = page(site, "surveys")
    for version, survey in kept.items():
        own = (site / "surveys" / f"{version}.html").read_text(encoding="utf-8")
        shown = [one["name"] for one in survey["causes"] if one["fate"] == "realised"]
        assert len(shown) > 10
        assert [name for name in shown if f"<code>{name}</code>" not in compared or name not in own] == []
        assert survey["environment"]["cpus"]
        assert survey["command"].startswith(f"mailrace survey --target mailpit@{version}")
        assert survey["command"] in compared


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site's address while it is served on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        lacking("no Chromium on PATH: the site was not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.mark.browser
def test_every_page_fits_is_accessible_and_asks_nobody_else(site: Path, address: str, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    names = sorted(one.parent.relative_to(site).as_posix() for one in site.rglob("index.html"))
    assert len(names) > 15
    surveyed = [one.relative_to(site).as_posix() for one in site.glob("surveys/*.html")]
    wrong: list[object] = []
    context = browser.new_context()
    looked = context.new_page()
    looked.on("request", lambda asked: asked.url.startswith((address, "data:")) or wrong.append(asked.url))
    looked.on("pageerror", lambda said: wrong.append(str(said)))
    for start, (width, scheme) in enumerate(PLACES):
        looked.set_viewport_size({"width": width, "height": 900})
        looked.emulate_media(color_scheme=scheme)
        # Each page is looked at in one of the four ways, and the page with the pictures in all of them.
        own = [one for one in surveyed[start :: len(PLACES)] if not one.endswith("index.html")]
        for name in dict.fromkeys(["races/", *(f"{one}/" for one in names[start :: len(PLACES)]), *own]):
            looked.goto(f"{address}{name}")
            if looked.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{name} is wider than {width} pixels")
            found = Axe().run(looked).response["violations"]
            wrong += [(name, width, scheme, one["id"], one["nodes"][0]["html"][:120]) for one in found]
    context.close()
    assert wrong == []


@pytest.mark.browser
def test_a_search_finds_an_error_by_its_text(address: str, browser: Any) -> None:
    looked = browser.new_page(viewport={"width": 1280, "height": 900})
    looked.goto(address)
    # A word that is typed before the index is there finds nothing.
    asked = looked.locator("input[name=query]")
    asked.click()
    looked.get_by_text("Type to start searching").wait_for(timeout=60_000)
    asked.press_sequentially("greeting")
    found = looked.locator('.md-search-result__link[href*="/faq/"]').first
    found.wait_for(timeout=60_000)
    found.click()
    assert looked.get_by_role("heading", name="no greeting on").is_visible()
    looked.close()

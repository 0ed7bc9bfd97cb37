"""report.md, junit.xml and ctrf.json say what the result says, whatever a server put into it."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from mailrace.model.errors import UsageError
from mailrace.model.result import Verdict
from mailrace.report import from_json, render
from mailrace.report.ci import ctrf, junit
from mailrace.report.markdown import block, code, markdown, prose, prose_and_code
from mailrace.report.words import legible, not_looked, percent

from tests.report.report_results import native, steered


def with_verdict(verdict):
    result = native(hits=0)
    return replace(result, verdict=verdict, scenarios=(replace(result.scenarios[0], verdict=verdict),))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢", "plain ü 漢"),
        ("a\0b\x1b[31m\r\n\tc", "a\\0b\\x1b[31m\\r\\n\\tc"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\udcff", "\\xff"),
        ("x" * 1_000_000, "x" * 600 + "… (1,000,000 characters)"),
    ],
)
def test_legible(text, shown):
    assert legible(text) == shown


def test_legible_keeps_lines_where_asked():
    assert legible("a\r\nb\tc\x00", lines=True) == "a\nb\tc\\0"


@pytest.mark.parametrize(
    ("rate", "shown"), [(0, "0.0 %"), (0.36, "36.0 %"), (1, "100.0 %"), (0.0003, "0.03 %")]
)
def test_percent(rate, shown):
    assert percent(rate) == shown


def test_markdown_shows_markup_as_characters():
    assert prose("<b>*x*</b> [l](u) tag_lost _y_") == r"\<b\>\*x\*\</b\> \[l\](u) tag_lost \_y\_"
    assert code("a`b``c|d") == "```a`b``c\\|d```"
    assert code("`") == "`` ` ``"
    assert block("```\nx").startswith("````text\n```\nx\n````")


def test_only_what_stands_between_two_backticks_becomes_code():
    assert prose_and_code("from `a*b` to `<c>`.") == "from `a*b` to `<c>`."
    assert prose_and_code("*x* `a` and *y* ` alone") == r"\*x\* `a` and \*y\* \` alone"
    assert prose_and_code("` <b> ``") == r"` <b> `\`"


def test_markdown_says_the_verdict_first_and_how_to_replay():
    text = markdown(native())
    assert text.splitlines()[0] == "# RACE: 36 of 100 rounds refused a mail and stored it all the same."
    assert (
        "| shared-new-tag | **RACE** | 36 of 100 rounds (36.0 %; 26.6–46.2 % with 95 % confidence) |" in text
    )
    assert "mailrace replay reports/latest/run.json --round 0 --target mailpit@1.17.0" in text
    assert "31 more stand in report.html and run.json." in text


def test_markdown_of_a_steered_witness_has_its_statements():
    text = markdown(steered())
    assert (
        "| 8 | send1 | `INSERT OR IGNORE INTO tags (Name) VALUES (?)` | 0 rows: it is there | **guilty** |"
        in text
    )
    assert "- send1, delete1: send1 250; delete1 200; one copy with the tag" in text


@pytest.mark.parametrize(
    ("verdict", "tag", "status"),
    [
        (Verdict.PASS, None, "passed"),
        (Verdict.RACE, "failure", "failed"),
        (Verdict.FAILED, "error", "other"),
        (Verdict.INCONCLUSIVE, "error", "other"),
        (Verdict.NOT_APPLICABLE, "skipped", "skipped"),
    ],
)
def test_each_verdict_has_its_word_for_ci(verdict, tag, status):
    result = with_verdict(verdict)
    case = ET.fromstring(junit(result)).find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == "shared-new-tag"
    assert {c.tag for c in case} - {"system-out"} == ({tag} if tag else set())
    document = json.loads(ctrf(result))["results"]
    assert document["tests"][0]["status"] == status
    assert document["summary"][status] == 1
    assert document["summary"]["tests"] == 1


def test_control_characters_do_not_break_the_xml():
    result = native(hits=0)
    odd = replace(result.scenarios[0], reason="\x00\x1b]]>&<x>\ufffe\udc80", verdict=Verdict.RACE)
    failure = ET.fromstring(junit(replace(result, scenarios=(odd,)))).find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "\\0\\x1b]]>&<x>\\ufffe\\x80"


def test_render_writes_each_format_and_nothing_else(tmp_path):
    files = render(native(), tmp_path / "r", ("html", "md", "junit", "ctrf", "json"))
    assert [f.name for f in files] == ["report.html", "report.md", "junit.xml", "ctrf.json", "run.json"]
    assert sorted(f.name for f in (tmp_path / "r").iterdir()) == sorted(f.name for f in files)


def test_an_old_run_rendered_again_gives_the_same_bytes(tmp_path):
    first = [f.read_bytes() for f in render(native(), tmp_path)]
    again = from_json((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [f.read_bytes() for f in render(again, tmp_path)] == first


def test_an_unknown_format_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="pdf: no such format; there are json, html, md, junit, ctrf"):
        render(native(), tmp_path, ("pdf",))


def test_a_limit_of_the_target_is_said_once():
    result = native(hits=0)
    (scenario,) = result.scenarios
    limit = "its log cannot be read"
    target = replace(result.target, limits=(limit,))
    scenario = replace(scenario, not_looked=("the first round was lost", limit))
    said = not_looked(replace(result, target=target, scenarios=(scenario,)))
    assert [said.count(limit), said.count("the first round was lost")] == [1, 1]

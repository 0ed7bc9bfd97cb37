"""report.html without a browser: what it says first, how long it is, and that nothing in it is live."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from mailrace.model.result import Verdict
from mailrace.report.conclusion import conclusion
from mailrace.report.page import page
from mailrace.report.study import Study, StudyCell, study_page

from tests.report.hostile import hostile
from tests.report.report_records import clean_round, raced_round, witness
from tests.report.report_results import native, steered


class Tags(HTMLParser):
    """The tags and attributes of a page, in order."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def long_run(rounds):
    result = native()
    scenario = replace(
        result.scenarios[0],
        rounds=rounds,
        hits=rounds // 2,
        witnesses=tuple(witness(raced_round(i)) for i in range(0, rounds, 2)),
        sample=tuple(clean_round(i) for i in range(1, 20, 2)),
    )
    return replace(result, scenarios=(scenario,))


def test_the_verdict_comes_first():
    text = page(native())
    body = re.sub(r"<[^>]*>", " ", text[text.index("<h1>") :])
    assert " ".join(body.split()).startswith(
        "✕ RACE 36 of 100 rounds refused a mail and stored it all the same."
    )


def test_100_rounds_stay_under_300_kb_and_say_what_is_left_out():
    text = page(long_run(100))
    assert len(text.encode()) < 300_000
    drawn, listed = (int(n) for n in (text.count('<svg class="lanes"'), text.count("<tr data-find")))
    assert "further hits are listed below, a line each" in text
    assert text.count('<details class="round hit"') + listed == 50
    assert drawn == text.count('<details class="round')
    assert text.count('<details class="round"') >= 1, "a sample of clean rounds is drawn too"


@pytest.mark.slow
def test_10_000_rounds_stay_under_2_mb_and_say_what_is_left_out():
    text = page(long_run(10_000))
    assert len(text.encode()) < 2_000_000
    assert "further hits stand in run.json only" in text


def test_all_scenarios_of_a_run_are_drawn_before_the_second_hit_of_one():
    result = native()
    many = tuple(replace(result.scenarios[0], name=f"scenario-{i}") for i in range(9))
    text = page(replace(result, scenarios=many))
    sections = text.split('<section class="scenario"')[1:]
    assert all('<details class="round hit"' in s for s in sections)
    assert len(text.encode()) < 2_000_000


@pytest.mark.parametrize("result", [native(), steered(), hostile()], ids=["native", "steered", "hostile"])
def test_nothing_in_the_page_reaches_out_or_runs(result):
    text = page(result)
    tags = Tags(text).tags
    assert [t for t, _ in tags].count("script") == 1
    assert [t for t, _ in tags].count("style") == 1
    for tag, attributes in tags:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            assert name not in {"src", "action"}
            assert name != "href" or value.startswith("#")
    policy = next(a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_hostile_text_is_shown_cut_and_escaped():
    text = page(hostile())
    assert len(text.encode()) < 300_000
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "caf\\xe9 \\xff\\xfe" in text
    assert "(1,000,000 characters)" in text
    assert "{{ 7*7 }}{% raw %}" in text
    assert "&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;" in text


def test_a_steered_witness_stands_as_columns_beside_the_serial_orders():
    text = page(steered())
    assert text.count('<tr class="guilty">') == 2
    assert "Broken promise:" in text
    assert text.index("INSERT OR IGNORE INTO tags") < text.index("One after the other")


def test_a_clean_run_and_one_without_rounds_render():
    assert "✓" in page(native(hits=0))
    empty = replace(native(hits=0).scenarios[0], rounds=0, sample=(), blocks=(), replies={}, control=None)
    assert "no rounds" in page(replace(native(hits=0), scenarios=(empty,)))
    assert "<h1>" in page(replace(native(hits=0), scenarios=(), cut_off=True))


@pytest.mark.parametrize("kind", ["gate", "matrix", "retries"])
def test_a_study_has_a_page_with_its_table_first_and_then_its_conclusion(kind):
    study = Study(
        kind=kind,
        title="<b> on mailpit@1.30.5",
        verdict=Verdict.RACE,
        headline="One of them <i>races</i>.",
        header=("scenario", "mailpit@1.30.5"),
        rows=(
            (StudyCell(text="<b>"), StudyCell(text="2 of 4", verdict=Verdict.RACE, report="00/report.html")),
        ),
        told=conclusion(native(hits=6)),
        command="mailrace matrix --versions 1.30.5",
        started="2026-11-23T14:00:39Z",
        details=("proof <script>",),
    )
    text = study_page(study)
    assert '<th scope="row">&lt;b&gt;</th>' in text
    assert '<a href="00/report.html">2 of 4</a>' in text
    assert "One of them &lt;i&gt;races&lt;/i&gt;." in text
    assert "proof &lt;script&gt;" in text
    assert "mailrace matrix --versions 1.30.5" in text
    assert text.index('id="results"') < text.index('id="conclusion"') < text.index('id="details"')


def test_the_table_of_results_comes_before_what_is_said_of_it():
    run = native(hits=6)
    (one,) = run.scenarios
    text = page(replace(run, scenarios=tuple(replace(one, name=f"s{n}") for n in range(22))))
    assert text.index('id="overview"') < text.index('id="conclusion"') < text.index('class="filter"')
    head = text[text.index("<main") : text.index('class="filter"')]
    sentences = re.findall(r"<(?:li|p)>([^<]{30,})<", head)
    assert len(sentences) == len(set(sentences)) > 2, "no sentence stands there twice"

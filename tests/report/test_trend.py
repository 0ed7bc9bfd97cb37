"""The index page over reports/: runs by scenario and target, old to new, and what could not be read."""

from dataclasses import replace

from mailrace.model.result import Verdict
from mailrace.report import render, render_index
from mailrace.report.trend import POINTS_MAX, trends

from tests.report.report_results import native, steered


def test_runs_stand_by_scenario_and_target_from_old_to_new(tmp_path):
    for day, hits in ((12, 0), (10, 36), (11, 18)):
        render(replace(native(hits=hits), started=f"2026-11-{day}T14:00:00Z"), tmp_path / f"a{day}")
    render(steered(), tmp_path / "b")
    text = render_index(tmp_path).read_text(encoding="utf-8")
    assert "4 runs, 2 pairs of scenario and target" in text
    assert text.index("delete-last-holder") < text.index("shared-new-tag")
    assert text.count('class="p-RACE"') == 3
    assert text.count('class="p-PASS"') == 1
    assert 'href="a12/report.html"' in text


def test_points_rise_with_the_rate_and_only_the_newest_are_shown(tmp_path):
    runs = [
        (tmp_path / f"r{i:03d}", replace(native(hits=hits), started=f"{i:04d}"))
        for i, hits in enumerate([0, 10, 20, 30] * 10)
    ]
    (found,) = trends(runs)
    assert len(found.points) == POINTS_MAX
    assert found.last.link == "r039/report.html"
    heights = [p.y for p in found.points[-4:]]
    assert heights == sorted(heights, reverse=True)
    assert found.points[-4].verdict is Verdict.PASS


def test_a_run_that_cannot_be_read_is_named_and_links_are_not_followed(tmp_path):
    render(native(), tmp_path / "good")
    (tmp_path / "latest").symlink_to("good", target_is_directory=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "run.json").write_text('{"schema_version": 7, "mailrace": "<b>9</b>"}')
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_bytes(b"\xff\xfe")
    text = render_index(tmp_path).read_text(encoding="utf-8")
    assert "1 run, 1 pair of scenario and target" in text
    assert "7 is newer than 1" in text
    assert "<b>9</b>" not in text
    assert "<b>torn</b>" in text


def test_an_empty_folder_says_so(tmp_path):
    assert "No run has left a report here yet." in render_index(tmp_path).read_text(encoding="utf-8")


def test_a_gate_a_matrix_and_retries_are_listed_with_their_pages_newest_first(tmp_path):
    for number, kind in enumerate(("gate", "matrix", "retries", "merge")):
        (tmp_path / f"2026112{number}-{kind}").mkdir()
        (tmp_path / f"2026112{number}-{kind}" / f"{kind}.html").write_text("page", encoding="utf-8")
    (tmp_path / "latest").symlink_to("20261120-gate", target_is_directory=True)
    text = render_index(tmp_path).read_text(encoding="utf-8")
    listed = enumerate(("gate", "matrix", "retries"))
    links = [f'href="2026112{number}-{kind}/{kind}.html"' for number, kind in listed]
    places = [text.index(link) for link in links]
    assert places == sorted(places, reverse=True)
    assert "merge.html" not in text
    assert "latest/gate.html" not in text

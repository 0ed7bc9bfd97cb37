"""What fits: sentences wrapped between words, commands and paths whole, tables that become paragraphs."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from mailrace.cli.screen import Screen, laid_out, wrapped
from mailrace.cli.show import end_with
from mailrace.report import render
from mailrace.report.conclusion import Command, Conclusion
from mailrace.report.words import harmless
from mailrace.studies import rendering
from rich.table import Table
from rich.text import Text

from tests.cli.in_process import Here
from tests.report.report_results import native

PATH = "reports/20261125-150544-send-delete-last-holder-and-another-one-mailpit@1.30.5/report.html"


@pytest.mark.parametrize("width", [40, 80, 132])
def test_no_word_is_broken_and_no_line_is_longer_unless_a_word_is(width: int) -> None:
    text = f"The report of send-delete-last-holder on mailpit@1.30.5 stands in {PATH} and nowhere else."
    lines = wrapped(text, width, indent="  ")
    assert " ".join(" ".join(lines).split()) == text, "every word is there, whole, in its order"
    assert all(len(line) <= width or line.split() == [PATH] for line in lines)


def test_what_stands_in_backticks_is_not_parted() -> None:
    text = "Then type `mailrace run scenarios --target mailpit@1.30.5`, which looks again."
    (line,) = [line for line in wrapped(text, 56) if "`" in line]
    assert "`mailrace run scenarios --target mailpit@1.30.5`," in line


def test_without_a_terminal_a_sentence_is_one_line() -> None:
    assert wrapped("word " * 100, None, indent="  ") == ["  " + "word " * 100]


def test_a_table_that_fits_has_columns() -> None:
    assert laid_out(("a", "b"), [("1", "22"), ("333", "4")], 40) == ["a    b", "1    22", "333  4"]


def test_a_table_that_does_not_fit_has_a_paragraph_for_each_row() -> None:
    rows = [("send-delete-last-holder", "unchanged", "-", "both versions show it, in the very same schedule")]
    lines = laid_out(("scenario", "change", "old", "why"), rows, 60)
    assert lines == [
        "send-delete-last-holder",
        "  change: unchanged",
        "  why: both versions show it, in the very same schedule",
    ]
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize("counted", [(), ("2 of 9 rounds hit.",)])
def test_one_empty_line_stands_between_what_is_said(
    counted: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    told = Conclusion(counted=counted, explained=(), commands=(Command(purpose="To report it", text="do"),))
    end_with(Screen(), None, told)
    lead = "".join(f"\n{sentence}\n" for sentence in counted)
    assert capsys.readouterr().out == f"{lead}\nTo report it:\n  do\n"


HOSTILE = (
    "red\x1b[31m\u202e\n::error title=x::owned\r\n\t ::stop-commands::t\n"
    "##vso[task.complete result=Succeeded]\n##[error]"
)


def is_obeyed(text: str) -> bool:
    """Whether a terminal or the runner of a CI job would take any of it for a command."""
    lines = [line.lstrip() for line in text.splitlines()]
    return any(c in text for c in "\x1b\u202e") or any(x.startswith(("::", "##[", "##vso[")) for x in lines)


def table(text: str) -> Table:
    made = Table("head")
    made.add_row(text)
    return made


@pytest.mark.parametrize(
    "say",
    [
        Screen.text,
        Screen.line,
        Screen.block,
        lambda screen, text: screen.table(("head",), ((text,),)),
        lambda screen, text: screen.console.print(Text.assemble(("RACE ", "bold"), text)),
        lambda screen, text: screen.console.print(table(text)),
    ],
    ids=["text", "line", "block", "table", "styled", "rich table"],
)
def test_what_would_be_obeyed_is_shown_however_it_is_printed(
    say: Callable[[Screen, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_obeyed(HOSTILE)
    say(Screen(), HOSTILE)
    out = capsys.readouterr().out
    assert "owned" in out
    assert not is_obeyed(out)


@pytest.mark.parametrize("text", ["at ::1 and ::ffff:7f00:1", "::1:2025", "a::b::c", "a # b ## c", "## head"])
def test_what_is_no_command_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_stranger_s_names_are_shown_by_report(here: Here, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    document = json.loads((tmp_path / "run" / "run.json").read_text())
    document["scenarios"][0].update(name=HOSTILE, reason=HOSTILE, machine=HOSTILE)
    (tmp_path / "run" / "run.json").write_text(json.dumps(document))
    status, out, err = here("report", "run")
    assert status == 0
    assert "owned" in out
    assert not is_obeyed(out + err)


def test_a_stranger_s_study_is_shown_by_report(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gate").mkdir()
    told = SimpleNamespace(found=SimpleNamespace(study="gate"), lines=[f"new: {HOSTILE}"], files=[])
    monkeypatch.setattr(rendering, "rendered", lambda *_: told)
    status, out, _ = here("report", "gate")
    assert (status, is_obeyed(out)) == (0, False)
    assert "owned" in out

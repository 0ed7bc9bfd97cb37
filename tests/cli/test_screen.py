"""What fits: sentences wrapped between words, commands and paths whole, tables that become paragraphs."""

import pytest
from mailrace.cli.screen import Screen, laid_out, wrapped
from mailrace.cli.show import end_with
from mailrace.report.conclusion import Command, Conclusion

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

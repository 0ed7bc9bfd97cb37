"""The watch over a log: whole lines only, rotation, truncation, endless lines, and the known signatures."""

from pathlib import Path

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import UsageError
from mailrace.studies.watch import LINE_BYTES_MAX, Tail, Watch

S1 = 'time="x" level=error msg="[db] error storing message: UNIQUE constraint failed: tags.Name"'


def test_it_follows_what_is_written_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_text("one\ntw")
    tail = Tail(log)
    assert list(tail.lines()) == ["one"]
    assert list(tail.lines()) == []
    with log.open("a") as file:
        file.write("o\r\nthree\nrest")
    assert list(tail.lines()) == ["two", "three"]
    assert list(tail.last()) == ["rest"]
    tail.close()


def test_from_the_end_only_new_lines_come(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_text("old\n")
    tail = Tail(log, from_end=True)
    with log.open("a") as file:
        file.write("new\n")
    assert list(tail.lines()) == ["new"]
    tail.close()


def test_it_follows_rotation_and_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_text("one\n")
    tail = Tail(log)
    assert list(tail.lines()) == ["one"]
    with log.open("a") as file:
        file.write("two\nthe end")
    log.rename(tmp_path / "mailpit.log.1")
    assert list(tail.lines()) == ["two"]  # the new file is not there yet
    log.write_text("three\n")
    assert list(tail.lines()) == ["the end", "three"]
    tail.close()


def test_it_follows_truncation_in_place(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_text("a long first line\n")
    tail = Tail(log)
    list(tail.lines())
    log.write_text("two\n")
    assert list(tail.lines()) == ["two"]
    tail.close()


def test_an_endless_line_is_cut_and_its_rest_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_bytes(b"x" * (3 * LINE_BYTES_MAX))
    tail = Tail(log)
    (shown,) = list(tail.lines())
    assert len(shown) == LINE_BYTES_MAX
    with log.open("ab") as file:
        file.write(b"y" * LINE_BYTES_MAX + b"\nnext\n")
    assert list(tail.lines()) == ["next"]
    tail.close()


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_bytes(b"\xff\xfe\x00\n" + S1.encode() + b"\n")
    tail, watch = Tail(log), Watch()
    seen = [found for line in tail.lines() if (found := watch.look(line))]
    assert [(s.number, s.known.explains) for s in seen] == [(2, AnomalyName.REJECTED_BUT_STORED)]
    assert watch.lines == 2
    tail.close()


def test_stamps_of_our_own_log_are_passed_over() -> None:
    seen = Watch().look("3841203501968 panic: runtime error")
    assert seen is not None
    assert (seen.text, seen.known.explains) == ("panic: runtime error", AnomalyName.CRASH)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a server's log file"):
        Tail(tmp_path / "none.log")

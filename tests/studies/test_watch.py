"""The watch over a log: whole lines only, rotation, truncation, endless lines, and the known signatures."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import UsageError
from mailrace.studies.watch import LINE_BYTES_MAX, Tail, Watch

from tests.running import mailrace

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


def test_a_log_of_any_length_is_read_to_its_end(tmp_path: Path) -> None:
    """One of 70 MB, which a look of `watch --once` has to read as a whole: else it would call it clean."""
    log = tmp_path / "mailpit.log"
    with log.open("wb") as file:
        for _ in range(70):
            file.write((b"x" * 1023 + b"\n") * 1024)
        file.write(S1.encode() + b"\n")
    tail = Tail(log)
    assert sum(1 for _ in tail.lines()) == 70 * 1024 + 1
    tail.close()


@pytest.mark.parametrize("ends", [True, False])
def test_what_comes_through_a_pipe_is_watched_as_it_comes(ends: bool) -> None:
    reading, writing = os.pipe()
    tail = Tail(Path(f"/dev/fd/{reading}"), from_end=True)
    os.close(reading)
    assert (list(tail.lines()), tail.is_stream, tail.is_over) == ([], True, False)
    os.write(writing, b"one\ntw")
    assert list(tail.lines()) == ["one"]
    os.write(writing, b"o\nrest")
    if ends:
        os.close(writing)
    assert list(tail.lines()) == ["two"]
    assert tail.is_over is ends
    assert list(tail.last()) == ["rest"]
    tail.close()
    if not ends:
        os.close(writing)


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


LINE = f"{S1}\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LINE.encode("utf-16"), "iconv -f UTF-16"),
        (LINE.encode("utf-16-le"), "iconv -f UTF-16"),
        (LINE.encode("utf-32-be"), "iconv -f UTF-16"),
        (gzip.compress(LINE.encode()), "gzip -dc"),
        (bz2.compress(LINE.encode()), "bzip2 -dc"),
        (lzma.compress(LINE.encode()), "xz -dc"),
        (b"PK\x03\x04rest", "give the log in it"),
    ],
)
def test_a_file_that_is_no_plain_text_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(content)
    done = mailrace("watch", "--once", log, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", 3),
        ("\n\n", 3),
        ("another program\nsays this\n", 3),
        ('time="2026/11/25 10:00:00" level=info msg="[http] starting on 127.0.0.1:8025"\n', 0),
        ('mailpit-1  | time="x" level=info msg="[smtpd] received"\n', 0),
        (LINE, 1),
    ],
)
def test_an_empty_log_and_one_of_another_program_are_not_clean(
    content: str, status: int, tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    log.write_text(content)
    done = mailrace("watch", "--once", log, cwd=tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("None of them is a line of Mailpit" in done.stdout) == (status == 3)

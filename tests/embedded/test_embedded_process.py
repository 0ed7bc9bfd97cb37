"""The process: its flags, its log lines, and that it ends when it is told to, hung or not."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.embedded.conversation import Http, Smtp, Speaker
from tests.embedded.conversation_mails import BASE, HELLO, mail

pytestmark = pytest.mark.slow

LIMIT_S = 10.0
_LINE = re.compile(r'time="\d{4}/\d\d/\d\d \d\d:\d\d:\d\d" level=(info|warning|error|fatal) msg="(.*)"\n')


@contextmanager
def _process(*flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mailrace.embedded", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _lines(process: subprocess.Popen[str], until: str) -> list[tuple[str, str]]:
    assert process.stdout is not None
    found = []
    for line in process.stdout:
        match = _LINE.fullmatch(line)
        assert match, line
        found.append((match[1], match[2]))
        if until in match[2]:
            break
    return found


def _speaker(process: subprocess.Popen[str]) -> Speaker:
    texts = [text for _, text in _lines(process, "accessible via")]
    smtp, http = (int(re.findall(r":(\d+)", text)[0]) for text in texts[:2])
    return Speaker(("127.0.0.1", smtp), f"http://127.0.0.1:{http}")


def test_it_says_where_it_listens_and_what_went_wrong(tmp_path: Path) -> None:
    place = ("--smtp", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--database", str(tmp_path / "mail.db"))
    others = ("--max", "0", "--smtp-disable-rdns", "--disable-version-check")
    with _process("--version-of", "1.30.5", *place, *others) as process:
        lines = _lines(process, "accessible via")
        texts = [text for _, text in lines]
        assert re.fullmatch(r"\[smtpd\] starting on 127\.0\.0\.1:\d+ \(no encryption\)", texts[0])
        assert re.fullmatch(r"\[http\] starting on 127\.0\.0\.1:\d+", texts[1])
        ports = [int(re.findall(r":(\d+)", text)[0]) for text in texts[:2]]
        speaker = Speaker(("127.0.0.1", ports[0]), f"http://127.0.0.1:{ports[1]}")
        speaker.say(mail("malformed", BASE + "no header here"))
        assert _lines(process, "response") == [
            ("warning", "[smtpd] error parsing message: malformed header line: no header here"),
            ("warning", "[smtpd] response (127.0.0.1) 451 4.3.5 Unable to process mail"),
        ]
        speaker.say(mail("live", BASE + "Subject: live"))
        speaker.say(Http("DELETE", "/api/v1/messages", '{"IDs":["{0}","stale"]}'))
        with pytest.raises(requests.Timeout):
            requests.get(f"{speaker.api}/readyz", timeout=0.3)
        assert requests.get(f"{speaker.api}/livez", timeout=LIMIT_S).status_code == 200
        process.terminate()
        assert process.wait(LIMIT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_s10_two_fixed_processes_share_a_file(tmp_path: Path) -> None:
    """Their transactions wait for each other, where Mailpit's answer 451 for SQLITE_BUSY."""
    flags = ("--smtp", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--database", str(tmp_path / "mail.db"))
    with _process(*flags) as one, _process(*flags) as other:
        speakers = [_speaker(one), _speaker(other)]
        lines = tuple(
            line for i in range(40) for line in mail("m", f"{BASE}Subject: {i}\r\nX-Tags: T{i}").lines[1:-1]
        )
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda s: s.say(Smtp("forty mails", (HELLO, *lines))), speakers))
        assert not [reply for replies in said for reply in replies if reply[:1] not in "23"]  # type: ignore[attr-defined]
        answer = speakers[0].say(Http("GET", "/api/v1/messages?limit=1"))
        assert answer["body"]["total"] == 80  # type: ignore[index]


@pytest.mark.parametrize(
    ("flags", "status", "text"),
    [
        (("--version-of", "9.9.9"), 2, "invalid choice: '9.9.9'"),
        (("--smtp", "nowhere"), 2, "'nowhere' is no address"),
        (("--database", "/nowhere/at/all.db"), 4, "unable to open database file"),
        (("--database", "http://127.0.0.1:1"), 4, "cannot reach http://127.0.0.1:1"),
    ],
)
def test_what_it_cannot_do_it_says(flags: tuple[str, ...], status: int, text: str) -> None:
    with _process("--smtp", "127.0.0.1:0", "--listen", "127.0.0.1:0", *flags) as process:
        said, _ = process.communicate(timeout=LIMIT_S)
    assert text in said
    assert process.returncode == status

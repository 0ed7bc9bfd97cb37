"""`mailrace record` as a user runs it: killed at any moment, read again, with planted secrets, over POP3."""

import base64
import json
import re
import smtplib
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from mailrace.history import RECORD
from mailrace.record.file import read_record
from mailrace.record.recorded import Begun, Ended, Recorded

from tests.record.recorder_command import LIMIT_S, Running, recorder
from tests.running import mailrace

USER, PASSWORD = "planted-user@x.test", "planted pass/wörd"
CONTENT = "planted-content-of-the-mail"
SUBJECT = "planted-subject"


def sent(running: Running, number: int) -> None:
    """One mail with a content of its own."""
    mail = (
        f"Message-ID: <m{number}@x.test>\r\nTo: a{number}@x.test\r\nSubject: {SUBJECT}\r\n\r\n{CONTENT}\r\n"
    )
    with smtplib.SMTP(*running.smtp, timeout=LIMIT_S) as client:
        client.sendmail("s@x.test", [f"a{number}@x.test"], mail)


def nothing(running: Running) -> object:
    """No client came."""
    return running


def five_mails(running: Running) -> object:
    """Whole conversations."""
    for number in range(5):
        sent(running, number)
    return running


def half_a_mail(running: Running) -> object:
    """A conversation that is in the middle of its mail, for as long as the socket is held."""
    five_mails(running)
    link = socket.create_connection(running.smtp, LIMIT_S)
    reader = link.makefile("rb")
    for line in (b"", b"EHLO x\r\n", b"MAIL FROM:<a@x.test>\r\n", b"RCPT TO:<b@x.test>\r\n", b"DATA\r\n"):
        link.sendall(line)
        while reader.readline()[3:4] == b"-":
            pass
    link.sendall(b"Subject: half\r\n\r\nonly")
    reader.close()
    return link


@pytest.mark.slow
@pytest.mark.parametrize(("act", "operations"), [(nothing, 0), (five_mails, 5), (half_a_mail, 5)])
def test_a_record_that_was_killed_is_read_again_and_never_called_clean(
    act: Callable[[Running], object], operations: int, tmp_path: Path
) -> None:
    with recorder(tmp_path / "r") as running:
        held = act(running)
        # The recorder is told of a reply after the client is, so the last line may still be on its way.
        await_lines(tmp_path / "r" / RECORD, operations)
        running.kill()
        if isinstance(held, socket.socket):
            held.close()
        with pytest.raises(OSError):  # the relay ends with its recorder, and does not serve on unseen
            while True:
                socket.create_connection(running.smtp, LIMIT_S).close()
    assert not (tmp_path / "r" / "record.json").exists()
    done = mailrace("report", "r", cwd=tmp_path)
    assert (done.returncode, "the recorder was killed" in done.stdout) == (0, True), done
    assert "no broken promise" not in done.stdout
    found = json.loads((tmp_path / "r" / "record.json").read_text())
    assert found["operations"] == operations
    assert found["not_whole"] != []
    assert (tmp_path / "r" / "report.html").is_file()


def await_lines(file: Path, operations: int) -> None:
    """Until the file holds so many operations."""
    while sum(isinstance(line, Recorded) for line in read_record(file)) < operations:
        pass


@pytest.mark.slow
def test_a_record_cut_at_any_byte_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    with recorder(tmp_path / "r") as running:
        sent(running, 1)
        running.end()
    whole = (tmp_path / "r" / RECORD).read_bytes()
    lines = [*read_record(tmp_path / "r" / RECORD)]
    assert (type(lines[0]), type(lines[-1])) == (Begun, Ended)
    cut = tmp_path / RECORD
    for at in range(len(whole) + 1):
        cut.write_bytes(whole[:at])
        assert [*read_record(cut)] == lines[: whole[:at].count(b"\n")]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["replay", "bundle", "merge"])
def test_other_commands_say_in_one_line_what_a_record_is(command: str, tmp_path: Path) -> None:
    with recorder(tmp_path / "r") as running:
        sent(running, 1)
        running.end()
    done = mailrace(command, "r", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "record of a suite" in done.stderr
    assert "mailrace steer" in done.stderr


def all_files(folder: Path) -> bytes:
    """All that was written, with the names of the files."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return b"\n".join(str(file.relative_to(folder)).encode() + file.read_bytes() for file in files)


def forms(secret: str) -> list[bytes]:
    """A secret as it is, and as it travels: in base64 at each place of three, in percents, in JSON."""
    raw = secret.encode()
    coded = [base64.b64encode(b"x" * before + raw)[4 if before else 0 : -4] for before in range(3)]
    return [
        raw,
        *coded,
        quote(secret).encode(),
        quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
    ]


def planted(running: Running) -> None:
    """Credentials and contents in every place of the protocols that has one, on a server that wants none."""
    login = f"\0{USER}\0{PASSWORD}".encode()
    coded = base64.b64encode
    lines = [b"EHLO x", b"AUTH PLAIN " + coded(login), b"AUTH PLAIN", coded(login), b"AUTH LOGIN"]
    lines += [coded(USER.encode()), coded(PASSWORD.encode()), b"QUIT"]
    with socket.create_connection(running.smtp, LIMIT_S) as link, link.makefile("rb") as reader:
        for line in (b"", *lines):
            link.sendall(line + b"\r\n" if line else b"")
            while reader.readline()[3:4] == b"-":
                pass
    basic = coded(f"{USER}:{PASSWORD}".encode()).decode()
    url = f"{running.url}/api/v1"
    headers = {"Authorization": f"Basic {basic}", "Cookie": f"session={quote(PASSWORD)}"}
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(headers)
        in_url = f"https://{quote(USER)}:{quote(PASSWORD, safe='')}@host/"
        session.get(f"{url}/search", params={"query": in_url}, timeout=LIMIT_S)
        session.get(f"{running.url}/login/as/{quote(USER)}/{quote(PASSWORD, safe='')}", timeout=LIMIT_S)
        session.post(f"{url}/login", json={"user": USER, "password": PASSWORD}, timeout=LIMIT_S)
        body = {
            "From": {"Email": "s@x.test"},
            "To": [{"Email": "t@x.test"}],
            "Subject": SUBJECT,
            "Text": CONTENT,
        }
        session.post(f"{url}/send", json=body, timeout=LIMIT_S)
    sent(running, 1)
    with smtplib.SMTP(*running.smtp, timeout=LIMIT_S) as client, pytest.raises(smtplib.SMTPDataError):
        client.sendmail("s@x.test", ["t@x.test"], f"{CONTENT} without a colon\r\n\r\n{CONTENT}\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["embedded", pytest.param("1.33.1", marks=pytest.mark.mailpit)])
def test_planted_credentials_and_contents_are_in_nothing_that_is_written(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if target != "embedded":
        target = request.getfixturevalue("real_mailpit")(target)
    with recorder(tmp_path / "r", target) as running:
        planted(running)
        _, text = running.end()
    seen = [line for line in read_record(tmp_path / "r" / RECORD) if isinstance(line, Recorded)]
    assert [one.kind for one in seen] == ["search", "other", "other", "send", "send", "send"]
    written = all_files(tmp_path / "r") + text.encode()
    found = [
        form for secret in (USER, PASSWORD, CONTENT, SUBJECT) for form in forms(secret) if form in written
    ]
    assert found == []


def test_the_suite_s_command_is_kept_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET_TOKEN", "token-of-the-environment")
    words = [
        "--password",
        "planted-1",
        "--api-key=planted-2",
        "http://me:planted-3@host/",
        "token-of-the-environment",
    ]
    done = mailrace(
        *("record", "--target", "embedded", "--minutes", "0", "--out", "r"),
        *("--", sys.executable, "-c", "pass", *words),
        cwd=tmp_path,
    )
    assert done.returncode == 3  # no client came, so nothing was looked at
    written = all_files(tmp_path / "r")
    assert re.findall(rb"planted-\d|token-of-the-environment", written) == []
    assert b"-c pass" in written


@pytest.mark.slow
def test_contents_are_kept_only_on_request_and_that_is_said_loudly(tmp_path: Path) -> None:
    with recorder(tmp_path / "r", "embedded", "--keep-content") as running:
        sent(running, 1)
        assert "THE MAILS THEMSELVES ARE KEPT" in "".join(running.said)
        _, text = running.end()
    assert text.count("THE MAILS THEMSELVES ARE KEPT") == 2  # at the beginning, and at the end
    (file,) = (tmp_path / "r" / "contents").iterdir()
    assert (CONTENT in file.read_text(), file.suffix, file.stat().st_mode & 0o077) == (True, ".eml", 0)
    assert "holds the mails themselves" in (tmp_path / "r" / "report.html").read_text()
    assert json.loads((tmp_path / "r" / "record.json").read_text())["keeps_content"] is True


@pytest.mark.mailpit
def test_pop3_of_a_real_server_is_recorded_and_its_login_is_told(
    real_mailpit: Callable[[str], str], tmp_path: Path
) -> None:
    script = (
        "import os, poplib, smtplib\n"
        "with smtplib.SMTP(os.environ['SMTP_HOST'], int(os.environ['SMTP_PORT'])) as client:\n"
        "    client.sendmail('s@x.test', ['t@x.test'], 'Message-ID: <p@x.test>\\r\\n\\r\\nx')\n"
        "box = poplib.POP3(os.environ['POP3_HOST'], int(os.environ['POP3_PORT']))\n"
        "box.user(os.environ['POP3_USER']); box.pass_(os.environ['POP3_PASSWORD'])\n"
        "assert len(box.uidl()[1]) == 1\n"
        "box.retr(1); box.dele(1); box.quit()\n"
    )
    words = ["record", "--target", real_mailpit("1.33.1"), "--minutes", 0, "--out", "r"]
    done = mailrace(*words, "--", sys.executable, "-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line for line in read_record(tmp_path / "r" / RECORD) if isinstance(line, Recorded)]
    told = [(one.kind, one.code) for one in seen]
    assert told == [("send", 250), ("retrieve", 0), ("mark_deleted", 0), ("delete", 0)]
    assert len({one.ids for one in seen if one.ids} | {(seen[0].queued_as,)}) == 1

"""`pytest --mail-record`: a suite in Python is recorded in every worker, and its hazards are told by test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
LIMIT_S = 120
CLEAN = """
import smtplib, uuid
import pytest, requests

@pytest.mark.parametrize("number", range(6))
def test_one_address_a_test(mail_addresses, number):
    to = f"clean{number}-{uuid.uuid4().hex}@x.test"
    with smtplib.SMTP(mail_addresses.smtp_host, mail_addresses.smtp_port) as client:
        client.sendmail("a@x.test", [to], f"Message-ID: <{to}>\\r\\nTo: {to}\\r\\n\\r\\ntext")
    with requests.Session() as session:
        found = session.get(f"{mail_addresses.url}/api/v1/search", params={"query": f'to:"{to}"'}).json()
        assert found["messages_count"] == 1
        session.delete(f"{mail_addresses.url}/api/v1/search", params={"query": f'to:"{to}"'})
"""
HAZARDOUS = """
import smtplib
import requests

def test_sends_again_what_was_refused(mail_addresses):
    mail = "Message-ID: <again@x.test>\\r\\nno colon here\\r\\n\\r\\ntext"
    for _ in range(2):
        with smtplib.SMTP(mail_addresses.smtp_host, mail_addresses.smtp_port) as client:
            try:
                client.sendmail("a@x.test", ["b@x.test"], mail)
            except smtplib.SMTPDataError:
                pass

def test_does_nothing():
    pass
"""


def recorded(folder: Path, suite: str, *options: str) -> tuple[int, str, dict[str, object] | None]:
    """Run a suite of one file, with warnings as errors: status, what it printed, record.json."""
    folder.mkdir(exist_ok=True)
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    files = [*folder.glob("reports/*/record.json")]
    return done.returncode, done.stdout + done.stderr, json.loads(files[0].read_text()) if files else None


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_clean_suite_is_recorded_whole_and_has_no_hazard(tmp_path: Path, workers: tuple[str, ...]) -> None:
    status, text, found = recorded(tmp_path / "s", CLEAN, "--mail-record", *workers)
    assert (status, "no broken promise and no hazard was seen" in text.lower()) == (0, True), text
    assert found is not None
    assert (found["operations"], found["hazards"], found["not_whole"]) == (18, [], [])
    assert found["processes"] == (2 if workers else 1)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_hazard_is_told_by_the_test_that_has_it(tmp_path: Path, workers: tuple[str, ...]) -> None:
    status, text, found = recorded(tmp_path / "s", HAZARDOUS, "--mail-record=embedded", *workers)
    assert status == 0, text  # a hazard fails no test
    assert found is not None
    (hazard,) = found["hazards"]  # type: ignore[misc]
    name = "test_suite.py::test_sends_again_what_was_refused"
    assert (hazard["name"], hazard["tests"]) == ("blind_retry", [name])
    assert f"in {name}" in text


def test_without_the_option_the_fixture_says_what_is_missing(tmp_path: Path) -> None:
    status, text, found = recorded(tmp_path / "s", CLEAN, "-k", "0")
    assert (status, found) == (1, None)
    assert "give --mail-record, or set SMTP_HOST, SMTP_PORT and MAILPIT_URL" in text


def test_a_server_that_cannot_be_had_ends_pytest_with_the_reason(tmp_path: Path) -> None:
    status, text, found = recorded(tmp_path / "s", CLEAN, "--mail-record=mailpit:/no/such/program")
    assert (status, found) == (4, None)
    assert "--mail-record: " in text
    assert "Traceback" not in text

"""`mailrace bundle` of a suite's record: what shows its race without the suite, and nothing of the suite."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
from mailrace.history import RECORD_DOCUMENT

from tests.record.test_record_command import forms
from tests.running import mailrace

SECRETS = ("planted-password", "planted-content", "planted-subject", "planted-tag", "planted@own.test")
# Two mails with one new tag, each in the middle of its conversation when the other begins and ends.
SUITE = """
import os, smtplib
at = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])
clients = [smtplib.SMTP(*at), smtplib.SMTP(*at)]
for client in clients:
    client.helo(); client.mail("planted@own.test"); client.rcpt("planted@own.test"); client.putcmd("DATA")
    client.getreply()
for number, client in enumerate(clients):
    head = f"Message-ID: <{number}.planted@own.test>\\r\\nSubject: planted-subject\\r\\nX-Tags: planted-tag"
    client.send(f"{head}\\r\\n\\r\\nplanted-content\\r\\n.\\r\\n".encode())
for client in clients:
    client.getreply(); client.quit()
"""


def recorded(place: Path, folder: str) -> str:
    """The record of that suite on a version where two mails with a new tag race; what was said."""
    done = mailrace(
        *("record", "--target", "embedded@1.17.0", "--minutes", "1", "--out", folder),
        *("--", sys.executable, "-c", SUITE, "--password=planted-password"),
        cwd=place,
    )
    assert done.returncode in (0, 1), done
    return done.stdout


@pytest.mark.slow
def test_a_bundle_of_a_record_shows_its_race_without_the_suite_and_holds_nothing_of_it(
    tmp_path: Path,
) -> None:
    said = recorded(tmp_path, "r")
    assert "can lead to rejected_but_stored: scenarios/send-send-the-same-tag.race.yaml" in said
    done = mailrace("bundle", "r", "--out", "b.zip", cwd=tmp_path)
    assert done.returncode == 0, done
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    names = {Path(name).name for name in files}
    assert {"ISSUE.md", "repro.py", "run.json"} <= names
    everything = b"\n".join([*files.values(), *(name.encode() for name in files)])
    planted = [form for secret in SECRETS for form in forms(secret) if form in everything]
    assert planted == []
    # Nothing of the record's own files is in it: they are about the suite.
    assert not names & {"record.jsonl", RECORD_DOCUMENT}
    (run,) = [json.loads(data) for name, data in files.items() if name.endswith("run.json")]
    assert [one["verdict"] for one in run["scenarios"]] == ["RACE"]

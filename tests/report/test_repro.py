"""repro.py: readable, standard library, Python 3.9; it reproduces, does not, or says why it could not run."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import vermin
from mailrace.actors.mail import render
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import UsageError
from mailrace.model.operation import Send, ServerOptions
from mailrace.report import from_json, to_json
from mailrace.report.repro import PROMISES, WITHOUT_SCRIPT, ServerFacts, repro_script
from mailrace.targets import open_target, why_not
from mailrace.targets.mailpit.lookup import find

from tests.absent import nowhere_to_be_had
from tests.race.awkward_mail import SHAPES
from tests.report.hostile import hostile
from tests.report.report_results import native, steered

TITLE = "Parallel senders share a tag that does not exist yet"
LINE_MAX = 240
"""Characters of the longest line: statements of the server stand whole."""
PRUNED = (
    ("delete1", "SELECT ID, Size FROM mailbox WHERE ID IN (?)"),
    ("delete1", "DELETE FROM mailbox WHERE ID IN (?)"),
    ("delete1", "DELETE FROM mailbox_data WHERE ID IN (?)"),
    ("delete1", "DELETE FROM message_tags WHERE ID IN (?)"),
    ("delete1", "INSERT OR IGNORE INTO settings (Key, Value) VALUES(?, ?)"),
    (
        "send1",
        "INSERT INTO mailbox (Created, ID, MessageID, Subject, Metadata, Size, Inline, Attachments, "
        "SearchText, Read, Snippet) VALUES(?,?,?,?,?,?,?,?,?,0,?)",
    ),
    ("send1", "INSERT INTO mailbox_data (ID, Email, Compressed) VALUES(?, x'…', 1)"),
    ("delete1", "UPDATE settings SET Value = Value + ? WHERE Key = ?"),
    (
        "send1",
        "SELECT Name FROM Tags LEFT JOIN message_tags ON (Tags.ID=message_tags.TagID) "
        "WHERE message_tags.ID = ? ORDER BY Name",
    ),
    (
        "delete1",
        "SELECT tags.ID, tags.Name, COUNT(message_tags.ID) as COUNT FROM tags LEFT JOIN message_tags ON "
        "(tags.ID = message_tags.TagID) GROUP BY tags.ID",
    ),
    ("send1", "INSERT OR IGNORE INTO tags (Name) VALUES (?)"),
    ("delete1", "DELETE FROM tags WHERE ID = ?"),
    ("send1", "SELECT ID, Name FROM tags WHERE Name = ?"),
)
"""The order of S2 on 1.30.5, as measured: the pruner takes the tag between INSERT and SELECT."""


def raced_script() -> str:
    return repro_script(native(hits=1).scenarios[0].witnesses[0], ServerFacts(version="1.17.0"), TITLE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_user_s_own_bytes_are_what_the_script_sends(shape: str) -> None:
    raw = SHAPES[shape]
    digest = sha256(raw).hexdigest()
    shown = native(hits=1).scenarios[0].witnesses[0]
    (first, *_) = (o for o in shown.record.plan.operations if isinstance(o, Send))
    own = replace(first.message, file_sha256=digest)
    record = replace(shown.record, plan=replace(shown.record.plan, operations=(replace(first, message=own),)))
    facts = ServerFacts(version="1.17.0", contents={digest: raw})
    script: dict[str, Any] = {"__name__": "repro"}
    exec(compile(repro_script(replace(shown, record=record), facts, TITLE), "repro.py", "exec"), script)
    made = script["mail_bytes"](script["ACTORS"][0]["mail"], own.domain.removesuffix(".test"))
    # The script leaves out X-Mailrace, which is of no use without mailrace; all else is sent as we send it.
    ours = render(own, 1, {digest: raw}).split(b"\r\n")
    left = b"\r\n".join(line for line in ours if not line.startswith(b"X-Mailrace:"))
    stuffed = re.sub(rb"(?m)^\.", b"..", left) + b".\r\n"
    # Between head and body the script writes CRLF, which to the server is the same as CR CR LF.
    assert re.sub(rb"\r+\n", b"\r\n", made) == re.sub(rb"\r+\n", b"\r\n", stuffed)


def steered_script() -> str:
    witness = steered().scenarios[0].witnesses[0]
    schedule = witness.schedule
    assert schedule is not None
    steps = tuple(
        replace(schedule.steps[0], actor=actor, sql=sql, background=False, guilty=number in (12, 13))
        for number, (actor, sql) in enumerate(PRUNED, 1)
    )
    witness = replace(witness, schedule=replace(schedule, steps=steps))
    return repro_script(witness, ServerFacts(version="1.30.5"), TITLE)


def run(folder: Path, script: str, *arguments: str, python: str = sys.executable, limit_s: float = 90):
    """The script alone in an empty folder, with nothing but the standard library to import."""
    (folder / "repro.py").write_text(script, encoding="utf-8")
    found = subprocess.run(
        [python, "-I", "-W", "error", "repro.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    assert os.listdir(folder) == ["repro.py"], "it leaves nothing behind"
    assert "Warning" not in found.stderr
    return found


@pytest.fixture
def binary(real_mailpit):
    """A real program for repro.py, which knows nothing of targets; 1.17.x is raced where it is at hand."""

    def path_of(version: str) -> str:
        if version.startswith("1.17."):
            reason = why_not(f"mailpit@{version}")
            if reason:
                nowhere_to_be_had(reason)
        else:
            real_mailpit(version)
        found, why = find(version)
        assert found is not None, why
        return str(found.path)

    return path_of


@pytest.mark.parametrize("script", [raced_script(), steered_script()], ids=["raced", "steered"])
def test_it_is_one_readable_file_of_the_standard_library(script):
    imported = set(re.findall(r"(?m)^(?:import|from) (\w+)", script))
    assert imported <= set(sys.stdlib_module_names)
    assert max(len(line) for line in script.splitlines()) <= LINE_MAX
    python2, python3 = vermin.detect(script)
    assert python2 is None
    assert python3 <= (3, 9)


@pytest.mark.parametrize("name", sorted(set(PROMISES) - WITHOUT_SCRIPT))
def test_each_broken_promise_has_its_judge(name):
    witness = native(hits=1).scenarios[0].witnesses[0]
    witness = replace(witness, anomaly=replace(witness.anomaly, name=name))
    script = repro_script(witness, ServerFacts(version="1.30.5", flags=("--ignore-duplicate-ids",)), TITLE)
    namespace = {"__name__": "repro"}
    exec(compile(script, "repro.py", "exec"), namespace)
    assert callable(namespace["broken_promise"])
    assert namespace["SERVER_FLAGS"] == ["--ignore-duplicate-ids"]


def test_a_long_statement_stands_whole_for_it_is_compared_with_what_the_server_sends():
    witness = steered().scenarios[0].witnesses[0]
    assert witness.schedule is not None
    long = f"SELECT {', '.join(f'column_{n}' for n in range(400))} FROM mailbox"
    steps = tuple(replace(step, sql=long, background=False) for step in witness.schedule.steps)
    schedule = replace(witness.schedule, steps=steps)
    script = repro_script(replace(witness, schedule=schedule), ServerFacts(version="1.30.5"), TITLE)
    namespace: dict[str, Any] = {"__name__": "repro"}
    exec(compile(script, "repro.py", "exec"), namespace)
    assert {text for _, text in namespace["ORDER"]} == {long}


def test_a_refusal_is_a_broken_promise_where_each_serial_order_accepts_that_operation():
    witness = native(hits=1).scenarios[0].witnesses[0]
    anomaly = replace(witness.anomaly, name=AnomalyName.SPURIOUS_REJECTION)
    script = repro_script(replace(witness, anomaly=anomaly), ServerFacts(version="1.33.1"), TITLE)
    it: dict[str, Any] = {"__name__": "repro"}
    exec(compile(script, "repro.py", "exec"), it)
    it["ACTORS"] = [{"name": "view_latest.1", "request": {}}, {"name": "delete.1", "request": {}}]
    refused = [(404, "Message not found"), (200, "ok")]
    it["SERIAL"] = [[2, 2], [3, 2]]
    assert it["broken_promise"]("run", refused, [], []) == "view_latest.1 was told 404"
    assert it["broken_promise"]("run", [(200, "{}"), (200, "ok")], [], []) == ""
    assert it["broken_promise"]("run", [None, (200, "ok")], [], []) == ""
    it["SERIAL"] = [[2, 2], [4, 2]]
    assert it["broken_promise"]("run", refused, [], []) == "", "one serial order refuses it as well"


def test_what_only_reports_has_no_script():
    witness = native(hits=1).scenarios[0].witnesses[0]
    witness = replace(witness, anomaly=replace(witness.anomaly, name=AnomalyName.TORN_READ))
    with pytest.raises(UsageError, match="torn_read: it is reported and breaks no promise"):
        repro_script(witness, ServerFacts(version="1.30.5"), TITLE)


def test_hostile_texts_stay_texts():
    for witness in from_json(to_json(hostile())).scenarios[0].witnesses:
        compile(repro_script(witness, ServerFacts(version='1"""'), '"""\\'), "repro.py", "exec")


def test_senders_keep_their_own_case_of_a_tag():
    witness = native(hits=1).scenarios[0].witnesses[0]
    operations = witness.record.plan.operations
    sends = [o for o in operations if isinstance(o, Send)]
    tags = ("mrk3f9x2ab-t", "mRk3f9x2aB-t")
    operations = tuple(
        replace(o, message=replace(o.message, x_tags=(t,))) for o, t in zip(sends, tags, strict=True)
    )
    witness = replace(
        witness, record=replace(witness.record, plan=replace(witness.record.plan, operations=operations))
    )
    namespace = {"__name__": "repro"}
    exec(compile(repro_script(witness, ServerFacts(version="1"), TITLE), "repro.py", "exec"), namespace)
    filled = [namespace["fill"](a["mail"]["tags"][0], "mrabcdefgh", {}) for a in namespace["ACTORS"]]
    assert filled == ["mrabcdefgh-t", "mRabcdefgH-t"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either --mailpit PATH, or both"),
        (("--smtp", "127.0.0.1:1"), "give either --mailpit PATH, or both"),
        (("--smtp", "nowhere", "--api", "http://127.0.0.1:9"), "wanted HOST:PORT"),
        (
            ("--smtp", "127.0.0.1:1", "--api", "http://127.0.0.1:9"),
            "http://127.0.0.1:9/api/v1/info: ",
        ),
        (("--mailpit", "/nowhere/mailpit"), "/nowhere/mailpit"),
        (("--mailpit", sys.executable), "did not start"),
        (("--frob",), "unrecognized arguments: --frob"),
    ],
)
def test_it_says_why_it_could_not_run(tmp_path, arguments, told):
    found = run(tmp_path, raced_script(), *arguments)
    assert found.returncode == 4
    assert found.stdout == ""
    assert told in found.stderr


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("api", "/api/v1/info: BadStatusLine"),
        ("smtp", "could not run: 127.0.0.1:9: "),
    ],
)
def test_it_names_the_address_that_is_wrong(tmp_path, wrong, told):
    server = open_target("embedded", ServerOptions())
    server.start()
    try:
        addresses = server.addresses
        smtp = "127.0.0.1:9" if wrong == "smtp" else f"127.0.0.1:{addresses.smtp_port}"
        api = f"http://127.0.0.1:{addresses.smtp_port}" if wrong == "api" else addresses.api
        found = run(tmp_path, raced_script(), "--smtp", smtp, "--api", api)
    finally:
        server.stop()
    assert found.returncode == 4
    assert told in found.stderr


@pytest.mark.parametrize(("target", "status"), [("embedded@1.17.0", 1), ("embedded@fixed", 0)])
def test_against_a_server_over_the_network(tmp_path, target, status):
    assert why_not(target) == ""
    server = open_target(target, ServerOptions())
    server.start()
    try:
        addresses = server.addresses
        smtp = f"{addresses.smtp_host}:{addresses.smtp_port}"
        limits = ("--rounds", "400" if status else "15", "--seconds", "60")
        found = run(tmp_path, raced_script(), "--smtp", smtp, "--api", addresses.api, *limits)
    finally:
        server.stop()
    assert found.returncode == status, found.stdout + found.stderr
    if status:
        assert "REPRODUCED on Mailpit" in found.stdout
        assert "was told 451 4.3.5 Unable to process mail, and its message is stored" in found.stdout
    else:
        assert "not reproduced: 0 of 15 rounds (at most 18 % with 95 % confidence)" in found.stdout


@pytest.mark.mailpit
def test_issue_283_on_the_real_one(tmp_path, binary):
    found = run(tmp_path, raced_script(), "--mailpit", binary("1.17.0"), limit_s=30)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "UNIQUE constraint failed: tags.Name" in found.stdout


@pytest.mark.mailpit
@pytest.mark.parametrize("version", ["1.17.1", "1.27.11", "1.30.5"])
def test_issue_283_is_not_there_any_more(tmp_path, binary, version):
    found = run(tmp_path, raced_script(), "--mailpit", binary(version), "--rounds", "20")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.mailpit
def test_the_order_of_statements_on_the_real_one(tmp_path, binary):
    found = run(tmp_path, steered_script(), "--mailpit", binary("1.30.5"))
    assert found.returncode == 1, found.stdout + found.stderr
    assert "REPRODUCED" in found.stdout
    assert re.findall(r"^> (\d+)", found.stdout, re.MULTILINE) == ["12", "13"]
    assert "sql: no rows in result set" in found.stdout


@pytest.mark.mailpit
def test_the_order_of_statements_does_not_come_on_another_version(tmp_path, binary):
    found = run(tmp_path, steered_script(), "--mailpit", binary("1.27.11"), "--tries", "8")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "not reproduced in 8 tries: this order came 0 times" in found.stdout
    assert "nothing is known of this Mailpit, which may send other statements" in found.stdout

"""The bundle: deterministic, redacted, whole; damaged and hostile zips are refused with a sentence."""

import hashlib
import json
import time
from dataclasses import replace

import pytest
from mailrace.cli.reporting import bundle as bundle_command
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import UsageError
from mailrace.model.operation import Send
from mailrace.report import bundle, from_json, own_messages, render, unpack, what_is_redacted
from mailrace.report.issue import issue
from mailrace.report.repro import WITHOUT_SCRIPT, ServerFacts
from mailrace.report.unbundle import Bundle, read_bundle

from tests.report.hostile import hostile
from tests.report.report_folders import run_folder
from tests.report.report_results import native, steered


def scenario_text(found: Bundle) -> str:
    """The text of the scenario file in a bundle."""
    return next(text.decode() for name, text in found.files.items() if name.endswith(".race.yaml"))


def test_two_bundles_of_one_run_are_byte_equal(tmp_path):
    folder = run_folder(tmp_path / "run", native(hits=3))
    one, two = (bundle(folder, tmp_path / f"{n}.zip").read_bytes() for n in "ab")
    assert one == two


def test_it_holds_what_a_maintainer_needs_with_checksums(made):
    found = read_bundle(made)
    assert list(found.files) == [
        "ISSUE.md",
        "repro.py",
        "shared-new-tag.race.yaml",
        "plan.json",
        "history.jsonl",
        "server.log",
        "run.json",
        "report.html",
        "manifest.json",
        "SHA256SUMS",
    ]
    assert scenario_text(found).startswith("name: shared-new-tag")
    assert found.result.scenarios[0].hits == 3
    for line in found.files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(found.files[name]).hexdigest() == digest
    issue = found.files["ISSUE.md"].decode()
    assert issue.startswith("### What happens\n")
    assert "send2 sends r00000s02 by SMTP" in issue
    assert "3 of 100 rounds" in issue
    assert issue.lower().count("mailrace") - issue.count("mailrace r000") == 1, "one line about us"


def test_the_reporter_is_redacted_everywhere(made):
    found = read_bundle(made)
    for name, content in found.files.items():
        text = content.decode()
        for told in ("jane", "192.168.7.20", "fe80::1:2", "mail work"):
            assert told not in text, name
    assert "REDACTED-ADDRESS:1025" in found.files["server.log"].decode()
    assert found.manifest["redacted"] == ["addresses", "hosts", "paths", "users"]


def test_what_is_redacted_is_shown_before_and_can_be_kept(tmp_path):
    folder = run_folder(tmp_path / "run", native(hits=1))
    shown = {r.found: r.kind for r in what_is_redacted(folder)}
    assert shown["jane"] == "users"
    assert shown["192.168.7.20"] == "addresses"
    kept = read_bundle(bundle(folder, tmp_path / "b.zip", keep=("addresses", "paths")))
    assert "192.168.7.20" in kept.files["server.log"].decode()
    assert "jane-laptop" not in kept.files["run.json"].decode()
    with pytest.raises(UsageError, match="--keep: secrets: no such kind; there are addresses"):
        bundle(folder, tmp_path / "c.zip", keep=("secrets",))


def test_a_server_that_is_not_ours_is_not_named(tmp_path):
    result = native(hits=1)
    name = "http://me:secret@cafe.example:8025?smtp=cafe.example:1025"
    result = replace(
        result, target=replace(result.target, name=name), command=f"mailrace run x --target {name}"
    )
    folder = tmp_path / "run"
    render(result, folder)
    found = read_bundle(bundle(folder, tmp_path / "b.zip"))
    assert found.result.target.name == "http://REDACTED-LOGIN@REDACTED-HOST:8025?smtp=REDACTED-HOST:1025"
    assert b"secret" not in b"".join(found.files.values())


def test_sections_and_loopback_are_no_addresses(tmp_path):
    result = native(hits=1)
    result = replace(result, environment={"a": "RFC 5321 4.1.1.4", "b": "127.0.0.1:40123", "c": "1.30.5"})
    folder = tmp_path / "run"
    render(result, folder)
    assert not [r for r in what_is_redacted(folder) if r.kind == "addresses"]


@pytest.mark.parametrize("unit", [":", "1.", "a:", "/home/x", "f::", "10.0.0.1", "jane"])
def test_a_long_line_of_a_server_costs_no_time(tmp_path, unit):
    folder = run_folder(tmp_path / "run", native(hits=1))
    (folder / "server.log").write_text(unit * 300_000 + "g\n")
    before = time.process_time()
    what_is_redacted(folder)
    assert time.process_time() - before < 5


def test_a_steered_witness_brings_its_schedule(tmp_path):
    found = read_bundle(bundle(run_folder(tmp_path / "run", steered()), tmp_path / "b.zip"))
    assert json.loads(found.files["schedule.json"])["text"] == "delete1@send1:4 deviations=1"
    issue = found.files["ISSUE.md"].decode()
    assert (
        "A promise is broken in 3 of 85 classes of orders (35 orders; the orders of a class differ" in issue
    )
    assert "| 8 | **→** `INSERT OR IGNORE INTO tags (Name) VALUES (?)` |  | 0 rows: it is there |" in issue


@pytest.mark.parametrize(
    ("name", "ends", "said"),
    [
        (AnomalyName.HANG, ["; unanswered: a look"] * 2, "also when one is over before the next begins"),
        (AnomalyName.HANG, ["", "; unanswered: a look"], "that each of them keeps alone"),
        (AnomalyName.REJECTED_BUT_STORED, ["", ""], "that each of them keeps alone"),
    ],
)
def test_a_server_that_hangs_in_every_serial_order_is_told_as_such(name, ends, said):
    run = steered()
    (scenario,) = run.scenarios
    (witness, *_) = scenario.witnesses
    orders = [order for order, _ in witness.schedule.serial]
    serial = tuple((order, f"delete1 200{end}") for order, end in zip(orders, ends, strict=True))
    witness = replace(
        witness,
        anomaly=replace(witness.anomaly, name=name),
        schedule=replace(witness.schedule, serial=serial),
    )
    assert said in issue(run, scenario, witness, ServerFacts(version="1.30.5"))


def test_a_run_without_a_witness_has_nothing_to_bundle(tmp_path):
    folder = tmp_path / "run"
    render(native(hits=0), folder)
    with pytest.raises(UsageError, match=r"this run \(PASS\) holds no witness"):
        bundle(folder, tmp_path / "b.zip")


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(UsageError, match="nope: no such scenario in this run; there are shared-new-tag"):
        bundle(run_folder(tmp_path / "run", native(hits=1)), tmp_path / "b.zip", scenario="nope")


@pytest.mark.slow
def test_hostile_texts_do_not_leave_their_place(tmp_path):
    found = read_bundle(bundle(run_folder(tmp_path / "run", hostile()), tmp_path / "b.zip"))
    compile(found.files["repro.py"], "repro.py", "exec")
    issue = found.files["ISSUE.md"].decode()
    assert "\x1b" not in issue
    assert "\n<script" not in issue


def test_without_an_own_message_none_is_named(tmp_path):
    assert own_messages(run_folder(tmp_path / "run", native(hits=1))) == ()


def test_a_scenario_whose_file_is_gone_is_written_from_the_plan(tmp_path):
    folder = run_folder(tmp_path / "run", native(hits=1))
    (folder / "shared-new-tag.race.yaml").unlink()
    result = from_json((folder / "run.json").read_text())
    gone = replace(result, scenarios=(replace(result.scenarios[0], file="/nowhere/else/x.race.yaml"),))
    render(gone, folder, ("json",))
    found = read_bundle(bundle(folder, tmp_path / "b.zip"))
    assert json.loads(scenario_text(found)) == {"name": "shared-new-tag", "target": {}}


def test_the_users_own_message_goes_along_and_into_the_script(tmp_path, capsys):
    mail = b"Subject: bill\r\nX-Odd: caf\xe9\r\nX-Seen-By: 203.0.113.77\r\n\r\n.dear\r\n"
    folder = run_folder(tmp_path / "run", native(hits=1))
    digest = hashlib.sha256(mail).hexdigest()
    (folder / "mails").mkdir()
    (folder / "mails" / digest).write_bytes(mail)
    actors = [{"send": {"file": "mail.eml"}}]
    scenario = {"name": "shared-new-tag", "mails": {"mail.eml": digest}, "actors": actors}
    head = {"mailrace": "0", "study": "run", "started": "", "run": "mr1", "target": "embedded"}
    plan = {**head, "scenarios": [scenario]}
    (folder / "plan.json").write_text(json.dumps(plan))
    result = from_json((folder / "run.json").read_text())
    scenario = result.scenarios[0]
    record = scenario.witnesses[0].record
    operations = tuple(
        replace(o, message=replace(o.message, file_sha256=hashlib.sha256(mail).hexdigest()))
        for o in record.plan.operations
        if isinstance(o, Send)
    )
    record = replace(record, plan=replace(record.plan, operations=operations))
    witness = replace(scenario.witnesses[0], record=record)
    render(replace(result, scenarios=(replace(scenario, witnesses=(witness,)),)), folder, ("json",))
    found = read_bundle(bundle(folder, tmp_path / "b.zip"))
    assert found.files[f"mail-{digest}.eml"] == mail
    unpack(tmp_path / "b.zip", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "mails" / digest).read_bytes() == mail
    assert own_messages(folder) == (folder / "mails" / digest,)
    bundle_command(folder, tmp_path / "said.zip")
    assert (
        f"{folder / 'mails' / digest}: your own message; it is included as it is" in capsys.readouterr().err
    )
    namespace = {"__name__": "repro"}
    exec(compile(found.files["repro.py"], "repro.py", "exec"), namespace)
    sent = namespace["mail_bytes"](namespace["ACTORS"][0]["mail"], "mrabcdefgh")
    assert b"\r\nX-Odd: caf\xe9\r\n" in sent
    assert sent.endswith(b"\r\n\r\n..dear\r\n.\r\n")


@pytest.mark.parametrize("name", sorted(WITHOUT_SCRIPT))
def test_an_anomaly_without_a_script_of_its_own_is_bundled_without_one(tmp_path, name):
    result = native(hits=1)
    scenario = result.scenarios[0]
    witness = scenario.witnesses[0]
    witness = replace(witness, anomaly=replace(witness.anomaly, name=name))
    result = replace(result, scenarios=(replace(scenario, witnesses=(witness,)),))
    found = read_bundle(bundle(run_folder(tmp_path / "run", result), tmp_path / "b.zip"))
    assert "repro.py" not in found.files
    text = found.files["ISSUE.md"].decode()
    assert "mailrace replay mailrace-bundle.zip --target mailpit@" in text
    assert "repro.py" not in text

"""A real run, its bundle, and the bundle's repro.py alone in an empty folder."""

import os
import subprocess
import sys

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.report import bundle
from mailrace.report.unbundle import read_bundle
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import load, scenario_from, shipped
from mailrace.targets import open_target
from mailrace.targets.mailpit.lookup import find

SEED = 20261123


def bundle_of(tmp_path, scenario, target, mode="race"):
    """The bundle of one run until its first hit."""
    racing = Racing(rounds=100, until="hit", control=False)
    output = Output(reports=tmp_path / "reports")
    request = RunRequest.of(target, racing, output, seed=SEED, mode=mode, command="mailrace …")
    done = run([load(shipped() / f"{scenario}.race.yaml")], request)
    path = bundle(done.folder, tmp_path / "bundle.zip")
    assert path.read_bytes() == bundle(done.folder, tmp_path / "again.zip").read_bytes()
    return read_bundle(path)


def reproduce(tmp_path, found, *arguments):
    """The bundle's repro.py with a bare Python in a folder of its own."""
    folder = tmp_path / "alone"
    folder.mkdir(exist_ok=True)
    (folder / "repro.py").write_bytes(found.files["repro.py"])
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "repro.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert os.listdir(folder) == ["repro.py"]
    return done


@pytest.mark.slow
def test_a_race_on_the_embedded_server_is_reproduced_over_the_network(tmp_path):
    found = bundle_of(tmp_path, "shared-new-tag", "embedded@1.17.0")
    assert "was told 451" in found.files["ISSUE.md"].decode()
    assert str(tmp_path) not in b"".join(found.files.values()).decode()
    server = open_target("embedded@1.17.0", ServerOptions())
    server.start()
    try:
        smtp = f"{server.addresses.smtp_host}:{server.addresses.smtp_port}"
        done = reproduce(tmp_path, found, "--smtp", smtp, "--api", server.addresses.api)
    finally:
        server.stop()
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.mailpit
@pytest.mark.slow
def test_a_steered_bundle_reproduces_on_its_version_and_on_no_older_one(tmp_path, real_mailpit):
    target = real_mailpit("1.30.5")
    real_mailpit("1.27.11")
    found = bundle_of(tmp_path, "send-delete-last-holder", target, mode="steer")
    assert "The order of statements" in found.files["ISSUE.md"].decode()
    there, why = find("1.30.5")
    before, _ = find("1.27.11")
    assert there is not None, why
    assert before is not None
    done = reproduce(tmp_path, found, "--mailpit", str(there.path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "by this order of statements" in done.stdout
    older = reproduce(tmp_path, found, "--mailpit", str(before.path), "--tries", "10")
    assert older.returncode == 0, older.stdout + older.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["release", "pop3_retrieve"])
def test_what_left_a_server_by_half_is_reproduced_by_the_script_alone(kind, tmp_path, faulty):
    program = faulty("half_a_source_beside_a_deletion", of="1.33.1")
    given = {
        "name": "half",
        "given": [{"name": "old"}],
        "actors": [{kind: {"message": "old"}}, {"delete": {"messages": ["old"]}}],
    }
    output = Output(reports=tmp_path / "reports")
    request = RunRequest.of(program, Racing(control=False), output, seed=SEED, mode="steer", command="x")
    done = run([scenario_from(given, tmp_path)], request)
    found = read_bundle(bundle(done.folder, tmp_path / "bundle.zip"))
    shown = reproduce(tmp_path, found, "--mailpit", program.removeprefix("mailpit:"))
    assert shown.returncode == 1, shown.stdout + shown.stderr
    refused = reproduce(tmp_path, found, "--smtp", "127.0.0.1:1", "--api", "http://127.0.0.1:1")
    assert (refused.returncode, "give --mailpit PATH" in refused.stderr) == (4, True)

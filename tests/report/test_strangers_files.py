"""A stranger's scenario, folder or bundle may run nothing, read nothing and reach nothing of ours."""

import json
import os
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.errors import ScenarioError, UsageError
from mailrace.report import FORMATS, bundle, from_json, to_json
from mailrace.report.unbundle import read_bundle, sha256
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import load, shipped
from mailrace.studies.replay import recorded

from tests.report.report_results import native, steered
from tests.running import mailrace

pytestmark = pytest.mark.slow

SECRET = b"Subject: mine\r\n\r\nthe secret of this machine\r\n"


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that hit, its bundle beside it."""
    folder = tmp_path_factory.mktemp("raced")
    how = Racing(rounds=60, until="hit", control=False)
    output = Output(reports=folder / "reports")
    done = run([load(shipped() / "shared-new-tag.race.yaml")], RunRequest.of("embedded@1.17.0", how, output))
    bundle(done.folder, folder / "bundle.zip")
    return done.folder


def rewritten(source: Path, target: Path, name: str, change: Any) -> Path:
    """The bundle with one of its JSON files changed, its digests made right again: as an attacker would."""
    files = dict(read_bundle(source).files)
    document = json.loads(files[name])
    change(document)
    files[name] = json.dumps(document).encode()
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = {"bytes": len(files[name]), "sha256": sha256(files[name])}
    files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for held, content in files.items():
            archive.writestr(held, content)
    return target


def bundle_of(raced: Path) -> Path:
    """The bundle beside a run's reports."""
    return raced.parent.parent / "bundle.zip"


def program(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a trace when it is run, and the trace's place."""
    trace = folder / "was-run"
    path = folder / "mailpit-1.17.0"
    path.write_text(f"#!/bin/sh\ntouch {trace}\n")
    path.chmod(0o755)
    return path, trace


@pytest.mark.slow
def test_a_bundle_chooses_no_server_by_itself(raced: Path, tmp_path: Path) -> None:
    ended = mailrace("replay", str(bundle_of(raced)), cwd=tmp_path)
    assert ended.returncode == 2
    assert (
        "a bundle may not choose a server by itself; to use the recorded one: --target embedded@1.17.0"
        in ended.stderr
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.slow
def test_a_bundle_is_replayed_on_the_target_that_is_named(raced: Path, tmp_path: Path) -> None:
    ended = mailrace("replay", str(bundle_of(raced)), "--target", "embedded@1.17.0", cwd=tmp_path)
    assert ended.returncode == 1, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_recorded_program_is_not_run(raced: Path, tmp_path: Path, is_folder: bool) -> None:
    path, trace = program(tmp_path)

    def change(document: dict[str, Any]) -> None:
        document["target"]["name"] = f"mailpit:{path}"

    source = rewritten(bundle_of(raced), tmp_path / "b.zip", "run.json", change)
    if is_folder:
        source = tmp_path / "copied"
        shutil.copytree(raced, source)
        document = json.loads((source / "run.json").read_text())
        change(document)
        (source / "run.json").write_text(json.dumps(document))
    ended = mailrace("replay", str(source), cwd=tmp_path)
    assert ended.returncode == 2
    assert "a file may not choose a program or an address" in ended.stderr
    assert not trace.exists()


@pytest.mark.parametrize("control", ["mailpit:{program}", "http://127.0.0.1:9?smtp=127.0.0.1:9"])
def test_a_scenario_s_control_is_no_program_and_no_address(tmp_path: Path, control: str) -> None:
    path, trace = program(tmp_path)
    named = control.format(program=path)
    file = tmp_path / "x.race.yaml"
    file.write_text(
        f'name: x\ntitle: X\nactors: [{{send: {{count: 2}}}}]\nrounds: 2\ncontrols: [{{target: "{named}"}}]\n'
    )
    with pytest.raises(ScenarioError, match=r"controls\.0\.target: .* is a program or an address"):
        load(file)
    assert mailrace("run", str(file), "-t", "embedded", cwd=tmp_path).returncode == 2
    assert not trace.exists()
    assert load(file, "anywhere").controls[0].target == named


def outside_files(tmp_path: Path) -> dict[str, str]:
    """Names that lead out of the scenario's folder, or to what is no file, by what they are."""
    secret = tmp_path / "secret.eml"
    secret.write_bytes(SECRET)
    inside = tmp_path / "scenarios"
    inside.mkdir()
    (inside / "link.eml").symlink_to(secret)
    (inside / "folder-link").symlink_to(tmp_path)
    os.mkfifo(inside / "fifo.eml")
    return {
        "above": "../secret.eml",
        "absolute": str(secret),
        "link": "link.eml",
        "through a linked folder": "folder-link/secret.eml",
        "device": "/dev/stdin",
        "fifo": "fifo.eml",
        "folder": ".",
    }


def test_a_message_stays_below_the_scenario_s_folder(tmp_path: Path) -> None:
    names = outside_files(tmp_path)
    for what, name in names.items():
        file = tmp_path / "scenarios" / "x.race.yaml"
        file.write_text(f'name: x\ntitle: X\nactors: [{{send: {{count: 2, file: "{name}"}}}}]\nrounds: 2\n')
        with pytest.raises(ScenarioError, match="cannot be read"):
            load(file)
        if what in ("above", "absolute", "link", "through a linked folder"):
            assert SECRET in load(file, "anywhere").contents.values(), what


def test_a_plan_reads_no_message_from_this_machine(raced: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.eml"
    secret.write_bytes(SECRET)
    folder = tmp_path / "run"
    shutil.copytree(raced, folder)
    plan = json.loads((folder / "plan.json").read_text())
    plan["scenarios"][0]["file"] = str(tmp_path / "x.race.yaml")
    plan["scenarios"][0]["actors"] = [{"send": {"count": 2, "file": "secret.eml"}}]
    (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ScenarioError, match="did not come along with the run"):
        recorded(folder)
    made = bundle(folder, tmp_path / "b.zip")
    assert b"the secret of this machine" not in b"".join(read_bundle(made).files.values())


def test_a_bundle_takes_in_no_file_that_a_run_json_names_elsewhere(raced: Path, tmp_path: Path) -> None:
    secret = tmp_path / "id_rsa"
    secret.write_bytes(SECRET)
    folder = tmp_path / "run"
    shutil.copytree(raced, folder)
    document = json.loads((folder / "run.json").read_text())
    document["scenarios"][0]["file"] = str(secret)
    (folder / "run.json").write_text(json.dumps(document))
    made = bundle(folder, tmp_path / "b.zip")
    assert b"the secret of this machine" not in b"".join(read_bundle(made).files.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(offsets_us=[1e18, 0.0]), "its offsets"),
        (lambda r: r.update(decoys=10**6), "its number of decoys"),
        (
            lambda r: r["plan"]["operations"][0]["message"].update(body_bytes=10**12),
            "the length of a message",
        ),
        (lambda r: r["plan"].update(operations=r["plan"]["operations"] * 100), "its number of actors"),
        (lambda r: r["plan"]["operations"][0]["message"].update(subject="a\r\n.\r\nMAIL"), "a line break"),
        (lambda r: r["plan"]["operations"][0]["message"].update(file_sha256="0" * 64), "has not kept"),
    ],
)
def test_a_witness_beyond_all_ranges_is_none_of_ours(
    raced: Path, tmp_path: Path, change: Any, said: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(raced, folder)
    document = json.loads((folder / "run.json").read_text())
    change(document["scenarios"][0]["witnesses"][0]["record"])
    (folder / "run.json").write_text(json.dumps(document))
    with pytest.raises(UsageError, match=said):
        recorded(folder)
    with pytest.raises(UsageError, match=said):
        bundle(folder, tmp_path / "b.zip")


HOSTILE: tuple[Any, ...] = (
    None,
    [],
    {},
    True,
    -1,
    10**30,
    "\x1b[31mred\x1b[0m\u202e",
    "A" * 50_000,
    [[[[]]]],
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value of a document."""
    found = [path] if path else []
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        found += places(value, (*path, key))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("result", [native(hits=2), steered()], ids=["raced", "steered"])
def test_a_document_with_any_value_replaced_is_refused_or_rendered(result: Any) -> None:
    text = to_json(result)
    chance = random.Random(11)
    chosen = chance.sample([(p, h) for p in places(json.loads(text)) for h in HOSTILE], 600)
    for path, hostile in chosen:
        document = json.loads(text)
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = hostile
        try:
            read = from_json(json.dumps(document))
        except UsageError:
            continue
        for name, (_, render) in FORMATS.items():
            shown = render(read)
            assert name == "json" or "\x1b" not in shown, (path, hostile)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '{"schema_version": 1e999}',
        '{"schema_version": NaN}',
        '{"schema_version": 1, "verdict": "PASS"}',
        "\x00\xff",
    ],
    ids=["empty", "list", "open", "deep", "infinite", "nan", "short", "bytes"],
)
@pytest.mark.parametrize(
    "words", [("report",), ("replay", "-t", "embedded"), ("bundle",), ("merge",)], ids=lambda w: w[0]
)
def test_a_hostile_run_json_ends_with_a_sentence_and_2(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(text, encoding="latin-1")
    command, *more = words
    folders = ["run", "run"] if command == "merge" else ["run"]
    ended = mailrace(command, *folders, *more, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert command == "merge" or ended.stderr.startswith("mailrace: run/run.json: ")
    assert "Traceback" not in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
    assert len(ended.stderr) < 1500


def test_what_a_terminal_would_obey_is_shown_and_not_sent(raced: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(raced, folder)
    document = json.loads((folder / "run.json").read_text())
    document["target"]["version"] = "1.0\x1b]0;owned\x07"
    document["scenarios"][0]["reason"] = "clear\x1b[2J\u202e"
    document["scenarios"][0]["witnesses"][0]["anomaly"]["proof"] = "proof\x1b[31m"
    (folder / "run.json").write_text(json.dumps(document))
    ended = mailrace("report", "run", cwd=tmp_path)
    assert "proof" in ended.stdout
    for unseen in "\x1b\x07\u202e":
        assert unseen not in ended.stdout + ended.stderr

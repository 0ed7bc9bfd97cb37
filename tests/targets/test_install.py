"""Installing: the release archive from a local server of the same layout, and Go, as stand-ins."""

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.errors import TargetError
from mailrace.targets import install
from mailrace.targets.mailpit import examine, release

from tests.targets.mailpit_stand_in import stand_in
from tests.targets.rest_server import RestServer, reply

NAME = "mailpit-linux-amd64.tar.gz"

GO = """#!{python} -IS
import os, pathlib, shutil, sys
open({calls!r}, "a").write(" ".join(sys.argv[1:]) + " in " + pathlib.Path("go.mod").read_text())
print("go: downloading github.com/axllent/mailpit v1.30.5", file=sys.stderr)
if {says!r}:
    sys.exit({says!r})
shutil.copy({program!r}, sys.argv[sys.argv.index("-o") + 1])
"""


def record_of(program: Path) -> Any:
    return json.loads(program.with_name(f"{program.name}.json").read_text(encoding="utf-8"))


class Releases:
    """What the server publishes: file path to content; 404 for all else. `gets` counts by path."""

    def __init__(self, server: RestServer) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_off: set[str] = set()
        self.server = server
        server.answer = self._answer

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        content = self.files.get(request.path)
        if content is None:
            return reply(request, b"Not Found", 404)
        if request.path in self.cut_off:
            return reply(request, content[: len(content) // 2], Content_Length=str(len(content)))
        return reply(request, content)

    def gets(self, path: str) -> int:
        return sum(seen[1] == path for seen in self.server.seen)


class Machine:
    """A machine with an empty cache, releases to download from, and no Go until `go` gives it one."""

    def __init__(self, releases: Releases, root: Path) -> None:
        self.releases = releases
        self.root = root
        self.said: list[str] = []

    def publish(self, content: bytes, *, digest: str | None = None) -> str:
        path = f"/v1.30.5/{NAME}"
        self.releases.files[path] = content
        if digest is not None:
            self.releases.files[path + ".sha256"] = f"{digest}  {NAME}\n".encode()
        return path

    def go(self, *, version: str = "v1.30.5", says: str = "") -> None:
        program = stand_in(self.root / "built", "dev", module=version)
        path = self.root / "path" / "go"
        path.write_text(
            GO.format(python=sys.executable, program=str(program), says=says, calls=str(self.root / "calls"))
        )
        path.chmod(0o755)

    def go_calls(self) -> str:
        file = self.root / "calls"
        return file.read_text() if file.exists() else ""

    def install(self) -> Path:
        return install("1.30.5", progress=self.said.append)

    def cached(self) -> list[str]:
        folder = self.root / "cache" / "mailpit"
        return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    server = RestServer()
    (tmp_path / "path").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(release, "archive_name", lambda: NAME)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("MAILRACE_RELEASES_URL", server.url)
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    yield Machine(Releases(server), tmp_path)
    server.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def archive(root: Path, said: str = "v1.30.5", **members: tarfile.TarInfo) -> bytes:
    """A release's archive; `members` replace the program."""
    content = stand_in(root / "released", said).read_bytes()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("LICENSE", "mailpit", "README.md"):
            data = content if name == "mailpit" else os.urandom(5_000)
            info = members.get(name) or tarfile.TarInfo(name)
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_release_with_its_digest(machine: Machine) -> None:
    content = archive(machine.root)
    digest = hashlib.sha256(content).hexdigest()
    path = machine.publish(content, digest=digest)
    program = machine.install()
    assert examine(program).version == "1.30.5"
    record = record_of(program)
    assert record["from"] == machine.releases.server.url + path
    assert record["archive_sha256"] == digest
    assert record["digest_checked"] is True
    assert (record["version"], record["version_source"]) == ("1.30.5", "says so itself")
    assert record["sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert machine.cached() == ["mailpit-1.30.5", "mailpit-1.30.5.json"]
    assert machine.said[0].startswith("downloading ")
    assert machine.install() == program
    assert machine.releases.gets(path) == 1


def test_a_release_without_a_digest_has_it_recorded(machine: Machine) -> None:
    content = archive(machine.root)
    machine.publish(content)
    record = record_of(machine.install())
    assert record["digest_checked"] is False
    assert record["archive_sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("digest", ["0" * 64, "no digest"])
def test_a_wrong_digest_is_refused_and_nothing_else_tried(machine: Machine, digest: str) -> None:
    machine.go()
    machine.publish(archive(machine.root), digest=digest)
    with pytest.raises(TargetError, match="is not used"):
        machine.install()
    assert machine.go_calls() == ""
    assert machine.cached() == []


@pytest.mark.parametrize(
    "hostile",
    [
        member("mailpit", tarfile.SYMTYPE, "/bin/sh"),
        member("mailpit", tarfile.LNKTYPE, "LICENSE"),
        member("mailpit", tarfile.DIRTYPE),
        member("mailpit", tarfile.FIFOTYPE),
        member("../mailpit", tarfile.REGTYPE),
        member("/mailpit", tarfile.REGTYPE),
    ],
    ids=lambda info: f"{info.name} {info.type.decode()}",
)
def test_a_hostile_archive_is_refused(machine: Machine, hostile: tarfile.TarInfo) -> None:
    machine.go()
    machine.publish(archive(machine.root, mailpit=hostile))
    with pytest.raises(TargetError, match="is not used"):
        machine.install()
    assert machine.go_calls() == ""
    assert machine.cached() == []
    assert not (machine.root / "temporary" / "mailpit").exists()


def test_another_version_in_the_archive_is_refused(machine: Machine) -> None:
    machine.publish(archive(machine.root, said="v1.27.11"))
    with pytest.raises(TargetError, match=r"what came is 1\.27\.11 \(says so itself\); it is not kept"):
        machine.install()
    assert machine.cached() == []


@pytest.mark.parametrize("what", ["absent", "cut off", "truncated", "no archive"])
def test_without_a_whole_archive_go_builds_it(machine: Machine, what: str) -> None:
    machine.go()
    content = archive(machine.root)
    if what == "cut off":
        machine.releases.cut_off.add(machine.publish(content))
    elif what == "truncated":
        machine.publish(content[: len(content) // 2])
    elif what == "no archive":
        machine.publish(b"hello")
    program = machine.install()
    binary = examine(program)
    assert (binary.version, binary.source.value) == ("1.30.5", "Go build information")
    assert record_of(program)["from"] == "go build of github.com/axllent/mailpit"
    assert "build -v -mod=mod -o" in machine.go_calls()
    assert "require github.com/axllent/mailpit v1.30.5" in machine.go_calls()
    assert any("building it with Go" in sentence for sentence in machine.said)
    assert "go: downloading github.com/axllent/mailpit v1.30.5" in machine.said, "what Go does is told"


def test_neither_release_nor_go(machine: Machine) -> None:
    with pytest.raises(TargetError) as caught:
        machine.install()
    assert f"answers 404 for {NAME}" in str(caught.value)
    assert "there is no `go` in PATH; install Go" in str(caught.value)
    assert "$MAILRACE_MAILPIT_DIR/mailpit-1.30.5" in str(caught.value)


def test_go_that_fails_is_quoted(machine: Machine) -> None:
    machine.go(says="go: downloading x\nverifying module: checksum mismatch")
    with pytest.raises(TargetError, match="Go says: verifying module: checksum mismatch"):
        machine.install()
    assert machine.cached() == []


def test_an_unreachable_host_falls_back_to_go(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go()
    monkeypatch.setenv("MAILRACE_RELEASES_URL", "http://127.0.0.1:1/releases")
    machine.install()
    assert any("127.0.0.1:1 cannot be reached" in sentence for sentence in machine.said)


def test_two_installations_at_once_download_once(machine: Machine) -> None:
    path = machine.publish(archive(machine.root))
    both = threading.Barrier(3)
    found: list[Path] = []

    def one() -> None:
        both.wait(10)
        found.append(machine.install())

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(found)) == 1
    assert len(found) == 3
    assert machine.releases.gets(path) == 1


def test_a_killed_installation_leaves_nothing_that_counts(machine: Machine) -> None:
    folder = machine.root / "cache" / "mailpit"
    folder.mkdir(parents=True)
    (folder / ".mailpit-1.30.5.123").write_text("half")
    machine.publish(archive(machine.root))
    machine.install()
    assert machine.cached() == ["mailpit-1.30.5", "mailpit-1.30.5.json"]


def test_a_cache_that_cannot_be_written(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "file").write_text("")
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(machine.root / "file"))
    with pytest.raises(TargetError, match="set MAILRACE_CACHE_DIR to a folder that can be written"):
        machine.install()


@pytest.mark.parametrize(
    ("system", "kind", "name"),
    [
        ("Linux", "x86_64", "mailpit-linux-amd64.tar.gz"),
        ("Linux", "aarch64", "mailpit-linux-arm64.tar.gz"),
        ("Darwin", "arm64", "mailpit-darwin-arm64.tar.gz"),
        ("Linux", "i686", "mailpit-linux-386.tar.gz"),
        ("Linux", "armv7l", "mailpit-linux-arm.tar.gz"),
        ("Linux", "riscv64", ""),
        ("SunOS", "x86_64", ""),
    ],
)
def test_the_archive_for_a_machine(
    system: str, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: kind)
    if name:
        assert release.archive_name() == name
    else:
        with pytest.raises(release.Unavailable, match="no release for"):
            release.archive_name()


def test_go_of_the_path_is_the_stand_in(machine: Machine) -> None:
    """What the tests above rest on: no real Go is in reach."""
    assert shutil.which("go") is None
    machine.go()
    assert shutil.which("go") == str(machine.root / "path" / "go")

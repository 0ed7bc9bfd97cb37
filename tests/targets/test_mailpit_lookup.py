"""Finding Mailpit programs: which is taken, what it says of itself, what is refused; on stand-ins."""

from pathlib import Path

import pytest
from mailrace.model.errors import TargetError
from mailrace.model.target import VersionSource
from mailrace.targets import targets_at_hand, why_not
from mailrace.targets.mailpit import binary_at, examine, find

from tests.targets.mailpit_stand_in import stand_in


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Mailpit: nothing set, an empty cache, an empty PATH."""
    monkeypatch.delenv("MAILPIT_BIN", raising=False)
    monkeypatch.setenv("MAILRACE_MAILPIT_DIR", str(tmp_path / "programs"))
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said", "module", "version", "source"),
    [
        ("mailpit", "v1.30.5", "", "1.30.5", VersionSource.ITSELF),
        ("mailpit-9.9.9", "1.30.5", "v1.2.3", "1.30.5", VersionSource.ITSELF),
        ("mailpit-9.9.9", "dev", "v1.27.11", "1.27.11", VersionSource.BUILD_INFO),
        ("mailpit-1.17.0", "dev", "(devel)", "1.17.0", VersionSource.FILE_NAME),
        ("mailpit-1.17.0", "dev", "v0.0.0-2024", "1.17.0", VersionSource.FILE_NAME),
        ("mailpit", "dev", "(devel)", "dev", VersionSource.NO_VERSION),
        ("mailpit", "nothing", "(devel)", "unknown", VersionSource.UNKNOWN),
    ],
)
def test_how_a_version_is_known(
    name: str, said: str, module: str, version: str, source: VersionSource, tmp_path: Path
) -> None:
    binary = examine(stand_in(tmp_path / name, said, module=module))
    assert (binary.version, binary.source) == (version, source)
    assert binary.flags == {"--smtp", "--disable-version-check"}


def test_a_program_that_asks_the_network_is_not_waited_for(tmp_path: Path) -> None:
    assert examine(stand_in(tmp_path / "old", "v1.17.0", checks=False)).version == "1.17.0"


def test_a_replaced_file_is_asked_again(tmp_path: Path) -> None:
    path = stand_in(tmp_path / "mailpit", "v1.2.3")
    assert examine(path).version == "1.2.3"
    stand_in(path, "v1.22.33")
    assert examine(path).version == "1.22.33"


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        (None, 0, "cannot be read"),
        ("#!/bin/sh\necho hello\n", 0o755, "not as Mailpit does; is it another program"),
        ("#!/bin/sh\necho hello\n", 0o644, "not a program; give an executable file"),
        ("\x00\x01", 0o755, "cannot be started"),
        ("#!/nowhere/at-all\n", 0o755, "cannot be started"),
    ],
)
def test_what_is_no_mailpit(content: str | None, mode: int, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mailpit-1.30.5"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(TargetError, match=sentence):
        examine(path)


def test_the_order_of_places(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("1.30.5") == (None, "not in MAILRACE_MAILPIT_DIR; not in the cache")
    assert why_not("mailpit@1.30.5") == "mailpit@1.30.5: not in MAILRACE_MAILPIT_DIR; not in the cache"
    assert why_not("embedded@1.17.0") == ""
    for place in ("path/mailpit", "cache/mailpit/mailpit-1.30.5", "programs/mailpit-1.30.5", "own"):
        path = stand_in(places / place, "v1.30.5")
        if place == "own":
            monkeypatch.setenv("MAILPIT_BIN", str(path))
        binary, reason = find("1.30.5")
        assert binary is not None
        assert (binary.path, reason) == (path, "")
    assert why_not("mailpit@1.30.5") == ""


def test_a_file_named_as_another_version_is_refused(places: Path) -> None:
    stand_in(places / "programs" / "mailpit-1.30.5", "v1.27.11")
    with pytest.raises(TargetError, match=r"mailpit-1\.30\.5 is 1\.27\.11 \(says so itself\), not 1\.30\.5"):
        find("1.30.5")
    assert "not 1.30.5" in why_not("mailpit@1.30.5")


def test_own_and_path_of_another_version_are_passed_over(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(places / "path" / "mailpit", "v1.2.3")
    monkeypatch.setenv("MAILPIT_BIN", str(stand_in(places / "own", "v1.27.11")))
    assert find("1.30.5")[1].startswith("MAILPIT_BIN is 1.27.11; not in MAILRACE_MAILPIT_DIR")
    assert find("1.30.5")[1].endswith("PATH is 1.2.3")
    stand_in(places / "programs" / "mailpit-1.30.5", "v1.30.5")
    assert find("1.30.5")[0] is not None


def test_an_unknown_version_is_taken_from_own_and_not_from_path(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(places / "path" / "mailpit")
    assert find("1.30.5")[0] is None
    monkeypatch.setenv("MAILPIT_BIN", str(stand_in(places / "own")))
    binary, _ = find("1.30.5")
    assert binary is not None
    assert (binary.version, binary.source) == ("dev", VersionSource.NO_VERSION)


def test_by_path_and_by_bare_name(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError, match="no such program in PATH"):
        binary_at("mailpit")
    in_path = stand_in(places / "path" / "mailpit", "v1.2.3")
    own = stand_in(places / "own", "v1.27.11")
    assert binary_at("mailpit").path == in_path
    assert binary_at(str(own)).version == "1.27.11"
    monkeypatch.setenv("MAILPIT_BIN", str(own))
    assert binary_at("mailpit").path == own


def test_targets_at_hand(places: Path) -> None:
    stand_in(places / "programs" / "mailpit-1.17.0", module="(devel)")
    stand_in(places / "cache" / "mailpit" / "mailpit-1.30.5", "v1.30.5")
    (places / "cache" / "mailpit" / "mailpit-1.30.5.json").write_text("{}")
    unknown = stand_in(places / "path" / "mailpit")
    found = targets_at_hand()
    assert [t.name for t in found] == [
        "embedded@fixed",
        "embedded@1.17.0",
        "embedded@1.17.1",
        "embedded@1.27.11",
        "embedded@1.30.5",
        "embedded@1.33.1",
        "mailpit@1.17.0",
        "mailpit@1.30.5",
        f"mailpit:{unknown}",
    ]
    assert found[6].source is VersionSource.FILE_NAME

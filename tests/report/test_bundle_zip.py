"""A bundle that is damaged, cut off, or a stranger's trap is refused with a sentence."""

import io
import stat
import zipfile

import pytest
from mailrace.model.errors import UsageError
from mailrace.report import unpack
from mailrace.report.unbundle import read_bundle


def zipped(entries) -> bytes:
    """A zip of (name or ZipInfo, content)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no whole zip"),
        (b"PK\x03\x04 not really", "no whole zip"),
        (zipped([("../../etc/passwd", b"x")]), "names in a bundle are plain"),
        (zipped([("/etc/passwd", b"x")]), "names in a bundle are plain"),
        (zipped([("a\\b", b"x")]), "names in a bundle are plain"),
        (zipped([("folder/run.json", b"x")]), "names in a bundle are plain"),
        (zipped([(".hidden", b"x")]), "names in a bundle are plain"),
        (zipped([(link("run.json"), b"/etc/passwd")]), "run.json is a link"),
        (zipped([(f"f{i}", b"") for i in range(81)]), "it holds 81 files; a bundle has at most 80"),
        (zipped([("server.log", b"\0" * 50_000_000)]), "server.log grows from"),
        (zipped([("run.json", b"{}")]), "manifest.json is missing"),
        (zipped([("manifest.json", b"[]")]), "manifest.json is missing or no manifest"),
        (zipped([("manifest.json", b"[" * 100_000)]), "manifest.json is missing or no manifest"),
        (zipped([("manifest.json", b'{"a":' * 90_000)]), "manifest.json is missing or no manifest"),
        (zipped([("mails", b"x")]), "a file is named 'mails'"),
        (
            zipped([("manifest.json", b'{"bundle": 9, "files": {}}')]),
            "bundle version 9; this mailrace reads 1",
        ),
        (zipped([("manifest.json", b'{"bundle": 1, "files": {}}'), ("x", b"")]), "x: not in the manifest"),
        (zipped([("manifest.json", b'{"bundle": 1, "files": {"a": {"sha256": ""}}}')]), "a: missing"),
        (zipped([("manifest.json", b'{"bundle": 1, "files": {}}')]), "run.json is missing"),
    ],
)
def test_damaged_and_hostile_zips_are_refused(tmp_path, content, told):
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_bundle(path)
    assert told in str(caught.value)


def test_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "b.zip"
    with pytest.warns(UserWarning, match="Duplicate name"):
        path.write_bytes(zipped([("run.json", b"{}"), ("run.json", b"{}")]))
    with pytest.raises(UsageError, match=r"run\.json is there twice"):
        read_bundle(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_bundle_cut_off_anywhere_is_refused(made, share):
    content = made.read_bytes()
    made.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UsageError, match="no whole zip"):
        read_bundle(made)


def test_a_changed_file_is_named(made):
    with zipfile.ZipFile(made) as archive:
        entries = [(n, archive.read(n)) for n in archive.namelist()]
    made.write_bytes(zipped([(n, c + b"\n# more" if n == "repro.py" else c) for n, c in entries]))
    with pytest.raises(UsageError, match=r"refused: repro\.py: changed since"):
        read_bundle(made)


def test_a_flipped_bit_is_refused(made):
    content = bytearray(made.read_bytes())
    content[200] ^= 0x10
    made.write_bytes(bytes(content))
    with pytest.raises(UsageError, match="no whole zip"):
        read_bundle(made)


def test_a_bundle_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"nope\.zip: no such file"):
        read_bundle(tmp_path / "nope.zip")


def test_unpack_writes_the_files_of_a_run_and_nothing_where_it_is_refused(made, tmp_path):
    found = unpack(made, tmp_path / "out")
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == sorted(found.files)
    made.write_bytes(made.read_bytes()[:500])
    with pytest.raises(UsageError):
        unpack(made, tmp_path / "other")
    assert not (tmp_path / "other").exists()

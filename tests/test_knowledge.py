"""A reader who has only the repository can resolve what it says: documents, links, races, controls."""

import re
import subprocess
from functools import cache
from pathlib import Path

from mailrace.model.catalogue import RACES

ROOT = Path(__file__).parent.parent
OURS = {"report.md", "gate.md", "matrix.md", "ISSUE.md", "summary.md"}
"""Documents that mailrace writes, which are named without being in the repository."""
DOCUMENT = re.compile(r"[\w./-]*\b[\w-]+\.md\b(?!\.j2)")


@cache
def files() -> dict[str, str]:
    """The text of every file of the repository, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split("\n")
    texts = {}
    for name in filter(None, listed):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return texts


def unknown_documents(texts: dict[str, str], there: set[str]) -> list[str]:
    """`place: document` for each document that is named and is neither there nor written by mailrace."""
    names = {Path(name).name for name in there} | OURS
    return [
        f"{name}:{number}: {found}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        for found in DOCUMENT.findall(line)
        if Path(found).name not in names
    ]


def test_no_file_names_a_document_that_is_not_in_the_repository() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    texts = {name: text for name, text in files().items() if name != here}
    assert len(texts) > 300
    assert unknown_documents(texts, set(texts)) == []


def test_a_document_that_is_not_there_would_be_seen() -> None:
    texts = {
        "a.py": '"""As told in DESIGN.md, and docs/gate.md."""\n',
        "schema.json": '{"d": "STEER.md, \\"x\\""}',
    }
    assert unknown_documents(texts, {"docs/gate.md"}) == ["a.py:1: DESIGN.md", "schema.json:1: STEER.md"]


def test_the_readme_is_short_and_begins_with_what_it_does_a_picture_and_two_commands() -> None:
    lines = files()["README.md"].splitlines()
    assert len(lines) <= 90
    first_screen = "\n".join(lines[:22])
    assert all(words in first_screen for words in ("docs/schedule.svg", "make race", "make test"))


def test_links_lead_somewhere() -> None:
    dead = []
    for name, text in files().items():
        if not name.endswith(".md"):
            continue
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in link and not (ROOT / name).parent.joinpath(link).exists():
                dead.append(f"{name}: {link}")
    assert dead == []


def test_every_race_that_is_named_is_in_the_catalogue() -> None:
    known = {race.number for race in RACES}
    texts = {n: t for n, t in files().items() if n.startswith(("harness/", "scenarios/", "docs/", "README"))}
    named = {number for text in texts.values() for number in re.findall(r"\bS(?:[1-9]|1\d)\b", text)}
    assert named <= known
    glossary = files()["docs/glossary.md"]
    assert all(f"control of kind {kind}" in glossary for kind in (1, 2, 3))


def unknown_messages(headings: list[str], source: str) -> list[str]:
    """The parts of quoted messages, apart from `…`, that no line of the source says."""
    # A message may be written as several literals, so the seams between them are taken out first.
    said = re.sub(r"\s+", " ", re.sub(r'"\s*\n\s*f?"', "", source))
    parts = [part.strip(" ;,:") for heading in headings for part in heading.split("…")]
    return [part for part in parts if len(part) > 3 and part not in said]


def test_every_message_that_the_faq_quotes_is_one_that_mailrace_says() -> None:
    headings = re.findall(r"^### `(.*)`$", files()["docs/faq.md"], re.MULTILINE)
    assert len(headings) > 10
    source = "\n".join(text for name, text in files().items() if re.match(r"harness/.*\.py$", name))
    assert unknown_messages(headings, source) == []


def test_a_message_that_is_said_no_more_is_found() -> None:
    source = 'raise X(f"{place}: no greeting on "\n    f"{port} within {limit} s")'
    assert unknown_messages(["no greeting on … within …"], source) == []
    assert unknown_messages(["no hello on … within …"], source) == ["no hello on"]

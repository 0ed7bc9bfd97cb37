"""The newcomer's page: every name on it is a name in the code, and its rooms are the folders."""

import re
from pathlib import Path

import mailrace.steer

HERE = Path(mailrace.steer.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "steer-inside.md"
NAME = re.compile(r"^[A-Za-z_][A-Za-z_0-9]*$")


def words_of_the_code() -> set[str]:
    texts = [file.read_text(encoding="utf-8") for file in HERE.rglob("*.py")]
    return set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", "\n".join(texts)))


def test_every_name_on_the_page_is_a_name_in_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    diagram = text.partition("```mermaid")[2].partition("```")[0]
    prose = re.sub(r"```mermaid.*?```", "", text, flags=re.S)
    spans = [span.removesuffix("()") for span in re.findall(r"`([^`]+)`", prose)]
    named = {span for span in spans if NAME.match(span)}
    drawn = set(re.findall(r"\b[A-Za-z_]+\b", re.sub(r"\[.*?\]|subgraph|flowchart LR|\bend\b", "", diagram)))
    assert len(named) > 30
    rooms = {folder.name for folder in HERE.iterdir() if (folder / "__init__.py").is_file()}
    known = words_of_the_code() | rooms
    assert named - known == set()
    assert drawn - known - {"scenario"} == set()


def test_the_rooms_on_the_page_are_the_folders() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rooms = {folder.name for folder in HERE.iterdir() if (folder / "__init__.py").is_file()}
    assert set(re.findall(r"^## \d\. `(\w+)`", text, re.M)) == rooms
    assert set(re.findall(r"subgraph (\w+)", text)) == rooms

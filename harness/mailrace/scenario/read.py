"""Takes the bytes of a YAML file; gives plain data, the place of each value, and what is wrong with the YAML.

YAML 1.2 by ruamel.yaml's composer: its nodes know their lines and columns, and no tag ever builds an object.
An alias is only a second way to the same node; its cost is bounded where it is expanded.
"""

import math
import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

FILE_BYTES_MAX = 256 * 1024
VALUES_MAX = 20_000
DEPTH_MAX = 20
NUMBER_BITS_MAX = 1024

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ruamel.yaml counts as a line."""
_SURROGATE = re.compile("[\ud800-\udfff]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a path or at a line and column (from 1; 0: the file as a whole)."""

    path: Path
    text: str
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class Document:
    """What a file holds.

    data      None where the file cannot be read at all
    places    path to (line, column), from 1: of the key in a mapping, of the item in a list
    """

    data: object = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path) -> tuple[int, int]:
        """Where a path stands, or its nearest ancestor that is written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def read(raw: bytes) -> Document:
    """The document in a file's bytes; never raises for what the bytes hold."""
    document = Document()
    text = _decode(raw, document)
    if text is None:
        return document
    try:
        yaml = YAML(pure=True)
        yaml.composer.warn_double_anchors = False  # YAML 1.2 allows an anchor to be used again
        node = yaml.compose(text)
    except ReaderError as error:
        _outcast(text, error, document)
    except MarkedYAMLError as error:
        document.faults.append(_translated(text, error))
    except (YAMLError, ValueError) as error:
        document.faults.append(Fault((), f"is not YAML ({_first_line(error)}); give a scenario"))
    except RecursionError:
        document.faults.append(Fault((), f"is nested too deep; give at most {DEPTH_MAX} levels"))
    else:
        if node is None:
            document.faults.append(Fault((), "is empty; `mailrace init` writes a scenario to start from"))
        else:
            builder = _Builder(document)
            data = builder.build(node, ())
            document.data = None if builder.is_full else data
    return document


def _decode(raw: bytes, document: Document) -> str | None:
    if len(raw) > FILE_BYTES_MAX:
        document.faults.append(
            Fault((), f"is over {FILE_BYTES_MAX} bytes; give less, and messages as files of their own")
        )
        return None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        document.faults.append(Fault((), "is UTF-16; save it as UTF-8"))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = raw.rfind(b"\n", 0, error.start) + 1
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[start : error.start].decode("utf-8", "replace")) + 1
        document.faults.append(
            Fault((), f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8", line, column)
        )
        return None


def _outcast(text: str, error: ReaderError, document: Document) -> None:
    """A control character, which YAML does not allow; the error gives its offset only."""
    at = int(error.position)
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    name = f"U+{ord(text[at]):04X}" if at < len(text) else "a character"
    document.faults.append(Fault((), f"{name} is not allowed in YAML; remove it", line, column))


def _translated(text: str, error: MarkedYAMLError) -> Fault:
    """Our words for what the parser found."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    problem = " ".join(str(error.problem or error.context or "").split())
    lines = _LINE_BREAK.split(text)
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    rest = here[column - 1 :]
    if "\t" in here[:column] and problem.startswith("found character"):
        return Fault((), "a tab indents here; indent with spaces", line, column)
    if "stream end" in problem or "end of stream" in problem or (not rest.strip() and line >= len(lines)):
        opened = error.context_mark
        where = f" what line {opened.line + 1} opens" if opened is not None else " the last value"
        return Fault((), f"the file ends too early; close{where}", line, column)
    if "another document" in problem or "expected a single document" in str(error.context):
        return Fault((), "a second document begins here; write one scenario a file", line, column)
    return Fault((), f"is not YAML here ({problem}); check indentation, colons and quotes", line, column)


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120]


class _Builder:
    """Builds plain data from nodes, noting places; counts values, so that aliases cannot explode."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self.is_full = False

    def build(self, node: Node, path: Path) -> object:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._document.places.setdefault(path, (line, column))
        self._values += 1
        if self._values > VALUES_MAX or len(path) > DEPTH_MAX:
            if not self.is_full:
                self.is_full = True
                what = (
                    f"more than {VALUES_MAX} values"
                    if self._values > VALUES_MAX
                    else f"over {DEPTH_MAX} levels"
                )
                self._fault((), f"holds {what}, aliases counted; give fewer", line, column)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        # ruamel marks where it folded a text of several lines by U+0007.
        text = str(node.value)
        if isinstance(node, ScalarNode) and node.style == ">":
            text = text.replace("\a", "")
        return self._scalar(str(node.tag), text, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, ScalarNode):
                self._fault(path, "a key is a list or a mapping; give text", line, column)
                continue
            key = str(key_node.value)
            if _SURROGATE.search(key):
                self._fault(path, "a key holds half of a character; write the whole one", line, column)
                continue
            if key in lines:
                self._fault(
                    (*path, key), f"is written twice, first in line {lines[key]}; keep one", line, column
                )
                continue
            # The key is a sound one. Its place is noted before its value is built, so that a fault in the
            # value has one.
            lines[key] = line
            self._document.places[(*path, key)] = (line, column)
            # `delete_all:` is the one key that says all by itself.
            if key == "delete_all" and _is_null(value_node):
                found[key] = {}
            elif _is_null(value_node):
                self._fault((*path, key), "has no value; give one, or leave the key out", line, column)
            else:
                found[key] = self.build(value_node, (*path, key))
        return found

    def _scalar(self, tag: str, text: str, path: Path) -> object:
        kind = tag.rpartition(":")[2]
        try:
            if kind == "int":
                number = int(
                    text.replace("_", ""), 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o") else 10
                )
                # A longer one could not be written in decimal (Python's limit), and no key takes it.
                return number if number.bit_length() <= NUMBER_BITS_MAX else text
            if kind == "float":
                return _number(text)
        except ValueError:
            pass
        if _SURROGATE.search(text):
            self._fault(path, "holds half of a character; write the whole one", *self._document.place(path))
            return ""
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "null":
            self._fault(path, "has no value; give one, or leave it out", *self._document.place(path))
        elif kind not in ("str", "int", "float", "bool", "timestamp"):
            self._fault(path, f"carries the tag {tag}; write the plain value", *self._document.place(path))
        return text

    def _fault(self, path: Path, text: str, line: int, column: int) -> None:
        self._document.faults.append(Fault(path, text, line, column))


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag) == "tag:yaml.org,2002:null"


def _number(text: str) -> float | str:
    number = float(text.replace("_", ""))
    return number if math.isfinite(number) else text

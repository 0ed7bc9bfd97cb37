"""Takes a result and gives its document's text, such as run.json; takes such a text and gives the result.

The text is deterministic: fields stand in the order of the model, mappings are sorted by key, and equal
results give equal bytes. Lone surrogates (bytes of a server that are no UTF-8) are written as `\\xNN`, so the
text is always valid UTF-8. The schema of the document is `harness/mailrace/schema/run.schema.json`, written
by `python -m mailrace.report.document`.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Set
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailrace.history import read_regular
from mailrace.model.codec import T, codec, mistakes
from mailrace.model.errors import UsageError
from mailrace.model.result import SCHEMA_VERSION, RunResult

SCHEMA_FILE = Path(__file__).parent.parent / "schema" / "run.schema.json"
BYTES_MAX = 256 * 1024 * 1024
MISTAKES_SHOWN_MAX = 5


def to_json(document: object) -> str:
    """The text of a document, with a line break at its end; equal values give equal texts."""
    return json.dumps(plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def text_of(path: Path) -> str:
    """The text of a run.json. Raises UsageError where it cannot be read, is too long, or is no text."""
    try:
        return read_regular(path, BYTES_MAX).decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name the folder of a run") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8 text at byte {error.start}; run.json of mailrace is") from None


def from_json(text: str, name: object = "run.json") -> RunResult:
    """The result that `to_json` wrote; otherwise as `document_in`."""
    result = document_in(text, RunResult, SCHEMA_VERSION, name, "run document")
    # Each value is valid by itself. One kind of value refers to another (an attempt to its actor), and every
    # report follows that reference, so it is checked once, here.
    for scenario in result.scenarios:
        for record in (*(w.record for w in scenario.witnesses), *scenario.sample):
            actors = range(-1, len(record.plan.operations))
            if any(attempt.actor not in actors for attempt in record.attempts):
                raise UsageError(
                    f"{name}: {scenario.name!a:.60}: an attempt is of an actor that is not there"
                )
    return result


def document_in(text: str, of: type[T], schema: int, name: object, what: str) -> T:
    """The value of that type that `to_json` wrote.

    Raises UsageError with a sentence where the text is no JSON, is another schema's, or lacks something. The
    sentence calls the file `name`, and says that it is no such `what`.
    """
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise UsageError(f"{name}: it is nested too deeply for a {what} of mailrace") from None
    except ValueError as error:
        raise UsageError(f"{name}: no whole JSON document ({error}); was it cut off?") from None
    # It is JSON. The version is looked at first, because a document of another version may lack what the next
    # step asks for, and would then be called damaged.
    version = found.get("schema_version") if isinstance(found, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise UsageError(
            f"{name}: schema_version: missing or no number; a {what} of mailrace begins with one"
        )
    if version != schema:
        age, step = (
            ("newer", "read it with the mailrace that wrote it, or update this one")
            if version > schema
            else ("older", "read it with the mailrace that wrote it")
        )
        raise UsageError(
            f"{name}: schema_version: {version} is {age} than {schema}, the one this mailrace "
            f"reads; written by mailrace {found.get('mailrace', 'unknown')!s:.40}; {step}"
        )
    try:
        return codec(of).validate_python(found)
    except ValidationError as error:
        raise UsageError(f"{name}: no {what}: {mistakes(error, MISTAKES_SHOWN_MAX)}") from None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text:.20} is beyond all numbers that a run has")
    return number


def plain(value: object) -> Any:
    """A model value as dicts, lists, text and numbers: what `to_json` writes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, Mapping):
        return {
            without_surrogates(str(k)): plain(v) for k, v in sorted(value.items(), key=lambda i: str(i[0]))
        }
    if isinstance(value, Set):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def without_surrogates(text: str) -> str:
    """The text with each lone surrogate as `\\xNN` (a byte that was no UTF-8) or `\\uNNNN`."""
    if text.isascii():
        return text
    return "".join(
        f"\\x{ord(c) - 0xDC00:02x}"
        if "\udc80" <= c <= "\udcff"
        else f"\\u{ord(c):04x}"
        if "\ud800" <= c <= "\udfff"
        else c
        for c in text
    )


def schema() -> dict[str, object]:
    """The JSON Schema of the document (draft 2020-12)."""
    found = codec(RunResult).json_schema(mode="serialization")
    found["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "run.json of mailrace",
    } | {k: v for k, v in found.items() if k != "title"}


def schema_text() -> str:
    """What `harness/mailrace/schema/run.schema.json` holds."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")

"""The two JSON schemas in; tables of the keys of a scenario and of the fields of run.json out."""

import ast
import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import mailrace
from field_meanings import MEANINGS

SCHEMAS = Path(mailrace.__file__).parent / "schema"
Schema = dict[str, Any]
_NEIGHBOUR = re.compile(r"; `(\w+)`: ")
_MEANING = re.compile(r"^((?:\w+, )*\w+)(?: {2,}|: )(\S.*)$")


def scenario_keys() -> str:
    """A table of the keys of a scenario, and one for each kind of entry."""
    schema = _read("scenario.schema.json")
    parts: Schema = schema["definitions"]
    lines = _keys("A scenario", schema)
    for name in ("Given", "Actor"):
        lines += _keys(_heading(name), parts[name])
    for name in (_reference(one) for one in parts["Actor"]["properties"].values()):
        lines += _keys(_heading(name), parts[name])
    done = {"Given", "Actor", *(_reference(one) for one in parts["Actor"]["properties"].values())}
    for name in sorted(set(parts) - done):
        if "properties" in parts[name]:
            lines += _keys(_heading(name), parts[name])
    return "\n".join(lines)


def report_fields() -> str:
    """What run.json holds: the document first, then each of its parts, in the order in which they are met."""
    schema = _read("run.schema.json")
    parts: Schema = schema["$defs"]
    order = ["", *parts]
    lines: list[str] = []
    for name in order:
        part = parts[name] if name else schema
        lines += [f"## {name or 'The document'}", ""]
        lines += _described(name or "RunResult", part)
    return "\n".join(lines)


def _read(name: str) -> Schema:
    read: Schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return read


def _heading(name: str) -> str:
    """`SendActor` is the entry `send`; other names are written apart."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Actor") or "Actor").lower()
    if name.endswith("Actor") and name != "Actor":
        return f"`{words.replace(' ', '_')}`"
    return {"actor": "`actors`", "control": "`controls`"}.get(words, f"`{words}`")


def _keys(heading: str, part: Schema) -> list[str]:
    lines = [f"### {heading}", "", _cell(part.get("description", "")), ""]
    lines += ["| key | holds | default | meaning |", "|---|---|---|---|"]
    needed = part.get("required", ())
    for key, value in part.get("properties", {}).items():
        default = "needed" if key in needed else _default(value)
        row = (f"`{key}`", _kind(value), default, _cell(value.get("description", "")))
        lines.append(f"| {' | '.join(row)} |")
    return [*lines, ""]


def _described(name: str, part: Schema) -> list[str]:
    """A part of run.json: its sentence, and its fields, or its words where it is a list of words."""
    sentence, meanings = _told(part.get("description", ""))
    lines = [_cell(sentence), ""] if sentence else []
    if "enum" in part:
        return [*lines, "One of " + ", ".join(f"`{word}`" for word in part["enum"]) + ".", ""]
    lines += ["| field | holds | meaning |", "|---|---|---|"]
    for key, value in part.get("properties", {}).items():
        own = _beside().get(f"{name}.{key}") or MEANINGS.get(f"{name}.{key}") or MEANINGS.get(key, "")
        said = meanings.get(key) or value.get("description") or own
        lines.append(f"| `{key}` | {_kind(value)} | {_cell(said)} |")
    return [*lines, ""]


@cache
def _beside() -> dict[str, str]:
    """`Part.field` to the text that stands below the field where its class declares it."""
    found: dict[str, str] = {}
    for file in sorted((SCHEMAS.parent / "model").glob("*.py")):
        for part in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for field, text in pairwise(part.body if isinstance(part, ast.ClassDef) else ()):
                if not (isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)):
                    continue
                if isinstance(text.value, ast.Constant) and isinstance(part, ast.ClassDef):
                    found[f"{part.name}.{ast.unparse(field.target)}"] = str(text.value.value)
    return found


def _told(description: str) -> tuple[str, dict[str, str]]:
    """A docstring's sentences, and what it says of each field: `name, name   meaning`, also on more lines."""
    said: list[str] = []
    meanings: dict[str, str] = {}
    names: list[str] = []
    paragraphs = description.split("\n\n")
    for line in "\n".join(paragraphs[1:]).splitlines():
        if found := _MEANING.match(line):
            names = found[1].split(", ")
            meanings |= dict.fromkeys(names, found[2])
        elif names and line.startswith(" "):
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
        else:
            names = []
            said.append(line)
    # A meaning may go on with that of a neighbour: `how many there are; `bad`: how many of them are bad`.
    for meaning in list(meanings.values()):
        own, *others = _NEIGHBOUR.split(meaning)
        meanings |= {name: own for name, said in meanings.items() if said == meaning}
        meanings |= dict(zip(others[::2], others[1::2], strict=True))
    return " ".join([*paragraphs[0].split("\n"), *said]).strip(), meanings


def _reference(value: Schema) -> str:
    for one in (value, *value.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return ""


def _kind(value: Schema) -> str:
    """What a value may be, in words."""
    if name := _reference(value) if "$ref" in value else "":
        return f"`{name}`"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_kind(one) for one in value["anyOf"]))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    fixed = value.get("prefixItems") or (value.get("items") if isinstance(value.get("items"), list) else None)
    if fixed:
        return f"{len(fixed)} values, each {_kind(fixed[0])}"
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if isinstance(value.get("additionalProperties"), dict):
        return f"names to {_kind(value['additionalProperties'])}"
    kind = {"null": "nothing", "string": "text", "integer": "whole number"}.get(value.get("type", ""), "")
    return (kind or str(value.get("type", "any value"))) + _range(value)


def _range(value: Schema) -> str:
    low = value.get("minimum", value.get("exclusiveMinimum"))
    high = value.get("maximum", value.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    if low is not None:
        return f", {low:,} or more"
    return "" if high is None else f", at most {high:,}"


def _default(value: Schema) -> str:
    if "default" not in value or value["default"] is None:
        return ""
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`" if value["default"] != "" else ""


def _cell(text: str) -> str:
    flat = " ".join(str(text).split())
    for sign in "|<":
        flat = flat.replace(sign, f"&#{ord(sign)};")
    return flat

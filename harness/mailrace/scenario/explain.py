"""Takes pydantic's errors; tells the same mistakes in our words: what is wrong, the value, what is wanted.

What is wanted is read from the model's JSON Schema, so it cannot differ from what is accepted.
"""

import json
from typing import TYPE_CHECKING, Protocol, TypeGuard

from pydantic import ValidationError

from mailrace.model.hints import did_you_mean
from mailrace.model.phrases import listed
from mailrace.scenario.read import Fault, Path
from mailrace.scenario.schema import Schema

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SHOWN_MAX = 60
_TYPE_WORDS: dict[type, str] = {
    bool: "true or false",
    str: "text",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


def explain(error: ValidationError, data: object, schema: Schema) -> list[Fault]:
    """One fault for each path that pydantic refused, in its order."""
    faults: dict[Path, Fault] = {}
    for detail in error.errors(include_url=False):
        path = _written(detail["loc"], data, missing=detail["type"] == "missing")
        if path in faults or _miscounted(detail, data, path):
            continue
        faults[path] = Fault(path, _sentence(detail, path, data, schema))
    return list(faults.values())


def _written(loc: tuple[str | int, ...], data: object, *, missing: bool) -> Path:
    """The part of pydantic's path that stands in the data (it adds the names of union members to it)."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        if holds(data, part):
            data = data[part]
        elif missing and index == len(loc) - 1:
            path.append(part)
            break
        else:
            break
        path.append(part)
    return tuple(path)


def _miscounted(detail: "ErrorDetails", data: object, path: Path) -> bool:
    """Whether pydantic finds a list too short only because it does not count its faulty items."""
    value = _at(data, path)
    return (
        detail["type"] == "too_short"
        and isinstance(value, list)
        and len(value) >= detail["ctx"]["min_length"]
    )


class Holder(Protocol):
    """A list or a mapping that has the index or key it is asked for."""

    def __getitem__(self, part: str | int, /) -> object:
        """The value at an index or under a key."""

    def __delitem__(self, part: str | int, /) -> None:
        """Take it out."""


def holds(data: object, part: str | int) -> TypeGuard[Holder]:
    """Whether a list or mapping has that index or key."""
    if isinstance(data, list):
        return isinstance(part, int) and 0 <= part < len(data)
    return isinstance(data, dict) and part in data


def _sentence(detail: "ErrorDetails", path: Path, data: object, schema: Schema) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    value = _at(data, path)
    wanted = describe(_node(schema, path), schema)
    if kind == "missing":
        return f"is missing; give {wanted}"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return _unknown(str(path[-1]), _node(schema, path[:-1]), schema)
    node = _resolve(_node(schema, path), schema)
    if "enum" in node and isinstance(value, str):
        hint = did_you_mean(value.lower(), map(str, node["enum"]), f"give {wanted}")
        return f"{shown(value)} is not known here{hint}"
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        return f"{shown(value)} is out of range; give {wanted}"
    if kind in ("too_long", "too_short", "string_too_long", "string_too_short"):
        count = len(value) if isinstance(value, str | list | dict) else 0
        unit = "characters" if isinstance(value, str) else "entries"
        return f"{count} {unit}; give {wanted}"
    return f"{shown(value)} is {_TYPE_WORDS.get(type(value), 'no value')}; give {wanted}"


def _unknown(key: str, parent: Schema, schema: Schema) -> str:
    known = list(_resolve(parent, schema).get("properties", {}))
    there = f"known here: {', '.join(known)}" if known else "no keys are known here"
    return f"unknown key{did_you_mean(key.lower().replace('-', '_'), known, there)}"


def describe(node: Schema, schema: Schema) -> str:
    """What a node of the schema wants, in words: `a whole number from 1 to 64`."""
    node = _resolve(node, schema)
    if "anyOf" in node:
        return " or ".join(describe(option, schema) for option in node["anyOf"])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return listed([str(e) for e in node["enum"]], "or")
    kind = node.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(node, "minimum", "maximum")
    if kind == "boolean":
        return "true or false"
    if node.get("format") == "date":
        return "a date such as 2027-06-30"
    if kind == "string":
        bounds = _bounds(node, "minLength", "maxLength")
        return f"text of{bounds.removeprefix(' from')} characters" if bounds else "text"
    if kind == "array":
        return _array(node)
    if kind == "object" and "properties" in node:
        return f"a mapping with {', '.join(node.get('required') or list(node['properties']))}"
    return "a mapping of names to values"


def _array(node: Schema) -> str:
    if isinstance(node.get("items"), list) or "prefixItems" in node:
        return "a list of two numbers, [low, high]"
    low, high = node.get("minItems", 0), node.get("maxItems")
    if high is None:
        return f"a list of at least {low} entries" if low else "a list"
    return f"a list of {low} to {high} entries" if low else f"a list of at most {high} entries"


def _bounds(node: Schema, low: str, high: str) -> str:
    if low in node and high in node:
        return f" from {node[low]} to {node[high]}"
    if low in node:
        return f" from {node[low]} up"
    return f" from 0 to {node[high]}" if high in node else ""


def _node(schema: Schema, path: Path) -> Schema:
    """The schema's node for a path; {} where it has none."""
    node = schema
    for part in path:
        node = _resolve(node, schema)
        if isinstance(part, int):
            items = node.get("items", {})
            node = items if isinstance(items, dict) else {}
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        if not isinstance(node, dict):
            return {}
    return node


def _resolve(node: Schema, schema: Schema) -> Schema:
    if "$ref" in node:
        found: Schema = schema["definitions"][node["$ref"].rpartition("/")[2]]
        return found
    return node


def _at(data: object, path: Path) -> object:
    for part in path:
        if not holds(data, part):
            return None
        data = data[part]
    return data


def shown(value: object) -> str:
    """A value as it is quoted in a message, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"

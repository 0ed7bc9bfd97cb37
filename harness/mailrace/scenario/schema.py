"""The JSON Schema of a scenario file (draft-07) for editors; made from the models."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from mailrace.scenario.scenario import Scenario

Schema = dict[str, Any]
SCHEMA_FILE = Path(__file__).parent.parent / "schema" / "scenario.schema.json"
"""The copy that is shipped; a test keeps it current."""


@cache
def schema() -> Schema:
    """The schema as a document: draft-07, with `definitions` and without `discriminator`."""
    made = draft7(Scenario.model_json_schema(ref_template="#/definitions/{model}"))
    actor = made["definitions"]["Actor"]
    actor["minProperties"] = actor["maxProperties"] = 1
    # `delete_all:` with nothing after it is read as an empty mapping
    actor["properties"]["delete_all"]["anyOf"] = [
        {"$ref": actor["properties"]["delete_all"].pop("$ref")},
        {"type": "null"},
    ]
    made["definitions"]["Control"]["minProperties"] = 1
    return {"$schema": "http://json-schema.org/draft-07/schema#", **made, "title": "A mailrace scenario"}


def schema_text() -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


_OLDER = {"$defs": "definitions", "prefixItems": "items"}


def draft7(node: object) -> Any:
    """The same schema as draft-07 writes it, without the parts that only a null default needs."""
    if isinstance(node, list):
        return [draft7(item) for item in node]
    if not isinstance(node, dict):
        return node
    made: Schema = {}
    for key, value in node.items():
        if key in ("title", "discriminator") and not isinstance(value, dict):
            continue
        if key == "default" and value is None:
            continue
        made[_OLDER.get(str(key), str(key))] = draft7(value)
    options = made.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        left = [option for option in options if option != {"type": "null"}]
        if len(left) == 1:
            del made["anyOf"]
            made = {**left[0], **made}
        else:
            made["anyOf"] = left
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made

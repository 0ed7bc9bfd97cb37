"""Takes a RunResult; gives its document, its pages, and the bundle that replays it."""

from harness.report.document import from_json, schema, to_json

__all__ = ["from_json", "schema", "to_json"]

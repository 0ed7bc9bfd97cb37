"""Takes a RunResult; gives its document, its pages, and the bundle that replays it."""

from harness.report.document import from_json, schema, to_json
from harness.report.render import FORMATS, render

__all__ = ["FORMATS", "from_json", "render", "schema", "to_json"]

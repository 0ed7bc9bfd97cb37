"""Takes a RunResult; gives its document, its pages, and the bundle that replays it."""

from mailrace.report.bundle import bundle, left_out, own_messages, what_is_redacted
from mailrace.report.document import from_json, to_json
from mailrace.report.render import FORMATS, render
from mailrace.report.study import Study, write_study
from mailrace.report.trend import render_index
from mailrace.report.unbundle import unpack

__all__ = [
    "FORMATS",
    "Study",
    "bundle",
    "from_json",
    "left_out",
    "own_messages",
    "render",
    "render_index",
    "to_json",
    "unpack",
    "what_is_redacted",
    "write_study",
]

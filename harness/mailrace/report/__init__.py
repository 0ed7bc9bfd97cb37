"""Takes a RunResult; gives its document, its pages, and the bundle that replays it."""

from mailrace.report.bundle import bundle, own_messages, what_is_redacted
from mailrace.report.document import from_json, schema, to_json
from mailrace.report.matrix import Cell, Matrix
from mailrace.report.render import FORMATS, render
from mailrace.report.study import Study, StudyCell, study_page, write_study
from mailrace.report.trend import render_index
from mailrace.report.unbundle import Bundle, read_bundle, unpack

__all__ = [
    "FORMATS",
    "Bundle",
    "Cell",
    "Matrix",
    "Study",
    "StudyCell",
    "bundle",
    "from_json",
    "own_messages",
    "read_bundle",
    "render",
    "render_index",
    "schema",
    "study_page",
    "to_json",
    "unpack",
    "what_is_redacted",
    "write_study",
]

"""May we upgrade? Takes two versions and scenarios; gives what changes with the upgrade."""

from mailrace.studies.gate.baseline import baseline_text, load_baseline
from mailrace.studies.gate.causes import causes_words
from mailrace.studies.gate.compare import compare
from mailrace.studies.gate.document import (
    Gate,
    GateRequest,
    annotations,
    gate_from_json,
    gate_markdown,
    headline,
    in_order,
    write_gate,
)
from mailrace.studies.gate.finding import Change, Finding, verdict_of
from mailrace.studies.gate.run import GateRun, Versions, run_gate

__all__ = [
    "Change",
    "Finding",
    "Gate",
    "GateRequest",
    "GateRun",
    "Versions",
    "annotations",
    "baseline_text",
    "causes_words",
    "compare",
    "gate_from_json",
    "gate_markdown",
    "headline",
    "in_order",
    "load_baseline",
    "run_gate",
    "verdict_of",
    "write_gate",
]

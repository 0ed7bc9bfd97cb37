"""May we upgrade? Two versions and scenarios in, each looked at on both; what the upgrade changes out."""

from mailrace.studies.gate.baseline import Accepted, apply_baseline, baseline_text, load_baseline
from mailrace.studies.gate.causes import CauseChange, GateCause, causes_of, causes_words
from mailrace.studies.gate.compare import Again, Change, Finding, compare, gate_verdict, verdict_of
from mailrace.studies.gate.document import (
    Gate,
    GateRequest,
    annotations,
    gate_from_json,
    gate_json,
    gate_markdown,
    headline,
    in_order,
    write_gate,
)
from mailrace.studies.gate.run import GateRun, Versions, run_gate

__all__ = [
    "Accepted",
    "Again",
    "CauseChange",
    "Change",
    "Finding",
    "Gate",
    "GateCause",
    "GateRequest",
    "GateRun",
    "Versions",
    "annotations",
    "apply_baseline",
    "baseline_text",
    "causes_of",
    "causes_words",
    "compare",
    "gate_from_json",
    "gate_json",
    "gate_markdown",
    "gate_verdict",
    "headline",
    "in_order",
    "load_baseline",
    "run_gate",
    "verdict_of",
    "write_gate",
]

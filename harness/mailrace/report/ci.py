"""Takes a RunResult; gives junit.xml and ctrf.json, one test a scenario, for CI servers.

| verdict | JUnit | CTRF |
|---|---|---|
| PASS | passed | passed |
| RACE | failure: the server is wrong | failed |
| FAILED, INCONCLUSIVE | error: it could not be told | other |
| NOT APPLICABLE | skipped | skipped |
"""

import json
from datetime import datetime

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.report.words import control_words, legible, rate_words

WITNESSES_TOLD_MAX = 3
CTRF_VERSION = "0.0.0"
_CTRF_STATUS = {
    Verdict.PASS: "passed",
    Verdict.RACE: "failed",
    Verdict.FAILED: "other",
    Verdict.INCONCLUSIVE: "other",
    Verdict.NOT_APPLICABLE: "skipped",
}


def junit(result: RunResult) -> str:
    """The text of junit.xml: one suite named after the target, one case a scenario."""
    suite = TestSuite(f"mailrace {legible(result.target.name)}")
    suite.timestamp = legible(result.started)
    for scenario in result.scenarios:
        case = TestCase(legible(scenario.name), classname=f"mailrace.{legible(result.target.name)}")
        case.time = round(sum(scenario.seconds.values()), 3)
        kind = {
            Verdict.RACE: Failure,
            Verdict.FAILED: Error,
            Verdict.INCONCLUSIVE: Error,
            Verdict.NOT_APPLICABLE: Skipped,
        }.get(scenario.verdict)
        if kind is not None:
            found = kind(legible(scenario.reason, 2000), scenario.verdict.value)
            found.text = told(scenario)
            case.result = [found]
        else:
            case.system_out = told(scenario)
        suite.add_testcase(case)
    xml = JUnitXml("mailrace")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return text.decode("utf-8") + "\n"


def ctrf(result: RunResult) -> str:
    """The text of ctrf.json (Common Test Report Format)."""
    begin_ms = _begin_ms(result.started)
    statuses = [_CTRF_STATUS[scenario.verdict] for scenario in result.scenarios]
    document = {
        "reportFormat": "CTRF",
        "specVersion": CTRF_VERSION,
        "generatedBy": f"mailrace {legible(result.mailrace)}",
        "results": {
            "tool": {"name": "mailrace", "version": legible(result.mailrace)},
            "summary": {
                "tests": len(result.scenarios),
                **{s: statuses.count(s) for s in ("passed", "failed", "skipped", "pending", "other")},
                "start": begin_ms,
                "stop": begin_ms + sum(map(_duration_ms, result.scenarios)),
            },
            "tests": [_ctrf_test(scenario) for scenario in result.scenarios],
            "environment": {"extra": {legible(k): legible(v) for k, v in sorted(result.environment.items())}},
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def told(scenario: ScenarioResult) -> str:
    """What a reader of a CI log needs of one scenario: rate, control, first proofs, commands."""
    lines = [rate_words(scenario)]
    if scenario.control is not None:
        lines.append(f"control: {control_words(scenario)}")
    for witness in scenario.witnesses[:WITNESSES_TOLD_MAX]:
        lines += ["", legible(witness.anomaly.proof, 2000), f"replay: {witness.replay}"]
    more = len(scenario.witnesses) - WITNESSES_TOLD_MAX
    if more > 0:
        lines += ["", f"and {more} more in report.html"]
    if scenario.advice:
        lines += ["", legible(scenario.advice, 2000)]
    text = "\n".join(lines)
    return legible(text, len(text), lines=True)


def _duration_ms(scenario: ScenarioResult) -> int:
    return round(sum(scenario.seconds.values()) * 1000)


def _ctrf_test(scenario: ScenarioResult) -> dict[str, str | int]:
    return {
        "name": legible(scenario.name),
        "status": _CTRF_STATUS[scenario.verdict],
        "duration": _duration_ms(scenario),
        "message": legible(scenario.reason, 2000),
        "trace": told(scenario),
        "rawStatus": scenario.verdict.value,
        "type": scenario.mode,
        "filePath": legible(scenario.file),
    }


def _begin_ms(started: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time; 0 where it is none."""
    try:
        return round(datetime.fromisoformat(started).timestamp() * 1000)
    except ValueError:
        return 0

"""run.json: what is written is read back, equal results give equal bytes, other schemas are refused."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from mailrace.model.cause import Cause
from mailrace.model.consequences import Harm
from mailrace.model.errors import UsageError
from mailrace.report.document import SCHEMA_FILE, from_json, schema_text, to_json

from tests.report.report_results import native, steered


@pytest.mark.parametrize("result", [native(), native(hits=0), steered()], ids=["race", "pass", "steer"])
def test_round_trip(result):
    text = to_json(result)
    assert from_json(text) == result
    assert to_json(from_json(text)) == text
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(json.loads(text))


def test_mappings_are_sorted_so_equal_results_give_equal_bytes():
    one = native()
    other = replace(one, environment=dict(reversed(list(one.environment.items()))))
    assert list(one.environment) != list(other.environment)
    assert to_json(one) == to_json(other)


def test_bytes_that_are_no_utf8_are_written_visibly():
    text = to_json(
        replace(native(hits=0), whole=b"caf\xe9 \xff".decode("utf-8", "surrogateescape") + "\ud800")
    )
    assert json.loads(text.encode())["whole"] == "caf\\xe9 \\xff\\ud800"
    assert from_json(text).whole == "caf\\xe9 \\xff\\ud800"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (to_json(native(hits=0))[:-40], "was it cut off?"),
        ("[]", "schema_version: missing"),
        ('{"schema_version": true}', "schema_version: missing"),
        (
            '{"schema_version": 99, "mailrace": "9.1"}',
            "99 is newer than 1, the one this mailrace reads; written by mailrace 9.1",
        ),
        ('{"schema_version": 0}', "0 is older than 1"),
        ('{"schema_version": 1}', "mailrace: Field required; verdict: Field required"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text, told):
    with pytest.raises(UsageError) as caught:
        from_json(text)
    assert told in str(caught.value)


def test_a_cause_with_a_fate_that_is_none_is_refused():
    cause = Cause(name="n", harm=Harm.DATA, anomalies=("tag_lost",), operations=("send",), fate="left_out")
    base = steered()
    (scenario,) = base.scenarios
    scenario = replace(scenario, schedules=replace(scenario.schedules, causes=(cause,)))
    text = to_json(replace(base, scenarios=(scenario,)))
    assert from_json(text).scenarios[0].schedules.causes == (cause,)
    with pytest.raises(UsageError, match=r"causes\.0\.fate: Input should be 'realised'"):
        from_json(text.replace('"left_out"', '"\\u001b[31m"'))


def test_the_schema_file_is_current():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m mailrace.report.document"

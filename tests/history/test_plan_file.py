"""plan.json: what was asked comes back whole, and what is wrong in it is said by field, value and wish."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailrace.history import RecordedPlan, RecordedScenario, mail_of, read_plan, write_plan
from mailrace.history.plan import PLAN
from mailrace.model.errors import UsageError
from mailrace.model.request import Racing, RunRequest, ServerUse, Steering
from mailrace.model.target_name import parse_target

NAMES = st.sampled_from(["embedded", "mailpit@1.30.5", "http://127.0.0.1:8025?smtp=127.0.0.1:1025"])
REQUESTS = st.builds(
    RunRequest,
    target=NAMES.map(parse_target),
    seed=st.integers(0, 2**31),
    mode=st.sampled_from(["race", "steer"]),
    time_limit_s=st.none() | st.floats(0.1, 1e6),
    command=st.text(max_size=20).filter(str.isprintable).map(lambda text: shlex.join(["mailrace", text])),
    racing=st.builds(
        Racing,
        rounds=st.none() | st.integers(1, 50_000),
        profile=st.sampled_from([None, "rate", "throughput"]),
        until=st.sampled_from(["rounds", "hit", "decided"]),
        trial=st.sampled_from(["warm", "cold"]),
        confidence=st.floats(0.5, 0.999999),
        theta=st.floats(0.01, 100),
        control=st.booleans(),
        recorded=st.none()
        | st.tuples(st.lists(st.floats(-1e7, 1e7), max_size=4).map(tuple), st.integers(0, 64)),
    ),
    steering=st.builds(
        Steering,
        budget=st.none() | st.integers(1, 10**6),
        one_of_each=st.sampled_from(["anomaly", "cause", "class"]),
    ),
    server=st.builds(ServerUse, gomaxprocs=st.none() | st.integers(1, 1024), cleanup=st.booleans()),
)


def plan_of(request: RunRequest, *scenarios: RecordedScenario) -> RecordedPlan:
    """The plan of a run that was asked for by this request."""
    return RecordedPlan(
        mailrace="0", study="run", started="2026-01-01T00:00:00+00:00", run="mr0", request=request,
        targets=(request.target,), scenarios=scenarios,
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(REQUESTS)
def test_what_was_asked_comes_back(tmp_path: Path, asked: RunRequest) -> None:
    plan = plan_of(asked, RecordedScenario(name="x", file="x.race.yaml", data={"name": "x", "rounds": 3}))
    write_plan(tmp_path, plan)
    assert read_plan(tmp_path) == plan


def test_a_user_s_own_message_is_given_back_only_whole(tmp_path: Path) -> None:
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    own = RecordedScenario(name="x", file="", data={"name": "x"}, mails={"mail.eml": digest})
    write_plan(tmp_path, plan_of(RunRequest.of("embedded"), own), {digest: b"hello"})
    assert read_plan(tmp_path).scenarios == (own,)
    assert mail_of(tmp_path, digest) == b"hello"
    (tmp_path / "mails" / digest).write_bytes(b"changed since")
    assert mail_of(tmp_path, digest) is None
    assert mail_of(tmp_path, "0" * 64) is None, "there is none"


@pytest.mark.parametrize(("text", "said"), [(None, "no plan.json"), ("{", "no JSON"), ("[]", "not the plan")])
def test_a_folder_without_a_plan_is_no_run_s(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / PLAN).write_text(text)
    with pytest.raises(UsageError, match=said):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("target",), "mailpit@one", "target: target 'mailpit@one'"),
        (("target",), 7, "target: 7 is no target's name"),
        (("targets",), "embedded", 'targets: "embedded" is no list'),
        (("study",), "survey of mine", "study: "),
        (("seed",), "many", "seed: "),
        (("time_limit_s",), -1, "time_limit_s: -1: "),
        (("racing", "rounds"), 10**9, "racing.rounds: 1000000000: "),
        (("racing", "confidence"), 2, "racing.confidence: 2: "),
        (("racing", "theta"), float("inf"), "racing.theta: "),
        (("racing", "recorded"), [[1e18], 0], r"racing.recorded.0.0: 1e\+18: "),
        (("racing", "recorded"), [[float("nan")], 0], "racing.recorded.0.0: NaN: "),
        (("racing", "recorded"), [[0.0] * 1000, 0], "racing.recorded.0: "),
        (("steering", "depth"), 11, "steering.depth: 11: "),
        (("server", "gomaxprocs"), 0, "server.gomaxprocs: 0: "),
        (("scenarios",), [3], "scenarios.0: 3 is no scenario"),
        (("scenarios",), [{"name": "x", "mails": {"m": "../../secret"}}], "scenarios.0.mails.m: "),
        (("run",), None, "run: null: "),
    ],
)
def test_a_field_out_of_range_is_named_with_its_value(
    tmp_path: Path, path: tuple[str, ...], value: Any, said: str
) -> None:
    write_plan(tmp_path, plan_of(RunRequest.of("embedded")))
    document = json.loads((tmp_path / PLAN).read_text())
    holder = document
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    (tmp_path / PLAN).write_text(json.dumps(document))
    with pytest.raises(UsageError, match=said) as wrong:
        read_plan(tmp_path)
    assert len(str(wrong.value)) < 500, "a line, not a page"
    assert str(wrong.value).isprintable()

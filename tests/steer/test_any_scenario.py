"""Scenarios over the whole grammar, each run, steered, replayed and bundled: no crash, no error of ours."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailrace.model.errors import ScenarioError
from mailrace.scenario import scenario_from
from ruamel.yaml import YAML

from tests.running import mailrace

TAGS = ["{run}-{round}", "{run}-{round}-{sender}", "{run}-old", "{run}-{round}-Two words"]
GIVEN = ["old", "other"]
VERSIONS = ["fixed", "1.17.0", "1.27.11", "1.30.5"]

MAIL = b"From: x@example.org\r\nContent-Type: multipart/mixed\r\nX-Tags: one\r\n\r\nno boundary \xe9\r\n"

LIMIT = ("--time-limit", "8")
"""Past it a walk ends in good order, which must not bring a command down either."""

few_tags = st.lists(st.sampled_from(TAGS), max_size=3, unique=True)
names = st.lists(st.sampled_from(GIVEN), min_size=1, max_size=2)
counts = st.sampled_from([1, 1, 1, 2])

sends = st.fixed_dictionaries(
    {"count": st.sampled_from([1, 1, 2, 3])},
    optional={
        "tags": few_tags,
        "tags_via": st.sampled_from(["x-tags", "plus", "both"]),
        "tag_case": st.sampled_from(["as-written", "vary"]),
        "body_bytes": st.sampled_from([0, 10, 120, 5_000]),
        "message_id": st.sampled_from(["own", "shared"]),
        "recipients": st.integers(1, 3),
        "cc": st.integers(0, 1),
        "bcc": st.integers(0, 2),
        "via": st.sampled_from(["smtp", "smtp", "rest"]),
    },
)
files = st.fixed_dictionaries({"count": st.sampled_from([1, 2]), "file": st.just("mail.eml")})
marks = st.fixed_dictionaries({"read": st.booleans()}, optional={"messages": names})
actors = st.one_of(
    st.fixed_dictionaries({"send": sends}),
    st.fixed_dictionaries({"send": sends}),
    st.fixed_dictionaries({"send": files}),
    st.fixed_dictionaries({"delete": st.fixed_dictionaries({"messages": names, "count": counts})}),
    st.just({"delete_search": {"query": "tag:{run}-old"}}),
    st.just({"delete_all": {}}),
    st.fixed_dictionaries({"set_tags": st.fixed_dictionaries({"messages": names, "tags": few_tags})}),
    st.just({"rename_tag": {"tag": "{run}-old", "to": "{run}-new"}}),
    st.just({"delete_tag": {"tag": "{run}-old"}}),
    st.fixed_dictionaries({"read_message": st.fixed_dictionaries({"message": st.sampled_from(GIVEN)})}),
    st.fixed_dictionaries(
        {"set_read": st.fixed_dictionaries({"read": st.booleans()}, optional={"messages": names})}
    ),
    st.just({"set_read": {"query": "tag:{run}-old"}}),
    st.fixed_dictionaries({"view_latest": st.fixed_dictionaries({"via": st.sampled_from(["page", "api"])})}),
    st.just({"read": {"times": 2}}),
    st.just({"read": {"times": 1, "path": "/api/v1/tags"}}),
)
scenarios = st.fixed_dictionaries(
    {
        "name": st.just("any"),
        "title": st.just("any scenario"),
        "given": st.just([{"name": "old", "tags": ["{run}-old"]}, {"name": "other"}]),
        "actors": st.lists(actors, min_size=2, max_size=3),
        "rounds": st.just(3),
    },
    optional={
        "retry": st.sampled_from([{"policy": p} for p in ("none", "naive", "new-id", "reconcile")]),
        "release": st.sampled_from([{"at": a} for a in ("connect", "mail", "rcpt", "data", "last-byte")]),
        "target": st.sampled_from(
            [{"ignore_duplicate_ids": True}, {"tags_disable": ["x-tags"]}, {"instances": 2}, {"fresh": True}]
        ),
    },
)


def check(ended: subprocess.CompletedProcess[str], what: str, *statuses: int) -> None:
    said = ended.stdout + ended.stderr
    assert ended.returncode in statuses, f"{what}: {ended.returncode}\n{said[-3000:]}"
    assert "Traceback" not in said, what
    assert "bug of mailrace" not in said, f"{what}\n{said[-3000:]}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scenarios, st.sampled_from(VERSIONS))
def test_no_scenario_brings_a_command_down(it: dict[str, Any], version: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "mail.eml").write_bytes(MAIL)
        with (folder / "any.race.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(it, file)
        try:
            scenario_from(it, folder)
        except ScenarioError:
            # What the grammar's rules refuse is refused by the command, with 2.
            check(mailrace("check", "any.race.yaml", cwd=folder), "check", 2)
            return
        target = ("--target", f"embedded@{version}")
        for command, more in (("run", ()), ("steer", ("--budget", "25", *LIMIT))):
            ended = mailrace(command, "any.race.yaml", *target, *more, "--out", command, cwd=folder)
            check(ended, f"{command} {it} on {version}", 0, 1, 3)
            document = json.loads((folder / command / "run.json").read_text(encoding="utf-8"))
            if any(one["witnesses"] for one in document["scenarios"]):
                again = mailrace("replay", command, *target, "--times", "2", *LIMIT, cwd=folder)
                check(again, f"replay {command} {it} on {version}", 0, 1, 3)
                # A witness of what is no race, such as a torn read, is told and not bundled.
                is_race = any(one["verdict"] == "RACE" for one in document["scenarios"])
                packed = mailrace("bundle", command, "--out", f"{command}.zip", cwd=folder)
                check(packed, f"bundle {command} {it} on {version}", *((0,) if is_race else (0, 2)))

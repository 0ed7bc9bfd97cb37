"""docs/campaign.md: each command that it shows is one that there is, with options that there are."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from cells import need_dask
from mailrace import cli
from mailrace.campaign.workers import workers_of
from ruamel.yaml import YAML

PAGE = Path(__file__).parent.parent.parent / "docs" / "campaign.md"
TEXT = PAGE.read_text(encoding="utf-8")
MANIFESTS: list[dict[str, Any]] = [
    one
    for part in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    for one in YAML(typ="safe", pure=True).load_all(part)
    if "kind" in one
]


def pods() -> list[tuple[str, dict[str, Any]]]:
    """Kind of workload and specification of its pods."""
    found = [(one["kind"], one["spec"]["template"]["spec"]) for one in MANIFESTS if "template" in one["spec"]]
    assert len(found) == 3
    return found


def commands() -> list[list[str]]:
    """Every command line of the page, those of containers as well."""
    shown = re.findall(r"^\$ (.*)$", TEXT, re.MULTILINE)
    contained = [list(map(str, c["command"])) for _, pod in pods() for c in pod["containers"]]
    return [shlex.split(line) for line in shown] + contained


def test_every_call_of_mailrace_is_understood() -> None:
    root: Any = typer.main.get_command(cli.command())
    ours = [words for words in commands() if words[0] == "mailrace"]
    assert {words[1] for words in ours} >= {"matrix", "survey", "steer", "gate"}
    for _, name, *words in ours:
        context = root.commands[name].make_context(name, list(words))
        assert workers_of(context.params["workers"])


def test_every_call_of_dask_has_options_that_there_are() -> None:
    need_dask()
    from distributed.cli import dask_scheduler, dask_worker

    known = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    theirs = [words for words in commands() if words[0] == "dask"]
    assert len(theirs) >= 6
    for _, name, *words in theirs:
        context = known[name].make_context(name, list(words), resilient_parsing=True)
        assert not context.args
        assert context.params["dashboard"] is False
        if name == "worker":
            assert context.params["nthreads"] == 1


def test_a_job_is_what_kubernetes_takes() -> None:
    assert [one["kind"] for one in MANIFESTS] == [
        "Service",
        "NetworkPolicy",
        "Deployment",
        "Deployment",
        "Job",
    ]
    assert all(one["apiVersion"] and one["metadata"]["name"] for one in MANIFESTS)
    for kind, pod in pods():
        assert pod["automountServiceAccountToken"] is False
        assert pod.get("restartPolicy", "Always") == ("Never" if kind == "Job" else "Always")
    for one in MANIFESTS:
        selector = one["spec"].get("selector", {}).get("matchLabels")
        if selector:
            assert selector.items() <= one["spec"]["template"]["metadata"]["labels"].items()
    service = MANIFESTS[0]
    (scheduler,) = (
        o for o in MANIFESTS if o["metadata"]["name"] == "mailrace-scheduler" and o is not service
    )
    assert service["spec"]["selector"].items() <= scheduler["spec"]["template"]["metadata"]["labels"].items()
    (job,) = (one for one in MANIFESTS if one["kind"] == "Job")
    assert job["spec"]["backoffLimit"] == 0, "a RACE is no reason to try again"


def test_one_worker_to_a_node_for_pods_do_not_see_each_other_s_locks() -> None:
    (worker,) = (pod for _, pod in pods() if pod["containers"][0]["name"] == "worker")
    (rule,) = worker["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert rule["labelSelector"]["matchLabels"]["part"] == "worker"


@pytest.mark.parametrize("word", ["--state", "--share-machine", "require-encryption", "JSON"])
def test_what_must_be_said_is_said(word: str) -> None:
    assert word in TEXT

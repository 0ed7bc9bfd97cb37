"""The pytest plugin: scenario files as tests, and fixtures for tests of one's own.

    pytest scenarios/ --mail-target=mailpit@1.30.5 [-n 2] [--mail-mode=steer] [--mail-rounds=N]

With `--mail-target` (or MAILRACE_TARGET) every `*.race.yaml` below the named paths is a test: PASS passes,
RACE fails with its proof, INCONCLUSIVE and FAILED fail with their reason, NOT APPLICABLE is skipped. Each
test, and so each worker of xdist, has a server of its own. Nothing heavy is imported at the top.
"""

import argparse
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailrace.model.choices import ROUNDS_MAX

if TYPE_CHECKING:
    from mailrace.model.result import ScenarioResult
    from mailrace.model.target import Target
    from mailrace.pytest_recorder import MailAddresses

SUFFIX = ".race.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options `--mail-…`."""
    group = parser.getgroup("mailrace", "concurrency races in Mailpit")
    group.addoption("--mail-target", metavar="TARGET", help="race every *.race.yaml at this target")
    group.addoption("--mail-mode", choices=("race", "steer"), default="race", help="how to look at them")
    group.addoption("--mail-rounds", type=_rounds, metavar="N", help="rounds of each scenario")
    group.addoption(
        "--mail-record",
        metavar="TARGET",
        nargs="?",
        const="embedded",
        help="record the suite's own traffic with this Mailpit, and say what raced and what is hazardous",
    )
    group.addoption("--mail-seed", type=_seed, default=1, metavar="N", help="seed of the plans")


def _rounds(text: str) -> int:
    """Rounds as an option gives them."""
    return _within(text, 1, ROUNDS_MAX)


def _seed(text: str) -> int:
    """A seed as an option gives it, 0 or more."""
    return _within(text, 0, 1 << 63)


def _within(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{value} is not from {least} to {most}")
    return value


def pytest_configure(config: pytest.Config) -> None:
    """With `--mail-record`: start the recorder, or, in a worker of xdist, tell it when tests ran."""
    target = config.getoption("--mail-record")
    if target is None or config.option.collectonly:
        return
    from mailrace.pytest_recorder import RecorderPlugin, TestTimes

    config.pluginmanager.register(TestTimes())
    if hasattr(config, "workerinput"):
        return
    from mailrace.history import new_folder
    from mailrace.model.errors import MailraceError

    try:
        folder = new_folder(Path(config.rootpath) / "reports", f"record-{target}")
        config.pluginmanager.register(RecorderPlugin(target, folder))
    except MailraceError as wrong:
        raise pytest.UsageError(f"--mail-record: {wrong}") from wrong


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A scenario file as a file of one test, where a target was named."""
    if file_path.name.endswith(SUFFIX) and _target(parent.config):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A `*.race.yaml`."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its one test."""
        yield ScenarioItem.from_parent(self, name=self.path.name.removesuffix(SUFFIX))


class ScenarioItem(pytest.Item):
    """One scenario at the target that the options name."""

    def runtest(self) -> None:
        """Race or steer it; an exception for anything but PASS."""
        from mailrace.model.result import Verdict

        result = _look(self.session, self.path)
        if result.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(result.reason)
        if result.verdict is not Verdict.PASS:
            raise NotPassed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The proof or the reason, without our stack."""
        from mailrace.model.errors import MailraceError
        from mailrace.report.words import harmless

        if isinstance(excinfo.value, NotPassed | MailraceError):
            return harmless(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, 0, f"scenario {self.name}"


class NotPassed(AssertionError):
    """A scenario that is not PASS, told as the command line tells it."""

    def __init__(self, result: "ScenarioResult") -> None:
        lines = [f"{result.name}: {result.verdict}: {result.reason}"]
        for witness in result.witnesses[:3]:
            lines += ["", witness.anomaly.proof, f"  again: {witness.replay}"]
        lines += ["", result.advice] if result.advice else []
        lines += [f"not looked at: {said}" for said in result.not_looked[:5]]
        super().__init__("\n".join(lines))


@pytest.fixture
def mail_target(request: pytest.FixtureRequest) -> "Iterator[Target]":
    """A started server of the kind that `--mail-target` names; each test has its own, if it is ours."""
    from mailrace.model.operation import ServerOptions
    from mailrace.targets import open_target

    target = open_target(_target(request.config) or "embedded", ServerOptions())
    try:
        target.start()
        yield target
    finally:
        target.stop()


@pytest.fixture(scope="session")
def mail_addresses() -> "MailAddresses":
    """Where the suite's Mailpit listens: `smtp_host`, `smtp_port`, `url`; those of the recorder, if any."""
    from mailrace.pytest_recorder import addresses

    return addresses()


@pytest.fixture
def race(request: pytest.FixtureRequest) -> "Callable[..., ScenarioResult]":
    """`race(path_or_mapping, rounds=…, target=…)` races a scenario and gives its ScenarioResult."""

    def look(scenario: "Path | str | Mapping[str, object]", **changed: Any) -> "ScenarioResult":
        return _look(request.session, scenario, **changed)

    return look


def _target(config: pytest.Config) -> str:
    return str(config.getoption("--mail-target") or os.environ.get("MAILRACE_TARGET") or "")


def _verdicts(session: pytest.Session) -> int:
    """How many verdicts the session asks for. It is one question, so they all share one confidence."""
    is_scenario = (isinstance(item, ScenarioItem) for item in session.items)
    is_racing = ("race" in getattr(item, "fixturenames", ()) for item in session.items)
    return max(1, sum(is_scenario) + sum(is_racing))


def _look(
    session: pytest.Session, scenario: "Path | str | Mapping[str, object]", **changed: Any
) -> "ScenarioResult":
    from dataclasses import fields

    from pydantic import ValidationError

    from mailrace.model.codec import codec
    from mailrace.model.errors import Interrupted, UsageError
    from mailrace.preflight import preflight
    from mailrace.run import Output, Racing, RunRequest, run
    from mailrace.scenario import load, scenario_from

    config = session.config
    here = Path(config.rootpath)
    loaded = load(Path(scenario)) if isinstance(scenario, Path | str) else scenario_from(scenario, here)
    seed = int(config.getoption("--mail-seed"))
    rounds = config.getoption("--mail-rounds")
    mode = str(config.getoption("--mail-mode"))
    target = _target(config) or "embedded"
    # A test may override any field of the request by its name. Those of the race stand in `Racing`, all
    # others in the request itself.
    known = {one.name for one in fields(Racing)}
    racing = {
        name: value
        for name, value in {"rounds": rounds, "verdicts": _verdicts(session), **changed}.items()
        if name in known
    }
    own = {
        "seed": seed,
        "mode": mode,
        "command": shlex.join(["pytest", str(loaded.file or loaded.name), f"--mail-target={target}"]),
        **{name: value for name, value in changed.items() if name not in known},
    }
    try:
        how = codec(Racing).validate_python(racing)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise UsageError(f"race({first['loc'][0]}={first['input']!r}): {first['msg']}") from wrong
    request = RunRequest.of(own.pop("target", target), how, Output(reports=here / "reports"), **own)
    try:
        preflight([loaded], request)
        return run([loaded], request).result.scenarios[0]
    except Interrupted as end:
        raise KeyboardInterrupt from end

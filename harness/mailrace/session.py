"""One run under way: takes scenarios and a request, looks at each once on a target; gives results and files.

Only here a run's folder is made, its plan written and its journal opened. Here it is asked whether a scenario
applies, and here it is raced or steered. Every command that looks at a server comes through here.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from mailrace import __version__
from mailrace.history import (
    HISTORY,
    InUse,
    Journal,
    JournalHeader,
    make_latest,
    new_folder,
    prune,
    remove_bare,
)
from mailrace.listener import Listener, tell
from mailrace.model.choices import Mode, Study
from mailrace.model.errors import Interrupted, OutputError, ScenarioError, TargetError, UsageError
from mailrace.model.request import Racing, RunRequest
from mailrace.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Verdict
from mailrace.model.secrets import without_secrets_in
from mailrace.model.target import TargetInfo
from mailrace.model.target_name import TargetName
from mailrace.model.time_limit import CUT_OFF, OUT_OF_TIME, TimeOver, over_by
from mailrace.race import LIMITS, ChosenControl, Limits, Place, RaceOptions, race_on
from mailrace.recorded import environment, replay_command, write_bug, write_plan_of
from mailrace.recover import cut_off
from mailrace.report import render
from mailrace.scenario import Scenario, new_run, not_exercised, server_options, with_what_was_changed
from mailrace.steer import EXPLORE_S_MAX, Observer, SteerRequest, steer, store_for
from mailrace.targets import open_target
from mailrace.verdict import gravest, whole_of

PROXY_ADDRESS = "http://127.0.0.1:0"
"""Stands for the address of the database proxy: steer opens one for each server, and only later."""
Alone = Callable[[], AbstractContextManager[None]]
UNREALISED_ROUNDS = 200
"""What steer found and could not realise is raced natively until it hits, for at most this many rounds."""


@dataclass(slots=True)
class Session:
    """One run under way, in a folder of its own: `look` at each scenario, then `finish`.

    token      the run's own, by which its mail is known; each scenario and lane has one made from it
    deadline   monotonic seconds after which nothing new begins; None: no limit
    info       what the target is, as soon as one has started
    alone      is entered while rounds are raced natively
    extra      further entries for the environment, such as who looked
    explore_s_max, looked_behind   see `SteerRequest`
    """

    request: RunRequest
    folder: Path
    token: str
    started: str
    journal: Journal
    deadline: float | None
    listener: Listener | None
    info: TargetInfo
    limits: Limits = LIMITS
    alone: Alone = nullcontext
    results: list[ScenarioResult] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    explore_s_max: float = EXPLORE_S_MAX
    looked_behind: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def left_s(self) -> float | None:
        """Seconds until the deadline, 0 where it is over; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def look(self, scenario: Scenario, racing: Racing | None = None) -> ScenarioResult:
        """Race or steer the scenario on the target, as asked; where that fails, its verdict is FAILED.

        racing   how to race it, where that is not as the request says
        """
        if self.left_s == 0.0:
            found = not_exercised(scenario, Verdict.INCONCLUSIVE, OUT_OF_TIME, self.request.mode)
        else:
            found = self._looked(scenario, racing or self.request.racing)
        rounds = self.request.steering.confirm_rounds
        if rounds and found.is_clean_so_far and self.left_s != 0.0:
            # Where steer could not finish, a native PASS beside its control may stand for it.
            raced = self._looked(scenario, replace(self.request.racing, rounds=rounds), is_native=True)
            if raced.verdict is Verdict.PASS:
                reason = f"PASS natively ({raced.reason.rstrip('.')}), not by steer: {found.reason}"
                found = replace(found, verdict=Verdict.PASS, reason=reason, advice="")
            self.add(found)
            self.add(raced)
            return found
        self.add(found)
        is_found = rounds and found.mode == "steer" and found.verdict is Verdict.RACE
        if self.left_s != 0.0 and (is_found or (found.schedules and found.schedules.unrealised)):
            # A hit on the native storage is proof by itself, also of what steer could not realise.
            rounds = rounds or UNREALISED_ROUNDS
            natively = replace(self.request.racing, until="hit", rounds=rounds, control=False)
            self.add(self._looked(scenario, natively, is_native=True))
        return found

    def _looked(self, scenario: Scenario, racing: Racing, *, is_native: bool = False) -> ScenarioResult:
        """The scenario raced or steered, as asked; FAILED for a bug of ours: other results survive it."""
        mode: Mode = "race" if is_native else self.request.mode
        try:
            with over_by(self.request.cut_at):
                found = self._steered(scenario) if mode == "steer" else self._raced(scenario, racing)
        except TimeOver:
            found = cut_off(self.folder, scenario, self.request, CUT_OFF)
        except (UsageError, ScenarioError, OutputError):
            raise  # it is about the request or the disk, and so about every scenario
        except Exception as bug:
            why = write_bug(self.folder, bug)
            found = not_exercised(scenario, Verdict.FAILED, why, self.request.mode)
        said = with_what_was_changed(found, scenario, is_ours=self.request.target.kind != "url")
        return without_secrets_in(replace(said, digest=scenario.digest))

    def add(self, found: ScenarioResult) -> None:
        """A scenario has its verdict. It is on disk before anybody is told, so no kill can take it back."""
        self.journal.result(found := without_secrets_in(found))
        self.results.append(found)
        if found.verdict is not Verdict.FAILED:
            make_latest(self.folder)
        if self.listener is not None:
            self.listener.ended(found)

    def began(self, scenario: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        """A server has started and is to be looked at: from now on `reports/latest` is this run's."""
        self.info = target
        make_latest(self.folder)
        if self.listener:
            self.listener.began(scenario, target, control)

    def part(self, name: str, formats: tuple[str, ...] = (), target: TargetName | None = None) -> RunRequest:
        """The request of one run of this study: run.json and these formats, in a folder of that name."""
        output = replace(self.request.output, out=self.folder / name, formats=formats)
        return replace(self.request, output=output, target=target or self.request.target)

    def place(self, number: int, database: str = "") -> Place:
        """Where and how the servers of the scenario of that number stand."""
        return Place(
            target=self.request.target,
            folder=self.folder,
            token=f"{self.token[:-3]}{number % 100:02d}",
            journal=self.journal,
            use=self.request.server,
            database=database,
            waits=self.limits.target,
            is_rounds_asked=self.request.racing.rounds is not None,
        )

    def race_options(self, scenario: Scenario, racing: Racing) -> RaceOptions:
        """How to race a scenario in this run."""
        return replace(
            RaceOptions.of(scenario, racing, seed=self.request.seed),
            time_limit=self.deadline,
            replay=replay_command(self.folder, scenario, self.request.target),
            limits=self.limits,
            progress=self.listener.progressed if self.listener is not None else None,
        )

    def result(self) -> RunResult:
        """The document of what was looked at until now."""
        return RunResult(
            mailrace=__version__,
            schema_version=SCHEMA_VERSION,
            verdict=gravest(one.verdict for one in self.results),
            target=self.info,
            seed=self.request.seed,
            run=self.token,
            command=self.request.command,
            started=self.started,
            environment=environment() | self.extra,
            scenarios=tuple(self.results),
            rule=self.request.racing.rule,
            whole=whole_of(self.results, self.request.racing.rule),
        )

    def finish(self) -> "Run":
        """Write run.json and the reports that were asked for, run.json first: it is what all others show."""
        result, formats = self.result(), self.request.output.formats
        render(result, self.folder, tuple(dict.fromkeys(("json", *formats))))
        return Run(result, self.folder)

    def _steers(self, sentence: str) -> None:
        """Steer tells what it does, and so its servers have started."""
        make_latest(self.folder)
        if self.listener is not None:
            self.listener.said(sentence)

    def _raced(self, scenario: Scenario, racing: Racing) -> ScenarioResult:
        with self.alone(), store_for(scenario) as database:
            place = self.place(len(self.results), database)
            info, found = race_on(scenario, place, self.race_options(scenario, racing), self.began)
        self.info = info or self.info
        return found

    def _steered(self, scenario: Scenario) -> ScenarioResult:
        try:
            # The server is not started here. What it is must be told and written down before steer starts one
            # for each actor.
            info = open_target(self.request.target, server_options(scenario), database=PROXY_ADDRESS).info
            self.info = info
            if self.listener is not None:
                self.listener.began(scenario, info, None)
            self.journal.header(
                JournalHeader.of(scenario.name, info, seed=self.request.seed, run=self.token, mode="steer")
            )
            return steer(
                scenario,
                self.request.target,
                SteerRequest(
                    seed=self.request.seed,
                    steering=self.request.steering,
                    replay=replay_command(self.folder, scenario, self.request.target),
                    folder=self.folder,
                    gomaxprocs=self.request.server.gomaxprocs,
                    explore_s_max=self.explore_s_max,
                    deadline=self.deadline,
                    looked_behind=self.looked_behind,
                ),
                observer=Observer(progress=self._steers, journal=self.journal),
            )
        except TargetError as wrong:
            return not_exercised(scenario, Verdict.FAILED, str(wrong), "steer")


@dataclass(frozen=True, slots=True)
class Run:
    """A run's result and the folder that holds its files."""

    result: RunResult
    folder: Path


@contextmanager
def session(
    scenarios: Sequence[Scenario],
    request: RunRequest,
    listener: Listener | None = None,
    *,
    study: Study = "run",
    targets: Sequence[TargetName] = (),
    what: str = "",
    limits: Limits = LIMITS,
    alone: Alone = nullcontext,
) -> Iterator[Session]:
    """A session in a new folder whose plan is written and whose journal is open, closed at the end.

    study     what it is for; `targets`: all that are looked at, where there are several
    what      names the folder; default: the scenario and the target
    limits    how long the native engine waits, and how often it tries
    alone     is entered while rounds are raced natively
    Raises Interrupted, with the folder, where Ctrl-C, SIGTERM or SIGHUP ends it.
    """
    # All verdicts of a study share one confidence, and all its parts one time limit.
    verdicts = max(request.racing.verdicts, len(scenarios) * max(1, len(targets)))
    ends = request.ends or (time.monotonic() + request.time_limit_s if request.time_limit_s else None)
    request = replace(request, ends=ends, racing=replace(request.racing, verdicts=verdicts))
    name = scenarios[0].name if len(scenarios) == 1 else f"{len(scenarios)}-scenarios"
    folder = new_folder(request.output.reports, what or f"{name}-{request.target}", out=request.output.out)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    token = new_run(f"{request.seed}-{os.getpid()}-{time.time_ns()}".encode())
    write_plan_of(folder, scenarios, request, study=study, targets=targets, started=started, run=token)
    # From here on the folder is in use, so that no other run takes it for an old one.
    in_use = InUse(folder)
    journal = Journal(folder / HISTORY)
    try:
        if request.output.out is None and (said := prune(request.output.reports, request.output.keep)):
            tell(said)
        yield Session(
            request=request,
            folder=folder,
            token=token,
            started=started,
            journal=journal,
            deadline=ends,
            listener=listener,
            info=TargetInfo.unknown(request.target.text),
            limits=limits,
            alone=alone,
        )
    except (KeyboardInterrupt, Interrupted) as end:
        raise Interrupted(folder) from end
    finally:
        journal.close()
        in_use.let_go()
        # A folder of ours in which no server was looked at is no record; the user has been told why.
        if request.output.out is None and not isinstance(sys.exc_info()[1], Interrupted):
            remove_bare(folder)

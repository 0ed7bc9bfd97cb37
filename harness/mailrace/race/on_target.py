"""A scenario and a target's name in, a ScenarioResult out: servers and control started, raced, stopped."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from mailrace import __version__
from mailrace.history import Journal, JournalHeader
from mailrace.model.errors import TargetError
from mailrace.model.operation import EDITS, DeleteAll
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Target, TargetInfo
from mailrace.race.controls import ChosenControl, choose_control
from mailrace.race.guest import KEPT_BY_DEFAULT, rounds_that_fit
from mailrace.race.race import RaceOptions, Side, race
from mailrace.scenario import Plan, Scenario, applies, server_options
from mailrace.targets import open_target
from mailrace.targets.external import ExternalTarget

Began = Callable[[Scenario, TargetInfo, ChosenControl | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how the servers of one scenario stand.

    folder      its server.log goes here, the control's into `control/`
    token       nine characters; with the lane's letter the run token of its plan
    is_rounds_asked   the number of rounds was given for this run, and is not to be cut
    database    one store for several instances, as `--database` takes it; "": each has its own
    """

    target: str
    folder: Path
    token: str
    journal: Journal
    gomaxprocs: int | None = None
    database: str = ""
    with_control: bool = True
    allow_deletions: bool = False
    cleanup: bool = False
    is_rounds_asked: bool = False


def race_on(
    scenario: Scenario, place: Place, options: RaceOptions, began: Began | None = None
) -> tuple[TargetInfo | None, ScenarioResult]:
    """What the target is (None where it could not be had), and what racing the scenario on it gave.

    A target that fails gives the verdict FAILED; a scenario that must not run there, INCONCLUSIVE.
    """
    info: TargetInfo | None = None
    with ExitStack() as stack:
        try:
            target = _opened(stack, place.target, scenario, place, place.folder)
            info = target.info
            if not applies(scenario.needs, info.version):
                why = f"it needs Mailpit {scenario.needs}, and this is {info.version}"
                return info, not_raced(scenario, Verdict.NOT_APPLICABLE, why)
            why = must_not_run(scenario, target, allow_deletions=place.allow_deletions)
            if why:
                return info, not_raced(scenario, Verdict.INCONCLUSIVE, why)
            chosen, missing = _control(scenario, place)
            control = None
            if chosen is not None:
                under = place.folder / "control"
                under.mkdir(exist_ok=True)
                beside = _opened(stack, chosen.target, chosen.scenario, place, under)
                control = _side(stack, "control", chosen.scenario, beside, place, options)
            said: tuple[str, ...] = ()
            if isinstance(target, ExternalTarget):
                is_beside = chosen is not None and chosen.target == target.name
                here = [scenario, chosen.scenario] if chosen is not None and is_beside else [scenario]
                options, said = _fitted(rounds_that_fit(target, here), place, options)
                if options.rounds == 0:
                    return info, not_raced(scenario, Verdict.INCONCLUSIVE, said[0])
            side = _side(stack, "target", scenario, target, place, options)
            if began is not None:
                began(scenario, info, chosen)
            place.journal.header(_header(scenario, info, chosen, place, options))
            result = race(side, control, chosen.kind if chosen else 0, options)
            if place.cleanup and isinstance(target, ExternalTarget):
                result = _cleaned(target, side.lane.plan.domain, result)
            return info, replace(result, not_looked=(*result.not_looked, *said, *missing, *info.limits))
        except TargetError as wrong:
            return info, not_raced(scenario, Verdict.FAILED, str(wrong))


def not_raced(scenario: Scenario, verdict: Verdict, why: str, mode: str = "race") -> ScenarioResult:
    """The result of a scenario that was not exercised."""
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        mode=mode,
        verdict=verdict,
        reason=why if why.endswith((".", "?", "!")) else why + ".",
        not_looked=(why,),
    )


def _fitted(fits: int | None, place: Place, options: RaceOptions) -> tuple[RaceOptions, tuple[str, ...]]:
    """The options with only as many rounds as push nobody's mail out, unless more were asked for by name."""
    if fits is None or options.rounds <= fits:
        return options, ()
    if place.is_rounds_asked:
        why = f"from round {fits} on the server may have pruned what it held (--max), ours and others' mail"
        return replace(options, pruned_from=fits), (why,)
    why = (
        f"only {fits} of {options.rounds} rounds were run: Mailpit keeps {KEPT_BY_DEFAULT} messages by "
        "default (--max), and more would push others' mail out; give --rounds to run as many all the same"
    )
    return replace(options, rounds=fits), (why,)


def _cleaned(target: ExternalTarget, domain: str, result: ScenarioResult) -> ScenarioResult:
    """Delete what the run stored there; where that fails the result stands, and says so."""
    try:
        target.cleanup(domain)
    except TargetError as wrong:
        said = f"not all that was stored could be deleted: {wrong}"
        return replace(result, not_looked=(*result.not_looked, said))
    return result


def _opened(stack: ExitStack, name: str, scenario: Scenario, place: Place, folder: Path) -> Target:
    target = open_target(
        name,
        server_options(scenario),
        gomaxprocs=place.gomaxprocs,
        folder=folder,
        database=place.database if scenario.target.instances > 1 and place.database else None,
    )
    stack.callback(target.stop)
    target.start()
    return target


def _side(
    stack: ExitStack, name: str, scenario: Scenario, target: Target, place: Place, options: RaceOptions
) -> Side:
    plan = Plan(scenario, options.seed, place.token + name[0])
    side = Side(name, plan, target, place.journal, options)
    stack.callback(side.lane.close)
    return side


def _control(scenario: Scenario, place: Place) -> tuple[ChosenControl | None, tuple[str, ...]]:
    if not place.with_control:
        return None, ("no control was run, as asked",)
    return choose_control(scenario, place.target)


def must_not_run(scenario: Scenario, target: Target, *, allow_deletions: bool) -> str:
    """Why this scenario must not run on a server that is not ours; "" if it may."""
    if target.is_ours:
        return ""
    operations = Plan(scenario, 0, "mr00000000").round(0).operations
    if any(isinstance(o, DeleteAll) for o in operations):
        return "it deletes everything, which is never done on a server that is not ours"
    if any(isinstance(o, EDITS) for o in operations) and not allow_deletions:
        return "it deletes messages or edits tags on a server that is not ours: give --allow-deletions"
    if scenario.target != type(scenario.target)():
        return "it asks for server options that a server which is not ours may not have"
    if scenario.release.at == "connect" and (
        target.addresses.smtp_tls or target.addresses.api_host_port()[2]
    ):
        return "released at connect, TLS handshakes would come between the releases; give at: mail, or later"
    return ""


def _header(
    scenario: Scenario, info: TargetInfo, chosen: ChosenControl | None, place: Place, options: RaceOptions
) -> JournalHeader:
    return JournalHeader(
        mailrace=__version__,
        scenario=scenario.name,
        target=info.name,
        control=f"{chosen.target} ({chosen.scenario.name})" if chosen else "",
        seed=options.seed,
        run=place.token,
        mode="race",
    )


__all__ = ["Began", "Place", "must_not_run", "not_raced", "race_on"]

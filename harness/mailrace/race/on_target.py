"""Takes a scenario and a target's name; starts, races and stops servers and control; gives the result."""

import shlex
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailrace.history import Journal, JournalHeader
from mailrace.model.errors import TargetError
from mailrace.model.operation import EDITS, ViewLatest
from mailrace.model.request import ServerUse
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Target, TargetInfo
from mailrace.model.target_name import TargetName
from mailrace.race.controls import ChosenControl, choose_control
from mailrace.race.guest import KEPT_BY_DEFAULT, rounds_that_fit
from mailrace.race.options import RaceOptions
from mailrace.race.race import race
from mailrace.race.side import Side
from mailrace.scenario import Plan, Scenario, any_round, not_exercised, server_options, why_not_applicable
from mailrace.targets import open_target
from mailrace.targets.external import ExternalTarget
from mailrace.targets.leftovers import leftovers, remove
from mailrace.targets.ready import WAITS, Waits

Began = Callable[[Scenario, TargetInfo, ChosenControl | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how the servers of one scenario stand.

    folder      its server.log goes here, the control's into `control/`
    token       nine characters; with the lane's letter the run token of its plan
    is_rounds_asked   the number of rounds was given for this run, and is not to be cut
    waits       how long they are waited for
    database    one store for several instances, as `--database` takes it; "": each has its own
    """

    target: TargetName
    folder: Path
    token: str
    journal: Journal
    use: ServerUse = field(default_factory=ServerUse)
    database: str = ""
    waits: Waits = WAITS
    is_rounds_asked: bool = False


def race_on(
    scenario: Scenario, place: Place, options: RaceOptions, began: Began
) -> tuple[TargetInfo | None, ScenarioResult]:
    """What the target is (None where it was not available), and what racing the scenario on it gave.

    A target that fails gives the verdict FAILED; a scenario that must not run there, INCONCLUSIVE.
    """
    info: TargetInfo | None = None
    with ExitStack() as stack:
        try:
            # The target first: what it is decides whether the scenario may run there at all.
            target = opened(stack, place.target, scenario, place, place.folder)
            info = target.info
            if (result := unfit(scenario, target, place.use)) is not None:
                return info, result
            # It may. The control runs beside it, on a server of its own.
            chosen, missing = _control(scenario, place, options)
            control = None
            if chosen is not None:
                under = place.folder / "control"
                beside = opened(stack, chosen.target, chosen.scenario, place, under)
                control = _side(stack, "control", chosen.scenario, beside, place, options)
            if options.until == "decided" and not place.is_rounds_asked and chosen and chosen.kind in (1, 2):
                # `until: decided` may take more rounds than the scenario's own, but not more than the user's.
                options = replace(options, rounds=max(options.rounds, options.limits.decided_rounds))
            # On a server that others use too, only so many rounds are run as fit before it prunes their mail.
            said: tuple[str, ...] = ()
            if isinstance(target, ExternalTarget):
                is_beside = chosen is not None and chosen.target == place.target
                here = [scenario, chosen.scenario] if chosen is not None and is_beside else [scenario]
                options, said = _fitted(rounds_that_fit(target, here), place, options)
                if options.rounds == 0:
                    return info, not_exercised(scenario, Verdict.INCONCLUSIVE, said[0])
            # All is there and nothing was sent yet. The journal is told what is raced, and the sides
            # alternate.
            side = _side(stack, "target", scenario, target, place, options)
            began(scenario, info, chosen)
            place.journal.header(
                JournalHeader.of(
                    scenario.name,
                    info,
                    seed=options.seed,
                    run=place.token,
                    mode="race",
                    control=f"{chosen.target} ({chosen.scenario.name})" if chosen else "",
                )
            )
            result = race(side, control, chosen.kind if chosen else 0, options)
            if isinstance(target, ExternalTarget):
                result = _left_behind(target, place, result)
            return info, replace(result, not_looked=(*result.not_looked, *said, *missing, *info.limits))
        except TargetError as wrong:
            return info, not_exercised(scenario, Verdict.FAILED, str(wrong))


def unfit(scenario: Scenario, target: Target, use: ServerUse) -> ScenarioResult | None:
    """The result where the scenario does not apply to a started target or must not run; None: it may."""
    if why := why_not_applicable(scenario, target.info.version):
        return not_exercised(scenario, Verdict.NOT_APPLICABLE, why)
    why = must_not_run(scenario, target, allow_deletions=use.allow_deletions)
    return not_exercised(scenario, Verdict.INCONCLUSIVE, why) if why else None


def _fitted(fits: int | None, place: Place, options: RaceOptions) -> tuple[RaceOptions, tuple[str, ...]]:
    """The options with so few rounds that nobody's mail is pushed out, unless the user asked for more."""
    if fits is None or options.rounds <= fits:
        return options, ()
    if place.is_rounds_asked:
        why = f"from round {fits} on the server may have pruned what it held (--max), ours and others' mail"
        return replace(options, pruned_from=fits), (why,)
    why = (
        f"only {fits} of {options.rounds} rounds were run: Mailpit keeps {KEPT_BY_DEFAULT} messages by "
        "default (--max), and more would push others' mail out; give --rounds to run them all the same"
    )
    return replace(options, rounds=fits), (why,)


def _left_behind(target: ExternalTarget, place: Place, result: ScenarioResult) -> ScenarioResult:
    """Say what the scenario left there, or delete it; where that fails, the result stands and says so."""
    try:
        found = leftovers(target.api, place.token)
        if place.use.cleanup:
            remove(target.api, found)
            return result
    except TargetError as wrong:
        said = f"what is left on the server could not be counted or deleted: {wrong}"
        return replace(result, not_looked=(*result.not_looked, said))
    again = shlex.join(["mailrace", "cleanup", str(place.folder), "--target", target.name])
    said = f"left on the server: {found}; to remove just these: {again}"
    return replace(
        result,
        not_looked=(*result.not_looked, said),
        left_mails=len(found.ids),
        left_tags=len(found.tags),
    )


def opened(stack: ExitStack, name: TargetName, scenario: Scenario, place: Place, folder: Path) -> Target:
    """The target of that name, started for the scenario with its log in `folder`; `stack` stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = open_target(
        name,
        server_options(scenario),
        gomaxprocs=place.use.gomaxprocs,
        folder=folder,
        database=place.database if scenario.target.instances > 1 and place.database else None,
        waits=place.waits,
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


def _control(
    scenario: Scenario, place: Place, options: RaceOptions
) -> tuple[ChosenControl | None, tuple[str, ...]]:
    if not options.control:
        return None, ("no control was run, as asked",)
    return choose_control(scenario, place.target)


def must_not_run(scenario: Scenario, target: Target, *, allow_deletions: bool) -> str:
    """Why this scenario must not run on a server that is not ours; "" if it may."""
    if target.is_ours:
        return ""
    operations = any_round(scenario).operations
    on_all = (o for o in operations if o.is_on_all or (isinstance(o, ViewLatest) and not o.query))
    if everything := next(on_all, None):
        return f"it {everything.words}, which is never done on a server that is not ours"
    if any(isinstance(o, EDITS) for o in operations) and not allow_deletions:
        return "it deletes messages or edits tags on a server that is not ours: give --allow-deletions"
    if server_options(scenario).pop3:
        return "it wants POP3, and on a server that is not ours mailrace knows only SMTP and the API"
    if server_options(scenario).relay:
        return "it releases messages to a relay, which only a server that mailrace starts has"
    if scenario.target != type(scenario.target)():
        return "it asks for server options that a server which is not ours may not have"
    if scenario.release.at == "connect" and (
        target.addresses.smtp_tls or target.addresses.api_host_port()[2]
    ):
        return "released at connect, TLS handshakes would come between the releases; give at: mail, or later"
    return ""


__all__ = ["Began", "Place", "must_not_run", "opened", "race_on", "unfit"]

"""Takes a scenario and a target; gives what each retry policy leaves the user with.

The same race is run under every policy, with `ignore_duplicate_ids` off and on, on servers of our own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import get_args

from mailrace import __version__
from mailrace.history import HISTORY, read_histories, read_plan
from mailrace.model.errors import UsageError
from mailrace.model.request import RunRequest
from mailrace.model.result import RunResult
from mailrace.model.target_name import TargetName
from mailrace.model.time_limit import CUT_OFF
from mailrace.race.retry import Policy
from mailrace.recorded import scenarios_of
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario, server_options
from mailrace.scenario.scenario import Retry
from mailrace.session import Session
from mailrace.studies.absence import ENDS
from mailrace.studies.ledger import Ledger, ledger

POLICIES: tuple[Policy, ...] = get_args(Policy)
ATTEMPTS = 3
_WHY = {
    "none": "the client never sends again",
    "naive": "the same message is sent again",
    "new-id": "the message is sent again under a new Message-ID",
    "reconcile": "the client looks for its Message-ID first and sends again only if it is absent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one policy came to with the server option on or off.

    failed           why no round was run; "" where some were
    cut              how the time limit ended it before its last round; "" where it did not
    rounds_refused   rounds that the server refused to begin, or whose store it would not show
    """

    policy: Policy
    ignore_duplicate_ids: bool
    ledger: Ledger
    seconds: float
    failed: str = ""
    cut: str = ""
    anomalies: Mapping[str, int] = field(default_factory=dict)
    rounds_refused: int = 0

    @property
    def rounds_unseen(self) -> int:
        """Rounds of whose mails nothing is known: refused, or with a server that hung or ended."""
        return self.rounds_refused + sum(self.anomalies.get(name, 0) for name in ENDS)


def scenario_with(scenario: Scenario, policy: Policy, ignore: bool) -> Scenario:
    """The scenario under that policy and option.

    A client tries three times in all, unless its file says otherwise.
    """
    attempts = scenario.retry.attempts if scenario.retry.policy != "none" else ATTEMPTS
    retry = scenario.retry.model_copy(update={"policy": policy, "attempts": attempts})
    if policy == "none":
        retry = Retry()  # One attempt: more would contradict the policy, and the plan could not be read back.
    target = scenario.target.model_copy(update={"ignore_duplicate_ids": ignore})
    return scenario.model_copy(update={"retry": retry, "target": target})


def require_laboratory(scenario: Scenario, target: TargetName) -> None:
    """Raises UsageError for a scenario without senders, and for a server that is not ours."""
    if not any(actor.kind == "send" for actor in scenario.actors):
        raise UsageError(f"{scenario.name}: has no sender, and only senders try again")
    if target.kind == "url":
        raise UsageError(
            f"{target}: is not ours to start with and without --ignore-duplicate-ids; "
            "give embedded@VERSION or mailpit@VERSION"
        )


def run_retries(
    scenario: Scenario,
    whole: Session,
    *,
    tell: Callable[[str], None],
) -> tuple[Trial, ...]:
    """Race under every policy, with the option off and on.

    Each run has its own folder, and all rounds are run.

    Call `require_laboratory` first.
    """
    # Every policy gets the same seed, and so the same rounds. No control is needed, because nothing is called
    # clean here: what is lost and doubled is counted.
    trials = []
    for ignore in (False, True):
        for policy in POLICIES:
            tell(f"policy {policy}, ignore_duplicate_ids {'on' if ignore else 'off'}")
            variant = scenario_with(scenario, policy, ignore)
            racing = replace(whole.request.racing, control=False, until="rounds")
            asked = replace(whole.part(f"{policy}-{'on' if ignore else 'off'}"), racing=racing)
            done = run_scenarios([variant], asked, whole.listener)
            trials.append(_trial(variant, done.folder, done.result))
    return tuple(trials)


def trials_of(results: Mapping[Path, RunResult]) -> tuple[Trial, ...]:
    """The trials that a folder of retries holds, even if it was cut off: those that were begun.

    Raises UsageError where a run in it is none.
    """
    found = []
    for run, result in results.items():
        scenarios = scenarios_of(run, read_plan(run), are_mails_needed=False)
        if not len(scenarios) == len(result.scenarios) == 1:
            raise UsageError(f"{run}: no trial of one scenario, as retries leaves them; name another folder")
        found.append(_trial(scenarios[0], run, result))
    return tuple(sorted(found, key=lambda t: (t.ignore_duplicate_ids, POLICIES.index(t.policy))))


def about(scenario: str, asked: RunRequest) -> dict[str, object]:
    """How the trials were made, as their document says it."""
    return {"scenario": scenario, "target": asked.target.text, "seed": asked.seed}


def _trial(variant: Scenario, folder: Path, result: RunResult) -> Trial:
    """What the rounds of one run came to under the policy that its scenario has."""
    history = folder / HISTORY
    read = read_histories(history) if history.is_file() else ()
    records = [record for one in read for lane, record, _ in one.rounds if lane == "target"]
    (found,) = result.scenarios
    return Trial(
        policy=variant.retry.policy,
        ignore_duplicate_ids=variant.target.ignore_duplicate_ids,
        ledger=ledger(records, server_options(variant)),
        seconds=round(found.seconds.get("race", 0.0), 3),
        failed=found.reason if not found.rounds else "",
        cut=next((said for said in (found.reason, *found.not_looked) if said.startswith(CUT_OFF)), ""),
        anomalies=dict(found.anomalies),
        rounds_refused=found.rounds_refused,
    )


def sentence(trials: Sequence[Trial]) -> str:
    """Which policy loses nothing and doubles nothing here, and why."""
    ran = [t for t in trials if t.ledger.mails]
    if not ran:
        return "Nothing could be looked at, so no policy can be named."
    if not any(t.ledger.refused for t in ran):
        return (
            "No attempt was refused in these rounds, so every policy did the same; a target or scenario that "
            "refuses would tell them apart."
        )
    # Something was refused. Only a policy that met a refusal was put to the test.
    tested = [t for t in ran if t.ledger.refused]
    good = [t for t in tested if t.ledger.is_faultless and not t.rounds_unseen]
    if not good and any(t.ledger.is_faultless for t in tested):
        unseen = sum(t.rounds_unseen for t in tested)
        return (
            f"No policy can be named: in {unseen} rounds the server refused what comes before the mail, "
            "would not show its store afterwards, hung or ended, and a loss there was not looked at."
        )
    if good:
        why = "; ".join(f"{named(t)}: {_WHY[t.policy]}" for t in good)
        return f"Nothing is lost and nothing doubled in these rounds under {why}."
    # No policy is without fault, so the best one is named with its fault. To lose tags is less bad than to
    # lose mail.
    whole = [t for t in tested if not (t.ledger.doubled or t.ledger.lost or t.ledger.given_up)]
    if whole:
        bare = sorted(t.ledger.untagged for t in whole)
        return (
            f"No policy is right here. Every mail is there once under {', '.join(named(t) for t in whole)}, "
            f"but {bare[0]} to {bare[-1]} of some {whole[0].ledger.mails} lack their tags: the server stored "
            "what it refused, and no client can mend that."
        )
    best = min(tested, key=lambda t: (t.ledger.lost + t.ledger.given_up, t.ledger.doubled, t.ledger.untagged))
    return (
        f"No policy is right here: even {named(best)} leaves {best.ledger.doubled} doubled, "
        f"{best.ledger.lost + best.ledger.given_up} missing and {best.ledger.untagged} untagged of "
        f"{best.ledger.mails} mails."
    )


def hidden_duplicates(trials: Sequence[Trial]) -> str:
    """In a sentence, that `ignore_duplicate_ids` hides duplicates and loses tags; "" if it does not."""
    for policy in POLICIES:
        pair = {t.ignore_duplicate_ids: t.ledger for t in trials if t.policy == policy}
        if len(pair) == 2 and pair[False].doubled and not pair[True].doubled and pair[True].untagged:
            return (
                f"With ignore_duplicate_ids the duplicates of {policy} are gone ({pair[False].doubled} "
                f"without it), and {pair[True].untagged} mails have lost their tags instead: counting "
                "duplicates alone misses the race."
            )
    return ""


def retries_json(trials: Sequence[Trial], made: Mapping[str, object]) -> str:
    """The text of retries.json: the table and the sentences."""
    document = {
        "mailrace": __version__,
        **made,
        "trials": [asdict(trial) for trial in trials],
        "sentence": sentence(trials),
        "hidden": hidden_duplicates(trials),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def named(trial: Trial) -> str:
    """A trial's policy and option, as a sentence names it."""
    return f"{trial.policy} (ignore_duplicate_ids {'on' if trial.ignore_duplicate_ids else 'off'})"

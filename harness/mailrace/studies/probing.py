"""Takes a scenario and a version; gives whether the race is there: good, bad or unknown.

One hit is proof. A version is good only where every schedule was walked, or by the rule for PASS. A native
race that gives neither answer is tried again, with another seed.
"""

import re
from dataclasses import replace

from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.run import Listener, RunRequest, run
from mailrace.scenario import Scenario
from mailrace.studies.absence import absence, races_of
from mailrace.studies.bisect import Answer, Probed
from mailrace.targets import TargetName


def answer_of(result: ScenarioResult, anomaly: str | None, rule: Rule) -> tuple[Answer, str]:
    """What a result says of an anomaly (None: of any), with the reason."""
    seen = races_of(result)
    if (anomaly in seen) if anomaly is not None else bool(seen):
        return Answer.BAD, result.reason
    without = absence(result, anomaly, rule)
    return (Answer.GOOD if without.is_shown else Answer.UNKNOWN), f"{without.reason}."


def probe(
    scenario: Scenario,
    target: TargetName,
    options: RunRequest,
    *,
    anomaly: str | None,
    trials: int,
    listener: Listener | None = None,
) -> Probed:
    """Look at one version, natively up to `trials` times.

    Where it fails or does not apply, the answer is unknown.

    Each run has a folder of its own, below `options.output.out` where that is given. A race for one named
    anomaly does not stop at a hit of another one, so all of its rounds are run.
    """
    within = options.output.out
    racing = replace(options.racing, until="decided" if anomaly is None else "rounds")
    trials = trials if options.mode == "race" else 1
    answer, reason, found, folder = Answer.UNKNOWN, "it was not looked at.", None, ""
    # Each trial has another seed, and so other offsets. The first clear answer ends it. So does a scenario
    # that does not apply or a server that is not available, because another trial would not change that.
    for trial in range(trials):
        asked = replace(options, target=target, racing=racing, seed=options.seed + trial)
        if within is not None:
            own = f"{re.sub('[^A-Za-z0-9.@_-]+', '-', target.text)[-60:]}-{trial + 1}"
            asked = replace(asked, output=replace(options.output, out=within / own))
        done = run([scenario], asked, listener)
        found, folder = done.result.scenarios[0], str(done.folder)
        answer, reason = answer_of(found, anomaly, done.result.rule)
        if answer is not Answer.UNKNOWN or found.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
            break
    # Only a race has a proof to show; a clean or an unknown answer has its reason.
    witness = next(
        (w for w in found.witnesses if anomaly in (None, w.anomaly.name)) if found else iter(()), None
    )
    is_bad = answer is Answer.BAD and witness is not None
    return Probed(
        answer=answer,
        reason=reason,
        proof=witness.anomaly.proof if is_bad and witness else "",
        replay=witness.replay if is_bad and witness else "",
        report=folder,
    )

"""Takes a recorded witness; runs its round or schedule again on any target, and gives whether it fails."""

from dataclasses import dataclass, replace
from math import ceil, log
from pathlib import Path

from mailrace.history import read_plan
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.errors import UsageError
from mailrace.model.phrases import plural
from mailrace.model.request import Racing
from mailrace.model.result import RunResult, ScenarioResult, Verdict, Witness
from mailrace.model.time_limit import CUT_OFF, TimeOver, over_by
from mailrace.recorded import scenarios_of
from mailrace.recover import run_with
from mailrace.run import Listener, RunRequest, run
from mailrace.scenario import Plan, Scenario, server_options
from mailrace.scenario.witnessed import why_not_recorded
from mailrace.session import Session, session
from mailrace.steer import ReplayRequest, replay_schedule
from mailrace.steer.replay import Word
from mailrace.verdict import ExitStatus, clopper_pearson, doubt_of, evidence_of, upper_bound

ROUNDS_MAX = 1_000
"""So many rounds a raced replay has at most, unless more are asked for."""
NATIVE_ROUNDS = 25
"""So many rounds are raced after a clean walk, to see that the server also works for its clients. Few of them
show what breaks only where requests meet in the server's memory."""

STATUS = {
    Word.STILL_FAILS: ExitStatus.RACE,
    Word.FIXED: ExitStatus.PASS,
    Word.COULD_NOT_RUN: ExitStatus.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay's answer: `hits` of `rounds` (or runs of the schedule), and the sentence that says it."""

    word: Word
    hits: int
    rounds: int
    sentence: str
    status: ExitStatus


@dataclass(frozen=True, slots=True)
class Recorded:
    """A witness with the scenario and the run that it comes from."""

    result: RunResult
    found: ScenarioResult
    scenario: Scenario
    witness: Witness


def recorded(
    source: Path, *, scenario: str | None = None, round_: int | None = None, anomaly: str | None = None
) -> Recorded:
    """A witness of a run: of that scenario, round and anomaly, else the first; realised schedules lead.

    `source` is the folder of a run, or its name under reports/, or a file in it; a bundle is unpacked first
    (`unpack`). Raises UsageError where there is no such witness.
    """
    run, result, found = run_with(source, scenario=scenario, round_=round_, anomaly=anomaly)
    # A realised schedule is repeated exactly, and a raced round only often, so schedules go first.
    found.sort(key=lambda pair: pair[1].schedule is None)
    one, witness = found[0]
    scenario_ = _scenario(run, one)
    if wrong := why_not_recorded(witness, scenario_.contents.values()):
        raise UsageError(f"{run}: run.json: mailrace cannot have recorded this witness: wrong is {wrong}")
    return Recorded(result, one, scenario_, witness)


def replay(what: Recorded, request: RunRequest, *, times: int, listener: Listener | None) -> Replay:
    """Run the witness again on the request's target: its schedule `times` times, or its round, raced.

    FIXED is said only where the scenario as a whole is PASS on that target, by the rule of `mailrace run` and
    `mailrace steer`: its operations were accepted, nothing else is broken, and a race would have been seen.
    So a server is never FIXED that refuses everything, hides its list, or breaks another promise instead.
    """
    if what.witness.schedule is None:
        return replay_round(what, request, listener)
    before = what.result.target
    try:
        with over_by(request.cut_at):
            answer = replay_schedule(
                what.witness,
                request.target,
                server_options(what.scenario),
                ReplayRequest(
                    recorded_on=f"{before.name} ({before.version})", times=times, deadline=request.ends
                ),
                contents=Plan(what.scenario, what.result.seed, what.result.run).contents,
                progress=listener.said if listener is not None else lambda _: None,
            )
    except TimeOver:
        return _answer(
            Word.COULD_NOT_RUN, 0, 0, f"{CUT_OFF} before the recorded schedule was run to its end."
        )
    missed = f"; {answer.missed} runs missed the schedule, and so say nothing" if answer.missed else ""
    told = f"{answer.sentence}{missed}"
    if answer.word is Word.STILL_FAILS:
        return _answer(Word.STILL_FAILS, answer.hits, answer.runs, told)
    # The recorded schedule is good now, or the server no longer sends it. That says nothing of all the other
    # schedules, nor whether this server still does what it is asked. So the whole scenario is steered.
    steering = replace(request.steering, one_of_each="anomaly")
    asked = replace(request, seed=what.result.seed, mode="steer", steering=steering)
    found = run([what.scenario], asked, listener).result.scenarios[0]
    told = f"{told}. All of its schedules: {found.reason}"
    name = what.witness.anomaly.name.value
    if found.verdict is Verdict.RACE:
        shown = sorted({one.anomaly.name.value for one in found.witnesses})
        how = "another schedule shows it" if name in shown else f"differently: {', '.join(shown)}"
        return _answer(Word.STILL_FAILS, found.hits, answer.runs, f"{told} {how}.")
    if found.verdict is not Verdict.PASS:
        return _answer(Word.COULD_NOT_RUN, 0, answer.runs, f"{told} {found.advice}".strip(), found.verdict)
    # Steer looks at statements and at tables. A server that hides its list from its clients would have no bad
    # schedule either, so it is raced natively as well.
    racing = replace(request.racing, rounds=NATIVE_ROUNDS, until="hit", control=False)
    natively = run([what.scenario], replace(asked, mode="race", racing=racing), listener).result.scenarios[0]
    if natively.hits:
        return _answer(
            Word.STILL_FAILS, natively.hits, natively.rounds, f"{told}. Natively: {natively.reason}"
        )
    if (why := doubt_of(evidence_of(natively))) is not None or not natively.rounds:
        reason = why[0] if why is not None else natively.reason
        return _answer(Word.COULD_NOT_RUN, 0, answer.runs, f"{told}. Natively: {reason}")
    natively_clean = f"Natively: no hit in {natively.rounds} rounds, which is a sample."
    return _answer(Word.FIXED, 0, answer.runs, f"{told}. {natively_clean}")


def _answer(
    word: Word, hits: int, rounds: int, sentence: str, verdict: Verdict = Verdict.INCONCLUSIVE
) -> Replay:
    """The answer; where it could not be run because the server failed, the status says so."""
    is_failed = word is Word.COULD_NOT_RUN and verdict is Verdict.FAILED
    status = ExitStatus.FAILED if is_failed else STATUS[word]
    return Replay(word=word, hits=hits, rounds=rounds, sentence=sentence, status=status)


def replay_round(what: Recorded, request: RunRequest, listener: Listener | None) -> Replay:
    """Race the recorded round again, with its seed, offsets and decoys, up to a limit of rounds.

    A hit is STILL FAILS, even one of another anomaly. Without a hit it is FIXED only where the rule for PASS
    holds and enough rounds were run to rule the recorded rate out (`rounds_needed`); otherwise COULD NOT RUN.
    """
    record, name = what.witness.record, what.witness.anomaly.name.value
    # The recorded seed, offsets and decoys are what brought it about, so every round begins with them.
    most = request.racing.rounds or ROUNDS_MAX
    racing = replace(
        request.racing,
        rounds=most,
        profile="throughput" if what.found.profile == "throughput" else "rate",
        until="decided",
        recorded=(record.offsets_us, record.decoys),
    )
    needed = rounds_needed(what.found, name, request.racing.confidence)
    asked = replace(request, seed=what.result.seed, mode="race", racing=racing)
    with session([what.scenario], asked, listener) as now:
        looks = looks_until(needed, now, what.scenario, racing)
        done = now.finish().result
    rounds, hits = sum(one.rounds for one in looks), sum(one.hits for one in looks)
    versions = (
        f"recorded on {what.result.target.name} ({what.result.target.version}), "
        f"running on {done.target.name} ({done.target.version})"
    )
    # An anomaly that is only reported, such as a torn read, makes no hit. Where it is the recorded one, it is
    # back.
    same = sum(one.anomalies.get(name, 0) for one in looks)
    if hits or same:
        shown = sorted({anomaly for one in looks for anomaly in one.anomalies})
        how = f"{name} again" if same else f"differently: {', '.join(shown)}"
        seen = f"{plural(hits or same, 'hit')} in {plural(rounds, 'round')}"
        return _answer(Word.STILL_FAILS, hits, rounds, f"{seen}, {how}; {versions}")
    # Nothing showed. FIXED comes last, because each answer before it is a reason why it cannot be said.
    bound = 100 * upper_bound(0, rounds, request.racing.confidence) if rounds else 100.0
    was = what.found.anomalies.get(name, 0), what.found.rounds
    rates = (
        f"0 hits in {rounds} rounds (at most {bound:.1f} % with {100 * request.racing.confidence:.4g} % "
        f"confidence) where {was[0]} in {was[1]} rounds were recorded; {versions}"
    )
    reason = " ".join(text for text in (looks[0].reason, looks[0].advice) if text)
    if looks[0].verdict is not Verdict.PASS:
        return _answer(Word.COULD_NOT_RUN, 0, rounds, f"{rates}. {reason}", looks[0].verdict)
    if (last := looks[-1]).rounds_refused or last.verdict is Verdict.FAILED:
        return _answer(Word.COULD_NOT_RUN, 0, rounds, f"{rates}. {last.reason}", last.verdict)
    if rounds < needed:
        few = f"too few to rule the recorded rate out: {needed} would be enough (--rounds)"
        return _answer(Word.COULD_NOT_RUN, 0, rounds, f"{rates}; {few}")
    return _answer(Word.FIXED, 0, rounds, f"{rates}. {looks[0].reason}")


def looks_until(needed: int, now: Session, scenario: Scenario, racing: Racing) -> list[ScenarioResult]:
    """Look at the scenario again until one look shows something or `needed` rounds are clean in all.

    Only the first look can end in PASS; the others add the rounds that it was short of. Together they take at
    most `racing.rounds` rounds, lost ones included.
    """
    most = racing.rounds or ROUNDS_MAX
    looks = [now.look(scenario, racing)]
    if looks[0].verdict is not Verdict.PASS or needed > most:
        return looks
    # The rule for PASS may hold after so few rounds that a rare race would show in none of them, so more
    # follow. A round that was lost because the machine was busy says nothing of the server, and another one
    # replaces it.
    while True:
        lacking = needed - sum(one.rounds for one in looks)
        more = min(lacking, most - sum(one.rounds + one.rounds_lost for one in looks))
        if more <= 0:
            return looks
        last = now.look(scenario, replace(racing, rounds=more, until="hit"))
        looks.append(last)
        was_cut_short = last.rounds + last.rounds_lost < more
        shows = last.rounds_refused or any(last.anomalies.values()) or last.verdict is Verdict.FAILED
        if was_cut_short or shows:
            return looks


def rounds_needed(found: ScenarioResult, anomaly: str, confidence: float) -> int:
    """How many clean rounds rule out, with that confidence, that the anomaly is as frequent as it was.

    It is the n of (1 − rate)^n = 1 − confidence, in which the rate is the lower end of its exact interval
    (Clopper and Pearson 1934). At least one round; where nothing is known of the rate, one more than any
    limit.
    """
    hits = rounds_showing(found, anomaly)
    low = clopper_pearson(hits, found.rounds).low if hits else 0.0
    if low <= 0.0:
        return ROUNDS_MAX + 1
    return 1 if low >= 1.0 else ceil(log(1.0 - confidence) / log(1.0 - low))


def rounds_showing(found: ScenarioResult, anomaly: str) -> int:
    """In how many rounds the anomaly showed, at least; its count may be higher, as a round can show it twice.

    Each hit shows an anomaly. So it showed in all hits that the other anomalies cannot account for, and in
    the rounds of its own witnesses.
    """
    count = min(found.anomalies.get(anomaly, 0), found.rounds)
    races = {name.value for name in AnomalyName if name.weight is Weight.RACE}
    if anomaly not in races:
        return count  # what is only reported makes no hit
    others = sum(found.anomalies.get(name, 0) for name in races - {anomaly})
    kept = {w.record.index for w in found.witnesses if w.anomaly.name == anomaly}
    return min(count, max(found.hits - others, len(kept)))


def _scenario(folder: Path, found: ScenarioResult) -> Scenario:
    """The scenario as it was run."""
    scenarios = {one.name: one for one in scenarios_of(folder, read_plan(folder))}
    if found.name not in scenarios:
        raise UsageError(f"{folder}: its plan has no scenario {found.name}")
    return scenarios[found.name]

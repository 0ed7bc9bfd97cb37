"""A recorded witness in, whether it still fails out: the same round or schedule, run again on any target."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from mailrace.history import read_plan
from mailrace.model.errors import UsageError
from mailrace.model.operation import Read, messages_of
from mailrace.model.request import OFFSET_US_MAX
from mailrace.model.result import RunResult, ScenarioResult, Verdict, Witness
from mailrace.recorded import scenarios_of
from mailrace.recover import run_with
from mailrace.run import Listener, RunRequest, run
from mailrace.scenario import Plan, Scenario, server_options
from mailrace.scenario.actor import BODY_BYTES_MAX
from mailrace.steer import replay_schedule
from mailrace.steer.replay import Word
from mailrace.verdict import ExitStatus, upper_bound

ROUNDS_MAX = 1_000
DECOYS_MAX = 64
ACTORS_MAX = 64
MESSAGES_MAX = 6_000
READS_MAX = 10_000


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
    found.sort(key=lambda pair: _rank(pair[1]))
    one, witness = found[0]
    scenario_ = _scenario(run, one)
    if wrong := _beyond(witness, scenario_):
        raise UsageError(f"{run}: run.json: this witness is none of ours: {wrong}")
    return Recorded(result, one, scenario_, witness)


def _beyond(witness: Witness, scenario: Scenario) -> str:
    """What of a witness no run of ours can have recorded, in words; "" if nothing.

    A run.json may be a stranger's. Its round is sent to a server and waited for, so its numbers have the
    ranges that a scenario's have, and its texts no line breaks.
    """
    record = witness.record
    digests = {sha256(mail).hexdigest() for mail in scenario.contents.values()}
    reads = [o for o in record.plan.operations if isinstance(o, Read)]
    messages = messages_of(record.plan).values()
    texts = [t for m in messages for t in (m.key, m.domain, m.message_id, m.subject, *m.recipients, *m.tags)]
    texts += [part for m in messages for header in m.headers for part in header]
    texts += [o.path for o in reads] + [getattr(o, "query", "") for o in record.plan.operations]
    wrong = {
        "its offsets": any(abs(one) > OFFSET_US_MAX for one in record.offsets_us),
        "its number of decoys": not 0 <= record.decoys <= DECOYS_MAX,
        "its number of actors": not 1 <= len(record.plan.operations) <= ACTORS_MAX,
        "its number of messages": len(messages) > MESSAGES_MAX,
        "the length of a message": any(not 0 <= m.body_bytes <= BODY_BYTES_MAX for m in messages),
        "the number of reads": any(not 0 <= o.times <= READS_MAX for o in reads),
        "a text with a line break": any(not text.isprintable() for text in texts),
        "a message that the run has not kept": any(
            m.file_sha256 not in digests for m in messages if m.file_sha256 is not None
        ),
    }
    return next((what for what, is_wrong in wrong.items() if is_wrong), "")


def replay(what: Recorded, request: RunRequest, *, times: int, listener: Listener | None = None) -> Replay:
    """Run the witness again on the request's target: its schedule `times` times, or its round, raced."""
    if what.witness.schedule is None:
        return replay_round(what, request, listener)
    before = what.result.target
    answer = replay_schedule(
        what.witness,
        request.target,
        server_options(what.scenario),
        contents=Plan(what.scenario, what.result.seed, what.result.run).contents,
        recorded_on=f"{before.name} ({before.version})",
        times=times,
        progress=listener.said if listener is not None else lambda _: None,
    )
    missed = f"; {answer.missed} runs missed the order and say nothing" if answer.missed else ""
    return Replay(
        word=answer.word,
        hits=answer.hits,
        rounds=answer.runs,
        sentence=answer.sentence + missed,
        status=STATUS[answer.word],
    )


def _rank(witness: Witness) -> int:
    """Realised schedules first, then raced rounds, then schedules that need more instances."""
    if witness.schedule is None:
        return 1
    return 2 if witness.schedule.split_only else 0


def replay_round(what: Recorded, request: RunRequest, listener: Listener | None = None) -> Replay:
    """Race the recorded round again, with its seed, offsets and decoys, up to a limit of rounds.

    A hit is STILL FAILS. None is FIXED only where the rule for PASS holds, else COULD NOT RUN, with the
    upper bound of the rate that the rounds give.
    """
    record, name = what.witness.record, what.witness.anomaly.name
    racing = replace(
        request.racing,
        profile="throughput" if what.found.profile == "throughput" else "rate",
        until="decided",
        recorded=(record.offsets_us, record.decoys),
    )
    again_asked = replace(request, seed=what.result.seed, mode="race", racing=racing)
    done = run([what.scenario], again_asked, listener)
    again = done.result.scenarios[0]
    versions = (
        f"recorded on {what.result.target.name} ({what.result.target.version}), "
        f"running on {done.result.target.name} ({done.result.target.version})"
    )
    if again.verdict is Verdict.RACE:
        same = again.anomalies.get(name, 0)
        how = f"{name} again" if same else f"differently: {', '.join(again.anomalies)}"
        said = f"{again.hits} hits in {again.rounds} rounds, {how}; {versions}"
        return Replay(
            word=Word.STILL_FAILS, hits=again.hits, rounds=again.rounds, sentence=said, status=ExitStatus.RACE
        )
    if again.verdict is Verdict.PASS:
        said = f"{again.reason} {versions}"
        return Replay(word=Word.FIXED, hits=0, rounds=again.rounds, sentence=said, status=ExitStatus.PASS)
    status = ExitStatus.FAILED if again.verdict is Verdict.FAILED else ExitStatus.INCONCLUSIVE
    was = 100 * what.found.hits / what.found.rounds if what.found.rounds else 0.0
    said = f"{again.reason} {versions}"
    if again.rounds:
        bound = 100 * upper_bound(0, again.rounds, 0.95)
        said = (
            f"0 hits in {again.rounds} rounds (at most {bound:.1f} % with 95 % confidence) "
            f"where {was:.1f} % was recorded; {versions}. {again.reason} {again.advice}"
        )
    return Replay(word=Word.COULD_NOT_RUN, hits=0, rounds=again.rounds, sentence=said.strip(), status=status)


def _scenario(folder: Path, found: ScenarioResult) -> Scenario:
    """The scenario as it was run."""
    scenarios = {one.name: one for one in scenarios_of(folder, read_plan(folder))}
    if found.name not in scenarios:
        raise UsageError(f"{folder}: its plan has no scenario {found.name}")
    return scenarios[found.name]

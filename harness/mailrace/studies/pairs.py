"""Takes the kinds of overlap that a suite made; gives what steer says of each one on the recorded version.

Verdicts that steer has reached are kept in a cache, by version. So the next recording of a suite has them at
once, and can also tell what other versions do.
"""

import hashlib
import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

from mailrace import __version__
from mailrace.history import RECORD_DOCUMENT, read_regular, stands_in, write_whole
from mailrace.model.errors import MailraceError, UsageError
from mailrace.model.request import Output, RunRequest, Steering
from mailrace.model.result import Verdict
from mailrace.model.target_name import TargetName, parse_target
from mailrace.record.findings import Findings, Overlap
from mailrace.record.mails import READS
from mailrace.run import run
from mailrace.scenario import parse
from mailrace.studies.surveyed import Known, known_of, surveyed_pairs
from mailrace.targets import cache_folder, why_not

SCENARIOS = "scenarios"
"""The folder below a record's with a scenario for each kind of overlap that actors of a scenario can make."""
STEERED = "steered"
"""The folder of the cache, which has a file for each version."""
STEER_S_MIN = 1.0
NO_ACTOR = "no actor of a scenario does what one of the two operations does"
NOT_ASKED = "it was not steered (--minutes 0); steer the scenario by itself"
NO_TIME = "the time for steering was over; steer the scenario by itself"


class Cache:
    """What was steered before on one version of a real Mailpit. For any other target it keeps nothing.

    A verdict holds for the text of its scenario only, and for the version of mailrace that found it.
    """

    def __init__(self, target: TargetName | None) -> None:
        self._folder = cache_folder().parent / STEERED
        self._version = target.version if target is not None and target.kind == "mailpit" else ""

    def known(self, scenario: str) -> Known | None:
        """What is known of that scenario on this version."""
        return _read(self._folder / f"{self._version}.json").get(_digest(scenario)) if self._version else None

    def elsewhere(self, scenario: str) -> tuple[str, ...]:
        """What is known of that scenario on other versions, a few words for each."""
        said = []
        for file in sorted(self._folder.glob("*.json")):
            known = _read(file).get(_digest(scenario)) if file.stem != self._version else None
            if known is not None:
                said.append(f"{file.stem}: {known.why if known.verdict == Verdict.RACE else known.verdict}")
        return tuple(said)

    def keep(self, scenario: str, verdict: str, why: str) -> None:
        """Keep a verdict, if it is one that will not change.

        Where the cache cannot be written, nothing is kept.
        """
        if not self._version or verdict not in (Verdict.PASS, Verdict.RACE):
            return
        with suppress(OSError, MailraceError):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._folder / f"{self._version}.json"
            held = _read(file) | {_digest(scenario): Known(str(verdict), why)}
            text = json.dumps(
                {"mailrace": __version__, "steered": {k: [v.verdict, v.why] for k, v in held.items()}}
            )
            write_whole(file, text.encode())


def steer_overlaps(
    found: Findings, target: TargetName, folder: Path, seconds: float, said: Callable[[str], None]
) -> Findings:
    """The findings with what steer says of each kind of overlap.

    A scenario file is written for each kind that actors can make, whether there is time to steer it or not.
    """
    deadline = monotonic() + seconds
    asked, why_none = _version_of(target, found.version)
    cache = Cache(asked)
    surveyed = surveyed_pairs(folder.parent, asked) if asked is not None else ()
    looked: dict[tuple[str, str, str], Overlap] = {}
    # Reads are the most frequent and can harm least, so the time goes to what two writers do first.
    for overlap in sorted(found.overlaps, key=lambda one: not READS.isdisjoint((one.first, one.second))):
        shape = (overlap.first, overlap.second, overlap.relation)
        if not overlap.file:
            looked[shape] = replace(overlap, why=NO_ACTOR)
            continue
        path = folder / SCENARIOS / overlap.file
        # A record may be a stranger's, so nothing is written through a link of its.
        if path.parent.is_symlink():
            raise UsageError(f"{path.parent}: is a link; name a record that mailrace made")
        path.parent.mkdir(exist_ok=True)
        write_whole(path, overlap.scenario.encode())
        # What is known already takes no time, so the time goes to what nobody has looked at yet.
        known = known_of(surveyed, overlap.first, overlap.second, overlap.relation)
        known = known or cache.known(overlap.scenario)
        if known is not None:
            seen = replace(overlap, verdict=known.verdict, why=known.why)
        elif asked is None:
            seen = replace(overlap, why=why_none)
        elif (left_s := deadline - monotonic()) < STEER_S_MIN:
            seen = replace(overlap, why=NO_TIME if seconds else NOT_ASKED)
        else:
            said(f"steering {overlap.first} beside {overlap.second}, {overlap.relation}")
            seen = _steered(overlap, path, asked, left_s)
            cache.keep(overlap.scenario, seen.verdict, seen.why)
        looked[shape] = replace(seen, elsewhere=cache.elsewhere(overlap.scenario))
    return found.with_overlaps([looked[one.first, one.second, one.relation] for one in found.overlaps])


def steered_run(folder: Path) -> Path:
    """The run below a record's folder that shows without the suite what happened, for a bundle or a replay.

    It is the run of an overlap that was steered to a race; if possible to an anomaly that happened in the
    suite. Raises UsageError with the next step where there is none.
    """
    happened, racing, target = _told(folder)
    # The folder may be a stranger's, so only what stands in it is taken.
    files = [(why, folder / SCENARIOS / Path(file).name) for why, file in racing]
    files.sort(key=lambda one: not any(name in one[0] for name in happened))
    for _, file in files:
        run = file.with_suffix("")
        if run.is_dir() and stands_in(folder, run):
            return run
    if files:
        # An earlier record or a survey told that it races, so it was not steered again here.
        again = shlex.join(["mailrace", "steer", str(files[0][1]), "--target", target])
        raise UsageError(
            f"{folder}: a record of a suite; its overlap {files[0][1].name} is known to race, but was not "
            f"steered here; to do so: {again}, then name the folder of that run"
        )
    raise UsageError(
        f"{folder}: a record of a suite, in which no overlap was steered to a race; to do so: "
        f"mailrace steer {folder / SCENARIOS} --target mailpit@VERSION, then name the folder of that run"
    )


def _told(folder: Path) -> tuple[frozenset[str], list[tuple[str, str]], str]:
    """What a record's document says: what happened, which overlaps race (why, in which file), the target."""
    try:
        document = json.loads(read_regular(folder / RECORD_DOCUMENT))
        happened = frozenset(str(one["name"]) for one in document["happened"])
        racing = [one for one in document["overlaps"] if one["verdict"] == Verdict.RACE]
        raced = [(str(one["why"]), str(one["file"])) for one in racing if one["file"]]
        return happened, raced, _named(str(document["target"]), str(document["version"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return frozenset(), [], ""


def _named(target: str, version: str) -> str:
    """The target as a command may name it; no program or address, since the document may be a stranger's."""
    for name in (target, f"mailpit@{version}"):
        with suppress(MailraceError):
            if (named := parse_target(name)).kind in ("mailpit", "embedded"):
                return named.text
    return "mailpit@VERSION"


def steered_before(found: Findings, folder: Path) -> Findings:
    """The findings with what record.json says of their overlaps; where it is silent, what the cache says."""
    try:
        told = json.loads(read_regular(folder / RECORD_DOCUMENT))["overlaps"]
        said = {(o["first"], o["second"], o["relation"]): o for o in told}
        return found.with_overlaps(
            [
                replace(
                    one,
                    verdict=str(o["verdict"]),
                    why=str(o["why"]),
                    elsewhere=tuple(str(text) for text in o["elsewhere"]),
                )
                for one in found.overlaps
                if (o := said[one.first, one.second, one.relation])
            ]
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return steer_overlaps(found, parse_target(found.target), folder, 0.0, lambda _: None)


def _version_of(target: TargetName, version: str) -> tuple[TargetName | None, str]:
    """What is steered in place of the recorded server, or why nothing is; only servers of ours are."""
    if target.kind != "url":
        return target, ""
    try:
        same = parse_target(f"mailpit@{version}")
    except MailraceError:
        return None, "a server that is not ours is not steered, and its version is not known"
    if why := why_not(same):
        return None, f"a server that is not ours is not steered, and another of its version is missing: {why}"
    return same, ""


def _steered(overlap: Overlap, path: Path, target: TargetName, seconds: float) -> Overlap:
    asked = RunRequest(
        target=target,
        mode="steer",
        time_limit_s=seconds,
        steering=Steering(one_of_each="anomaly"),
        output=Output(out=path.with_suffix(""), formats=("json", "html")),
    )
    try:
        (result,) = run([parse(path.read_bytes(), path)], asked).result.scenarios
    except MailraceError as wrong:
        return replace(overlap, verdict=Verdict.FAILED, why=str(wrong))
    names = ", ".join(result.anomalies)
    return replace(overlap, verdict=result.verdict, why=names or result.reason)


def _digest(scenario: str) -> str:
    return hashlib.sha256(scenario.encode()).hexdigest()


def _read(file: Path) -> dict[str, Known]:
    """What a file of the cache holds; nothing where another mailrace wrote it, or it cannot be read."""
    try:
        held = json.loads(read_regular(file))
        if held["mailrace"] != __version__:
            return {}
        return {str(k): Known(str(verdict), str(why)) for k, (verdict, why) in held["steered"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
